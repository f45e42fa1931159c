"""Law 12: every config composes, and every dotted name in it resolves and binds."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Unpack, get_args, get_origin

import pytest
from hydra import compose, initialize_config_module
from hydra.utils import get_object
from omegaconf import DictConfig, ListConfig, OmegaConf

import conf
from experiments.reporting.result import Result

CONF = Path(conf.__file__).parent
OPTIONS = sorted(
    path.relative_to(CONF).with_suffix("").as_posix() for path in CONF.glob("*/**/*.yaml")
)
DOTTED = re.compile(r"^(simenv|agents|recommenders|training|experiments)(\.\w+)+$")


def composed(option: str) -> DictConfig:
    group, _, name = option.rpartition("/")
    overrides = [] if group == "experiment" else ["experiment=policy_ranking"]
    with initialize_config_module("conf", version_base="1.3"):
        cfg = compose("config", [*overrides, f"{group}={name}"], return_hydra_config=True)
    # Hydra fills these in when an application starts; a composed config has no application.
    OmegaConf.update(cfg, "hydra.runtime.output_dir", "runs/test")
    OmegaConf.update(cfg, "hydra.job.num", 0)
    return cfg


def own_nodes(option: str) -> list[DictConfig]:
    """The nodes of the option's own group; of the whole config where the group has none."""
    cfg = composed(option)
    group = option.split("/")[0]
    return list(nodes(cfg[group] if isinstance(cfg.get(group), DictConfig) else cfg))


def nodes(cfg: Any) -> Iterator[DictConfig]:
    if isinstance(cfg, DictConfig):
        yield cfg
        keys = [k for k in cfg if k != "hydra" and not OmegaConf.is_missing(cfg, k)]
        for key in keys:
            yield from nodes(cfg[key])
    elif isinstance(cfg, ListConfig):
        for item in cfg:
            yield from nodes(item)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_config_composes_and_every_target_binds(option):
    for node in own_nodes(option):
        if "_target_" not in node:
            continue
        target = get_object(node._target_)
        given = {str(key): None for key in node if not str(key).startswith("_")}
        signature = inspect.signature(target)
        if node.get("_partial_"):
            signature.bind_partial(**given)
        else:
            signature.bind(**given)
        assert not unknown_settings(signature, given), node._target_


def unknown_settings(signature: inspect.Signature, given: dict[str, Any]) -> set[str]:
    """Keywords that the target would take by ``**settings`` but does not declare there."""
    extra = [p for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD]
    if not extra or get_origin(extra[0].annotation) is not Unpack:
        return set()
    (settings,) = get_args(extra[0].annotation)
    return given.keys() - signature.parameters.keys() - settings.__optional_keys__


def test_a_misspelt_setting_of_a_reader_is_found():
    signature = inspect.signature(get_object("simenv.data.readers.custom.custom"))
    assert unknown_settings(signature, {"path": "r.csv", "num_user": 3}) == {"num_user"}
    assert not unknown_settings(signature, {"path": "r.csv", "num_users": 3, "seed": 1})


@pytest.mark.parametrize("option", OPTIONS)
def test_every_dotted_name_in_a_config_resolves(option):
    for node in own_nodes(option):
        for key in node:
            value = None if OmegaConf.is_missing(node, key) else node[key]
            if isinstance(value, str) and DOTTED.match(value):
                assert callable(get_object(value))


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.startswith("experiment/")])
def test_every_experiment_turns_a_config_into_a_result(option):
    run = get_object(composed(option).experiment.run)
    signature = inspect.signature(run, eval_str=True)
    assert list(signature.parameters) == ["cfg"]
    assert signature.return_annotation in (Result, Result | None)


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.startswith("recommender/")])
def test_every_policy_config_lands_under_its_own_name(option):
    assert list(composed(option).recommender) == [option.rpartition("/")[2]]


@pytest.mark.parametrize("option", OPTIONS)
def test_every_config_says_on_top_what_it_is(option):
    lines = (CONF / f"{option}.yaml").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("# ") and "@package" not in line for line in lines[:2])


def test_several_policies_can_be_chosen_at_once():
    with initialize_config_module("conf", version_base="1.3"):
        cfg = compose("config", ["experiment=policy_ranking", "recommender=[ease,popularity]"])
    assert list(cfg.recommender) == ["ease", "popularity"]


def test_no_experiment_is_an_error_that_lists_them():
    with (
        initialize_config_module("conf", version_base="1.3"),
        pytest.raises(Exception, match=r"(?s)experiment=<OPTION>.*policy_ranking"),
    ):
        compose("config")

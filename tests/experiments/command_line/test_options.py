"""The door of every experiment: what an option may be, and that bad values are refused in words."""

import copy
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

import conf
from experiments.__main__ import main
from experiments.command_line.arguments import choices_of_ones_own
from experiments.command_line.errors import as_command, composition_in_words, in_words
from experiments.command_line.experiment_options import OF_EXPERIMENT
from experiments.command_line.experiments_said import check_uses, experiments
from experiments.command_line.kinds import (
    Anything,
    Choice,
    Either,
    Flag,
    ListOf,
    Matching,
    Real,
    Text,
    Whole,
)
from experiments.command_line.option_table import NODES, TABLE
from experiments.command_line.options import (
    OptionError,
    check_complete,
    check_options,
    check_targets,
    kind_of,
)
from experiments.reporting.running import check
from tests.tally import tally

CONF = Path(conf.__file__).parent
OPTIONS = sorted(
    path.relative_to(CONF).with_suffix("").as_posix() for path in CONF.glob("*/**/*.yaml")
)
NEEDED = ["data.path=x.csv", "embedder.model=x", "distiller.input_price=1"]


@cache
def _composed(*words: str) -> DictConfig:
    with initialize_config_module("conf", version_base="1.3"):
        cfg = compose("config", list(words), return_hydra_config=True)
    OmegaConf.update(cfg, "hydra.runtime.output_dir", "runs/test")
    OmegaConf.update(cfg, "hydra.job.num", 0)
    with_hydra = OmegaConf.to_container(cfg, resolve=False)
    assert isinstance(with_hydra, dict)
    with_hydra.pop("hydra")
    return OmegaConf.create({**with_hydra, "output_dir": "runs/test"})


def composed(*words: str) -> DictConfig:
    """The config of a command: groups are composed once, options are set as Hydra sets them."""
    groups = [word for word in words if word.split("=")[0] in ("experiment", "data")]
    cfg = copy.deepcopy(_composed(*dict.fromkeys(groups)))
    for word in words:
        if word not in groups:
            override = OverridesParser.create().parse_override(word)
            _set(cfg, override)
    return cfg


def _set(cfg: DictConfig, override: Override) -> None:
    parent, _, key = override.key_or_group.rpartition(".")
    node = OmegaConf.select(cfg, parent) if parent else cfg
    if override.is_delete():
        node.pop(key, None)
    else:
        OmegaConf.update(cfg, override.key_or_group, override.value(), force_add=True)


def plain(cfg: DictConfig) -> dict:
    found = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=False)
    assert isinstance(found, dict)
    return found


def leaves(node, path=""):
    for key, value in node.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict) and name not in NODES and kind_of(name) is None:
            yield from leaves(value, name)
        elif not str(key).startswith("_"):
            yield name, value


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_every_config_has_a_kind_that_its_default_fits(option):
    group, _, name = option.rpartition("/")
    own = [] if group == "experiment" else ["experiment=policy_ranking"]
    config = plain(_composed(*own, f"{group}={name}"))
    table = TABLE | OF_EXPERIMENT.get(config["experiment"]["name"], {})
    for leaf, value in leaves(config):
        kind = kind_of(leaf, table) or NODES.get(leaf)
        if leaf.startswith(("experiment.grids", "experiment.loggers", "experiment.targets")):
            continue
        assert kind is not None, f"{leaf} of {option} is in no table"
        assert value == "???" or kind.fits(value), f"{leaf}={value!r} wanted {kind.wanted}"


KINDS = [
    (Whole(1, 5), [1, 5], [0, 6, -1, 1.0, True, "1", None, [1], float("nan"), 10**30]),
    (Real(0, 1), [0, 1, 0.5], [-0.1, 1.1, float("nan"), float("inf"), True, "0.5", None]),
    (Real(0.0, above=True), [0.1, 3], [0, 0.0, -1]),
    (Real(None, None), [-1e9, 0], [float("-inf"), "x", {}]),
    (Text(), ["a"], ["", " ", 3, None, "a\0b"]),
    (Text(empty=True), ["", " ", "a"], [3, None]),
    (Choice(("a", "b")), ["a"], ["c", "A", 1, None, []]),
    (Matching("a+", "many a"), ["a", "aa"], ["", "b", None, 1]),
    (Flag(), [True, False], [0, 1, "true", None]),
    (ListOf(Whole(0)), [[0], [1, 2]], [[], 3, [-1], [[1]], ["x"], None, {}]),
    (ListOf(Whole(0), least=2, most=2), [[1, 5]], [[1], [1, 2, 3]]),
    (Either((Whole(0),), null=True), [0, None], [-1, "null"]),
    (Anything("{a: 1}"), [{}, {"a": 1}], [3, [], None, "a"]),
]


@pytest.mark.parametrize(("kind", "good", "bad"), KINDS, ids=lambda value: str(value)[:30])
def test_a_kind_takes_its_values_and_no_others(kind, good, bad):
    assert all(kind.fits(value) for value in good)
    assert [value for value in bad if kind.fits(value)] == []
    assert kind.wanted


REFUSED = {
    "num_users=0": r"^num_users wanted a whole number from 1 to [\d,]+, got 0$",
    "num_users=-3": r"^num_users wanted a whole number from 1 to [\d,]+, got -3$",
    "num_users=2.5": r"^num_users wanted a whole number from .*, got 2\.5$",
    "num_users=nan": r"^num_users wanted a whole number .*, got NaN$",
    "num_users=[1,2]": r"^num_users wanted a whole number .*, got \[1, 2\]$",
    "num_users=null": r"^num_users wanted a whole number .*, got null$",
    "seed=-1": r"^seed wanted a whole number from 0 to .*, got -1$",
    "precision=0": r"^precision wanted a number above 0, at most 4 or null, got 0$",
    "precision=.inf": r"^precision wanted a number above 0, at most 4 or null, got \.inf",
    "budget.exposures=many": r"^budget\.exposures wanted a whole number from 1 to .*, got many$",
    "budget=3": r"^budget wanted options of its own \(budget\.cost, .*\), got 3$",
    "env.slate_size=0": r"^env\.slate_size wanted a whole number from 1 to 10,000, got 0$",
    "experiment.min_rating=7": r"^experiment\.min_rating wanted a number from 1 to 5, got 7$",
    "data.fraction=0": r"^data\.fraction wanted a number above 0, at most 1, got 0$",
    "engine.fast=maybe": r"^engine\.fast wanted auto or true or false, got maybe$",
    "recommender.als.factors=-2": r"^recommender\.als\.factors wanted a whole number from 1",
    "recommender.ease.l2={a: 1}": r"^recommender\.ease\.l2 wanted a number from 0 to 1e\+12, got",
    "users.ablation=no_m": r"; did you mean users\.ablation=no_m[sl]\?$",
    "engine.device=tpu": r"^engine\.device wanted auto, cpu, cuda, cuda:N or mps, got tpu$",
    "+recommender.x=3": r"^recommender\.x wanted a policy \(\{_target_: MODULE\.NAME, .*got 3$",
    "~num_users": r"^policy_ranking wanted the option num_users, which was taken out; leave out ~",
    "~experiment.top": r"^policy_ranking wanted the option experiment\.top, which was taken out",
    "users._target_=3": r"^users\._target_ wanted the dotted path of a class or function, got 3",
    "users._target_=mypeople.Mine": r"^users\._target_=mypeople\.Mine cannot be imported: "
    r"ModuleNotFoundError: No module named 'mypeople'; name a class or function of a module in",
    "+users.abltion=none": r"^users\.abltion is no option of .*; did you mean users\.ablation\?$",
}


@pytest.mark.parametrize("word", REFUSED)
def test_a_value_that_cannot_be_is_refused_with_option_value_and_range(word):
    with pytest.raises(OptionError, match=REFUSED[word]):
        check(composed("experiment=policy_ranking", word), [word])


def test_a_name_that_leads_nowhere_is_refused_before_anything_is_read():
    config = {"recommender": {"mine": {"_target_": "no_such_module.Mine"}}}
    with pytest.raises(OptionError, match=r"^recommender\.mine\._target_=no_such_module\.Mine can"):
        check_targets(config, ("recommender",))
    with pytest.raises(OptionError, match=r"experiment wanted the name of one \(personarec --help"):
        check_options({})
    with pytest.raises(OptionError, match=r"toy wanted the option a\.b, which was taken out"):
        check_complete({"a": {}}, ["a.b"], "toy")


COMMON = ["seed=3", "num_users=5", "data.num_users=20", "users=scripted", "engine=scripted",
          "embedder=hashing", "distiller=offline", "training=small", "env.slate_size=2",
          "recommender=[random]", "budget.exposures=100", "precision=0.5", "debug=tiny",
          "output_dir=runs/test"]  # fmt: skip
READS = {
    "seed": r"cfg\.seed|cfg\.data|make_setting", "num_users": r"cfg\.num_users|make_setting",
    "data": r"cfg\.data|make_setting|train_pocket", "users": r"cfg\.users|make_setting|kept_people",
    "engine": r"cfg\.users|cfg\.engine|make_setting|kept_people",
    "embedder": r"cfg\.users|cfg\.embedder|make_setting|kept_people",
    "distiller": r"cfg\.distiller|made_distiller", "training": r"cfg\.training|persona_settings",
    "env": r"cfg\.env|make_setting|env\.slate_size", "recommender": r"cfg\.recommender|\"recomm",
    "budget": r"make_setting", "precision": r"make_setting",
}  # fmt: skip


def refusal_of(run, name, word):
    try:
        check_uses(run, name, [f"experiment={name}", word])
    except OptionError as refused:
        return str(refused)
    return None


@pytest.mark.parametrize("word", COMMON)
@pytest.mark.parametrize("name", experiments())
def test_each_common_option_is_used_by_an_experiment_or_refused(name, word):
    run = plain(composed(f"experiment={name}"))["experiment"]["run"]
    option = word.split("=")[0]
    root = option.split(".")[0]
    refused = refusal_of(run, name, word)
    if refused is not None:
        assert re.match(rf"{name} does not use {re.escape(option)}[;,] .*", refused)
    elif root in READS:
        folder = Path(conf.__file__).parents[1] / "experiments" / run.split(".")[1]
        code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
        code += (CONF / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")
        assert re.search(READS[root], code), f"{name} takes {option} and never reads it"


def test_simulate_says_where_the_number_of_its_people_is_set():
    with pytest.raises(OptionError, match=r"simulate does not use num_users; .* data\.num_users"):
        check_uses("experiments.simulate.run.run", "simulate", ["num_users=-3"])


@pytest.mark.parametrize("name", ["worlds", "off_policy"])
def test_what_needs_the_truth_takes_no_log_of_ones_own(name):
    run = f"experiments.{name}.run.run"
    check_uses(run, name, ["data=tiny", "data.num_items=50"])
    with pytest.raises(
        OptionError,
        match=rf"{name} wanted people whose true taste is known, got data=custom; give"
        r" data=synthetic or data=tiny( or data=reading_world)?$",
    ):
        check_uses(run, name, ["data=custom", "data.path=log.csv"])


def test_data_that_an_experiment_is_shown_with_may_be_given_to_it():
    root = Path(conf.__path__[0]).parent
    texts = [*root.glob("experiments/*/__init__.py"), *root.glob("conf/**/*.yaml")]
    told = re.compile(r"personarec experiment=(\w+)[^\n#]*? data=(\w+)")
    shown = {pair for text in texts for pair in told.findall(text.read_text(encoding="utf-8"))}
    assert ("worlds", "reading_world") in shown
    for name, data in sorted(shown):
        check_uses(f"experiments.{name}.run.run", name, [f"data={data}"])


def test_a_toy_that_says_nothing_may_be_given_everything():
    check_uses("somewhere.else.run", "toy", COMMON)


REPLACED = {
    "experiment.cells={Ms+Ml:[none,persona]}": {"Ms+Ml": ["none", "persona"]},
    "experiment.grids={ease: {l2: [5, 50]}}": {"ease": {"l2": [5, 50]}},
    "experiment.targets={mine: {_target_: recommenders.policies.ease.EASE}}": {
        "mine": {"_target_": "recommenders.policies.ease.EASE"}
    },
}


@pytest.mark.parametrize("word", REPLACED)
def test_a_mapping_of_choices_replaces_the_default_instead_of_joining_it(word):
    option = word.split("=")[0].removeprefix("experiment.")
    name = {"cells": "rating_fidelity", "grids": "tune", "targets": "off_policy"}[option]
    words = choices_of_ones_own([f"experiment={name}", word])
    cfg = _composed.__wrapped__(*words)  # merged, as Hydra does
    assert len(cfg.experiment[option]) > 1
    check(cfg, words)
    assert OmegaConf.to_container(cfg.experiment[option]) == REPLACED[word]


KEYWORDS = {
    'pass on_bad_rows="drop"': "pass data.on_bad_rows=drop",
    "title_column=None is the id": "data.title_column=null is the id",
    "users.model=PATH stays": "users.model=PATH stays",
    "(user_column=, item_column=, …)": "(data.user_column=, data.item_column=, …)",
    "unknown_word=3 stays": "unknown_word=3 stays",
    "http://host/?on_bad_rows=1": "http://host/?on_bad_rows=1",
    "fast=False": "engine.fast=false",
}


@pytest.mark.parametrize("text", KEYWORDS)
def test_keywords_become_options(text):
    config = plain(composed("experiment=policy_ranking", "data=custom"))
    assert as_command(text, config) == KEYWORDS[text]


FILES = {
    FileNotFoundError(2, "No such", "a.csv"): "there is no file or folder a.csv; check its name",
    PermissionError(13, "denied", "a.csv"): "a.csv may not be read or written; change its",
    IsADirectoryError(21, "is a dir", "a"): "a is a folder where a file was wanted; name the file",
    NotADirectoryError(20, "no dir", "a"): "a is a file where a folder was wanted; name another",
    OSError(28, "No space left on device", "a"): "a: No space left on device; make room, or name",
    OSError(28, "No space left on device"): "to its end: No space left on device; make room, or",
    Exception("I/O error: File too large (os error 27)"): "to its end: File too large; make room",
    RuntimeError("[enforce fail at inline_container.cc:672] ."): "end: the disk may be full; make",
    MemoryError(): "out of memory; make the run smaller",
    KeyError("x"): "KeyError: no entry 'x' (HYDRA_FULL_ERROR=1",
}


@pytest.mark.parametrize("error", FILES, ids=lambda e: type(e).__name__)
def test_errors_of_files_name_the_file_and_the_cure(error):
    assert FILES[error] in in_words(error)


VALUES = st.one_of(
    st.integers(-5, 5), st.integers(), st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(["null", "true", "no", "''", "a", "auto", "[]", "[1]", "[a,b]", "[[1]]", "{}",
                     "{a: 1}", "1e400", "-.inf", "nan", "0.0", "???", "${seed}", "${none}", "\"\"",
                     "ä", "1,2", "9" * 400, "x" * 5000, "/", "..", "0x10", "1_000"]),
).map(str)  # fmt: skip
NAMES = sorted(name for name in experiments() if not name.startswith("throughput"))
WORDS = [name for name in TABLE if "*" not in name and not name.startswith("output_dir")]


@st.composite
def commands(draw):
    name = draw(st.sampled_from(NAMES))
    options = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=2, unique=True))
    forms = st.sampled_from(["{}={}", "{}={}", "{}={}", "+{}={}", "++{}={}", "~{}"])
    return [f"experiment={name}", *(draw(forms).format(o, draw(VALUES)) for o in options)]


def checked(words, compose=composed):
    """None where the command may run, else the error in words."""
    try:
        cfg = compose(*words)
    except OptionError as error:
        return str(error)
    except Exception as error:
        return composition_in_words(error, WORDS)
    try:
        check(cfg, words)
    except OptionError as error:
        return str(error)
    except Exception as error:
        return in_words(error)
    return None


def holds(words, compose=composed):
    said = checked(words, compose)
    if said is not None:
        assert said
        assert "\n" not in said
        assert "HYDRA_FULL_ERROR" not in said, (words, said)
    tally("fuzzed commands", "worked" if said is None else "refused")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(commands())
def test_any_override_is_fine_or_refused_in_words_before_anything_is_read(words):
    holds(words)


@pytest.mark.reliability
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("batch", range(5))
def test_thousands_of_overrides_are_fine_or_refused_in_words(batch):
    def attack(words):
        holds(words, _composed.__wrapped__)

    slow = list(HealthCheck)
    limits = settings(max_examples=500, deadline=None, suppress_health_check=slow, database=None)
    seed(batch)(limits(given(commands())(attack)))()


@pytest.mark.reliability
@pytest.mark.timeout(7200)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=commands())
def test_whole_runs_work_or_end_with_one_line(words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    words = [words[0], "debug=tiny", f"output_dir={folder}/out", *words[1:]]
    done = subprocess.run(
        [sys.executable, "-m", "experiments", *words], capture_output=True, text=True, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CONF.parent)}, timeout=600, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, (words, done.stderr)
    if done.returncode:
        assert done.stderr.splitlines()[-1].startswith("error: "), (words, done.stderr)
        assert "HYDRA_FULL_ERROR" not in done.stderr, (words, done.stderr)


def test_the_door_is_the_same_for_a_real_command(monkeypatch, capsys, tmp_path):
    words = ["experiment=tune", "experiment.fraction=2", f"output_dir={tmp_path}"]
    monkeypatch.setattr(sys, "argv", ["personarec", *words])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: experiment.fraction wanted a number above 0, at most 1, got 2"
    )

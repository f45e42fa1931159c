"""``slm=…`` is used, or refused with what is in the way."""

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from experiments.command_line.experiments_said import experiments
from experiments.command_line.options import OptionError
from experiments.reporting.running import check

USING = sorted(name for name, said in experiments().items() if "slm" in (said.uses or ()))


def checked(*words):
    with initialize_config_module("conf", version_base="1.3"):
        cfg = compose("config", list(words))
    OmegaConf.update(cfg, "output_dir", "runs/test")
    check(cfg, list(words))
    return cfg


def test_most_experiments_take_a_base_model():
    assert {"build_population", "policy_ranking", "rating_fidelity", "simulate"} <= set(USING)
    assert {"train_adapters", "raft", "worlds", "counterfactual"} <= set(USING)


@pytest.mark.parametrize("name", USING)
def test_the_model_that_is_named_reaches_the_experiment(name):
    cfg = checked(f"experiment={name}", "slm=smollm2")
    own = cfg.experiment.get("base", {}).get("same_rows", cfg.experiment.get("slm"))
    assert "smollm2" in (own, cfg.users.get("model"))


def test_users_without_a_language_model_do_not_swallow_it():
    with pytest.raises(OptionError, match="slm=smollm2 would change nothing: these users run"):
        checked("experiment=policy_ranking", "users=scripted", "slm=smollm2")


def test_two_names_of_one_model_are_refused():
    with pytest.raises(OptionError, match=r"slm=a and experiment.slm=b name two base models"):
        checked("experiment=train_adapters", "slm=a", "experiment.slm=b")
    with pytest.raises(OptionError, match=r"slm=a and users.model=b name two base models"):
        checked("experiment=simulate", "slm=a", "users.model=b")


def test_experiments_without_a_base_model_refuse_it():
    with pytest.raises(OptionError, match="tune does not use slm"):
        checked("experiment=tune", "slm=smollm2")

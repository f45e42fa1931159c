"""Whether a command's work is spread: engine=ray says so, and nothing else."""

import sys

import pytest
from omegaconf import OmegaConf

from experiments.command_line.experiments_said import check_uses
from experiments.command_line.options import OptionError
from experiments.people.workers import workers_of
from training.spreading import IN_THIS_PROCESS

RAY = "agents.inference.ray.ray_engine.ray_engine"
OPTIONS = {
    "workers": 2, "address": None, "cpus_per_worker": 1, "gpus_per_worker": 0, "restarts": 3,
    "start_timeout": 600,
}  # fmt: skip
BUILD = ("experiments.build_population.run.run", "build_population")


def test_another_engine_or_none_leaves_the_work_here():
    assert workers_of(OmegaConf.create({})) is IN_THIS_PROCESS
    assert workers_of(OmegaConf.create({"engine": {"_target_": "a.Local"}})) is IN_THIS_PROCESS


def test_without_ray_the_command_says_what_to_install_before_it_reads_anything(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match=r"engine=ray needs ray: pip install"):
        workers_of(OmegaConf.create({"engine": {"_target_": RAY, **OPTIONS}}))


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"engine=ray wanted workers of at least 1, got 0"):
        workers_of(OmegaConf.create({"engine": {"_target_": RAY, **OPTIONS, "workers": 0}}))


@pytest.mark.parametrize(
    "words", [["engine=ray", "engine.workers=2", "engine.gpus_per_worker=1", "engine.address=auto"]]
)
@pytest.mark.parametrize("name", ["build_population", "train_adapters", "distil"])
def test_what_makes_people_takes_workers(name, words):
    check_uses(f"experiments.{name}.run.run", name, words)


@pytest.mark.parametrize(
    "word", ["engine=server", "engine.device=cpu", "engine@engine.engine=server",
             "engine.engine.cache_bytes=1"],
)  # fmt: skip
def test_options_of_an_engine_that_nobody_asks_are_refused(word):
    with pytest.raises(OptionError, match=r"does not use engine.*it uses .*engine=ray, seed"):
        check_uses(*BUILD, ["engine=ray", word])


def test_where_nothing_is_spread_workers_are_refused():
    with pytest.raises(OptionError, match="collusion does not use engine"):
        check_uses("experiments.collusion.run.run", "collusion", ["engine=ray"])

"""What the launcher says of jobs that ended, and what it takes, without Ray."""

from types import SimpleNamespace

import pytest
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf

from agents.inference.ray.tasks import LostTaskError, Outcome
from experiments.sweeps.job import JobDone
from experiments.sweeps.ray_launcher import RayLauncher, RayLauncherOptions, _reported, register

DEFAULTS = {k: v for k, v in vars(RayLauncherOptions()).items() if k != "_target_"}


def ended(folder, err=""):
    cfg = OmegaConf.create({"hydra": {"runtime": {"output_dir": str(folder)}}})
    return Outcome("job 0 (seed=0)", JobDone(SimpleNamespace(hydra_cfg=cfg), "a table\n", err))


def reported(outcome, capsys):
    import sys

    return _reported(outcome, sys.stdout, sys.stderr), *capsys.readouterr()


def test_what_a_job_printed_is_printed_whole(tmp_path, capsys):
    outcome = ended(tmp_path, "error: no such file\n")
    result, out, err = reported(outcome, capsys)
    assert result is outcome.value.result
    assert (out, err) == ("a table\n", "error: job 0 (seed=0): no such file\n")


def test_a_job_whose_process_died_is_reported_by_name(capsys):
    lost = Outcome("job 1 (seed=1)", error=LostTaskError("its Ray worker died 4 times (gone)"))
    result, _, err = reported(lost, capsys)
    assert result is None
    assert err == "error: job 1 (seed=1): its Ray worker died 4 times (gone)\n"


def test_a_job_whose_folder_stayed_on_another_machine_has_failed(tmp_path, capsys):
    result, _, err = reported(ended(tmp_path / "0"), capsys)
    assert result is None
    assert "was written on another machine, whose disk has it; give an output_dir that" in err


def test_options_that_cannot_be_are_refused_in_the_words_of_the_command():
    RayLauncher(**DEFAULTS)
    with pytest.raises(ValueError, match=r"hydra/launcher=ray wanted jobs of at least 1, got 0"):
        RayLauncher(**{**DEFAULTS, "jobs": 0})
    with pytest.raises(TypeError, match=r"hydra/launcher=ray wanted cpus_per_job .*got 'two'"):
        RayLauncher(**{**DEFAULTS, "cpus_per_job": "two"})


def test_hydra_takes_the_launcher_once_it_is_registered():
    register()
    plugins = Plugins.instance()
    config = OmegaConf.structured(RayLauncherOptions())
    assert type(plugins._instantiate(config)) is RayLauncher

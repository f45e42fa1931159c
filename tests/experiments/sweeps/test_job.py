"""One job of a sweep: its name, its error, and what it may not be."""

import pytest
from omegaconf import OmegaConf

from experiments.command_line.errors import JobFailedError
from experiments.sweeps.job import (
    Job,
    check_no_ray_inside,
    errors_named,
    failed,
    names_of,
)

RAY = "agents.inference.ray.ray_engine.ray_engine"


def test_names_say_what_differs_and_show_no_key():
    words = ["experiment=tune", "seed=3"]
    assert names_of([[*words, "+engine.api_key=sk-1"], words], first=3) == [
        "job 3 (+engine.api_key=***)",
        "job 4",
    ]


def test_an_error_gets_the_name_of_its_job_and_other_lines_stay():
    err = "people: reading\nerror: seed wanted a number\n"
    assert errors_named(err, "job 1 (seed=x)") == (
        "people: reading\nerror: job 1 (seed=x): seed wanted a number\n"
    )
    assert errors_named("", "job 1 ()") == ""


def test_a_job_that_failed_raises_what_ends_the_command_with_1():
    with pytest.raises(JobFailedError, match="job 1"):
        _ = failed(["seed=x"], "job 1").return_value


@pytest.mark.parametrize(
    "engine", [{"_target_": RAY}, {"_target_": "a.b", "engine": {"_target_": RAY, "workers": 2}}]
)
def test_a_job_with_workers_of_its_own_is_refused_by_name(engine):
    said = r"wanted jobs that run on one worker each, got job 0 \(\) with engine=ray, .*leave"
    with pytest.raises(ValueError, match=said):
        check_no_ray_inside("job 0 ()", OmegaConf.create({"engine": engine}))


def test_other_jobs_are_let_through():
    check_no_ray_inside("job 0 ()", OmegaConf.create({"engine": {"_target_": "a.LocalEngine"}}))
    check_no_ray_inside("job 0 ()", OmegaConf.create({"seed": 1}))


def test_a_machine_without_the_working_directory_is_said(tmp_path):
    job = Job(OmegaConf.create(), print, None, [], [], str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError, match=r"working directory .*gone' on every machine"):
        job.run()

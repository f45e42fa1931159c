"""``hydra/launcher=ray``: every job of a sweep in a process that Ray runs, here or on a cluster.

Hydra's own Ray launcher wants other versions of our libraries. This one leaves the folders and
files of the basic launcher. It knows no experiment.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus, configure_log, filter_overrides, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from agents.inference.ray.cluster import WorkerSettings
from agents.inference.ray.tasks import Outcome, RayTasks
from experiments.command_line.errors import in_words
from experiments.reporting.progress import progress_bar
from experiments.sweeps.job import (
    Job,
    JobDone,
    check_no_ray_inside,
    errors_named,
    failed,
    names_of,
)

_PACKAGE = "hydra_plugins.personarec"  # see ``register``


@dataclass
class RayLauncherOptions:
    """``hydra.launcher.*``; see ``RayLauncher``."""

    _target_: str = f"{_PACKAGE}.RayLauncher"
    jobs: Any = "auto"
    address: Any = None
    cpus_per_job: Any = 1
    gpus_per_job: Any = 0
    restarts: Any = 3
    start_timeout: Any = 600


class RayLauncher(Launcher):
    """Runs jobs side by side, each in a process of its own.

    A job that fails is reported by its name, and the others go on. A process that dies is replaced
    and its job begun again. Nothing is sent but the composed job: keys stay in the environment.

    Args:
        jobs: how many at once; ``auto`` = one a GPU where ``gpus_per_job`` is above 0, else one
            for every ``cpus_per_job`` cores, of the whole cluster.
        address: as of ``engine=ray``.
        cpus_per_job: cores, and threads, of each.
        gpus_per_job: GPUs of each; it sees no others.
        restarts: how often a job may be begun again because its process died.
        start_timeout: seconds in which there must be room for a job.

    Raises:
        TypeError: a setting is no number.
        ValueError: it is out of range.
    """

    __module__ = _PACKAGE

    def __init__(self, jobs: Any, cpus_per_job: Any, gpus_per_job: Any, **settings: Any) -> None:
        self._settings = WorkerSettings(
            jobs, cpus_per_worker=cpus_per_job, gpus_per_worker=gpus_per_job, **settings,
            door="hydra/launcher=ray", each="job", options="hydra.launcher.",
        )  # fmt: skip

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what Hydra gives every launcher."""
        self._context, self._function, self._config = hydra_context, task_function, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs.

        Returns:
            What came of each, in the order given.

        Raises:
            ModuleNotFoundError: the extra ``ray`` is not installed.
            ConnectionError: there is no cluster at the address.
            RuntimeError: there is no room for a job.
            ValueError: a job wants Ray workers of its own.
        """
        setup_globals()
        configure_log(self._config.hydra.hydra_logging, self._config.hydra.verbose)
        Path(str(self._config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        numbered = list(enumerate(job_overrides, start=initial_job_idx))
        names = names_of([filter_overrides(words) for words in job_overrides], initial_job_idx)
        jobs = dict(zip(names, (self._job(*each) for each in numbered), strict=True))
        for name, job in jobs.items():
            check_no_ray_inside(name, job.config)
        with RayTasks(self._settings, fresh=True) as workers:
            found = _run(jobs, workers)
        own = zip(names, job_overrides, strict=True)
        return [found[name] or failed(words, name) for name, words in own]

    def _job(self, number: int, overrides: Sequence[str]) -> Job:
        config = self._context.config_loader.load_sweep_config(self._config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
            config.hydra.sweep.dir = str(self._config.hydra.sweep.dir)  # one time for all jobs
        return Job(config, self._function, self._context, sys.argv, sys.path, os.getcwd())


def _run(jobs: Mapping[str, Job], workers: RayTasks) -> dict[str, JobReturn | None]:
    """Name → what came of the job, printed as it ends; None = it failed."""
    found: dict[str, JobReturn | None] = {}
    streams = sys.stdout, sys.stderr  # a bar would take both
    with progress_bar("sweep", total=len(jobs)) as tick:
        for outcome in workers({name: job.run for name, job in jobs.items()}, tick):
            result = found[outcome.name] = _reported(outcome, *streams)
            well = result is not None and result.status == JobStatus.COMPLETED
            tick(f"{outcome.name} {'is done' if well else 'failed'}", advance=1)
    return found


def _reported(outcome: Outcome, out: Any, err: Any) -> JobReturn | None:
    """Print what a job printed, and its error with its name."""
    if outcome.error is not None:
        print(f"error: {outcome.name}: {in_words(outcome.error)}", file=err, flush=True)
        return None
    done: JobDone = outcome.value
    print(done.out, end="", file=out, flush=True)
    print(errors_named(done.err, outcome.name), end="", file=err, flush=True)
    hydra: Any = done.result.hydra_cfg
    folder = Path(hydra.hydra.runtime.output_dir)
    if not folder.is_dir():
        print(
            f"error: {outcome.name}: {folder} was written on another machine, whose disk has it;"
            " give an output_dir that all machines share",
            file=err,
        )
        return None
    return done.result


def register() -> None:
    """Let Hydra know the launcher; twice is no error.

    Hydra finds a launcher by its name and takes names of ``hydra_plugins`` alone, a package that
    others share and that need not be there; so this module goes by such a name too.
    """
    ConfigStore.instance().store(
        group="hydra/launcher", name="ray", node=RayLauncherOptions, provider="personarec"
    )
    Plugins.instance().register(RayLauncher)  # first: it reads what is installed there
    sys.modules.setdefault("hydra_plugins", ModuleType("hydra_plugins"))
    sys.modules[_PACKAGE] = sys.modules[__name__]

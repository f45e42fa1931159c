"""One job of a sweep in a process of its own: what is sent there and what comes back.

It knows no Ray. Files are those that the job writes anywhere; both streams come back as texts, so
that the lines of jobs side by side do not mix.
"""

import io
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple

from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from agents.inference.server.masking import masked_argument
from experiments.command_line.errors import JobFailedError

_RAY = "agents.inference.ray.ray_engine.ray_engine"


class Job(NamedTuple):
    """All that a process needs to run one job as it would run here."""

    config: DictConfig  # composed, with what is Hydra's
    function: TaskFunction
    context: HydraContext
    words: list[str]  # of the command, which the job's files say
    paths: list[str]  # where modules of one's own lie
    folder: str  # the working directory

    def run(self) -> "JobDone":
        """Run the job in this process, which does nothing else before or behind it.

        Raises:
            FileNotFoundError: this machine has not the command's working directory.
        """
        if not os.path.isdir(self.folder):
            raise FileNotFoundError(
                f"a job wanted the working directory {self.folder!r} on every machine, got one that"
                " has it not; use a file system that all machines share"
            )
        os.chdir(self.folder)
        sys.argv = list(self.words)
        sys.path += [path for path in self.paths if path not in sys.path]
        setup_globals()
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            done = run_job(
                task_function=self.function,
                config=self.config,
                job_dir_key="hydra.sweep.dir",
                job_subdir_key="hydra.sweep.subdir",
                hydra_context=self.context,
            )
            error = done._return_value
            if done.status == JobStatus.FAILED and not isinstance(error, JobFailedError):
                traceback.print_exception(error)  # asked for by HYDRA_FULL_ERROR=1
                done.return_value = JobFailedError()
        return JobDone(done, out.getvalue(), err.getvalue())


class JobDone(NamedTuple):
    """What a job came to."""

    result: JobReturn
    out: str  # what it printed
    err: str


def names_of(overrides: Sequence[Sequence[str]], first: int = 0) -> list[str]:
    """What jobs are called where they are reported: a number, and the words that not all have.

    >>> names_of([["experiment=tune", "seed=0"], ["experiment=tune", "seed=1"]])
    ['job 0 (seed=0)', 'job 1 (seed=1)']
    >>> names_of([["experiment=tune"]], first=4)
    ['job 4']
    """
    common = set.intersection(*(set(words) for words in overrides))
    own = [" ".join(masked_argument(w) for w in words if w not in common) for words in overrides]
    return [f"job {n} ({words})" if words else f"job {n}" for n, words in enumerate(own, first)]


def failed(overrides: Sequence[str], name: str) -> JobReturn:
    """What Hydra is told of a job whose error was printed."""
    result = JobReturn(overrides=list(overrides), status=JobStatus.FAILED)
    result.return_value = JobFailedError(name)
    return result


def check_no_ray_inside(name: str, config: DictConfig) -> None:
    """Refuse a job whose users are asked on Ray workers of their own.

    Args:
        name: of the job.
        config: composed, not resolved.

    Raises:
        ValueError: its workers would wait for the cores that jobs hold.
    """
    engine = config.get("engine")
    if engine is not None and _RAY in _targets(OmegaConf.to_container(engine, resolve=False)):
        raise ValueError(
            f"hydra/launcher=ray wanted jobs that run on one worker each, got {name} with"
            " engine=ray, whose workers would wait for the cores that jobs hold; leave engine=ray"
            " out (jobs run side by side already), or hydra/launcher=ray"
        )


def _targets(node: Any) -> set[str]:
    if not isinstance(node, Mapping):
        return set()
    inside = set().union(*(_targets(value) for value in node.values()))
    return inside | ({node["_target_"]} if "_target_" in node else set())


def errors_named(err: str, name: str) -> str:
    """What a job printed on the error stream, its error with its name."""
    return "".join(
        line.replace("error: ", f"error: {name}: ", 1) if line.startswith("error: ") else line
        for line in err.splitlines(keepends=True)
    )

"""The seam between a run and the books that it is kept in. It knows no tracker."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from hydra.utils import instantiate
from omegaconf import DictConfig


@runtime_checkable
class Tracker(Protocol):
    """Keeps one run. Its class takes the options of ``tracking`` as keywords."""

    def begin(self, name: str, config: Mapping[str, Any]) -> None:
        """The run starts; what cannot be reached fails here, before anything long.

        Args:
            name: of the experiment.
            config: resolved, without machine paths and secrets.
        """
        ...

    def end(self, results: Mapping[str, Any], folder: Path) -> None:
        """It has its figures and files.

        Args:
            results: what ``results.json`` holds.
            folder: with everything that it left.
        """
        ...

    def fail(self, error: BaseException) -> None:
        """It ended without figures."""
        ...


class Untracked:
    """Keeps nothing: what runs have without ``tracking``."""

    def begin(self, name: str, config: Mapping[str, Any]) -> None:
        """Nothing."""

    def end(self, results: Mapping[str, Any], folder: Path) -> None:
        """Nothing."""

    def fail(self, error: BaseException) -> None:
        """Nothing."""


@contextmanager
def tracked(cfg: DictConfig, public_config: Mapping[str, Any]) -> Iterator[Tracker]:
    """The tracker of a config, begun; whatever the block raises is said to it.

    Args:
        cfg: resolved.
        public_config: the same without machine paths and secrets.

    Raises:
        TypeError: ``tracking._target_`` is no tracker.
    """
    tracker = instantiate(cfg.tracking) if cfg.get("tracking") else Untracked()
    if not isinstance(tracker, Tracker):
        raise TypeError(
            "tracking wanted a class with begin, end and fail (experiments.tracking.tracker),"
            f" got {type(tracker).__name__}; take tracking=mlflow or write these three"
        )
    tracker.begin(str(cfg.experiment.name), public_config)
    try:
        yield tracker
    except BaseException as error:
        tracker.fail(error)
        raise

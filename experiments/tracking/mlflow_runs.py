"""Runs in MLflow, in a local store or on a server: config, figures and every file of a run.

MLflow is loaded when a run begins, and its own telemetry stays off. Nothing is sent but to the
store.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.inference.server.masking import masked_text
from experiments.tracking.tracked_figures import figures_of, settings_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

_FIGURES, _SETTINGS = 1000, 100  # that MLflow takes at once
_LONGEST = 6000  # characters of a setting


class MlflowRuns:
    """One run of MLflow for one of ours.

    Args:
        store: a folder, the address of a tracking server, or ``sqlite:///FILE`` (which wants all of
            ``mlflow``).
        experiment: of MLflow; None = the name of ours.
        files: also keep every file that the run leaves.
    """

    def __init__(self, store: str, experiment: str | None = None, files: bool = True) -> None:
        self._store, self._experiment, self._files = store, experiment, files
        self._client: MlflowClient | None = None
        self._run = ""

    def begin(self, name: str, config: Mapping[str, Any]) -> None:
        """See ``tracker.Tracker.begin``.

        Raises:
            ModuleNotFoundError: MLflow is not installed.
            RuntimeError: the store cannot be reached or written.
        """
        try:
            self._client = client = _client(self._store)
            known = client.get_experiment_by_name(self._experiment or name)
            of = known.experiment_id if known else client.create_experiment(
                self._experiment or name
            )  # fmt: skip
            self._run = client.create_run(of, run_name=name).info.run_id
            _log_settings(client, self._run, config)
        except ImportError as error:
            raise ModuleNotFoundError(
                "tracking=mlflow wants MLflow: pip install 'personarec[tracking]'"
            ) from error
        except Exception as error:  # whatever a store, a server or its client raises
            raise RuntimeError(
                f"tracking.store={masked_text(self._store)} wanted a store of MLflow that can be"
                f" written, got {masked_text(_first_line(error))}; name a folder or the address of"
                " a server, or leave tracking out"
            ) from error

    def end(self, results: Mapping[str, Any], folder: Path) -> None:
        """See ``tracker.Tracker.end``.

        Raises:
            RuntimeError: the store fails now; the run's own files are kept.
        """
        try:
            self._keep(results, folder)
        except Exception as error:  # as above
            raise RuntimeError(
                f"everything is kept in {folder}, but MLflow could not take it:"
                f" {masked_text(_first_line(error))}; check tracking.store and run it again"
            ) from error

    def fail(self, error: BaseException) -> None:
        """See ``tracker.Tracker.fail``; a store that fails too is no second error."""
        try:
            client = self._begun()
            client.set_tag(self._run, "error", masked_text(_first_line(error)))
            client.set_terminated(self._run, "FAILED")
        except Exception:  # the first error is the one to be told
            return

    def _keep(self, results: Mapping[str, Any], folder: Path) -> None:
        client, found = self._begun(), figures_of(results)
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        metrics = [Metric(one.name, one.value, now, one.step) for one in found]
        for start in range(0, len(metrics), _FIGURES):
            client.log_batch(self._run, metrics=metrics[start : start + _FIGURES])
        origin = results.get("provenance") or {}
        client.set_tag(self._run, "command", origin.get("command", ""))
        client.set_tag(self._run, "commit", (origin.get("git") or {}).get("commit") or "")
        if self._files:
            if "://" not in self._store and Path(self._store).resolve().is_relative_to(
                folder.resolve()
            ):
                raise ValueError(
                    "the store lies in the folder of the run, whose files it is to hold"
                )
            client.log_artifacts(self._run, str(folder))
        client.set_terminated(self._run, "FINISHED")

    def _begun(self) -> "MlflowClient":
        if self._client is None:
            raise RuntimeError("a tracker wanted begin first, got none; call begin")
        return self._client


def _client(store: str) -> "MlflowClient":
    """A client; a folder is a store of files, which MLflow wants to be asked for by name."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    if "://" in store:
        return MlflowClient(tracking_uri=store)
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    return MlflowClient(tracking_uri=Path(store).resolve().as_uri())


def _log_settings(client: "MlflowClient", run: str, config: Mapping[str, Any]) -> None:
    from mlflow.entities import Param

    params = [Param(name, text[:_LONGEST]) for name, text in settings_of(config).items()]
    for start in range(0, len(params), _SETTINGS):
        client.log_batch(run, params=params[start : start + _SETTINGS])


def _first_line(error: BaseException) -> str:
    return (f"{error}".strip() or type(error).__name__).splitlines()[0]

"""The policy seam: fit on a log, recommend from an observation, learn from feedback, save, load.

Letters: ``n`` users in the batch, ``k`` slate places, ``h`` history length. A policy knows items
and users as indices and nothing of who answers.
"""

import importlib
import inspect
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from recommenders.persistence import current_module, read_archive, write_archive
from recommenders.ranking import top_slates
from simenv.catalog import Catalog
from simenv.events import BoolArray, Feedback, FloatArray, IntArray, InteractionLog, Slates
from simenv.observation import Observation as Observation  # what a policy's author needs
from simenv.observation import cold_observation as cold_observation
from simenv.values.clocks import times_of

_LOG_COLUMNS = ("users", "items", "ratings", "timestamps")
_LOG_SIZES = ("num_users", "num_items")


class Recommender(ABC):
    """A policy over slates. Subclasses write ``_fit`` and ``_score``; the shapes are kept here.

    Arguments of ``__init__`` are kept as attributes of the same name and fit into JSON; what
    ``_fit`` learns is an array or a CSR matrix named in ``_state``. That is all ``save`` needs.

    Equal scores go to the item with more rows in the training log, then to the lower id. So a
    policy with nothing to say about a user (all scores equal) shows the most popular unseen items.
    """

    draws: ClassVar[bool] = False  # recommend uses rng
    learns_online: ClassVar[bool] = False  # update changes the policy
    _state: ClassVar[tuple[str, ...]] = ()  # attributes that hold what was learnt

    log: InteractionLog

    @property
    def name(self) -> str:
        """What reports call this policy."""
        return type(self).__name__

    def meet_catalog(self, catalog: Catalog) -> Self:
        """See what the items are; a runner calls this before ``fit``. Most policies need nothing.

        The catalogue holds facts (genres, years, words); what people think of the items is in the
        log that ``fit`` gets.
        """
        return self

    def fit(self, log: InteractionLog) -> Self:
        """Learn from a training log (not changed); an earlier fit is forgotten.

        Raises:
            ValueError: the log has no rows, or none that this policy can learn from.
            ImportError: a library that this policy learns with is not installed.
            RuntimeError: learning failed otherwise; the policy is then not fitted.
        """
        if len(log) == 0:
            raise ValueError(
                f"{self.name}.fit wanted a training log with rows, got an empty one;"
                " check the split fraction and the data path"
            )
        self._keep_log(log)
        try:
            self._fit(log)
        except Exception as error:
            del self.log  # half a fit is no fit
            if isinstance(error, ImportError) or self.name in str(error):
                raise
            raise RuntimeError(
                f"policy {self.name} could not be fitted on {len(log)} rows,"
                f" {type(error).__name__}: {error}; check its arguments, or leave it out of the run"
            ) from error
        return self

    def recommend(self, observation: Observation, k: int, rng: np.random.Generator) -> Slates:
        """Slates (n, k) of items unseen in the log and in the observation's history.

        The slate of a user is the same alone and among thousands. ``propensities`` are the
        marginal chances (n, k) of each item at its place: 1 if the policy does not draw, None if
        it draws and cannot say.

        Args:
            observation: as the environment returns it: ``user`` (n,), ``history_items`` (n, h)
                with -1 for empty places, ``history_ratings`` (n, h).
            k: places of a slate.
            rng: for policies that draw; deterministic policies leave it alone.

        Raises:
            RuntimeError: not fitted.
            ValueError: an unknown user, fewer than k unseen items, scores of another shape than
                (n, num_items), or a score that is no number.
        """
        users = self._known_users(observation)
        scores = np.asarray(self._score(users, observation, rng), dtype=np.float64)
        wanted = (len(users), self.log.num_items)
        if scores.shape != wanted:
            raise ValueError(
                f"policy {self.name} wanted scores of shape {wanted} (users, items), got"
                f" {scores.shape}, first for user {users[0]}; score every item for every user"
            )
        seen = self.seen(users, observation)
        slates = top_slates(self.name, users, scores, seen, k, self._priority)
        chances = (
            self.propensities(observation, slates.items)
            if self.draws
            else np.ones(slates.items.shape)
        )
        return slates._replace(propensities=chances)

    def propensities(self, observation: Observation, items: IntArray) -> FloatArray | None:
        """Chance (n, k) in [0, 1] that ``recommend`` shows ``items[:, j]`` at place j.

        Marginal over everything the policy draws, so at each place the chances of all items sum
        to 1. None if the policy draws and cannot say.
        """
        if self.draws:
            return None
        shown = self.recommend(observation, items.shape[1], np.random.default_rng(0)).items
        return np.asarray(shown == items, dtype=np.float64)

    def prefix_propensities(self, observation: Observation, items: IntArray) -> FloatArray | None:
        """Chance (n, k) that ``recommend`` shows exactly ``items[:, : j + 1]`` at places 0 to j.

        Joint over the places, so the last column is the chance of the whole slate; cascade
        estimates weigh with it. None if the policy draws and cannot say.
        """
        if self.draws:
            return None
        chances = self.propensities(observation, items)
        return None if chances is None else np.asarray(np.cumprod(chances, axis=1))

    def update(self, observation: Observation, slates: Slates, feedback: Feedback) -> None:
        """Learn from what users did; offline policies have nothing to do."""
        return None

    def seen(self, users: IntArray, observation: Observation) -> BoolArray:
        """(n, num_items) true where the user met the item, in the log or in this session."""
        seen = np.asarray(self._seen[users].toarray() > 0)
        history = np.asarray(observation["history_items"], dtype=np.int64).reshape(len(users), -1)
        rows, places = np.nonzero(history >= 0)
        seen[rows, history[rows, places]] = True
        return seen

    def save(self, path: str | Path) -> None:
        """Write arguments, training log and everything learnt to one file, without pickles.

        Raises:
            RuntimeError: not fitted.
        """
        self._require_fit("save")
        header: dict[str, Any] = {
            "class": _class_path(type(self)),
            "params": self._params(),
        }
        header |= {size: getattr(self.log, size) for size in _LOG_SIZES}
        arrays = {f"log.{column}": getattr(self.log, column) for column in _LOG_COLUMNS}
        arrays |= {f"state.{name}": getattr(self, name) for name in self._state}
        write_archive(path, header, arrays)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what ``save`` wrote; it recommends exactly as before.

        ``Recommender.load`` reads every policy, a subclass only its own kind.

        Raises:
            ValueError: the file holds no policy, another kind of policy, or a class that is
                neither ours nor already imported.
        """
        header, arrays = read_archive(path)
        named = str(header["class"])
        kind = cls if named == _class_path(cls) else _policy_class(named, path)
        if not issubclass(kind, cls):
            raise ValueError(
                f"{path} holds a {kind.__name__}, not a {cls.__name__};"
                f" use {kind.__name__}.load or Recommender.load"
            )
        policy = kind(**header["params"])
        columns = {column: arrays[f"log.{column}"] for column in _LOG_COLUMNS}
        columns["timestamps"] = times_of(columns["timestamps"], "log timestamps")[0]  # of old files
        sizes = {size: header[size] for size in _LOG_SIZES}
        policy._keep_log(InteractionLog(**columns, **sizes))
        for name in kind._state:
            setattr(policy, name, arrays[f"state.{name}"])
        policy._restored()
        return policy

    def _params(self) -> dict[str, Any]:
        """The constructor's arguments in JSON; a policy with others overrides this."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def _restored(self) -> None:
        """Called when ``load`` has set the log and ``_state``; to rebuild what is no array."""
        return None

    def _keep_log(self, log: InteractionLog) -> None:
        self.log = log
        self._seen = log.to_csr()
        counts = np.bincount(log.items, minlength=log.num_items)
        self._priority = np.argsort(-counts, kind="stable").astype(np.int64)

    def _require_fit(self, verb: str) -> None:
        if not hasattr(self, "log"):
            raise RuntimeError(f"{self.name}.{verb} wanted a fitted policy; call fit(log) first")

    def _known_users(self, observation: Observation) -> IntArray:
        self._require_fit("recommend")
        users = np.asarray(observation["user"], dtype=np.int64).reshape(-1)
        unknown = users[(users < 0) | (users >= self.log.num_users)]
        if len(unknown):
            raise ValueError(
                f"policy {self.name} knows users [0, {self.log.num_users}) but was asked for user"
                f" {unknown[0]}; fit it on a log with that many users"
            )
        return users

    @abstractmethod
    def _fit(self, log: InteractionLog) -> None:
        """Learn; ``log`` is not empty."""

    @abstractmethod
    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        """Scores (n, num_items), higher is better, all finite."""


def _class_path(kind: type[Recommender]) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _policy_class(path: str, file: str | Path) -> type[Recommender]:
    """The class named ``module:Class``. Only our modules are imported: a file must not run code."""
    module_name, _, class_name = path.partition(":")
    module_name = current_module(module_name)
    if module_name.startswith("recommenders.") and module_name not in sys.modules:
        importlib.import_module(module_name)
    kind = getattr(sys.modules.get(module_name), class_name, None)
    if not (isinstance(kind, type) and issubclass(kind, Recommender)):
        raise ValueError(
            f"{file} wants the policy {path}, which is not imported here;"
            f" import {module_name} first"
        )
    return kind

"""Persona adapters trained further on what their people decided, if that lowers held-out error.

It knows no training: who trains is given from outside. Letters: ``p`` people of an adapter.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from agents.fidelity.error_measures import log_loss, rmse
from agents.inference.engine import Engine
from agents.living.diary import Diary, DiaryEntry
from agents.persona_users import PersonaUsers
from agents.prompts import RATING_CHOICES
from simenv.events import Feedback, IntArray, Slates, expected_stars
from simenv.ranges import check_fields, check_number

# (folder of the present adapter, p lists of decisions) -> folder of the adapter trained further
TrainFurther = Callable[[Path, Sequence[Sequence[DiaryEntry]]], Path]


@runtime_checkable
class SwapsAdapters(Protocol):
    """Engines that load and unload adapters while they run."""

    adapters: tuple[str, ...]

    def load_adapter(self, name: str, folder: str | Path) -> None:
        """Answer requests for ``name`` with the adapter of ``folder`` from now on."""
        ...

    def unload_adapter(self, name: str) -> None:
        """Unload an adapter and drop all that was computed with it."""
        ...


@dataclass(frozen=True)
class RefreshSettings:
    """What adapters are trained further on.

    Args:
        window: latest decisions kept of each person, at least 2.
        held_out: share of each person's decisions, the newest, that judge and are not learnt from.
        least: decisions to learn from below which an adapter is left as it is, at least 1.
    """

    window: int = 20
    held_out: float = 0.2
    least: int = 100

    def __post_init__(self) -> None:
        check_number("RefreshSettings", "a window", self.window, "whole [2, 1e9]", "try 20")
        check_fields(self, {"least": "whole [1, 1e9]", "held_out": "(0, 1)"})


class Errors(NamedTuple):
    """How far answers are from the stars that were given."""

    nll: float  # nats: mean negative log-likelihood of the star given
    rmse: float  # of the expected stars


class Refresh(NamedTuple):
    """One adapter trained further: held-out errors before and after, and what became of it."""

    tick: int
    adapter: str  # as the population calls it
    people: int  # who decided something
    learnt_from: int  # decisions
    held_out: int  # decisions
    before: Errors
    after: Errors | None  # None = its answers were not numbers
    used: bool
    folder: str  # name of the new adapter's folder


class Refresher:
    """Keeps a diary for people with adapters and trains the adapters on it.

    An adapter is trained from its present weights on each person's older decisions; the newest
    judge it against the present one, and it is used if its likelihood there is no lower. Folders
    are never removed.

    Args:
        users: whose adapters they are; the engine must be able to swap adapters.
        train: trains an adapter further.
        root: where ``train`` puts its folders.
        settings: see ``RefreshSettings``.

    Raises:
        ValueError: nobody has an adapter, or the engine cannot swap them.
    """

    def __init__(
        self,
        users: PersonaUsers,
        train: TrainFurther,
        root: Path,
        settings: RefreshSettings = RefreshSettings(),
    ) -> None:
        self._users, self._train, self._root, self.settings = users, train, root, settings
        self._first = [persona.adapter for persona in users.population.personas]
        self._names = {name: name for name in sorted({n for n in self._first if n is not None})}
        if not self._names:
            raise ValueError(
                f"a refresh wanted people with persona adapters, got {users.population.name!r}"
                " without any; bring a population with data=population data.path=PATH"
                " users.population=PATH, or set refresh_every=0"
            )
        if not isinstance(users.engine, SwapsAdapters):
            raise ValueError(
                "a refresh wanted an engine that can load adapters while it runs, got"
                f" {type(users.engine).__name__}; take engine=local, or set refresh_every=0"
            )
        self._engine: SwapsAdapters = users.engine
        self.diary = Diary(users.num_users, self.settings.window)
        self.history: list[Refresh] = []

    def write_down(self, users: IntArray, slates: Slates, feedback: Feedback) -> None:
        """Keep what users (n,) were asked about the items they took, before they remember them."""
        rows, places = np.nonzero(feedback.taken)
        owners, items = np.asarray(users)[rows], slates.items[rows, places]
        if len(rows):
            asked = self._users.requests(owners, items[:, None])
            self.diary.write(owners, asked, feedback.ratings[rows, places])

    def refresh(self, tick: int) -> None:
        """Train every adapter on what its people have decided, and use what is no worse."""
        for adapter in list(self._names):
            lives = [self.diary.of(user) for user in self._users_of(adapter).tolist()]
            parts = [divided(entries, self.settings.held_out) for entries in lives if entries]
            old, new = [part[0] for part in parts], [entry for part in parts for entry in part[1]]
            count = sum(len(entries) for entries in old)
            if count >= self.settings.least and new:
                self._refresh(tick, adapter, old, new)

    def _finite_error(self, entries: list[DiaryEntry], adapter: str) -> Errors | None:
        """The error under ``adapter``; None where its answers are no numbers."""
        try:
            return held_out_error(self._users.engine, entries, adapter)
        except FloatingPointError:
            return None

    def _refresh(
        self, tick: int, adapter: str, old: list[list[DiaryEntry]], new: list[DiaryEntry]
    ) -> None:
        present = self._names[adapter]
        folder = self._train(self._folder(present), old)
        name = f"{adapter}@{folder.name}"
        self._load(name, folder)
        before = held_out_error(self._users.engine, new, present)
        after = self._finite_error(new, name)
        used = after is not None and after.nll <= before.nll
        count = sum(len(entries) for entries in old)
        self.history.append(
            Refresh(tick, adapter, len(old), count, len(new), before, after, used, folder.name)
        )
        if used:
            self._put_on(adapter, name)
        else:
            self._engine.unload_adapter(name)

    def reset(self) -> None:
        """Everybody has the adapter they came with, and an empty diary."""
        self.diary.clear()
        self._return_to([])

    def snapshot(self) -> str:
        """Diary and history; adapters themselves stay in their folders."""
        rows = [refresh._asdict() for refresh in self.history]
        return json.dumps({"history": rows, "diary": self.diary.snapshot()})

    def restore(self, snapshot: str) -> None:
        """Bring back what ``snapshot`` returned.

        Raises:
            FileNotFoundError: the folder of an adapter in use is not there.
        """
        saved = json.loads(snapshot)
        self.diary.restore(saved["diary"])
        self._return_to([_refresh_of(row) for row in saved["history"]])

    def _return_to(self, history: list[Refresh]) -> None:
        self.history = history
        for adapter in list(self._names):
            used = [r.folder for r in history if r.adapter == adapter and r.used]
            self._put_on(adapter, f"{adapter}@{used[-1]}" if used else adapter)

    def _put_on(self, adapter: str, name: str) -> None:
        """All who came with ``adapter`` answer with ``name``; the engine unloads all others."""
        folder = self._folder(name)
        self._load(name, folder)
        self._users.put_on(self._users_of(adapter), name, str(folder))
        self._names[adapter] = name
        for other in self._engine.adapters:
            if other != name and other.partition("@")[0] == adapter:
                self._engine.unload_adapter(other)

    def _load(self, name: str, folder: Path) -> None:
        if name not in self._engine.adapters:
            self._engine.load_adapter(name, folder)

    def _users_of(self, adapter: str) -> IntArray:
        """(p,) who came with an adapter."""
        return np.array([u for u, own in enumerate(self._first) if own == adapter], dtype=np.int64)

    def _folder(self, name: str) -> Path:
        first, _, trained = name.partition("@")
        return self._root / trained if trained else Path(self._users.population.adapters[first])


def divided(
    entries: Sequence[DiaryEntry], held_out: float
) -> tuple[list[DiaryEntry], list[DiaryEntry]]:
    """A person's older entries and the newest share, rounded up; one entry alone is learnt from."""
    count = int(np.ceil(held_out * len(entries))) if len(entries) > 1 else 0
    cut = len(entries) - count
    return list(entries[:cut]), list(entries[cut:])


def held_out_error(engine: Engine, entries: Sequence[DiaryEntry], adapter: str | None) -> Errors:
    """Errors of an adapter's answers to entries it has not learnt from.

    Raises:
        FloatingPointError: an answer is not a number.
    """
    asked = [entry.request(adapter) for entry in entries]
    logs = np.asarray(engine.score(asked, RATING_CHOICES))
    stars = np.array([entry.stars for entry in entries])
    return Errors(log_loss(logs, stars), rmse(expected_stars(np.exp(logs)) - stars))


def _refresh_of(row: dict[str, Any]) -> Refresh:
    after = None if row["after"] is None else Errors(*row["after"])
    return Refresh(**{**row, "before": Errors(*row["before"]), "after": after})

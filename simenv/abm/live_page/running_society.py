"""A running society with everything that the page draws. It knows no Solara.

A ``Stage`` builds societies, ``experiments`` brings one, so this knows no language model and no
recommender either.
"""

import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

import networkx as nx

from simenv.abm.live_page.interviewing import Interviewer
from simenv.abm.live_page.portrait import COLOURS
from simenv.abm.model import PersonaSociety
from simenv.events import FloatArray, IntArray
from simenv.user_model import Question, Questions

_Said = TypeVar("_Said")


class Choice(NamedTuple):
    """What somebody chose on the page."""

    population: str
    recommender: str
    num_users: int
    seed: int
    shock: str


class Stage(Protocol):
    """What the page needs from outside."""

    populations: list[str]
    recommenders: list[str]
    shocks: list[str]
    most_users: int

    def build(self, choice: Choice) -> PersonaSociety:
        """A society at its first tick."""
        ...

    def labels(self, society: PersonaSociety) -> list[str]:
        """What the groups are called."""
        ...

    def interviewer(self, society: PersonaSociety) -> Interviewer | None:
        """Who interviews the people of a society; None = they cannot be interviewed."""
        ...


class LastSlate(NamedTuple):
    """What somebody was shown last, and what they thought of it."""

    tick: int
    items: IntArray  # (k,)
    probabilities: FloatArray  # (k, 5)
    ratings: FloatArray  # (k,)


class Show:
    """A running society with everything that the page draws."""

    def __init__(self, stage: Stage, choice: Choice) -> None:
        self.society = stage.build(choice)
        self.labels = stage.labels(self.society)
        self.interviewer = stage.interviewer(self.society)
        self.slates: dict[int, LastSlate] = {}
        self.places = nx.spring_layout(self.society.social.graph, seed=choice.seed)
        self._lock = threading.Lock()

    def step(self) -> int:
        """Play one tick; returns its number."""
        with self._lock:
            self.society.step()
        last = self.society.last
        for row, user in enumerate(last.users.tolist()):
            feedback = last.feedback
            self.slates[user] = LastSlate(
                last.tick, last.slates.items[row], feedback.probabilities[row],
                feedback.ratings[row],
            )  # fmt: skip
        return int(self.society.steps)

    def ask(self, user: int, item: int) -> Question:
        """One question to one user, between two ticks.

        Raises:
            TypeError: these users cannot show what they are asked.
        """
        model = self.society.user_model
        if not isinstance(model, Questions):
            raise TypeError(f"{type(model).__name__} cannot show questions; take personas")
        with self._lock:
            return model.question(user, item)

    def interview(self, talk: Callable[[Interviewer], _Said]) -> _Said:
        """What somebody says to the interviewer, between two ticks.

        Raises:
            TypeError: these people cannot be interviewed.
        """
        if self.interviewer is None:
            raise TypeError("these users have no words to be interviewed in; take personas")
        with self._lock:
            return talk(self.interviewer)

    def nodes(self) -> list[dict[str, object]]:
        """What the network draws of every user."""
        awake = set(self.society.last.users.tolist())
        groups = self.society.groups.tolist()
        return [
            {
                "user": user, "x": float(x), "y": float(y), "awake": user in awake,
                "colour": COLOURS[groups[user] % len(COLOURS)],
                "label": self.labels[groups[user]],
            }
            for user, (x, y) in sorted(self.places.items())
        ]  # fmt: skip

    def edges(self) -> list[list[float]]:
        """Both ends of every acquaintance."""
        return [
            [float(v) for v in (*self.places[a], *self.places[b])]
            for a, b in self.society.social.graph.edges
        ]

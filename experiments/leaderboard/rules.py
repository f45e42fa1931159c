"""What is the same for everybody: worlds, users, panel and budgets of one version of the board.

A change of anything here, or of what it calls that moves a number, is a new ``VERSION``.
"""

import datetime
import hashlib
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass

from recommenders.base import Recommender
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.ease import EASE
from recommenders.policies.heuristics import Popularity, Random
from recommenders.policies.linear_bandits import LinUCB
from recommenders.policies.neighbours import ItemKNN, UserKNN

VERSION = 1
_FIRST_WORLD = 10_000_000  # seeds of every other use lie below


@dataclass(frozen=True)
class Rules:
    """Of one run; those of an edition are the defaults, and only they are official."""

    edition: str  # a date, such as "2026-12-01": worlds follow from it
    worlds: int = 10
    num_users: int = 400  # of a world
    num_items: int = 600
    players: int = 100  # true users who play a session with every policy
    judges: int = 40  # users who are asked about the panel
    slate_size: int = 5
    max_steps: int = 10
    seed: int = 0  # of draws within a world

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", self.edition) or not _is_date(self.edition):
            raise ValueError(
                f"experiment.edition wanted a date as 2026-12-01, got {self.edition!r}; take that"
                " of a published board, or a date to come for one of your own"
            )

    @property
    def official(self) -> bool:
        """Whether figures may stand on the board of this edition."""
        return self == Rules(self.edition)

    def seeds(self) -> list[int]:
        """Of the worlds, from the version and the date alone."""
        return [self._seed(number) for number in range(self.worlds)]

    def _seed(self, number: int) -> int:
        text = f"personarec leaderboard {VERSION} {self.edition} {number}"
        return _FIRST_WORLD + int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")

    def said(self) -> dict[str, str | int]:
        """As an entry holds them."""
        return {"version": VERSION, **asdict(self)}


PANEL: dict[str, Callable[[], Recommender]] = {
    "random": Random,
    "popularity": Popularity,
    "item_knn": ItemKNN,
    "user_knn": UserKNN,
    "ease": EASE,
    "epsilon_greedy": EpsilonGreedy,
    "lin_ucb": LinUCB,
}  # whose slates user models judge


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True

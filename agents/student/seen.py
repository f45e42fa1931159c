"""What a student sees of a question: the numbers a prompt tells, and who, what and which memory.

It sees them as the prompt says them (rounded, cut), so that what looks alike to the model looks
alike to the student. It knows no network and asks nobody.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.embedding import HashingEmbedder
from agents.memory.base import Memory
from agents.persona import MOST_APART, Persona
from agents.population.population import Population
from agents.suffixes import ToldNumbers
from simenv.events import BoolArray, FloatArray, IntArray

Columns = NDArray[np.float32]

NUMBERS = (
    "average", "votes", "taste", "level", "sum", "close", "own", "apart", "remembers",
    "stars", "similarity", "others", "chosen", "peers",
)  # fmt: skip
_PROFILE = HashingEmbedder(num_dims=128)
_MIDDLE = 3.0  # stars


class Seen(NamedTuple):
    """r questions."""

    numbers: Columns  # (r, len(NUMBERS)) about 0, of the size of 1
    users: IntArray  # (r,)
    items: IntArray  # (r,)
    recalled: IntArray  # (r,) item of the most similar memory; -1 where there is none

    def take(self, rows: IntArray | slice) -> "Seen":
        """Some of the questions."""
        return Seen(self.numbers[rows], self.users[rows], self.items[rows], self.recalled[rows])


def see(
    told: ToldNumbers,
    memory: Memory,
    gist: int,
    users: IntArray,
    items: IntArray,
    chosen: BoolArray | bool = False,
) -> Seen:
    """What is seen when users (n,) meet items (n, k): n·k questions; changes nothing.

    Args:
        told: the numbers of the people's prompts.
        memory: of the people.
        gist: memories that prompts sum up; at least one is recalled.
        users: (n,) who is asked.
        items: (n, k) about what.
        chosen: (n, k) or one for all: see ``SuffixWriter.write``.
    """
    k = items.shape[1]
    recalled = memory.recall(users, items, max(1, gist))
    first = recalled.items[..., 0].reshape(-1)
    known, flat = first >= 0, items.reshape(-1)
    near = np.where(known, recalled.similarities[..., 0].reshape(-1), 0.0)
    nothing = np.zeros(len(flat))
    gists = told.gists(recalled) or (nothing, nothing, nothing, np.zeros(len(flat), np.bool_))
    close, own, apart, any_ = gists
    fair, peers = told.averages.fair, told.peers(users, items)
    taste, level = told.tastes(users, items), told.levels(users, k)
    columns = (
        fair[flat].round(1) - _MIDDLE,
        np.log10(told.averages.counts[flat] + 1.0) / 2 - 0.5,
        _apart(taste), _apart(level), fair[flat] + taste + level - _MIDDLE,
        close.round(1), np.where(any_, own - _MIDDLE, 0.0).round(1), _apart(apart), any_,
        np.where(known, recalled.ratings[..., 0].reshape(-1) - _MIDDLE, 0.0), near,
        np.where(known, fair[first] - _MIDDLE, 0.0),
        np.broadcast_to(chosen, items.shape).reshape(-1),
        nothing if peers is None else peers - _MIDDLE,
    )  # fmt: skip
    numbers = np.column_stack(columns).astype(np.float32)
    return Seen(numbers, np.repeat(users, k), flat, first)


def _apart(stars: FloatArray) -> FloatArray:
    return np.asarray(np.clip(stars, -MOST_APART, MOST_APART).round(1))


def people_columns(people: Population, personas: Sequence[Persona]) -> Columns:
    """(u, p) what a student sees of Ms: words, tastes, traits and the adapter.

    Args:
        people: whose genres and adapters are meant; its own personas do not matter.
        personas: (u,) to be seen.
    """
    genres, adapters = people.catalog.genre_names, sorted(people.adapters)
    tastes = [[p.tastes.get(genre, 0.0) for genre in genres] for p in personas]
    traits = [[p.activity - 2, p.conformity - 2, p.diversity - 2, p.level] for p in personas]
    worn = [[float(p.adapter == name) for name in adapters] for p in personas]
    parts = [np.array(rows).reshape(len(personas), -1) for rows in (tastes, traits, worn)]
    words = _PROFILE.embed([p.profile for p in personas])
    return np.column_stack([words, *parts]).astype(np.float32)

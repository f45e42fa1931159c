"""Questions that a language model answers for its student: drawn items, and people's own ratings.

People live on while they are asked, as in an environment, so that the student meets memories that
are made later. Nobody is asked about rows that are held out: what a run is judged by, its student
must not have met. It fits nothing.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from agents.persona_users import PersonaUsers
from agents.student.seen import Seen, see
from simenv.events import FloatArray, IntArray, InteractionLog, Slates
from simenv.seeding import Stream, generator, row_seeds

_SLATE = 5
_CROWD = 128  # people asked at once


class Lessons(NamedTuple):
    """r questions and what the language model said."""

    seen: Seen
    answers: FloatArray  # (r, 5)

    def take(self, rows: IntArray) -> "Lessons":
        """Some of them."""
        return Lessons(self.seen.take(rows), self.answers[rows])


def asked(
    people: PersonaUsers,
    num_questions: int,
    held_out: InteractionLog | None = None,
    seed: int = 0,
    say: Callable[[int], None] = lambda done: None,
) -> Lessons:
    """Ask people about drawn items, slate after slate, and about some of what they rated.

    Half of a slate is drawn from all items alike, half by how many rated them; one crowd in five is
    asked about items of its own history, as chosen. Who is full of memories lives on as always;
    afterwards all is as it was before.

    Args:
        people: on the language model.
        num_questions: at least; whole crowds are asked.
        held_out: rows of the same users and items that nobody may be asked about.
        seed: of the draws.
        say: is told the questions so far.
    """
    start, draw = people.snapshot(), _Draws(people, held_out, seed)
    parts: list[Lessons] = []
    done = 0
    while done < num_questions:
        users, items, chosen = draw.slate(len(parts))
        seen = see(people.told, people.memory, people.population.style.gist, users, items, chosen)
        answers = people.answers(users, items, chosen)
        known = ~np.isnan(answers).any(axis=1)
        parts.append(Lessons(seen, answers).take(np.flatnonzero(known)))
        done += len(answers)
        if not chosen:
            _live(people, users, items, answers, seed + len(parts))
        say(done)
    people.restore(start)
    columns = zip(*(part.seen for part in parts), strict=True)
    joined = Seen(*(np.concatenate(column) for column in columns))
    return Lessons(joined, np.concatenate([part.answers for part in parts]))


def _live(
    people: PersonaUsers, users: IntArray, items: IntArray, answers: FloatArray, seed: int
) -> None:
    """The people take, rate and remember what they were asked about."""
    seeds = row_seeds(seed, users, np.zeros_like(users))
    activity = np.array([people.population.personas[u].activity for u in users.tolist()])
    chances = answers.reshape(*items.shape, -1)
    feedback = people.behaviour.act(chances, people.satisfaction(users), activity, seeds)
    people.remember(users, Slates.of_items(items), feedback)


class _Draws:
    """Who is asked about what."""

    def __init__(self, people: PersonaUsers, held_out: InteractionLog | None, seed: int) -> None:
        population, log = people.population, people.population.history
        self._rng = generator(seed, Stream.STUDENT_QUESTIONS)
        self._num_users, self._num_items = people.num_users, len(population.catalog)
        self._votes = population.averages.counts + 1.0
        self._history = log.users, log.items
        self._barred = np.zeros((self._num_users, self._num_items), dtype=np.bool_)
        if held_out is not None:
            self._barred[held_out.users, held_out.items] = True

    def slate(self, turn: int) -> tuple[IntArray, IntArray, bool]:
        """Users (n,), items (n, k), and whether they chose them."""
        if turn % 5 == 4 and len(self._history[0]):
            rows = self._rng.integers(0, len(self._history[0]), _CROWD * _SLATE)
            users, items = (column[rows] for column in self._history)
            free = ~self._barred[users, items]
            return users[free], items[free][:, None], True
        users = np.sort(self._rng.permutation(self._num_users)[:_CROWD])
        weights = np.ones((len(users), self._num_items)) + (self._votes / self._votes.mean())
        weights[self._barred[users]] = 0.0
        keys = self._rng.random(weights.shape) ** (1 / np.maximum(weights, 1e-12))
        return users, np.argsort(-keys, axis=1)[:, :_SLATE], False

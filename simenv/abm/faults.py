"""One failing user must not stop a tick: finds who failed, and keeps the answers of all others."""

from typing import NamedTuple

import numpy as np

from simenv.env.infos import no_feedback
from simenv.events import BoolArray, Feedback, IntArray, SeedArray, Slates
from simenv.user_model import UserModel


class Answered(NamedTuple):
    """Feedback of everybody who answered about one place or more."""

    feedback: Feedback  # of the rows in ``ok`` alone
    ok: BoolArray  # (n,) who answered
    reason: str  # of the first failure, "" = none


class TooManyFailuresError(RuntimeError):
    """More users failed in a tick than the society tolerates; its state is saved."""


def ask_tolerantly(
    users_model: UserModel, users: IntArray, slates: Slates, seeds: SeedArray, most: int
) -> Answered:
    """One ``respond`` for everybody; only if it raises are halves asked, down to those who fail.

    An answer that is not finite counts as a failure too, so an engine that marks failed requests
    with NaN costs no second call. Of a slate that was answered in part the other places count: the
    failed ones stay NaN, neither taken nor rated.

    Args:
        users_model: who answers; ``respond`` changes nothing, so asking again is safe.
        users: (n,).
        slates: (n, k).
        seeds: (n,).
        most: once more users than this have failed, all that were not answered count as failed.
    """
    hunt = _Hunt(users_model, users, slates, seeds, most)
    hunt.ask(np.arange(len(users)))
    ok = np.zeros(len(users), dtype=np.bool_)
    if not hunt.parts:
        return Answered(no_feedback(slates.items.shape[1]), ok, hunt.reason)
    rows = np.concatenate([rows for rows, _ in hunt.parts])
    feedback = _joined([feedback for _, feedback in hunt.parts])
    ok[rows] = True
    return Answered(feedback, ok, hunt.reason)


class _Hunt:
    """The search for failing users; ``parts`` come in rising order of rows."""

    def __init__(
        self, model: UserModel, users: IntArray, slates: Slates, seeds: SeedArray, most: int
    ) -> None:
        self.model, self.users, self.slates, self.seeds = model, users, slates, seeds
        self.parts: list[tuple[IntArray, Feedback]] = []
        self.reason = ""
        self.num_failed, self.most = 0, most

    def ask(self, rows: IntArray) -> None:
        if self.num_failed > self.most:
            self.num_failed += len(rows)
            return
        shown = Slates(self.slates.items[rows], self.slates.scores[rows])
        try:
            feedback = self.model.respond(self.users[rows], shown, self.seeds[rows])
        except Exception as error:  # whatever the model, its server or its prompt may raise
            self._split(rows, error)
            return
        answered = np.asarray(np.isfinite(feedback.probabilities).all(axis=2))
        answered &= np.isfinite(feedback.ratings)
        usable = np.asarray(answered.any(axis=1))
        if not answered.all():
            self._failed(int((~usable).sum()), "the answer is not a number")
        if usable.any():
            kept = _marked(_rows(feedback, usable), answered[usable])
            self.parts.append((rows[usable], kept))

    def _split(self, rows: IntArray, error: Exception) -> None:
        if len(rows) > 1:
            for half in np.array_split(rows, 2):
                self.ask(half)
        else:
            self._failed(1, f"user {self.users[rows[0]]}: {type(error).__name__}: {error}")

    def _failed(self, count: int, reason: str) -> None:
        self.num_failed += count
        self.reason = self.reason or reason


def _marked(feedback: Feedback, answered: BoolArray) -> Feedback:
    """As it is where answered (n, k); elsewhere NaN, not taken and not rated."""
    return Feedback(
        np.where(answered, feedback.ratings, 0.0),
        np.where(answered[..., None], feedback.probabilities, np.nan),
        feedback.taken & answered,
        feedback.quits,
    )


def _rows(feedback: Feedback, rows: BoolArray) -> Feedback:
    ratings, probabilities, taken, quits = feedback
    return Feedback(ratings[rows], probabilities[rows], taken[rows], quits[rows])


def _joined(parts: list[Feedback]) -> Feedback:
    return Feedback(
        np.concatenate([part.ratings for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.taken for part in parts]),
        np.concatenate([part.quits for part in parts]),
    )

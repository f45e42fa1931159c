"""What is kept of the sessions of every policy, and one figure out of what each view of a log gave.

Where a log was cut between policies and people there are two views of it, with the halves swapped.
A user stands in both, as one person: their value is the mean of both, so that pairs of policies
stay pairs, and an interval is over users. A figure that no single user has is the mean of both
views' figures, and so are the ends of its interval: two views are no twice as many users, and the
mean of both is at least as certain as one.

Letters: ``n`` users.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from recommenders.base import Recommender
from simenv.env.rollout import Rollout
from simenv.events import FloatArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Session:
    """What one policy got; entries stay empty after a failure."""

    name: str
    fit_seconds: float = np.nan
    recommend_seconds: float = 0.0  # of making slates for the simulated users
    refit_seconds: float = 0.0  # of learning from them
    play_seconds: float = 0.0  # of asking them, without the policy's own time
    offline: dict[str, FloatArray] = field(default_factory=dict)  # metric -> (n,), NaN: no target
    simulated: Rollout | None = None
    true: Rollout | None = None
    error: dict[str, str] | None = None  # {phase, message}
    policy: Recommender | None = None  # as fitted; it never plays itself, learners are copies
    swapped: "Session | None" = None  # with both halves of the rows swapped; fails with this one

    @property
    def views(self) -> "tuple[Session, ...]":
        """What the policy got under each view: this, and the swapped one."""
        return (self,) if self.swapped is None else (self, self.swapped)

    def rollouts(self, world: str) -> list[Rollout]:
        """Of each view in ``simulated`` or ``true``; empty where the policy was not measured."""
        found = [getattr(view, world) for view in self.views]
        return [] if any(one is None for one in found) else found

    def offline_values(self, metric: str) -> FloatArray:
        """(n,) each user's value of an offline metric; NaN: no target."""
        return of_users([view.offline[metric] for view in self.views])


def stars_of(session: Session, world: str = "simulated") -> FloatArray | None:
    """``mean_ratings`` (n,) of a policy's users, over its views; None where it was not measured."""
    played = session.rollouts(world)
    return of_users([mean_ratings(own) for own in played]) if played else None


def mean_ratings(played: Rollout) -> FloatArray:
    """Mean expected stars (n,) over everything each user was shown; what policies are ranked by.

    Places whose answer failed are left out; NaN for a user without any answer.
    """
    places = played.answered
    stars = np.where(places, played.expected, 0.0).sum(axis=(1, 2))
    sizes = places.sum(axis=(1, 2))
    means = np.divide(stars, sizes, out=np.full(len(stars), np.nan), where=sizes > 0)
    return np.asarray(means)


def interactions(sessions: Sequence[Session]) -> "pd.DataFrame":
    """Every slate of every session, with the ``policy`` and the ``world`` that answered.

    Where rows were cut between policies and people, ``view`` says who learnt from which half: 1, or
    2 after the halves were swapped.
    """
    import pandas as pd

    frames = [
        played.to_frame().assign(policy=session.name, world=world, **_view(session, number))
        for session in sessions
        for number, own in enumerate(session.views, start=1)
        for world, played in (("simulated", own.simulated), ("true", own.true))
        if played is not None
    ]
    together = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    for column in together.columns.intersection(["policy", "world"]):
        together[column] = together[column].astype("category")
    return together


def _view(session: Session, number: int) -> dict[str, int]:
    return {} if session.swapped is None else {"view": number}


def of_users(values: Sequence[FloatArray]) -> FloatArray:
    """Each user's mean (n,) over values (n,) of one view or more.

    NaN where a view has none: half a value would take that view's level for the user's own.
    """
    return np.asarray(np.mean(np.stack(values), axis=0))


def of_figures(found: Sequence[Any]) -> Any:
    """The mean, number by number, of figures of the same form: dicts, lists, numbers, None.

    A figure that one view lacks is None, a count is rounded. What is no number is that of the first
    view; of lists of different lengths the first places stay, which all views have.
    """
    first = found[0]
    if len(found) == 1:
        return first
    if any(one is None for one in found):
        return None
    if isinstance(first, dict):
        return {key: of_figures([one.get(key) for one in found]) for key in first}
    if isinstance(first, list):
        return [of_figures(list(own)) for own in zip(*found, strict=False)]
    if isinstance(first, bool) or not isinstance(first, int | float):
        return first
    mean = float(np.mean(found))
    return round(mean) if isinstance(first, int) else round(mean, 6)

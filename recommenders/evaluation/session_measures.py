"""What a session was worth: one value a user for every measure, from the arrays of a roll-out.

Pure. Slates after the user left do not count, and neither do stars of places whose answer failed;
a value that a user does not have is NaN. Letters:
``n`` users, ``T`` steps, ``k`` slate places, ``i`` items, ``g`` genres.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from recommenders.evaluation.ranking_metrics import self_information
from simenv import exposure
from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from simenv.env.rollout import Rollout
from simenv.events import BoolArray, FloatArray, IntArray
from simenv.users.behaviour import Behaviour
from simenv.users.lives import Life

RETURN_DAYS = 7.0


class SessionScores(NamedTuple):
    """One value a user, in the order of the roll-out's users."""

    mean_rating: FloatArray  # (n,) mean expected stars over everything shown
    mean_taken_rating: FloatArray  # (n,) mean sampled stars of what was taken
    clicks: FloatArray  # (n,) items taken
    session_length: FloatArray  # (n,) slates seen
    satisfaction: FloatArray  # (n,) running mean stars at the end, as patience feels it
    return_chance: FloatArray  # (n,) of coming back within RETURN_DAYS, by ``Life``
    diversity: FloatArray  # (n,) mean over slates of 1 - genre likeness of its items, in [0, 1]
    novelty: FloatArray  # (n,) mean bits of surprise of what was shown
    popularity_lift: FloatArray  # (n,) how much more popular than the user's own past, 0 = alike
    drift: (
        FloatArray  # (n,) diversity of the later half of the slates minus the earlier; < 0 narrows
    )


@dataclass(frozen=True)
class ItemFacts:
    """What measures need to know of items, from training rows only, and of those who play."""

    genres: FloatArray  # (i, g) rows of length 1, or 0 for an item without genres
    surprise: FloatArray  # (i,) bits
    popularity: FloatArray  # (i,) training rows
    own_popularity: FloatArray  # (num_users,) mean popularity of what the user rated; NaN = nothing
    behaviour: Behaviour = field(
        default_factory=Behaviour
    )  # of the users who played: how satisfaction moves
    life: Life = field(default_factory=Life)  # how soon people come back

    @classmethod
    def of(
        cls, dataset: Dataset, behaviour: Behaviour | None = None, life: Life | None = None
    ) -> "ItemFacts":
        """The facts of a data set, and of those who played.

        Args:
            dataset: whose items were shown.
            behaviour: of the users, see ``simenv.users.behaviour.behaviour_of``; None = the
                default one.
            life: of the environment; None = the default one, where an episode is a single visit.
        """
        log = stacked(dataset.train, dataset.background)
        raters = np.bincount(log.items, minlength=dataset.num_items).astype(np.float64)
        own = dataset.train
        sums = np.bincount(own.users, raters[own.items], dataset.num_users)
        sizes = np.bincount(own.users, minlength=dataset.num_users)
        return cls(
            dataset.catalog.genre_directions,
            self_information(raters, log.num_users),
            raters,
            np.divide(sums, sizes, out=np.full(len(sums), np.nan), where=sizes > 0),
            behaviour or Behaviour(),
            life or Life(),
        )


def score_sessions(played: Rollout, facts: ItemFacts) -> SessionScores:
    """All measures of every user."""
    shown = played.alive[..., None] & np.ones_like(played.taken)
    taken = played.taken & shown
    items = np.maximum(played.items, 0)
    mean_rating = _mean_where(played.expected, played.answered)
    spread = exposure.slate_diversity(facts.genres[items])
    lift = _mean_where(facts.popularity[items], shown) / facts.own_popularity[played.users] - 1
    return SessionScores(
        mean_rating,
        _mean_where(played.ratings, taken),
        taken.sum(axis=(1, 2)).astype(np.float64),
        played.alive.sum(axis=1).astype(np.float64),
        _satisfaction(played, facts.behaviour),
        return_chance(mean_rating, facts.life),
        _mean_where(spread, played.alive),
        _mean_where(facts.surprise[items], shown),
        lift,
        _later_minus_earlier(spread, played.alive),
    )


def coverage(played: Rollout, num_items: int) -> float:
    """Share of the catalogue that was shown to anybody."""
    return exposure.coverage(_exposures(played, num_items))


def exposure_gini(played: Rollout, num_items: int) -> float:
    """Inequality of exposure over the catalogue: 0 if all items are shown equally often."""
    return exposure.gini(_exposures(played, num_items))


def return_chance(stars: FloatArray, life: Life) -> FloatArray:
    """Chance (n,) of coming back within ``RETURN_DAYS`` after sessions of mean ``stars`` (n,).

    Nobody comes back who would stay away longer than ``life.gone_after``.
    """
    doublings = life.doublings_per_star * (life.content_level - stars)
    median = life.median_days * np.exp2(doublings)
    days = min(RETURN_DAYS, life.gone_after)
    return np.asarray(ndtr(np.log(days / median) / life.spread))


def _satisfaction(played: Rollout, behaviour: Behaviour) -> FloatArray:
    """The running satisfaction (n,) after the last slate that each user saw."""
    level = np.full(len(played.users), behaviour.content_level)
    for step in range(played.alive.shape[1]):
        moved = behaviour.update_satisfaction(level, played.expected[:, step])
        level = np.where(played.alive[:, step], moved, level)
    return level


def _exposures(played: Rollout, num_items: int) -> IntArray:
    """How often each item was shown to users who were still there."""
    return exposure.exposures_of(played.items[played.alive], num_items)


def _later_minus_earlier(values: FloatArray, alive: BoolArray) -> FloatArray:
    """Mean of each user's later slates minus the earlier ones; NaN with fewer than two slates."""
    lengths = alive.sum(axis=1, keepdims=True)
    steps = np.arange(alive.shape[1])[None, :]
    earlier = alive & (steps < lengths // 2)
    later = alive & (steps >= (lengths + 1) // 2)
    return _mean_where(values, later) - _mean_where(values, earlier)


def _mean_where(values: FloatArray, where: BoolArray) -> FloatArray:
    """Means (n,) of values (n, …) over the true places; NaN where there are none."""
    axes = tuple(range(1, values.ndim))
    sums = np.where(where, values, 0.0).sum(axis=axes)
    sizes = where.sum(axis=axes)
    means = np.divide(sums, sizes, out=np.full(len(sums), np.nan), where=sizes > 0)
    return np.asarray(means)

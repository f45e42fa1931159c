"""What people do in the environment, as one number a person and behaviour. It asks nobody.

Which behaviour speaks for which trait, and in which direction, is fixed here before anything is
measured. What somebody takes is read from chances, not from draws: an item that is shown counts
with the chance that the person takes it, and its stars with their chances. Only how long a session
lasts and whether it was left is drawn.

What is taken is read from the slates that a person saw under every condition, so that nobody's
choices look more varied because the session was longer.

Letters: ``n`` people, ``T`` steps, ``k`` slate places, ``g`` genres, ``i`` items.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from simenv.env.rollout import Rollout
from simenv.events import STARS, BoolArray, FloatArray, IntArray, expected_stars
from simenv.users.behaviour import Behaviour

# Behaviours of each factor, and whether much of the factor means more (+1) or less (-1) of them.
EXPECTED: Mapping[str, Mapping[str, int]] = {
    "O": {"novelty": 1, "genre_entropy": 1},
    "C": {"session_length": 1, "abandonment": -1},
    "E": {"follows_average": 1, "follows_friends": 1},
    "A": {"follows_average": 1, "follows_friends": 1},
    "N": {"star_spread": 1, "low_share": 1},
}


class Behaviours(NamedTuple):
    """One value a person; NaN = the person has none."""

    novelty: FloatArray  # (n,) bits of surprise of what is taken: rarely rated items have more
    genre_entropy: FloatArray  # (n,) bits, of the genres of what is taken
    session_length: FloatArray  # (n,) slates seen, mean over visits
    abandonment: FloatArray  # (n,) share of the visits that were left before the limit
    follows_average: FloatArray  # (n,) stars by which answers move with a star of the average
    follows_friends: FloatArray  # (n,) the same for a star of people like them
    star_spread: FloatArray  # (n,) standard deviation of the stars given
    low_share: FloatArray  # (n,) share of one and two stars


class Visit(NamedTuple):
    """A session of n people with the distributions behind it."""

    played: Rollout
    chances: FloatArray  # (n, T, k, 5) over stars; NaN = no slate, or the answer failed


class ItemTraits(NamedTuple):
    """What is known of items."""

    surprise: FloatArray  # (i,) bits: -log2 of the share of people who rated the item
    genres: FloatArray  # (i, g) shares of genres, each row sums to 1, or to 0 without any


def common_steps(visits: Sequence[Visit]) -> IntArray:
    """(n,) slates that each person saw in all of these visits: one visit under several conditions.

    Raises:
        ValueError: there is no visit.
    """
    if not visits:
        raise ValueError("common_steps wanted at least one visit, got none")
    return np.asarray(np.min([visit.played.lengths() for visit in visits], axis=0), dtype=np.int64)


def behaviours_of(
    visits: Sequence[Visit],
    steps: Sequence[IntArray],
    items: ItemTraits,
    behaviour: Behaviour,
    follows: tuple[FloatArray, FloatArray],
) -> Behaviours:
    """All behaviours of n people under one condition.

    Args:
        visits: sessions of the same people, in the same order.
        steps: (n,) slates of each visit from which what is taken is read, see ``common_steps``.
        items: what is known of the items.
        behaviour: how stars become taking.
        follows: (n,) by how much they follow the average, and people like them.
    """
    taste = _taste(visits, steps, items, behaviour)
    lengths = np.array([visit.played.lengths() for visit in visits], dtype=np.float64)
    left = np.array([visit.played.quits for visit in visits], dtype=np.float64)
    acts = {"session_length": lengths.mean(axis=0), "abandonment": left.mean(axis=0)}
    acts |= {"follows_average": follows[0], "follows_friends": follows[1]}
    return Behaviours(**acts, **taste)


def _taste(
    visits: Sequence[Visit], steps: Sequence[IntArray], items: ItemTraits, behaviour: Behaviour
) -> dict[str, FloatArray]:
    """What is taken and how it is rated, over all visits together."""
    n = len(steps[0])
    total, surprise = np.zeros(n), np.zeros(n)
    genres, stars = np.zeros((n, items.genres.shape[1])), np.zeros((n, len(STARS)))
    for visit, own in zip(visits, steps, strict=True):
        weights = _weights(visit, own, behaviour)  # (n, T, k)
        shown = np.maximum(visit.played.items, 0)
        total += weights.sum(axis=(1, 2))
        surprise += (weights * items.surprise[shown]).sum(axis=(1, 2))
        genres += np.einsum("ntk,ntkg->ng", weights, items.genres[shown])
        stars += np.einsum("ntk,ntks->ns", weights, np.nan_to_num(visit.chances))
    shares = _over(stars, total[:, None])
    mean = shares @ STARS
    return {
        "novelty": _over(surprise, total),
        "genre_entropy": entropy(genres),
        "star_spread": np.sqrt(np.maximum(shares @ STARS**2 - mean**2, 0.0)),
        "low_share": shares[:, 0] + shares[:, 1],
    }


def entropy(weights: FloatArray) -> FloatArray:
    """Bits (n,) of the distribution in which weights (n, g) lie; NaN where all are 0."""
    shares = _over(weights, weights.sum(axis=1, keepdims=True))
    logs = np.log2(np.where(shares > 0, shares, 1.0))
    return np.asarray(np.where(np.isnan(shares).any(axis=1), np.nan, -(shares * logs).sum(axis=1)))


def _weights(visit: Visit, steps: IntArray, behaviour: Behaviour) -> FloatArray:
    """(n, T, k) the chance that what was shown is taken; 0 beyond ``steps`` and without answer."""
    expected = expected_stars(visit.chances)
    read = np.arange(expected.shape[1])[None, :] < steps[:, None]
    known: BoolArray = read[..., None] & ~np.isnan(expected)
    slates = np.nan_to_num(expected).reshape(-1, expected.shape[2])
    return np.where(known, behaviour.take_chance(slates).reshape(expected.shape), 0.0)


def _over(values: FloatArray, sizes: FloatArray) -> FloatArray:
    sizes = np.broadcast_to(sizes, values.shape)
    return np.asarray(np.divide(values, sizes, out=np.full(values.shape, np.nan), where=sizes > 0))

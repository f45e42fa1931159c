"""Whose rows make a data set: draws users, renumbers them, and says what the averages may see.

Two regimes, both without future leaks. ``"same_rows"``: the world holds the drawn users only and
averages come from their training rows. ``"population"``: everybody else's complete rows are the
background, known to averages and baselines as a running service would know them. Rows of the drawn
users after the split are test rows and enter nothing.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, get_args

import numpy as np

from simenv.data.dataset import Dataset
from simenv.data.readers.rating_table import RatedCatalog
from simenv.data.splits import split_dataset
from simenv.events import IntArray, InteractionLog

Regime = Literal["same_rows", "population"]


class ProtocolSettings(TypedDict, total=False):
    """Keywords that every reader takes and passes on to ``build_dataset``.

    Attributes:
        fraction: of each user's rows, in time order, that are training rows; default 0.6.
        min_ratings: fewest ratings of a drawn user; None (default) = no bound.
        max_ratings: most ratings of a drawn user; None (default) = no bound.
        num_users: how many users to draw; None (default) = all that qualify.
        seed: of the draw; default 0.
        regime: what averages see besides training rows (see this module); default "population".
    """

    fraction: float
    min_ratings: int | None
    max_ratings: int | None
    num_users: int | None
    seed: int
    regime: Regime


def parted(settings: Mapping[str, Any], declared: type) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings that the TypedDict ``declared`` names, and all others."""
    own = {key: value for key, value in settings.items() if key in declared.__annotations__}
    return own, {key: value for key, value in settings.items() if key not in own}


def draw_users(
    log: InteractionLog,
    *,
    low: int | None = None,
    high: int | None = None,
    num_users: int | None = None,
    seed: int = 0,
) -> IntArray:
    """Users with ``low`` to ``high`` rows, both included; ``num_users`` of them drawn.

    Args:
        log: all users; unchanged.
        low: fewest rows; None = no bound (but at least one row).
        high: most rows; None = no bound.
        num_users: how many to draw without replacement; None = all that qualify.
        seed: of the draw.

    Returns:
        (num_users,) ascending.

    Raises:
        ValueError: fewer users qualify than are wanted, or none.
    """
    counts = np.bincount(log.users, minlength=log.num_users)
    fits = (counts >= max(low or 1, 1)) & (counts <= (len(log) if high is None else high))
    eligible = np.flatnonzero(fits).astype(np.int64)
    wanted = len(eligible) if num_users is None else num_users
    if not 0 < wanted <= len(eligible):
        raise ValueError(
            f"wanted {num_users or 'some'} users with {low or 1} to {high or 'any number of'}"
            f" ratings, found {len(eligible)}; widen min_ratings..max_ratings or lower num_users"
        )
    if num_users is None:
        return eligible
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(eligible, num_users, replace=False))


def only_drawn(log: InteractionLog, users: IntArray) -> InteractionLog:
    """The rows of ``users``, ascending, who are numbered from 0."""
    rows = log.only_users(users)
    return InteractionLog(
        np.searchsorted(users, rows.users).astype(np.int64),
        rows.items,
        rows.ratings,
        rows.timestamps,
        len(users),
        log.num_items,
    )


def build_dataset(
    name: str,
    rated: RatedCatalog,
    *,
    fraction: float = 0.6,
    min_ratings: int | None = None,
    max_ratings: int | None = None,
    num_users: int | None = None,
    seed: int = 0,
    regime: Regime = "population",
) -> Dataset:
    """Draw users and split their rows in time: the last step of every reader.

    ``name`` is the data set's, ``rated`` what a reader returned (unchanged); ``ProtocolSettings``
    explains the keywords. Rows that the reader dropped are announced with one warning.

    Raises:
        ValueError: an unknown regime, a fraction outside (0, 1], or too few users qualify.
    """
    if regime not in get_args(Regime):
        raise ValueError(f"regime must be one of {get_args(Regime)}, got {regime!r}")
    rated.bad_rows.announce()
    log = rated.log
    users = draw_users(log, low=min_ratings, high=max_ratings, num_users=num_users, seed=seed)
    others = np.setdiff1d(np.arange(log.num_users), users)
    background = only_drawn(log, others) if regime == "population" and len(others) else None
    ids = tuple(rated.user_ids[u] for u in users)
    own = only_drawn(log, users)
    return split_dataset(name, rated.catalog, own, ids, fraction, background=background)

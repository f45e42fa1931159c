"""Slates that no user should be shown, and errors that say whose they are.

``Recommender.recommend`` cannot make them (``ranking`` refuses the scores they would come from); a
policy that writes its own ``recommend`` can, so runs and the contract suite check those here.
"""

import numpy as np

from recommenders.base import Observation, Recommender
from simenv.events import IntArray, Slates


def check_slates(
    name: str, policy: Recommender, observation: Observation, slates: Slates, k: int
) -> None:
    """Raise unless slates hold k known, distinct, unseen items a user, with numbers as scores.

    Args:
        name: of the policy in this run.
        policy: which made the slates.
        observation: for which they were made.
        slates: (n, k).
        k: places wanted.

    Raises:
        ValueError: naming policy, user and cure.
    """
    users = np.asarray(observation["user"]).reshape(-1)
    items = np.asarray(slates.items)
    if items.shape != (len(users), k):
        raise ValueError(
            f"policy {name} wanted {k} items for each of {len(users)} users, the first of them"
            f" user {users[0]}, got slates of shape {items.shape}; return (users, places)"
        )
    num_items = policy.log.num_items
    _refuse(
        name, users, (items < 0) | (items >= num_items),
        f"shows items outside [0, {num_items})", "recommend from the catalogue",
    )  # fmt: skip
    ordered = np.sort(items, axis=1)
    _refuse(
        name, users, ordered[:, 1:] == ordered[:, :-1],
        "shows an item twice in one slate", "rank items without replacement",
    )  # fmt: skip
    _refuse(
        name, users, ~np.isfinite(slates.scores),
        "gives scores that are no numbers", "replace NaN and infinite scores",
    )  # fmt: skip
    seen = policy.seen(users, observation)
    _refuse(
        name, users, np.take_along_axis(seen, items, axis=1),
        "shows items that the user has met already", "mask policy.seen(users, observation)",
    )  # fmt: skip


def _refuse(name: str, users: IntArray, bad: np.ndarray, what: str, cure: str) -> None:
    rows = np.flatnonzero(bad.any(axis=1))
    if len(rows):
        raise ValueError(
            f"policy {name} {what}, first for user {users[rows[0]]} ({len(rows)} of {len(users)}"
            f" users); {cure}"
        )

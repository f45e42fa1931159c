"""Which rows judges are made of, and which the policies that they judge.

A judge that shares its rows with a policy shares its mistakes too: it loves what the policy shows.
Cross-fitting takes that away and wastes no row: everybody's training rows are cut into two halves,
policies learn from one and people are made of the other, then the halves are swapped.
"""

from dataclasses import replace
from typing import Literal, NamedTuple, get_args

import numpy as np

from simenv.data.dataset import Dataset
from simenv.events import BoolArray, InteractionLog
from simenv.seeding import Channel, row_seeds, uniforms

Evidence = Literal["shared", "independent", "mixed"]


class Views(NamedTuple):
    """One log as two sides see it; both know the same users and items."""

    policies: Dataset
    people: Dataset


def views_of(dataset: Dataset, evidence: Evidence = "shared", seed: int = 0) -> list[Views]:
    """The views under which policies are judged; figures are averaged over them.

    Args:
        dataset: whose users and log they are; it stays as it is.
        evidence: ``shared``: policies and people know all training rows, one view. With
            ``independent`` people are told only rows from which the policies did not learn, with
            ``mixed`` all training rows, of which the policies know one half; two views each.
        seed: of the halves. A row's half depends on the seed, the user and the item.

    Returns:
        One or two views. Item averages are made of all training rows in every one. What the
        policies of a half did not learn from counts as held out for them; for people that is
        what ``dataset.test`` holds.

    Raises:
        ValueError: an unknown evidence.
    """
    if evidence not in get_args(Evidence):
        named = ", ".join(f'"{kind}"' for kind in get_args(Evidence))
        raise ValueError(f"evidence must be one of {named}, got {evidence!r}")
    if evidence == "shared":
        return [Views(dataset, dataset)]
    first = in_first_half(dataset.train, seed)
    return [_view(dataset, half, evidence) for half in (first, ~first)]


def _view(dataset: Dataset, half: BoolArray, evidence: Evidence) -> Views:
    """Policies learn from ``half`` of the training rows (r,)."""
    train = dataset.train
    rest = train.take(~half)
    policies = replace(dataset, train=train.take(half), test=_joined(rest, dataset.test))
    return Views(policies, replace(dataset, train=rest) if evidence == "independent" else dataset)


def in_first_half(log: InteractionLog, seed: int) -> BoolArray:
    """(r,) true for half of the rows of every user, by lot; an odd row goes by lot as well."""
    users, offsets = np.arange(log.num_users), log.offsets()
    lots = uniforms(row_seeds(seed, log.users, log.items), Channel.EVIDENCE, 1)[:, 0]
    coins = uniforms(row_seeds(seed, users, np.zeros_like(users)), Channel.ODD_ROW, 1)[:, 0]
    sizes = (np.diff(offsets) + (coins < 0.5)) // 2
    places = np.empty(len(log), dtype=np.int64)
    places[np.lexsort((lots, log.users))] = np.arange(len(log))
    return np.asarray(places - offsets[log.users] < sizes[log.users])


def _joined(first: InteractionLog, second: InteractionLog) -> InteractionLog:
    """All rows of two logs of the same users and items."""
    pairs = (
        np.concatenate([getattr(log, name) for log in (first, second)])
        for name in ("users", "items", "ratings", "timestamps")
    )
    return InteractionLog.from_columns(*pairs, num_users=first.num_users, num_items=first.num_items)

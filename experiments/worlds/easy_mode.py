"""Are simulated users too easy to please? Bad slates, random ones and the log by the truth."""

from typing import Any

import numpy as np

from agents.persona_users import PersonaUsers
from experiments.people.people import People
from simenv.data.dataset import Dataset
from simenv.events import (
    STARS,
    Feedback,
    FloatArray,
    IntArray,
    InteractionLog,
    Slates,
    expected_stars,
)
from simenv.seeding import Stream, generator, row_seeds
from simenv.user_model import UserModel

MOST_USERS = 60


def easy_mode(
    model: UserModel, true: UserModel, dataset: Dataset, users: IntArray, k: int, seed: int
) -> dict[str, float]:
    """What users make of slates of k items that nobody would recommend.

    Args:
        model: the users in question.
        true: the users as they are.
        dataset: a world with a known truth.
        users: (n,) of whom the first ``MOST_USERS`` are asked.
        k: items of a slate.
        seed: of the draws.

    Returns:
        ``bad_slate`` and ``random_slate`` stars of the truly worst and of random unseen items,
        ``accept_bad`` and ``accept_random`` shares taken, ``accept_all`` share of random slates of
        which everything is taken, ``logged`` stars of held-out rows that people chose themselves;
        each also with ``true_`` in front (for ``true_logged`` what the log holds).
    """
    users = users[:MOST_USERS]
    truth: Any = dataset.truth
    everything = np.tile(np.arange(dataset.num_items), (len(users), 1))
    met = dataset.train.to_csr()[users].toarray() > 0
    liking = truth.probabilities(users, everything) @ STARS
    worst = np.argsort(np.where(met, np.inf, liking), axis=1)[:, :k]
    draws = generator(seed, Stream.RANDOM_SLATES).random(met.shape)
    random = np.argsort(np.where(met, np.inf, draws), axis=1)[:, :k]
    figures = {}
    for prefix, judged in (("", model), ("true_", true)):
        bad, usual = ask(judged, users, worst, seed), ask(judged, users, random, seed)
        figures[f"{prefix}bad_slate"] = float(np.nanmean(bad.expected))
        figures[f"{prefix}random_slate"] = float(np.nanmean(usual.expected))
        figures[f"{prefix}accept_bad"] = float(bad.taken[~bad.failed].mean())
        figures[f"{prefix}accept_random"] = float(usual.taken[~usual.failed].mean())
        whole = ~usual.failed.any(axis=1)
        figures[f"{prefix}accept_all"] = float(usual.taken[whole].all(axis=1).mean())
    figures["logged"], figures["true_logged"] = _inflation(model, dataset, users, k, seed)
    return {name: round(value, 4) for name, value in figures.items() if np.isfinite(value)}


def by_reader(
    reader: People | None, true: UserModel, dataset: Dataset, users: IntArray, k: int, seed: int
) -> dict[str, float]:
    """The same by a perfect reader of the log, each figure with ``reader_`` in front; {} of None.

    It is the ceiling of whoever says what is likeliest: the truly worst items are picked by the
    truth, so an honest guess of their stars lies above it.
    """
    if reader is None:
        return {}
    found = easy_mode(reader.model, true, dataset, users, k, seed)
    return {f"reader_{n}": own for n, own in found.items() if not n.startswith("true_")}


def ask(model: UserModel, users: IntArray, items: IntArray, seed: int) -> Feedback:
    """Answers of users (n,) to slates (n, k); nothing is remembered."""
    seeds = row_seeds(seed, users, np.zeros_like(users))
    return model.respond(users, Slates.of_items(items), seeds)


def chosen_stars(model: UserModel, users: IntArray, items: IntArray, seed: int) -> FloatArray:
    """Stars (n, k) that users (n,) expect of items (n, k) which they picked themselves."""
    if isinstance(model, PersonaUsers):  # their prompt can say that they chose the items
        return expected_stars(model.probabilities(users, items, chosen=True))
    return ask(model, users, items, seed).expected


def first_rows(log: InteractionLog, users: IntArray, k: int) -> tuple[IntArray, IntArray]:
    """Who of users (n,) has at least k rows, and the first k rows (m, k) of each of these."""
    offsets = log.offsets()
    able = users[np.diff(offsets)[users] >= k]
    return able, offsets[able][:, None] + np.arange(k)


def _inflation(
    model: UserModel, dataset: Dataset, users: IntArray, k: int, seed: int
) -> tuple[float, float]:
    """Mean stars that users give to their own first k held-out items, and those of the log."""
    log = dataset.test
    able, rows = first_rows(log, users, k)
    if not len(able):
        return float("nan"), float("nan")
    stars = chosen_stars(model, able, log.items[rows], seed)
    return float(np.nanmean(stars)), float(log.ratings[rows].mean())

"""From a split data set to training examples: what a user was told, and what they then answered.

Law 7: Ms and Ml are made of training rows, targets are later rows of the same user.
"""

from typing import NamedTuple

import numpy as np

from agents.embedding import Embedder, TfidfSvdEmbedder
from agents.memory import ExactMemory
from agents.prompts import PromptStyle, persona_prefix
from agents.suffixes import SuffixWriter
from simenv.data.dataset import Dataset
from simenv.events import NUM_STARS, FloatArray, IntArray
from training.distil import OfflineDistiller


class Examples(NamedTuple):
    """Prompts and targets of many users, the same number of turns for each."""

    prefixes: list[str]  # (n,)
    suffixes: list[str]  # (n * t,) row by row
    targets: FloatArray  # (n, t, 5) the distribution to answer with
    ratings: FloatArray  # (n, t) the rating that was given


def held_out_examples(
    dataset: Dataset,
    style: PromptStyle,
    num_turns: int,
    rng: np.random.Generator,
    embedder: Embedder | None = None,
) -> Examples:
    """Draw ``num_turns`` later rows of every user that has any.

    Args:
        dataset: Ms and Ml come from ``train``, targets from ``test``.
        style: how much the prompts tell.
        num_turns: t; users with fewer later rows have some drawn twice.
        rng: draws the rows.
        embedder: of item texts; default TF-IDF + SVD.

    Returns:
        Examples; targets are the true distributions where the world's truth is known (a lower
        variance and the same mean as the sampled ratings), else one-hot ratings.
    """
    distilled = OfflineDistiller(dataset.catalog).distil(dataset.train)
    vectors = (embedder or TfidfSvdEmbedder()).embed(dataset.catalog.texts())
    memory = ExactMemory(vectors, dataset.num_users)
    log = dataset.train
    memory.add(log.users, log.items, log.ratings, distilled.reasons)
    users, rows = _draw_rows(dataset, num_turns, rng)
    items = dataset.test.items[rows]
    prefixes = [persona_prefix(distilled.personas[u], dataset.catalog.kind, style) for u in users]
    writer = SuffixWriter(dataset.catalog, distilled.personas, memory, style)
    suffixes = writer.write(users, items)
    ratings = dataset.test.ratings[rows]
    if dataset.truth is not None:
        targets = dataset.truth.probabilities(users, items)
    else:
        targets = np.eye(NUM_STARS)[ratings.astype(np.int64) - 1]
    return Examples(prefixes, suffixes, targets, ratings)


def chosen_users(examples: Examples, users: np.ndarray) -> Examples:
    """The examples of some users (n,)."""
    turns = len(examples.suffixes) // len(examples.prefixes)
    return Examples(
        [examples.prefixes[u] for u in users],
        [examples.suffixes[u * turns + t] for u in users for t in range(turns)],
        examples.targets[users],
        examples.ratings[users],
    )


def _draw_rows(
    dataset: Dataset, num_turns: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Users (n,) and rows (n, num_turns) of ``dataset.test``."""
    offsets = dataset.test.offsets()
    sizes = np.diff(offsets)
    users = np.flatnonzero(sizes)
    if not len(users):
        raise ValueError(
            f"examples wanted later rows to learn from, but data set {dataset.name!r} has an empty"
            " test part; split it at a fraction below 1"
        )
    rows = np.stack(
        [
            offsets[u] + rng.permutation(max(sizes[u], num_turns))[:num_turns] % sizes[u]
            for u in users
        ]
    )
    return users.astype(np.int64), rows.astype(np.int64)

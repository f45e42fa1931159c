"""From a split data set to training examples: what a user had read, and what they then answered.

Law 7: Ms and Ml are made of training rows, targets are later rows of the same user.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from agents.blocks import BlockWriter
from agents.embedding import Embedder
from agents.inference.engine import Past
from agents.memory.base import ExactMemory, MakeMemory
from agents.peers import Peers
from agents.prompt_budget import budget_of
from agents.prompt_style import PromptStyle
from agents.prompts import persona_prefix
from agents.relevance import item_vectors
from agents.suffixes import SuffixWriter
from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from simenv.events import NUM_STARS, BoolArray, FloatArray, IntArray
from simenv.user_model import Truth
from training.collaborative import peers_of
from training.distillation.offline import Distilled
from training.distillation.tellers import teller

_SHIPPED_STYLE = PromptStyle()


class Examples(NamedTuple):
    """Prompts and targets of blocks: a user at one time, and the same number of turns for each.

    For models that read in blocks a suffix is the cue alone, and ``pasts`` and ``items`` hold what
    it attends to beside the prefix.
    """

    prefixes: list[str]  # (b,)
    suffixes: list[str]  # (b * t,) row by row
    targets: FloatArray  # (b, t, 5) the distribution to answer with
    ratings: FloatArray  # (b, t) the rating that was given
    weights: FloatArray  # (b, t) 1 = counts, 0 = fills a block up
    pasts: Sequence[Past] = ()  # (b,) memories; none for whole prompts
    items: Sequence[str] = ()  # (b * t,) texts of the items; none for whole prompts


class Questions(NamedTuple):
    """Who is asked about what, row by row a block; each user once."""

    users: IntArray  # (b,)
    items: IntArray  # (b, t)
    ratings: FloatArray  # (b, t)
    chosen: BoolArray  # (b, t) the user picked the item on their own
    weights: FloatArray  # (b, t)


class ExampleWriter:
    """Distils and embeds the training rows of a data set once; then writes any questions.

    Args:
        dataset: whose training rows are known.
        embedder: of item texts, for recall.
        make_memory: of what is recalled.
        distilled: Ms and reasons of the training rows; None = without a model, as ``style`` tells.
        style: how people are told; what a prompt shows is said when questions are written.
        model: whose tokens a budget counts; None = there is no budget.
    """

    def __init__(
        self,
        dataset: Dataset,
        embedder: Embedder | None = None,
        make_memory: MakeMemory = ExactMemory,
        distilled: Distilled | None = None,
        style: PromptStyle = _SHIPPED_STYLE,
        model: str | None = None,
    ) -> None:
        catalog, averages, log = dataset.catalog, dataset.averages, dataset.train
        self.dataset = dataset
        self._model = model
        self.distilled = distilled or teller(style, catalog, averages).distil(log)
        known = stacked(log, dataset.background)
        vectors = item_vectors(catalog, known, averages, embedder)
        self.memory = make_memory(vectors, dataset.num_users)
        self.memory.add(log.users, log.items, log.ratings, self.distilled.reasons)

    def write(self, asked: Questions, style: PromptStyle) -> Examples:
        """Examples of all questions; targets are the truth where it is known.

        True distributions have the mean of sampled ratings and a lower variance; a log knows no
        more than the rating that was given.
        """
        catalog, personas = self.dataset.catalog, self.distilled.personas
        budget = budget_of(style, self._model) if self._model else None
        averages, peers = self.dataset.averages, self._peers if style.peers else None
        told = catalog, averages, personas, self.memory, style, budget, peers
        prefixes = [persona_prefix(personas[u], catalog.domain, style, budget) for u in asked.users]
        columns = self._targets(asked), asked.ratings, asked.weights
        if style.reading == "whole":
            suffixes = SuffixWriter(*told).write(asked.users, asked.items, asked.chosen)
            return Examples(prefixes, suffixes, *columns)
        blocks = BlockWriter(*told)
        return Examples(
            prefixes,
            blocks.cues(asked.users, asked.items, asked.chosen),
            *columns,
            pasts=[blocks.past(u) for u in asked.users.tolist()],
            items=[blocks.item(item) for item in asked.items.reshape(-1).tolist()],
        )

    @cached_property
    def _peers(self) -> Peers:
        return peers_of(self.dataset)

    def _targets(self, asked: Questions) -> FloatArray:
        if self.dataset.truth is not None:
            return self.dataset.truth.probabilities(asked.users, asked.items)
        stars = asked.ratings.round().astype(np.int64)
        return np.asarray(np.eye(NUM_STARS)[stars - 1])


def later_rows(dataset: Dataset, num_turns: int, rng: np.random.Generator) -> Questions:
    """``num_turns`` rows of ``dataset.test`` for every user that has any, drawn at random.

    A user with fewer later rows has some drawn twice.

    Raises:
        ValueError: nobody has any later row.
    """
    offsets = dataset.test.offsets()
    sizes = np.diff(offsets)
    users = np.flatnonzero(sizes).astype(np.int64)
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
    ones = np.ones(rows.shape)
    return Questions(users, dataset.test.items[rows], dataset.test.ratings[rows], ones > 0, ones)


def with_suggestions(
    asked: Questions, dataset: Dataset, truth: Truth, share: float, rng: np.random.Generator
) -> Questions:
    """These questions with a ``share`` of the places given to items that nobody picked.

    Logs hold what people chose, and people choose what they will like. Who learns from logs alone
    is too kind to whatever is suggested; only a world with known truth can teach the difference.
    """
    replaced = rng.random(asked.items.shape) < share
    items = np.where(replaced, _unrated(asked, dataset, rng), asked.items)
    chances = truth.probabilities(asked.users, items)
    stars = 1.0 + (rng.random(items.shape)[..., None] > np.cumsum(chances, axis=-1)).sum(axis=-1)
    ratings = np.where(replaced, np.minimum(stars, NUM_STARS), asked.ratings)
    return asked._replace(items=items, ratings=ratings, chosen=asked.chosen & ~replaced)


def _unrated(asked: Questions, dataset: Dataset, rng: np.random.Generator) -> IntArray:
    """(b, t) items that the user has not rated in training, at random."""
    offsets = dataset.train.offsets()
    rows = []
    for user in asked.users:
        seen = dataset.train.items[offsets[user] : offsets[user + 1]]
        free = np.setdiff1d(np.arange(dataset.num_items), seen)
        rows.append(rng.choice(free, asked.items.shape[1]))
    return np.stack(rows).astype(np.int64)


def chosen_blocks(examples: Examples, blocks: np.ndarray) -> Examples:
    """Some blocks (n,) of the examples."""
    turns = examples.ratings.shape[1]
    return Examples(
        [examples.prefixes[b] for b in blocks],
        [examples.suffixes[b * turns + t] for b in blocks for t in range(turns)],
        examples.targets[blocks],
        examples.ratings[blocks],
        examples.weights[blocks],
        [examples.pasts[b] for b in blocks if examples.pasts],
        [examples.items[b * turns + t] for b in blocks for t in range(turns) if examples.items],
    )


def joined(parts: list[Examples]) -> Examples:
    """All blocks of several examples with the same number of turns."""
    return Examples(
        [p for e in parts for p in e.prefixes],
        [s for e in parts for s in e.suffixes],
        np.concatenate([e.targets for e in parts]),
        np.concatenate([e.ratings for e in parts]),
        np.concatenate([e.weights for e in parts]),
        [past for e in parts for past in e.pasts],
        [item for e in parts for item in e.items],
    )

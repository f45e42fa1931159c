"""What gates look at: a vector a person and a block, from ratings or from the words of prompts.

A block's vector knows no more than its prompt: people are placed by the rows before the block's
cut, in a space that was learnt from nobody's row after it (law 7).
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from agents.embedding import TfidfSvdEmbedder
from simenv.data.dataset import Dataset
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.seeding import Stream, generator
from training.collaborative import CollaborativeSpace, collaborative_space
from training.examples.raft import RaftSet


class PersonVectors(NamedTuple):
    """Of one kind."""

    blocks: FloatArray  # (b, d) of the person of each block, as its prompt knows them
    users: FloatArray  # (n, d) of every person, from all of their training rows


def vectors_for(
    kinds: Collection[str], dataset: Dataset, raft: RaftSet, prefixes: Sequence[str], seed: int
) -> dict[str, PersonVectors]:
    """Kind → vectors: ``ratings``, ``words`` and ``others``, as far as ``kinds`` asks for them.

    Test rows of the data set are not read; ``prefixes`` (n,) are of every person's prompts, and
    ``seed`` is of the lot in ``others``.
    """
    found = {}
    if {"ratings", "others"} & set(kinds):
        found["ratings"] = from_ratings(dataset, raft)
    if "others" in kinds:
        found["others"] = of_others(found["ratings"], raft.users, seed)
    if "words" in kinds:
        found["words"] = from_words(raft, prefixes)
    return found


def from_ratings(dataset: Dataset, raft: RaftSet) -> PersonVectors:
    """Who agrees with whom; the space is other people's where those are known.

    Where nobody else is known it is learnt from the rows before the first cut.
    """
    first = float(raft.cuts.min())
    space = collaborative_space(dataset.background or before(dataset.train, first))
    blocks = np.zeros((len(raft.users), space.item_vectors.shape[1]))
    for cut in np.unique(raft.cuts).tolist():
        rows = raft.cuts == cut
        blocks[rows] = _placed(space, before(dataset.train, cut))[raft.users[rows]]
    return PersonVectors(blocks, _placed(space, dataset.train))


def from_words(raft: RaftSet, prefixes: Sequence[str]) -> PersonVectors:
    """The profile's own words: the control, for they stand in the prompt.

    Args:
        raft: its blocks' prefixes are embedded.
        prefixes: (n,) of every person's prompts.
    """
    embedder = TfidfSvdEmbedder().fit(list(prefixes))
    return PersonVectors(
        np.asarray(embedder.embed(raft.examples.prefixes), dtype=np.float64),
        np.asarray(embedder.embed(list(prefixes)), dtype=np.float64),
    )


def of_others(vectors: PersonVectors, users: IntArray, seed: int) -> PersonVectors:
    """Everybody with the vector of somebody drawn by lot, always the same one: the control.

    Args:
        vectors: whose.
        users: (b,) person of each block.
        seed: of the lot.
    """
    lot = generator(seed, Stream.SWAPPED_VECTORS).permutation(len(vectors.users))
    users_now = vectors.users[lot]
    return PersonVectors(users_now[users], users_now)


def refuse_too_few(vectors: PersonVectors, num_facets: int, variant: str) -> None:
    """Every facet begins at a cluster of its own, so that many vectors have to differ.

    Raises:
        ValueError: fewer do.
    """
    distinct = len(np.unique(vectors.blocks, axis=0))
    if distinct < num_facets:
        raise ValueError(
            f"adapter variant {variant!r} wanted {num_facets} different vectors of people or more,"
            f" one for each facet, got {distinct}; lower num_facets={num_facets}, bring more people"
            " or ratings, or leave the variant out"
        )


def before(log: InteractionLog, share: float) -> InteractionLog:
    """The first rows of every user, up to a ``share`` of their own (rounded up)."""
    offsets = log.offsets()
    sizes = np.diff(offsets)
    places = np.arange(len(log)) - np.repeat(offsets[:-1], sizes)
    return log.take(places < np.repeat(np.ceil(share * sizes), sizes))


def _placed(space: CollaborativeSpace, log: InteractionLog) -> FloatArray:
    return space.place(log).vectors

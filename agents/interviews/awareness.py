"""Does a model know the test? It is asked what a type or factor is, and its text is compared.

RQ0 of arXiv 2401.07115, made a figure: the answer is embedded beside our reference texts of all
types (or factors). A model that knows them is nearer to the right one than to the others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agents.embedding import Embedder
from agents.inference.engine import Engine, Request, Sampling
from agents.interviews.conditioning import reference
from agents.interviews.frames import PLAIN, Frame
from agents.interviews.instruments import FACTORS
from simenv.events import FloatArray, IntArray
from simenv.seeding import Channel, mix, row_seeds


class Awareness(NamedTuple):
    """What was said of n names, and how near it is to the references."""

    names: tuple[str, ...]
    texts: tuple[str, ...]
    similarity: FloatArray  # (n, n) cosine of the answer about row's name and column's reference
    ranks: IntArray  # (n,) place of the right reference, 1 = the nearest; ties count against it

    @property
    def top1(self) -> float:
        """Share of names whose own reference is the nearest; by chance 1 / n."""
        return float((self.ranks == 1).mean())

    @property
    def margin(self) -> float:
        """Mean similarity to the own reference above the mean of the others."""
        n = len(self.names)
        own = np.diag(self.similarity)
        others = (self.similarity.sum(axis=1) - own) / max(n - 1, 1)
        return float((own - others).mean())


def awareness(
    engine: Engine,
    names: Sequence[str],
    embedder: Embedder,
    frame: Frame = PLAIN,
    sampling: Sampling | None = None,
    seed: int = 0,
) -> Awareness:
    """Ask what each of n types or factors is, and compare.

    Args:
        engine: generates.
        names: types and factors, at least two.
        embedder: fitted on the references and answers together, where it must be fitted.
        frame: what stands around a context and a question.
        sampling: None = 96 tokens, greedy.
        seed: of what is drawn.

    Raises:
        ValueError: fewer than two names; a name is neither a type nor a factor.
    """
    if len(names) < 2:
        raise ValueError(f"awareness wanted two names or more to tell apart, got {list(names)}")
    references = [reference(name) for name in names]
    places = np.arange(len(names))
    seeds = mix(row_seeds(seed, places, np.zeros_like(places)), Channel.AWARENESS)
    asked = [
        Request(frame.before("You know psychology."), frame.question(_question(name)), None, int(s))
        for name, s in zip(names, seeds >> np.uint64(1), strict=True)
    ]
    sampling = sampling or Sampling(max_new_tokens=96, temperature=0.0)
    texts = tuple(answer.text.strip() for answer in engine.generate(asked, sampling))
    vectors = embedder.embed([*references, *texts])
    similarity = np.asarray(vectors[len(names) :] @ vectors[: len(names)].T, dtype=np.float64)
    own = np.diag(similarity)[:, None]
    ranks = (similarity >= own - 1e-12).sum(axis=1)
    return Awareness(tuple(names), texts, similarity, ranks)


def _question(name: str) -> str:
    if name in FACTORS:
        return (
            f"QUESTION: What is {FACTORS[name]} in the Big Five? Give words for such a person, a"
            " definition and how such a person behaves."
        )
    return (
        f"QUESTION: What is the personality type {name}? Tell its strengths, what it may develop,"
        " its careers and how it is with others."
    )

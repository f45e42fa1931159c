"""One question to a person and their own answer, as data: deduplicated, split and free of leaks.

It knows no model, no prompt, and not who wrote an exchange.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from agents.embedding import Embedder
from agents.wording.phrases import quoted
from simenv.events import FloatArray
from simenv.ranges import check_number
from simenv.seeding import Stream, generator
from training.personified.corpora import Corpora
from training.personified.retrieval import tfidf

# An ordinary question; an opinion that agrees or conflicts; a false premise, and a true one asked
# in the same words.
Pattern = Literal["ordinary", "thought", "error", "twin"]
PATTERNS: tuple[Pattern, ...] = ("ordinary", "thought", "error", "twin")
MOST_ALIKE = 0.95  # cosine of two questions, from which on the later one is a duplicate


@dataclass(frozen=True)
class Exchange:
    """A question and its answer.

    Attributes:
        person: who answers.
        stage: when.
        source: what the question is about; see ``corpora``.
        pattern: see ``Pattern``.
        question: as somebody asks it.
        analysis: what the person goes by, said before the answer.
        response: the answer.
        wrong: the answer of somebody who lets themselves be misled; "" = there is none.
        truth: stars that the person gave; 0 = never rated; None = it is about no rating.
        claimed: what the question takes for granted, likewise.
    """

    person: str
    stage: int
    source: str
    pattern: Pattern
    question: str
    analysis: str
    response: str
    wrong: str = ""
    truth: int | None = None
    claimed: int | None = None


class Kept(NamedTuple):
    """Exchanges that are left, and how many were duplicates."""

    exchanges: list[Exchange]
    duplicates: int


def deduplicated(
    exchanges: Sequence[Exchange], most_alike: float = MOST_ALIKE, embedder: Embedder | None = None
) -> Kept:
    """Without questions that a person was asked before, in any stage; the first one stays.

    A false premise and its twin are alike on purpose: a question is compared with those of the same
    pattern and claim. ``embedder`` None is TF-IDF; ``most_alike`` is a cosine in (0, 1].
    """
    check_number("deduplicated", "most_alike", most_alike, "(0, 1]", "try 0.95")
    groups: dict[tuple[str, str, int | None], list[int]] = {}
    for row, one in enumerate(exchanges):
        groups.setdefault((one.person, one.pattern, one.claimed), []).append(row)
    kept: set[int] = set()
    for rows in groups.values():
        vectors = _vectors([exchanges[row].question for row in rows], embedder)
        kept |= {rows[i] for i in _first_of_its_kind(vectors, most_alike)}
    left = [one for row, one in enumerate(exchanges) if row in kept]
    return Kept(left, len(exchanges) - len(left))


def _vectors(questions: list[str], embedder: Embedder | None) -> FloatArray:
    if embedder is not None:
        return np.asarray(embedder.embed(questions), np.float64)
    return np.asarray(tfidf(questions)[1].todense())


def _first_of_its_kind(vectors: FloatArray, most_alike: float) -> list[int]:
    """Rows of unit vectors (n, d) whose cosine with every row kept before lies below the limit."""
    kept: list[int] = []
    near = vectors @ vectors.T
    for row in range(len(vectors)):
        if not kept or near[row, kept].max() < most_alike - 1e-9:
            kept.append(row)
    return kept


class SourceSplit(NamedTuple):
    """Sources that are learnt from, and those that judge."""

    train: frozenset[str]
    test: frozenset[str]


def split_by_source(corpora: Corpora, test_share: float = 0.2, seed: int = 0) -> SourceSplit:
    """Sources of every person and stage, divided by lot; at least one on each side.

    Raises:
        ValueError: a person has a stage with a single source.
    """
    check_number("split_by_source", "test_share", test_share, "(0, 1)", "try 0.2")
    test: set[str] = set()
    for place, own in enumerate(_sources_by_stage(corpora)):
        order = generator(seed, Stream.SOURCE_SPLIT, place).permutation(len(own))
        count = min(len(own) - 1, max(1, round(test_share * len(own))))
        test |= {own[i] for i in order[:count]}
    return SourceSplit(frozenset(corpora.sources) - test, frozenset(test))


def _sources_by_stage(corpora: Corpora) -> list[list[str]]:
    """Of every person and stage, in their order; raises ``ValueError`` where there is but one."""
    groups: dict[tuple[str, int], dict[str, None]] = {}
    for passage in corpora.passages:
        groups.setdefault((passage.person, passage.stage), {})[passage.source] = None
    for (person, stage), sources in groups.items():
        if len(sources) < 2:
            raise ValueError(
                f"a split by source wanted two sources of {person} in stage"
                f" {corpora.stages[stage]!r}, one to learn from and one to be judged on, got one;"
                " give more ratings or texts of that time, or leave the person out"
            )
    return [list(groups[key]) for key in sorted(groups)]


def held_out_titles(corpora: Corpora, split: SourceSplit) -> dict[str, frozenset[str]]:
    """Of every person the titles, in quotation marks, of which only what judges tells."""
    titles: dict[str, set[str]] = {}
    told: dict[str, set[str]] = {}
    for passage in corpora.passages:
        if passage.fact is not None:
            side = titles if passage.source in split.test else told
            side.setdefault(passage.person, set()).add(quoted(passage.fact.title))
    return {who: frozenset(own - told.get(who, set())) for who, own in titles.items()}


def check_apart(train: Iterable[Exchange], corpora: Corpora, split: SourceSplit) -> None:
    """Raise ``ValueError`` if what is learnt tells of a source that judges.

    Looked at are the sources of exchanges, and titles in quotation marks: a person's training may
    name no title that is held out of that person's life.
    """
    held_out = held_out_titles(corpora, split)
    for one in train:
        if one.source in split.test:
            raise ValueError(
                f"training wanted sources that do not judge, got {one.source!r}; write exchanges"
                " of split.train alone"
            )
        words = f"{one.question} {one.analysis} {one.response} {one.wrong}"
        if found := sorted(title for title in held_out.get(one.person, ()) if title in words):
            raise ValueError(
                f"training wanted nothing of what judges, but an exchange of {one.person} about"
                f" {one.source!r} names {found[0]}; write it from corpora without the test sources"
            )


def check_enough(train: Sequence[Exchange], test: Sequence[Exchange], duplicates: int) -> None:
    """Raise ``ValueError`` unless something is left on both sides."""
    if not train or not test:
        side = "learn from" if not train else "be judged on"
        raise ValueError(
            f"personified training wanted questions to {side}, got none ({duplicates} duplicates"
            " were left out); give passages that differ, or raise most_alike"
            " (experiment.most_alike at the command line)"
        )

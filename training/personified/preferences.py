"""Pairs of a right and a rejected answer, made without anybody's judgement (automatic DPO).

Rejected is what another person, or the same one at another time, says to a similar question (the
most similar ones are passed over, as published: they may be right here too), or what somebody says
who lets themselves be misled by this very question. Nothing rejected tells of what judges. It knows
no model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from agents.embedding import Embedder
from simenv.events import FloatArray
from simenv.ranges import check_number
from training.personified.exchanges import Exchange
from training.personified.retrieval import tfidf

Rejected = Literal["person", "stage", "induced"]
KINDS: tuple[Rejected, ...] = ("person", "stage", "induced")
SKIPPED = 5  # of the most similar questions


class Preference(NamedTuple):
    """A question, and two answers to it of which the first is right."""

    exchange: Exchange
    rejected: Exchange  # whose ``analysis`` and ``response`` are the rejected ones
    kind: Rejected


def preferences(
    exchanges: Sequence[Exchange],
    kinds: Sequence[Rejected] = KINDS,
    skipped: int = SKIPPED,
    embedder: Embedder | None = None,
    held_out: Mapping[str, frozenset[str]] = MappingProxyType({}),
) -> list[Preference]:
    """One pair an exchange, as far as there is a rejected answer.

    An exchange that can be misled is paired with the misled answer; the others in turn with another
    person's and another stage's.

    Args:
        exchanges: that are learnt from.
        kinds: of rejected answers.
        skipped: of the most similar questions; where there are too few, the last one counts.
        embedder: of questions; None = TF-IDF.
        held_out: person → what no answer to them may name, right or rejected; see
            ``held_out_titles``.

    Raises:
        ValueError: no exchange has any rejected answer, or a kind is unknown.
    """
    check_number("preferences", "skipped", skipped, "whole [0, 1e6]", "try 5")
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise ValueError(f"rejected wanted some of {', '.join(KINDS)}, got {unknown[0]!r}")
    near = _similarities([e.question for e in exchanges], embedder) if exchanges else np.zeros(0)
    others = [kind for kind in kinds if kind != "induced"]
    found: list[Preference] = []
    turn = 0
    for row, own in enumerate(exchanges):
        if own.wrong and "induced" in kinds:
            misled = _misled(own)
            found.append(Preference(own, misled, "induced"))
            continue
        for step in range(len(others)):
            kind = others[(turn + step) % len(others)]
            silent = held_out.get(own.person, frozenset())
            other = _other(exchanges, row, near[row], kind, skipped, silent)
            if other is not None:
                found.append(Preference(own, other, kind))
                turn += 1
                break
    if not found:
        raise ValueError(
            f"preferences wanted a rejected answer ({', '.join(kinds)}) for at least one of"
            f" {len(exchanges)} exchanges, got none; give several people or stages"
        )
    return found


def _misled(own: Exchange) -> Exchange:
    return replace(own, response=own.wrong)


def _other(
    exchanges: Sequence[Exchange],
    row: int,
    near: FloatArray,
    kind: Rejected,
    skipped: int,
    silent: frozenset[str],
) -> Exchange | None:
    """The answer to the most similar question of somebody else, or of another time, after some."""
    own = exchanges[row]
    rows = [
        other
        for other, one in enumerate(exchanges)
        if (one.person != own.person if kind == "person" else one.person == own.person)
        and (kind == "person" or one.stage != own.stage)
        and not any(title in f"{one.analysis} {one.response}" for title in silent)
    ]
    rows.sort(key=lambda other: (-near[other], other))
    start = min(skipped, len(rows) - 1)
    behind = [exchanges[other] for other in rows[max(0, start) :]]
    return next((one for one in behind if one.response != own.response), None)


def _similarities(questions: list[str], embedder: Embedder | None) -> FloatArray:
    """(n, n) cosines."""
    if embedder is not None:
        vectors = np.asarray(embedder.embed(questions), np.float64)
        return vectors @ vectors.T
    table = tfidf(questions)[1]
    return np.asarray((table @ table.T).todense())

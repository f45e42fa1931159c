"""Statements that show a trait, drawn from other words and frames than opinions are.

They are what a trait classifier learns from, so that it does not only recognise the sentences that
an adapter was trained on. A short slice written by hand checks both.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simenv.events import FloatArray
from simenv.seeding import Channel, mix, uniforms
from training.opinion_qa.opinions import Label, all_labels
from training.opinion_qa.statement_words import FRAMES, PLACES, TOLD

_PLACES = 8  # draws of a statement


class Labelled(NamedTuple):
    """A text and what it shows."""

    label: Label
    text: str


def statements(count: int, seed: int = 0, labels: Sequence[Label] | None = None) -> list[Labelled]:
    """At most ``count`` different statements of every label.

    Args:
        count: drawn for each label; those drawn twice are there once.
        seed: of all draws.
        labels: None = both poles of all five traits.
    """
    found = []
    for place, own in enumerate(all_labels() if labels is None else labels):
        rows = mix(mix(np.uint64(seed % 2**64), place), np.arange(count))
        draws = uniforms(rows, Channel.STATEMENT, _PLACES)
        texts = dict.fromkeys(_statement(own, row) for row in draws)
        found += [Labelled(own, text) for text in texts]
    return found


def _statement(label: Label, draws: FloatArray) -> str:
    told = TOLD[label.trait, label.pole]

    def pick(choices: Sequence[str], place: int) -> str:
        return choices[int(draws[place] * len(choices))]

    place = pick(PLACES, 1)
    parts = {
        "x": pick(told.adjectives, 2),
        "y": pick(told.adjectives, 3),
        "d": pick(told.deeds, 4),
        "e": pick(told.deeds, 5),
        "f": pick(told.feelings, 6),
        "g": pick(told.feelings, 7),
        "place": place[0].upper() + place[1:],
        "low": place,
    }
    return pick(FRAMES, 0).format(**parts)

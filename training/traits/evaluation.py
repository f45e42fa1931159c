"""One way on held-out topics: what the model says, how likely it finds others' answers, the scores.

The formulas stand in ``measures.py``; here is what they are applied to. It draws nothing.

Letters: ``t`` items, one a topic; ``k`` traits that are judged.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agents.inference.engine import Sampling
from simenv.events import FloatArray
from training.opinion_qa.opinions import Label, Opinion, topics_of
from training.traits.classifier import TraitClassifier
from training.traits.judges import Judge
from training.traits.measures import coherent, divergence, edit_success, tpei
from training.traits.side_effects import refuses
from training.traits.speaker import Asked, Speaker, Way

_TARGETS, _OTHERS = 2, 4  # answers of an item whose likelihood is asked


class Item(NamedTuple):
    """A question about a held-out topic."""

    asked: Asked
    targets: tuple[str, ...]  # answers of the label about the topic
    others: tuple[str, ...]  # of other labels
    elsewhere: Opinion  # about another topic: it should stay as likely as it was


def items_of(opinions: Sequence[Opinion], label: Label) -> list[Item]:
    """One item a topic of held-out opinions, as far as both kinds of answers are there.

    Raises:
        ValueError: no topic has answers of the label and of others.
    """
    topics = topics_of(opinions)
    found = []
    for place, topic in enumerate(topics):
        here = [o for o in opinions if o.topic == topic]
        targets = [o for o in here if o.label == label]
        others = _spread([o for o in here if o.label != label], _OTHERS)
        there = topics[(place + 1) % len(topics)]
        if targets and others:
            elsewhere = next(o for o in opinions if o.topic == there)
            found.append(
                Item(
                    Asked(topic, targets[0].question),
                    tuple(o.answer for o in targets[:_TARGETS]),
                    tuple(o.answer for o in others),
                    elsewhere,
                )
            )
    if not found:
        raise ValueError(
            f"an evaluation of {label} wanted held-out topics with answers of it and of another"
            f" label, got none in {len(topics)} topics; take two labels at least, or more topics"
        )
    return found


def _spread(opinions: Sequence[Opinion], count: int) -> list[Opinion]:
    """Some of several labels, evenly."""
    places = np.linspace(0, len(opinions) - 1, min(count, len(opinions))).astype(int)
    return [opinions[place] for place in places]


class Likelihoods(NamedTuple):
    """Log-probabilities (tokens,) of each item's answers."""

    targets: list[list[FloatArray]]
    others: list[list[FloatArray]]


class Heard(NamedTuple):
    """What a model did with some items."""

    texts: list[str]
    likelihoods: Likelihoods
    elsewhere: list[FloatArray]  # (tokens, vocabulary) log-probabilities


class Scores(NamedTuple):
    """Of one way and label, one number an item (t,); NaN where a text was not coherent."""

    ta: FloatArray  # 1 = classified as the label
    tpei: FloatArray  # nats
    pae: FloatArray  # points of 5
    es: FloatArray
    z_per: FloatArray
    z_topic: FloatArray
    dd: FloatArray  # nats a token
    coherent: FloatArray  # 1 = both texts are
    refused: FloatArray  # 1 = it would not answer
    shift: FloatArray  # (t, k) change of the score of each trait's high pole, in points of 5


class Instruments(NamedTuple):
    """Who classifies and who judges; the two learnt from texts of their own."""

    classifier: TraitClassifier
    judge: Judge
    traits: Sequence[str]  # k, those of the shifts


def likelihoods(speaker: Speaker, way: Way, items: Sequence[Item]) -> Likelihoods:
    """How likely each item's answers are."""
    kinds = [[item.targets for item in items], [item.others for item in items]]
    found = []
    for answers in kinds:
        asked = [item.asked for item, own in zip(items, answers, strict=True) for _ in own]
        logs = iter(speaker.token_logs(way, asked, [a for own in answers for a in own]))
        found.append([[next(logs) for _ in own] for own in answers])
    return Likelihoods(*found)


def heard(speaker: Speaker, way: Way, items: Sequence[Item], sampling: Sampling) -> Heard:
    """What the model says about the items, and how likely it finds what others say."""
    seeds = np.arange(len(items), dtype=np.uint64)
    others = [item.elsewhere for item in items]
    return Heard(
        speaker.say(way, [item.asked for item in items], seeds, sampling),
        likelihoods(speaker, way, items),
        speaker.distributions(
            way, [Asked(o.topic, o.question) for o in others], [o.answer for o in others]
        ),
    )


def success(before: Likelihoods, after: Likelihoods) -> FloatArray:
    """(t, 3) ES, z_per and z_topic of each item."""
    rows = zip(after.targets, after.others, before.targets, strict=True)
    return np.array([edit_success(*row) for row in rows])


def scored(before: Heard, after: Heard, label: Label, instruments: Instruments) -> Scores:
    """The measures of what was heard before and after.

    Args:
        before: of the model as it is.
        after: of the same items.
        label: that was wanted.
        instruments: see there.
    """
    column = instruments.classifier.column(label)
    targets = np.full(len(after.texts), column)
    first, last = (instruments.classifier.chances(one.texts) for one in (before, after))
    es, z_per, z_topic = success(before.likelihoods, after.likelihoods).T
    judged = coherent(before.texts) & coherent(after.texts)

    def where_coherent(values: FloatArray) -> FloatArray:
        mask = judged if values.ndim == 1 else judged[:, None]
        return np.where(mask, values, np.nan)

    gains = [instruments.judge.scores(one.texts, label) for one in (before, after)]
    pairs = zip(before.elsewhere, after.elsewhere, strict=True)
    return Scores(
        ta=where_coherent((last.argmax(axis=1) == column).astype(np.float64)),
        tpei=where_coherent(tpei(first, last, targets)),
        pae=where_coherent(gains[1] - gains[0]),
        es=es,
        z_per=z_per,
        z_topic=z_topic,
        dd=np.array([divergence(one, other).mean() for one, other in pairs]),
        coherent=judged.astype(np.float64),
        refused=np.array([refuses(text) for text in after.texts], dtype=np.float64),
        shift=where_coherent(_shifts(before.texts, after.texts, instruments)),
    )


def _shifts(before: list[str], after: list[str], instruments: Instruments) -> FloatArray:
    """(t, k) judged change of each trait's high pole."""
    high = [Label(trait, "high") for trait in instruments.traits]
    judge = instruments.judge
    return np.stack([judge.scores(after, h) - judge.scores(before, h) for h in high], axis=1)

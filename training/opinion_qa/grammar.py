"""Opinions written without any model: a stance, one or two reasons and a closing word, drawn.

Every draw hashes the seed with the label, topic and form, so that an opinion does not depend on
which others are written.
"""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from simenv.ranges import check_number
from simenv.seeding import Channel, mix, uniforms
from training.opinion_qa.opinions import Label, Opinion, all_labels, cleaned
from training.opinion_qa.topics import FORMS, TOPICS, Topic
from training.opinion_qa.words import BANKS, OPENERS

_PLACES = 8  # draws of an opinion


def written_offline(
    labels: Sequence[Label] | None = None,
    topics: Sequence[Topic] = TOPICS,
    forms: int = 4,
    seed: int = 0,
) -> list[Opinion]:
    """Every label's opinion of every topic, asked in some forms; deduplicated, without emojis.

    Args:
        labels: None = both poles of all five traits.
        topics: what is asked about.
        forms: of a question about one topic, drawn from eight; the same for all labels.
        seed: of all draws.

    Raises:
        ValueError: there are not so many forms.
    """
    check_number("written_offline", "forms", forms, f"whole [1, {len(FORMS)}]")
    wanted = all_labels() if labels is None else labels
    return cleaned(_written(wanted, topics, forms, seed)).opinions


def _written(
    labels: Sequence[Label], topics: Sequence[Topic], forms: int, seed: int
) -> Iterator[Opinion]:
    for topic in topics:
        chosen = np.argsort(_draws(seed, topic.name, "forms"))[:forms]
        for own in labels:
            for form in chosen:
                question = FORMS[form].format(t=topic.name)
                answer = answer_of(own, topic, _draws(seed, topic.name, f"{own} {form}"))
                yield Opinion(own.trait, own.pole, topic.name, question, answer)


def answer_of(label: Label, topic: Topic, draws: Sequence[float]) -> str:
    """One answer of two to four sentences from eight draws in [0, 1)."""
    bank = BANKS[label.trait, label.pole]
    first, second = _two(bank.reasons, draws[3], draws[4])
    aspect, other = _two(topic.aspects, draws[5], draws[6])
    sentences = [_said(_pick(bank.stances, draws[1]), topic, aspect)]
    sentences.append(_said(first, topic, aspect))
    if draws[7] < 0.5:
        sentences.append(_said(second, topic, other))
    opener = _pick(OPENERS, draws[0]).format(t=topic.name)
    begun = opener + sentences[0]  # every stance begins with "I"
    return " ".join([f"{text}." for text in (begun, *sentences[1:])] + [_pick(bank.ends, draws[2])])


def _said(sentence: str, topic: Topic, aspect: str) -> str:
    filled = sentence.format(t=topic.name, a=aspect, A=aspect[0].upper() + aspect[1:])
    return filled[0].upper() + filled[1:]


def _pick(choices: Sequence[str], draw: float) -> str:
    return choices[int(draw * len(choices))]


def _two(choices: Sequence[str], draw: float, other: float) -> tuple[str, str]:
    """Two different ones."""
    first = int(draw * len(choices))
    rest = [*choices[:first], *choices[first + 1 :]]
    return choices[first], _pick(rest, other)


def _draws(seed: int, *words: str) -> list[float]:
    """Eight draws that depend on the seed and the words alone."""
    key = int.from_bytes(hashlib.sha256("\n".join(words).encode()).digest()[:8], "big")
    rows = mix(np.array([seed % 2**64], dtype=np.uint64), np.array([key], dtype=np.uint64))
    return [float(x) for x in uniforms(rows, Channel.OPINION, _PLACES)[0]]

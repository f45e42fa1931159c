"""Opinions as data: one answer to one question, its trait, pole and topic; cleaning and splitting.

It knows no model and no file. The trait is one of the Big Five; the pole says whether the answer
shows much or little of it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agents.emojis.detection import has_emoji
from simenv.ranges import check_number
from simenv.seeding import Stream, generator

TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
POLES = ("high", "low")


class Label(NamedTuple):
    """What an answer shows: a trait, and much or little of it."""

    trait: str
    pole: str

    def __str__(self) -> str:
        return f"{self.pole} {self.trait}"


def label(trait: str, pole: str = "high") -> Label:
    """A label that is known.

    Raises:
        ValueError: there is no such trait or pole.
    """
    if trait not in TRAITS:
        raise ValueError(f"trait wanted one of {', '.join(TRAITS)}, got {trait!r}; spell it so")
    if pole not in POLES:
        raise ValueError(f"pole wanted one of {', '.join(POLES)}, got {pole!r}; spell it so")
    return Label(trait, pole)


def all_labels(traits: Sequence[str] = TRAITS, poles: Sequence[str] = POLES) -> list[Label]:
    """Every pole of every trait, trait by trait; raises as ``label`` does."""
    return [label(trait, pole) for trait in traits for pole in poles]


@dataclass(frozen=True)
class Opinion:
    """One answer to one question about one topic."""

    trait: str
    pole: str
    topic: str
    question: str
    answer: str

    @property
    def label(self) -> Label:
        """What the answer shows."""
        return Label(self.trait, self.pole)


class Cleaned(NamedTuple):
    """Opinions that are left, and how many were left out and why."""

    opinions: list[Opinion]
    duplicates: int  # the same question and answer under the same label
    ambiguous: int  # the same answer to the same question under several labels: it shows none
    with_emojis: int


def cleaned(opinions: Iterable[Opinion]) -> Cleaned:
    """Without emojis, duplicates and answers that stand under two labels; the order stays.

    Texts that differ in blanks and capitals alone are the same.
    """
    given = list(opinions)
    plain = [o for o in given if not has_emoji(o.answer + o.question)]
    once = list({(_said(o), o.label): o for o in reversed(plain)}.values())[::-1]
    num_labels = Counter(_said(o) for o in once)
    clear = [o for o in once if num_labels[_said(o)] == 1]
    return Cleaned(clear, len(plain) - len(once), len(once) - len(clear), len(given) - len(plain))


def _said(opinion: Opinion) -> tuple[str, str]:
    return _plain(opinion.question), _plain(opinion.answer)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


class TopicSplit(NamedTuple):
    """Opinions about topics to learn from, and about others to be judged on."""

    train: list[Opinion]
    test: list[Opinion]


def topics_of(opinions: Iterable[Opinion]) -> list[str]:
    """Every topic once, sorted."""
    return sorted({opinion.topic for opinion in opinions})


def split_by_topic(
    opinions: Sequence[Opinion], test_share: float = 0.2, seed: int = 0
) -> TopicSplit:
    """No topic is on both sides, and every label is on each.

    Args:
        opinions: of any labels.
        test_share: of the topics, in (0, 1).
        seed: decides which topics.

    Raises:
        ValueError: one side would be empty, for all labels or for one.
    """
    check_number("split_by_topic", "test_share", test_share, "(0, 1)", "try 0.2")
    topics = topics_of(opinions)
    order = generator(seed, Stream.OPINION_SPLIT).permutation(len(topics))
    count = max(1, round(test_share * len(topics)))
    held_out = {topics[i] for i in order[:count]}
    split = TopicSplit(
        [o for o in opinions if o.topic not in held_out],
        [o for o in opinions if o.topic in held_out],
    )
    _check_sides(split, topics)
    return split


def _check_sides(split: TopicSplit, topics: Sequence[str]) -> None:
    labels = {o.label for side in split for o in side}
    sides = {"learn from": split.train, "be judged on": split.test}
    for purpose, side in sides.items():
        missing = sorted(labels - {o.label for o in side})
        if missing or not side:
            who = f"{missing[0]} has" if missing else "there are"
            raise ValueError(
                f"a split by topic wanted topics of every label to {purpose}, got {len(topics)}"
                f" topics of which {who} none there; give more topics, or another share"
            )


def of_label(opinions: Iterable[Opinion], wanted: Label) -> list[Opinion]:
    """Those that show the label, in their order."""
    return [opinion for opinion in opinions if opinion.label == wanted]


def drawn(opinions: Sequence[Opinion], count: int, rng: np.random.Generator) -> list[Opinion]:
    """At most ``count`` of them, drawn without replacement."""
    return [opinions[i] for i in rng.permutation(len(opinions))[:count]]

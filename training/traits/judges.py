"""Judges of how well an opinion fits a description of a person, from 1 to 5 (g of PAE).

Any judge may take part that gives numbers for texts. Two are here, both local: one that reads the
chances of a trait classifier, and one that asks a language model for a digit, which is how
PersonalityEdit asks GPT-4. Each is checked on answers written by hand before it is believed.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from agents.inference.engine import Engine, Request
from simenv.events import FloatArray
from training.opinion_qa.opinions import POLES, Label
from training.opinion_qa.slice_by_hand import SLICE
from training.opinion_qa.statements import Labelled
from training.traits.classifier import TraitClassifier
from training.traits.prompting import DESCRIPTIONS

_DIGITS = (" 1", " 2", " 3", " 4", " 5")
_PREFIX = "You judge whether an opinion was given by a person of a certain kind.\n"
_QUESTION = (
    "Person: somebody who is {description}.\nOpinion: {text}\n"
    "How accurately does the opinion match the person? 1 = not at all, 5 = exactly. One digit.\n"
    "Answer:"
)


class Judge(Protocol):
    """Whoever says how well texts fit a label."""

    name: str

    def scores(self, texts: Sequence[str], label: Label) -> FloatArray:
        """(n,) from 1, not at all, to 5, exactly; NaN where a judge gave no answer."""
        ...


class ClassifierJudge:
    """1 + 4 · P(pole), of the two poles of the label's trait.

    Args:
        classifier: that knows both poles of every trait that is asked about.
    """

    def __init__(self, classifier: TraitClassifier) -> None:
        card = classifier.card()
        self.name = f"classifier by {card.features} of {card.source}"
        self._classifier = classifier

    def scores(self, texts: Sequence[str], label: Label) -> FloatArray:
        """See ``Judge.scores``."""
        chances = self._classifier.chances(texts)
        own, other = (
            chances[:, self._classifier.column(Label(label.trait, pole))]
            for pole in (label.pole, next(p for p in POLES if p != label.pole))
        )
        return np.asarray(1 + 4 * own / np.maximum(own + other, 1e-12))


class EngineJudge:
    """The expected digit of a language model that is asked how well the opinion fits.

    Args:
        engine: that answers; any.
    """

    def __init__(self, engine: Engine) -> None:
        self.name = f"digits of {engine.description}"
        self._engine = engine

    def scores(self, texts: Sequence[str], label: Label) -> FloatArray:
        """See ``Judge.scores``."""
        asked = [
            Request(
                _PREFIX, _QUESTION.format(description=DESCRIPTIONS[label], text=" ".join(t.split()))
            )
            for t in texts
        ]
        if not asked:
            return np.zeros(0)
        chances = np.exp(self._engine.score(asked, _DIGITS))
        return np.asarray(chances @ np.arange(1.0, len(_DIGITS) + 1))


class JudgeCard(NamedTuple):
    """What a judge is worth on labelled texts."""

    name: str
    pairs: int
    right: float  # of pairs of a text of the label and one of its other pole: the first is higher
    gap: float  # mean score of texts of the label minus that of its other pole, in points


def checked(judge: Judge, told: Sequence[Labelled] = SLICE) -> JudgeCard:
    """A judge on texts whose label is known; by chance half the pairs are right, ties half."""
    rights: list[float] = []
    gaps: list[float] = []
    for label in sorted({one.label for one in told}):
        own = [one.text for one in told if one.label == label]
        others = [one.text for one in told if _opposite(one.label, label)]
        if not others:
            continue
        high, low = judge.scores(own, label), judge.scores(others, label)
        apart = high[:, None] - low[None]
        rights += ((apart > 0) + (apart == 0) / 2).ravel().tolist()
        gaps.append(float(high.mean() - low.mean()))
    if not rights:
        return JudgeCard(judge.name, 0, float("nan"), float("nan"))
    return JudgeCard(judge.name, len(rights), float(np.mean(rights)), float(np.mean(gaps)))


def _opposite(one: Label, other: Label) -> bool:
    return one.trait == other.trait and one.pole != other.pole

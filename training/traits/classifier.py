"""Which trait and pole a text shows: a classifier that learnt from other words than it judges.

It learns from ``statements`` or from ``items`` of questionnaires, which no adapter is trained on
and which have no text in common, so that two classifiers may check one another. It reads letters
(runs of three to five characters, which need no model) or a language model's states. What it is
worth is said by its card: on texts of its source that were kept back, on opinions of another
generator, and on a slice by hand.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from simenv.events import FloatArray, IntArray
from simenv.seeding import Stream, generator
from training.opinion_qa.items import labelled_items
from training.opinion_qa.opinions import Label, Opinion
from training.opinion_qa.slice_by_hand import SLICE
from training.opinion_qa.statements import Labelled, statements
from training.traits.measures import accuracy
from training.traits.speaker import Speaker

Features = Callable[[Sequence[str]], FloatArray]
Source = Literal["statements", "items"]
_KEPT_BACK = 5  # one text in so many


class ClassifierCard(NamedTuple):
    """Shares of right answers; None = nothing to judge on."""

    features: str
    source: str  # of the texts it learnt from
    labels: int  # chance is one in so many
    learnt_from: int  # texts
    kept_back: float  # texts of the same source
    opinions: float | None  # of another generator
    by_hand: float | None


class TraitClassifier:
    """Chances of labels for texts.

    Args:
        labels: that it tells apart, at least two.
        features: texts → (n, d); None = letters.
        count: statements of a label to learn from; of items, all are.
        seed: of the statements.
        source: of the texts to learn from.

    Attributes:
        labels: as given.
        source: as given.

    Raises:
        ValueError: fewer than two labels, or no such source.
    """

    def __init__(
        self,
        labels: Sequence[Label],
        features: Features | None = None,
        count: int = 120,
        seed: int = 0,
        source: Source = "statements",
    ) -> None:
        if len(set(labels)) < 2:
            raise ValueError(
                f"a trait classifier wanted at least two labels to tell apart, got {len(labels)};"
                " take more traits, or both poles"
            )
        if source not in get_args(Source):
            raise ValueError(
                f"a trait classifier wanted a source among {', '.join(get_args(Source))}, got"
                f" {source!r}"
            )
        self.labels, self.source = tuple(labels), source
        self._features, self._model = features, _pipeline(features is None)
        told = _texts(source, count, seed, self.labels)
        self._kept_back = told[::_KEPT_BACK]
        learnt = [one for n, one in enumerate(told) if n % _KEPT_BACK]
        self._model.fit(self._read([one.text for one in learnt]), self._columns(learnt))
        self._learnt_from = len(learnt)

    def chances(self, texts: Sequence[str]) -> FloatArray:
        """(n, c) probability of each label, in their order."""
        if not texts:
            return np.zeros((0, len(self.labels)))
        return np.asarray(self._model.predict_proba(self._read(texts)), dtype=np.float64)

    def column(self, label: Label) -> int:
        """Where a label's chances stand.

        Raises:
            ValueError: the classifier does not know it.
        """
        if label not in self.labels:
            known = ", ".join(map(str, self.labels))
            raise ValueError(f"a trait classifier wanted one of {known}, got {label}")
        return self.labels.index(label)

    def card(self, opinions: Sequence[Opinion] = ()) -> ClassifierCard:
        """What it is worth; ``opinions`` are those of another generator."""
        given = [Labelled(o.label, o.answer) for o in opinions]
        return ClassifierCard(
            "letters" if self._features is None else "states",
            self.source,
            len(self.labels),
            self._learnt_from,
            self._right(self._kept_back) or 0.0,
            self._right(given),
            self._right(SLICE),
        )

    def _right(self, told: Sequence[Labelled]) -> float | None:
        known = [one for one in told if one.label in self.labels]
        if not known:
            return None
        return accuracy(self.chances([one.text for one in known]), self._columns(known))

    def _columns(self, told: Sequence[Labelled]) -> IntArray:
        return np.array([self.column(one.label) for one in told], dtype=np.int64)

    def _read(self, texts: Sequence[str]) -> Any:
        return list(texts) if self._features is None else self._features(texts)


def _texts(source: Source, count: int, seed: int, labels: Sequence[Label]) -> list[Labelled]:
    """What is learnt from and kept back; items in an order that mixes their questionnaires."""
    if source == "statements":
        return statements(count, seed, labels)
    found = labelled_items(labels)
    return [found[i] for i in generator(0, Stream.KEPT_BACK_ITEMS).permutation(len(found))]


def _pipeline(of_letters: bool) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if of_letters:
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
        return make_pipeline(letters, LogisticRegression(C=10, max_iter=500))
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))


def states_of(speaker: Speaker, depth: float = 2 / 3) -> Features:
    """Features by a model: the mean state of a text in the layer at this share of its depth."""
    known: dict[str, FloatArray] = {}

    def read(texts: Sequence[str]) -> FloatArray:
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            states = speaker.text_states(new)
            known.update(zip(new, states[:, round(depth * (states.shape[1] - 1))], strict=True))
        return np.stack([known[text] for text in texts])

    return read

"""What somebody recalls of their corpora for a question: best passages under two word budgets.

Similarity is the cosine of TF-IDF vectors, or whatever an embedder says. Nothing of a later stage
is recalled. It knows no model that answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.embedding import Embedder
from simenv.events import FloatArray
from simenv.ranges import check_fields
from training.personified.corpora import Corpora, Material, Passage


@dataclass(frozen=True)
class Budgets:
    """How many words of each material a prompt shows.

    Args:
        objective: of what happened; the paper's code fills 1,300.
        subjective: of what the person thinks; the paper's 350.
        separate: False = one budget of both together, whatever the material ("material
            classification" off).
    """

    objective: int = 80
    subjective: int = 50
    separate: bool = True

    def __post_init__(self) -> None:
        cure = "whole [0, 1e6]"
        check_fields(self, {"objective": cure, "subjective": cure})


PAPER_BUDGETS = Budgets(1300, 350)


class Recall:
    """Finds passages of corpora.

    Args:
        corpora: of whom.
        budgets: how much is found.
        embedder: of texts; None = TF-IDF over each person's own passages.
    """

    def __init__(
        self, corpora: Corpora, budgets: Budgets | None = None, embedder: Embedder | None = None
    ) -> None:
        self.corpora, self.budgets = corpora, budgets or Budgets()
        self._embedder = embedder
        self._known: dict[str, Callable[[str], FloatArray]] = {}

    def recalled(self, person: str, stage: int, question: str, source: str = "") -> list[Passage]:
        """Passages in the order in which a prompt shows them: objective, then subjective.

        Args:
            person: who is asked.
            stage: when; passages of later stages are not known yet.
            question: what is asked.
            source: whose passages stand first, as when an answer is written; "" = nobody's.
        """
        own = self.corpora.of(person)
        near = self._similar(person)(question)
        order = sorted(range(len(own)), key=lambda i: (own[i].source != source, -near[i], i))
        found = [own[i] for i in order if own[i].stage <= stage]
        budgets = self.budgets
        if not budgets.separate:
            return _filled(found, budgets.objective + budgets.subjective)
        return [
            *_filled(_of(found, "objective"), budgets.objective),
            *_filled(_of(found, "subjective"), budgets.subjective),
        ]

    def _similar(self, person: str) -> Callable[[str], FloatArray]:
        if person not in self._known:
            texts = [p.text for p in self.corpora.of(person)]
            self._known[person] = _similarity(texts, self._embedder)
        return self._known[person]


def _of(passages: Sequence[Passage], material: Material) -> list[Passage]:
    return [p for p in passages if p.material == material]


def _filled(passages: Sequence[Passage], words: int) -> list[Passage]:
    """The first ones that fit into so many words; one that does not fit is passed over."""
    kept, left = [], words
    for passage in passages:
        if passage.num_words <= left:
            kept.append(passage)
            left -= passage.num_words
    return kept


def _similarity(texts: Sequence[str], embedder: Embedder | None) -> Callable[[str], FloatArray]:
    """A question → (n,) its cosines with n texts."""
    if embedder is not None:
        vectors = embedder.embed(texts)
        return lambda question: np.asarray(vectors @ embedder.embed([question])[0], np.float64)
    words, table = tfidf(texts)
    return lambda question: np.asarray((table @ words.transform([question]).T).todense()).ravel()


def tfidf(texts: Sequence[str]) -> tuple[Any, Any]:
    """scikit-learn's vectorizer fitted on texts, and their unit rows (n, words), sparse."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(token_pattern=r"(?u)\w+", sublinear_tf=True)
    return words, words.fit_transform(texts)

"""The materials of one seed: lives, exchanges on both sides, lessons, and adapters by variant."""

from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.personified.study import VARIANTS, Study, Variant
from simenv.data.dataset import Dataset
from simenv.events import IntArray
from simenv.seeding import Stream, generator
from training.personified.corpora import Corpora
from training.personified.exchanges import (
    Exchange,
    check_apart,
    check_enough,
    deduplicated,
    held_out_titles,
    split_by_source,
)
from training.personified.fine_tuning import train_personified
from training.personified.from_ratings import rating_corpora
from training.personified.from_texts import text_corpora
from training.personified.lessons import Choice, Lesson, Rated, choices_of, lessons_of
from training.personified.preference_tuning import train_preferences
from training.personified.preferences import preferences
from training.personified.rating_lessons import rating_lessons
from training.personified.retrieval import Recall
from training.personified.whole_model import train_whole
from training.personified.writing.rating_grammar import Side, written_about_ratings
from training.personified.writing.text_grammar import written_about_texts
from training.personified.writing.with_model import exchanges_by_model


class Tuned(NamedTuple):
    """Who speaks: a base, and the adapter on it."""

    base: str
    adapter: Path | None  # None = there is none


class Materials:
    """What one seed learns from and is judged on.

    Args:
        study: whose settings.
        dataset: whose people; None where lives come from texts.
        seed: of the people, the split, the wording and every training.

    Raises:
        ValueError: nobody has enough ratings, a person lacks a stage, or all are duplicates.
    """

    def __init__(self, study: Study, dataset: Dataset | None, seed: int) -> None:
        self.study, self.dataset, self.seed = study, dataset, seed
        self.users = self._drawn()
        self.corpora = self._lives()
        self.split = split_by_source(self.corpora, study.test_share, seed)
        self.known = self.corpora.without(self.split.test)
        self.unwritten: dict[str, str] = {}  # source → why the model wrote nothing about it
        self._cost = 0.0
        learnt = self._written(self.known, self.split.train, "train")
        asked = self._written(self.corpora, self.split.test, "test")
        train = deduplicated(learnt, study.most_alike)
        test = deduplicated(asked, study.most_alike)
        self.duplicates = train.duplicates + test.duplicates
        self.train, self.test = train.exchanges, test.exchanges
        check_apart(self.train, self.corpora, self.split)
        check_enough(self.train, self.test, self.duplicates)

    def _drawn(self) -> IntArray:
        """People with enough training rows and a test row; nobody where lives come from texts."""
        if self.dataset is None:
            return np.zeros(0, dtype=np.int64)
        train, test = (np.diff(log.offsets()) for log in (self.dataset.train, self.dataset.test))
        least = 4 * self.study.stages
        enough = np.flatnonzero((train >= least) & (test > 0))
        if len(enough) < 2:
            raise ValueError(
                f"experiment.people wanted at least two people with {least} training ratings and a"
                f" later one, got {len(enough)} in {self.dataset.name!r}; take fewer"
                " experiment.stages, or other data"
            )
        order = generator(self.seed, Stream.PERSONIFIED_PEOPLE).permutation(len(enough))
        return np.sort(enough[order[: self.study.people]])

    def _lives(self) -> Corpora:
        study = self.study
        if self.dataset is not None:
            return rating_corpora(self.dataset, self.users, study.stages, study.most)
        place = Path(study.corpora)
        return Corpora.load(place) if place.is_file() else text_corpora(place)

    def _written(self, corpora: Corpora, sources: frozenset[str], side: Side) -> list[Exchange]:
        study = self.study
        if study.writer is not None:
            written = exchanges_by_model(Recall(corpora, study.budgets), sources, study.writer)
            self.unwritten |= written.failures
            self._cost += written.spending.cost
            return written.exchanges
        return [
            *written_about_ratings(corpora, sources, side, self.seed),
            *written_about_texts(corpora, sources, side, self.seed),
        ]

    def card(self) -> dict[str, Any]:
        """How many exchanges there are, for ``results.json``."""
        found: dict[str, Any] = {
            "learnt": len(self.train), "asked": len(self.test), "duplicates": self.duplicates,
        }  # fmt: skip
        if self.study.writer is not None:
            found |= {"unwritten": self.unwritten, "cost": self._cost}
        return found

    # -- lessons and adapters ------------------------------------------------------------------

    def learnt(self, variant: Variant) -> list[Exchange]:
        """The exchanges that a variant learns from."""
        if not variant.talks:
            return []
        premises = ("error", "twin")
        return [e for e in self.train if variant.induction or e.pattern not in premises]

    def lessons(self, variant: Variant) -> list[Lesson]:
        """All that a variant is tuned on."""
        recall = Recall(self.known, self.study.budgets_of(variant))
        ratings = self._ratings[variant.induction]
        return lessons_of(
            self.learnt(variant), recall, variant.telling, ratings, self.study.per_general,
            self.seed,
        )  # fmt: skip

    def choices(self, variant: Variant) -> list[Choice]:
        """The pairs of answers that a variant learns to prefer."""
        recall = Recall(self.known, self.study.budgets_of(variant))
        kinds = [k for k in self.study.rejected if variant.induction or k != "induced"]
        silent = held_out_titles(self.corpora, self.split)
        pairs = preferences(self.learnt(variant), kinds, held_out=silent)
        return choices_of(pairs, recall, variant.telling)

    def tuned(self, name: str) -> Tuned:
        """A variant's model, trained now if it is not there."""
        variant, study = VARIANTS[name], self.study
        if not variant.trained:
            return Tuned(study.base, None)
        called = f"{self.seed}-{variant.tuned_as}".replace(" ", "-")
        made = self._on_lessons(variant, called)
        if not variant.dpo or not study.dpo.epochs:
            return made
        preferred = study.folder / "adapters" / f"{called}-preferred"
        train_preferences(
            made.base, made.adapter, self.choices(variant), study.dpo, preferred, seed=self.seed
        )
        return Tuned(made.base, preferred)

    def _on_lessons(self, variant: Variant, called: str) -> Tuned:
        """Before any preference: an adapter, or a model of its own."""
        study, lessons = self.study, self.lessons(variant)
        if study.whole is None:
            adapter = study.folder / "adapters" / called
            train_personified(study.base, lessons, study.preset, adapter, seed=self.seed)
            return Tuned(study.base, adapter)
        model = study.folder / "models" / called
        train_whole(study.base, lessons, study.whole, model, seed=self.seed)
        return Tuned(str(model), None)

    @cached_property
    def _ratings(self) -> dict[bool, list[Rated]]:
        """Lessons in rating, with pressure and without."""
        if self.dataset is None or not self.study.rating_turns:
            return {True: [], False: []}
        own = self.dataset, self.users, self.corpora.stages, self.study.rating_turns
        return {
            pressed: rating_lessons(*own, pressed=pressed, base=self.study.base)
            for pressed in (True, False)
        }

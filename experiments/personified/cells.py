"""The work of a study, cell by cell: one variant of one seed, asked all that judges.

A cell is on disk when it is measured, so the same command goes on where it was stopped.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agents.population.adapters import base_identity
from experiments.personified.materials import Materials
from experiments.personified.rated import Raters, Ratings
from experiments.personified.study import VARIANTS, Study
from experiments.reporting.formatting import rounded
from simenv.data.dataset import Dataset
from simenv.events import FloatArray
from simenv.whole_files import write_whole
from training.personified.judging.evaluation import Heard, Scores, evaluated
from training.personified.judging.voice import Voice
from training.personified.retrieval import Recall
from training.traits.opinion_training import Adapted
from training.traits.speaker import Speaker

Say = Callable[[str, int], None]  # a text, and cells done


class Cell(NamedTuple):
    """What was measured of one variant of one seed."""

    scores: Scores
    heard: list[Heard]
    ratings: Ratings | None  # None = lives come from texts


Cells = dict[tuple[int, str], Cell]


class Measured(NamedTuple):
    """All cells, and of each seed what its exchanges came to."""

    cells: Cells
    materials: dict[str, dict[str, Any]]  # by seed


class SeedCells:
    """The cells of one seed.

    Args:
        materials: of the seed.
        speaker: the base model.
        say: gets what is done.
    """

    def __init__(self, materials: Materials, speaker: Speaker, say: Say) -> None:
        self._materials, self._speaker, self._say = materials, speaker, say
        self._key = _key(materials)

    def cell(self, name: str) -> Cell:
        """From the disk, or measured now."""
        study = self._materials.study
        path = study.folder / "cells" / f"{self._materials.seed}, {name}.json"
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["key"] == self._key:
                return _read(kept)
        found = self._measured(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps({"key": self._key, **_written(found)}, allow_nan=False))
        return found

    def _measured(self, name: str) -> Cell:
        materials, variant = self._materials, VARIANTS[name]
        study = materials.study
        tuned = materials.tuned(name)
        speaker = self._speaker if tuned.base == study.base else Speaker.load(tuned.base)
        recall = Recall(materials.corpora, study.budgets_of(variant))
        voice = Voice(speaker, recall, variant.telling, study.sampling)
        with _at_work(speaker, tuned.adapter):
            asked = evaluated(voice, materials.test, study.judge, study.pressed, study.argued)
        ratings = (
            None
            if self._raters is None
            else self._raters.asked(tuned, lambda text: self._say(text, 0))
        )
        return Cell(asked.scores, asked.heard, ratings)

    @cached_property
    def _raters(self) -> Raters | None:
        rows = self._materials.study.rated_rows
        return Raters(self._materials, rows) if self._materials.dataset is not None else None


def _at_work(speaker: Speaker, adapter: Path | None) -> Any:
    return nullcontext() if adapter is None else Adapted(speaker, adapter).at_work()


def measured(study: Study, dataset: Dataset | None, speaker: Speaker, say: Say) -> Measured:
    """Every cell of a study; ``say`` gets each cell's name before it is measured."""
    found: Cells = {}
    told: dict[str, dict[str, Any]] = {}
    for seed in study.seeds:
        materials = Materials(study, dataset, seed)
        told[str(seed)] = materials.card()
        cells = SeedCells(materials, speaker, say)
        for name in study.variants:
            say(f"seed {seed}, {name}", 0)
            found[seed, name] = cells.cell(name)
            say(f"seed {seed}, {name}", 1)
    return Measured(found, told)


def _key(materials: Materials) -> str:
    """Hash of all that decides the cells of a seed beside their names."""
    study = materials.study
    facts: list[Any] = [
        base_identity(study.base), [asdict(e) for e in [*materials.train, *materials.test]],
        [asdict(p) for p in materials.corpora.passages], asdict(study.budgets),
        asdict(study.preset), asdict(study.dpo), study.rejected, study.per_general,
        study.rating_turns, study.judge.name, study.pressed, study.argued, asdict(study.sampling),
        study.rated_rows, materials.seed, _digest(materials.dataset),
    ]  # fmt: skip
    if study.whole is not None:
        facts.append(asdict(study.whole))
    if study.judged_by:
        facts.append(study.judged_by)
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _digest(dataset: Dataset | None) -> str:
    """Hash of what people rated, of which passages tell a part."""
    total = hashlib.sha256()
    for log in () if dataset is None else (dataset.train, dataset.test):
        for column in (log.users, log.items, log.ratings):
            total.update(np.ascontiguousarray(column).tobytes())
    return total.hexdigest()


def _written(cell: Cell) -> dict[str, Any]:
    scores = {name: _plain(values) for name, values in cell.scores._asdict().items()}
    ratings = cell.ratings
    told = None if ratings is None else {n: _plain(v) for n, v in ratings._asdict().items()}
    return {"scores": scores, "heard": [list(one) for one in cell.heard], "ratings": told}


def _read(kept: dict[str, Any]) -> Cell:
    scores = Scores(**{name: _array(values) for name, values in kept["scores"].items()})
    told = kept["ratings"]
    ratings = None if told is None else Ratings(**{n: _array(v) for n, v in told.items()})
    return Cell(scores, [Heard(*one) for one in kept["heard"]], ratings)


def _array(values: Any) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _plain(values: FloatArray) -> Any:
    """Nested lists, None for NaN."""
    return [_plain(one) if one.ndim else rounded(float(one), 9) for one in np.asarray(values)]

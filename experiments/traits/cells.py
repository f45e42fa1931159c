"""The work of a study, cell by cell: a way of one label and seed, asked about held-out topics.

A cell is on disk when it is measured, so the same command goes on where it was stopped.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from agents.population.adapters import base_identity
from experiments.reporting.formatting import rounded
from experiments.traits.study import JUDGED_BY, Study
from experiments.traits.ways import Ways, names_of
from simenv.events import FloatArray
from simenv.whole_files import write_whole
from training.opinion_qa.opinions import Label, split_by_topic
from training.traits.evaluation import Heard, Instruments, Item, Scores, heard, items_of, scored
from training.traits.side_effects import SideEffects, side_effects
from training.traits.speaker import Plain, Speaker, Way

PLAIN = "as it is"
Say = Callable[[str], None]


class Cell(NamedTuple):
    """What was measured of one way, label and seed."""

    scores: Scores
    side: SideEffects
    texts: list[str]  # what was said, by item
    chosen: dict[str, Any]  # what the way chose for itself, such as a layer


Cells = dict[tuple[int, str, Label], Cell]


class SeedCells:
    """The cells of one seed.

    Args:
        study: what is asked.
        speaker: the base model.
        instruments: who classifies and judges.
        seed: of the split of topics and of every way.
    """

    def __init__(self, study: Study, speaker: Speaker, instruments: Instruments, seed: int) -> None:
        self._study, self._speaker, self._instruments = study, speaker, instruments
        self._seed, self._split = seed, split_by_topic(study.opinions, study.test_share, seed)
        self._ways = Ways(study, speaker, self._split.train, seed)
        self._plain = lru_cache(maxsize=1)(self._heard_plain)

    def cell(self, method: str, label: Label) -> Cell:
        """From the disk, or measured now."""
        path = self._study.folder / "cells" / f"{self._seed}, {label}, {method}.json"
        key = key_of(self._study, self._seed)
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["key"] == key:
                return _read(kept)
        found = self._measured(method, label)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps({"key": key, **_written(found)}, allow_nan=False))
        return found

    def _measured(self, method: str, label: Label) -> Cell:
        items, before = self._plain(label)
        way: Way = Plain()
        after = before
        if method != PLAIN:
            way = self._ways.way(method, label)
            after = heard(self._speaker, way, items, self._study.sampling)
        return Cell(
            scored(before, after, label, self._instruments),
            side_effects(self._speaker, way, self._study.sampling),
            after.texts,
            self._ways.chosen.get((method, label), {}),
        )

    def _heard_plain(self, label: Label) -> tuple[list[Item], Heard]:
        items = items_of(self._split.test, label)
        return items, heard(self._speaker, Plain(), items, self._study.sampling)


def measured(study: Study, speaker: Speaker, instruments: Instruments, say: Say) -> Cells:
    """Every cell of a study; ``say`` gets each cell's name before it is measured."""
    found: Cells = {}
    for seed in study.seeds:
        cells = SeedCells(study, speaker, instruments, seed)
        for label in study.labels:
            for method in (PLAIN, *names_of(study)):
                say(f"seed {seed}, {label}, {method}")
                found[seed, method, label] = cells.cell(method, label)
    return found


def key_of(study: Study, seed: int) -> str:
    """Hash of all that decides what is measured of a seed, beside the name of the measurement."""
    facts = [
        base_identity(study.base), [asdict(o) for o in study.opinions], study.labels, seed,
        study.test_share, asdict(study.preset), study.shown, asdict(study.editor), study.judge,
        JUDGED_BY, asdict(study.sampling),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _written(cell: Cell) -> dict[str, Any]:
    scores = {name: _plain_list(values) for name, values in cell.scores._asdict().items()}
    side = {name: rounded(value, 9) for name, value in cell.side._asdict().items()}
    return {"scores": scores, "side": side, "texts": cell.texts, "chosen": cell.chosen}


def _read(kept: dict[str, Any]) -> Cell:
    scores = Scores(**{name: np.array(v, dtype=np.float64) for name, v in kept["scores"].items()})
    side = {name: np.nan if v is None else v for name, v in kept["side"].items()}
    return Cell(scores, SideEffects(**side), kept["texts"], kept["chosen"])


def _plain_list(values: FloatArray) -> Any:
    """Nested lists, None for NaN."""
    return [_plain_list(one) if one.ndim else rounded(float(one), 9) for one in np.asarray(values)]

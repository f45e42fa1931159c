"""How long a study takes, from a few steps of training and a few answers on this machine."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agents.emojis.neurons import emoji_mass
from experiments.reporting.progress import duration
from experiments.traits.emoji_study import PASSES, PROBED
from experiments.traits.study import Study
from experiments.traits.ways import names_of
from training.opinion_qa.opinions import of_label, split_by_topic
from training.traits.editor_network import MendEditors
from training.traits.evaluation import heard, items_of
from training.traits.opinion_training import train_trait
from training.traits.side_effects import side_effects
from training.traits.speaker import Plain, Speaker

_STEPS, _ITEMS = 3, 4  # tried


class Forecast(NamedTuple):
    """What is to be done, and how long one piece of it takes here."""

    steps: int  # of all adapters
    step_seconds: float
    cells: int  # a way of one label and seed
    cell_seconds: float
    editor_steps: int
    editor_seconds: float  # a step
    ratings: int  # that people are asked for, not tried
    emoji_cells: int = 0  # an adapter of one seed whose emojis are studied
    emoji_seconds: float = 0.0  # of one

    @property
    def seconds(self) -> float:
        """Of all but the ratings."""
        return (
            self.steps * self.step_seconds
            + self.cells * self.cell_seconds
            + self.editor_steps * self.editor_seconds
            + self.emoji_cells * self.emoji_seconds
        )

    def __str__(self) -> str:
        return (
            f"about {duration(self.seconds)} and the time of {self.ratings:,} ratings if nothing is"
            f" there yet: {self.steps:,} steps of training of {self.step_seconds:.1f} s,"
            f" {self.cells:,} cells of {self.cell_seconds:.0f} s, {self.editor_steps:,} steps of"
            f" MEND of {self.editor_seconds:.1f} s,{self._emojis} by {_STEPS} steps and {_ITEMS}"
            " topics tried"
        )

    @property
    def _emojis(self) -> str:
        if not self.emoji_cells:
            return ""
        return f" emojis of {self.emoji_cells:,} adapters of {self.emoji_seconds:.0f} s,"


def forecast(study: Study, speaker: Speaker, rated_users: int, rated_rows: int) -> Forecast:
    """Of a study; the trials leave nothing behind.

    Args:
        study: what would be asked.
        speaker: the base model.
        rated_users: who would rate, and
        rated_rows: how often each.
    """
    split = split_by_topic(study.opinions, study.test_share, study.seeds[0])
    trained = "adapter" in study.methods
    sizes = [len(of_label(split.train, label)) for label in study.labels] if trained else []
    steps = sum(-(-size // study.preset.blocks_per_step) for size in sizes)
    mend = "mend" in study.methods
    rounds = (1 + len(study.labels)) * trained
    return Forecast(
        steps=steps * study.preset.epochs * len(study.seeds),
        step_seconds=_seconds_of_a_step(study) if trained else 0.0,
        cells=len(study.seeds) * len(study.labels) * (1 + len(names_of(study))),
        cell_seconds=_seconds_of_a_cell(study, speaker),
        editor_steps=study.editor.steps * len(study.seeds) * mend,
        editor_seconds=_seconds_of_the_editor(study, speaker) if mend else 0.0,
        ratings=rated_users * rated_rows * len(study.seeds) * rounds,
        emoji_cells=len(study.seeds) * len(study.labels) * study.emojis,
        emoji_seconds=_seconds_of_emojis(study, speaker) if study.emojis else 0.0,
    )


def _seconds_of_a_step(study: Study) -> float:
    """The first step, which warms everything up, does not count."""
    few = of_label(study.opinions, study.labels[0])[: _STEPS * study.preset.blocks_per_step]
    ends = [time.perf_counter()]
    with tempfile.TemporaryDirectory() as folder:
        train_trait(
            study.base,
            few,
            replace(study.preset, epochs=1),
            Path(folder) / "tried",
            on_step=lambda step, loss: ends.append(time.perf_counter()),
        )
    counted = ends[1:] if len(ends) > 2 else ends
    return (counted[-1] - counted[0]) / (len(counted) - 1)


def _seconds_of_a_cell(study: Study, speaker: Speaker) -> float:
    split = split_by_topic(study.opinions, study.test_share, study.seeds[0])
    items = items_of(split.test, study.labels[0])
    started = time.perf_counter()
    heard(speaker, Plain(), items[:_ITEMS], study.sampling)
    asked = time.perf_counter()
    side_effects(speaker, Plain(), study.sampling)
    return (asked - started) * len(items) / min(_ITEMS, len(items)) + time.perf_counter() - asked


def _seconds_of_emojis(study: Study, speaker: Speaker) -> float:
    """Some held-out answers read and one written, times as many as there are."""
    split = split_by_topic(study.opinions, study.test_share, study.seeds[0])
    items = items_of(split.test, study.labels[0])
    few = items[:_ITEMS]
    samples = [speaker.sample(Plain().conversation(one.asked), one.targets[0]) for one in few]
    started = time.perf_counter()
    emoji_mass(speaker.model, [s.prompt + s.answer for s in samples], speaker.emoji_guard)
    read = time.perf_counter()
    speaker.say(Plain(), [items[0].asked], np.zeros(1, dtype=np.uint64), study.sampling)
    written = time.perf_counter() - read
    return (read - started) * len(items) / len(few) * PASSES + written * (len(items) + 2 * PROBED)


def _seconds_of_the_editor(study: Study, speaker: Speaker) -> float:
    editors = MendEditors(speaker, replace(study.editor, steps=1), study.seeds[0])
    started = time.perf_counter()
    editors.train(study.opinions)
    return time.perf_counter() - started

"""Trains a persona adapter further on what its people decided: entries of diaries into examples.

Prompts are those that were asked, so no entry knows its own answer (law 7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from agents.living.diary import DiaryEntry
from simenv.events import NUM_STARS
from training.adapters.lora import train_lora, training_key
from training.adapters.lora_presets import LoraPreset
from training.examples.from_log import Examples


@dataclass(frozen=True)
class FurtherTraining:
    """Who trains for ``agents.living.adapter_refresh.Refresher``.

    Every adapter lies under the hash of what decides it, so what a killed run has trained is found
    again, and what it has begun goes on from its last checkpoint.

    Args:
        base: folder or hub name of the base model.
        root: folder of all adapters.
        preset: how to train; the layers, rank and scale are the adapter's own.
        turns: decisions of a block.
        seed: of the order of blocks.
    """

    base: str
    root: Path
    preset: LoraPreset
    turns: int = 8
    seed: int = 0

    def __call__(self, adapter: Path, lives: Sequence[Sequence[DiaryEntry]]) -> Path:
        """Folder of the adapter trained further on the people's decisions (p lists)."""
        examples = as_examples(lives, self.turns)
        key = training_key(self.base, examples, self.preset, self.seed, adapter)
        folder = self.root / key[:16]
        self.root.mkdir(parents=True, exist_ok=True)
        train_lora(self.base, examples, self.preset, folder, seed=self.seed, start=adapter)
        return folder


def as_examples(lives: Sequence[Sequence[DiaryEntry]], turns: int) -> Examples:
    """Blocks of ``turns`` entries of one person under one profile; short blocks repeat an entry."""
    parts = [
        list(part) for entries in lives for _, part in groupby(entries, lambda entry: entry.prefix)
    ]
    blocks = [part[at : at + turns] for part in parts for at in range(0, len(part), turns)]
    filled = [block + block[:1] * (turns - len(block)) for block in blocks]
    stars = np.array([[entry.stars for entry in block] for block in filled])
    weights = np.array([[float(t < len(block)) for t in range(turns)] for block in blocks])
    return Examples(
        [block[0].prefix for block in blocks],
        [entry.suffix for block in filled for entry in block],
        np.eye(NUM_STARS)[stars - 1],
        stars.astype(np.float64),
        weights,
        [block[0].past for block in blocks if block[0].item],
        [entry.item for block in filled for entry in block if entry.item],
    )

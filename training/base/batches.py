"""Endless batches of training worlds, prepared beside the training where it has workers.

It knows no model; of one that reads in blocks it knows the tokenizer.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from simenv.data.dataset import Dataset
from training.base.pocket_model import PocketConfig
from training.examples.block_batches import BlockBatch, encode
from training.examples.from_log import (
    Examples,
    ExampleWriter,
    Questions,
    chosen_blocks,
    joined,
    later_rows,
    with_suggestions,
)

WorldSource = Callable[[int], Dataset]
Batch = Examples | BlockBatch


def batches(
    config: PocketConfig,
    worlds: WorldSource,
    first_world: int = 0,
    tokenizer: Any = None,
    workers: int = 0,
) -> Iterator[Batch]:
    """An endless stream of batches; every world is used once, batches of several are mixed.

    Args:
        config: of the training.
        worlds: where they come from.
        first_world: number of the first one.
        tokenizer: of a model that reads in blocks, whose batches are token ids.
        workers: processes that prepare worlds; the stream is the same for any number.
    """
    mixer = np.random.default_rng([config.seed, first_world])
    prepared = _PreparedWorlds(config, worlds, first_world, tokenizer)
    loader = iter(DataLoader(prepared, batch_size=None, num_workers=workers))
    pool: list[Batch] = []
    while True:
        while len(pool) < config.min_pool:
            pool += next(loader)
        yield pool.pop(int(mixer.integers(len(pool))))


class _PreparedWorlds(IterableDataset[list[Batch]]):
    """The batches of world after world, without end; each of several workers makes its share."""

    def __init__(
        self, config: PocketConfig, worlds: WorldSource, first_world: int, tokenizer: Any
    ) -> None:
        self._config, self._worlds, self._tokenizer = config, worlds, tokenizer
        self._first = first_world

    def __iter__(self) -> Iterator[list[Batch]]:
        worker = get_worker_info()
        shift, stride = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for world in itertools.count(self._first + shift, stride):
            found = _world_batches(self._config, self._worlds, world)
            yield [encode(b, self._tokenizer) for b in found] if self._tokenizer else list(found)


def _world_batches(config: PocketConfig, worlds: WorldSource, world: int) -> list[Examples]:
    rng = np.random.default_rng([config.seed, world])
    size, found = config.users_per_step, []
    parts = world_examples(worlds(world), world, config, config.turns_per_user, rng)
    for examples in [joined(parts)] if config.style.reading == "blocks" else parts:
        order = rng.permutation(len(examples.prefixes))
        starts = range(0, len(order) - size + 1, size)
        found += [chosen_blocks(examples, order[s : s + size]) for s in starts]
    if not found:
        raise ValueError(
            f"training wanted worlds with users_per_step={size} or more users who have later rows"
            f" and are described alike, got fewer in world {world}; use larger worlds or fewer"
            " users a step"
        )
    return found


def world_examples(
    dataset: Dataset, world: int, config: PocketConfig, num_turns: int, rng: np.random.Generator
) -> list[Examples]:
    """Held-out questions to all users: most are described by Ms and Ml, some by either alone."""
    dataset = config.few_rows(config.hiding(dataset, world), world)
    style = config.style
    writer = ExampleWriter(dataset, style=style)
    asked = later_rows(dataset, num_turns, rng)
    if dataset.truth is not None:
        asked = with_suggestions(asked, dataset, dataset.truth, config.suggested_share, rng)
    part = config.partial_share / 2
    kinds = rng.choice(3, size=len(asked.users), p=[1 - 2 * part, part, part])
    styles = style, style.without_memory(), style.without_persona()
    return [
        writer.write(Questions(*(column[kinds == kind] for column in asked)), shown)
        for kind, shown in enumerate(styles)
        if (kinds == kind).any()
    ]

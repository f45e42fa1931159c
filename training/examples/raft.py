"""The RAFT set: who a user was, what they recalled, and how they rated next (arXiv 2509.09689).

Every example of the training rows is asked as it would be in life: Ms and Ml are distilled anew
from what the user had rated *before* it, averages and relevance come from those rows and from other
people's training rows. A target that its own prompt has seen would teach the adapter to trust
prompts more than they deserve.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from agents.prompt_style import PromptStyle
from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.item_averages import ItemAverages
from simenv.ranges import check_number, check_seed
from simenv.seeding import Stream, generator
from training.distillation.offline import Distilled
from training.examples.distractors import DistractedMemory
from training.examples.from_log import Examples, ExampleWriter, Questions, joined


@dataclass(frozen=True)
class RaftSettings:
    """How the training rows become examples.

    Attributes:
        cuts: shares of a user's training rows after which they are asked about the next ones.
        turns: most rows asked after a cut; the rest of the stretch is left out at random.
        folds: groups of users that are cut in turn while all the others' rows stand whole.
        distractors: share of the recalled memories that are swapped for unrelated ones, so that
            the reader learns to doubt what does not fit (RAFT, arXiv 2403.10131).
        seed: of all that is drawn.
    """

    cuts: tuple[float, ...] = (0.5, 0.75)
    turns: int = 10
    folds: int = 5
    distractors: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.cuts or list(self.cuts) != sorted(set(self.cuts)) or not self._inside():
            raise ValueError(f"RAFT cuts wanted rising shares in (0, 1), got {self.cuts}")
        check_number("RAFT", "distractors", self.distractors, "[0, 1]", "it is a share")
        check_number("RAFT", "turns", self.turns, "whole [1, 1e9]", "it counts rows")
        check_number("RAFT", "folds", self.folds, "whole [1, 1e9]", "it counts groups")
        check_seed("RAFT", "a seed", self.seed)

    def _inside(self) -> bool:
        return all(0 < cut < 1 for cut in self.cuts)


def raft_settings(cuts: Sequence[float] = (0.5, 0.75), **others: Any) -> RaftSettings:
    """Settings as a config file gives them."""
    return RaftSettings(cuts=tuple(cuts), **others)


class RaftSet(NamedTuple):
    """Examples, and whose they are."""

    examples: Examples
    users: IntArray  # (b,) the user of each block
    cuts: FloatArray  # (b,) the share of the user's training rows that its prompts know


def raft_set(
    dataset: Dataset,
    style: PromptStyle,
    settings: RaftSettings = RaftSettings(),
    distilled: Distilled | None = None,
    model: str | None = None,
) -> RaftSet:
    """Examples from ``dataset.train`` alone; its test rows are never looked at.

    Args:
        dataset: whose training rows are asked about; ``background`` is known to averages.
        style: what prompts show: Ms, Ml or both, and how many memories.
        settings: see there.
        distilled: Ms and reasons that a model made of all training rows, as in the paper; a new
            distillation at every cut would be paid for at every cut. Memories are still the earlier
            ones only. None = distilled without a model at every cut, as the style tells people.
        model: whose tokens the budget of the style counts; None = there is no budget.

    Raises:
        ValueError: no user has rows both before and after any cut.
    """
    rng = generator(settings.seed, Stream.RAFT)
    fold_of = rng.permutation(dataset.num_users) % settings.folds
    make_memory = partial(DistractedMemory, share=settings.distractors, rng=rng)
    parts, users, cuts = [], [], []
    for fold in range(settings.folds):
        for cut, end in zip(settings.cuts, (*settings.cuts[1:], 1.0), strict=True):
            kept, asked = _cut(dataset, np.flatnonzero(fold_of == fold), cut, end, settings, rng)
            if not len(asked.users):
                continue
            past = _as_it_was(dataset, kept)
            refuse_leaks(past.train, asked, dataset)
            known = distilled and _only(distilled, kept)
            writer = ExampleWriter(
                past, make_memory=make_memory, distilled=known, style=style, model=model
            )
            parts.append(writer.write(asked, style))
            users.append(asked.users)
            cuts.append(np.full(len(asked.users), cut))
    if not parts:
        raise ValueError(
            f"a RAFT set wanted users with training rows before and after a cut at {settings.cuts},"
            f" got none in {dataset.name!r}; give users with three ratings or more"
        )
    return RaftSet(joined(parts), np.concatenate(users), np.concatenate(cuts))


def _cut(
    dataset: Dataset,
    users: IntArray,
    cut: float,
    end: float,
    settings: RaftSettings,
    rng: np.random.Generator,
) -> tuple[IntArray, Questions]:
    """Rows known when ``users`` had rated a share ``cut``, and what they were asked next."""
    log = dataset.train
    offsets = log.offsets()
    kept = np.ones(len(log), dtype=bool)
    blocks = []
    for user in users:
        start, size = offsets[user], offsets[user + 1] - offsets[user]
        before, after = (int(np.ceil(share * size)) for share in (cut, end))
        kept[start + before : start + size] = False
        rows = start + before + rng.permutation(after - before)[: settings.turns]
        if before and len(rows):
            blocks.append((user, np.sort(rows)))
    return np.flatnonzero(kept), _padded(log, blocks, settings.turns)


def _as_it_was(dataset: Dataset, kept: IntArray) -> Dataset:
    """The world with only some of the training rows; nothing in it knows the others."""
    known = dataset.train.take(kept)
    averages = ItemAverages.of(stacked(known, dataset.background), dataset.catalog)
    return replace(dataset, train=known, averages=averages, truth=None)


def _only(distilled: Distilled, kept: IntArray) -> Distilled:
    return Distilled(distilled.personas, [distilled.reasons[row] for row in kept])


def _padded(log: InteractionLog, blocks: list[tuple[int, IntArray]], turns: int) -> Questions:
    """Questions about the rows of each block; short blocks repeat their first row unweighted."""
    rows = np.zeros((len(blocks), turns), dtype=np.int64)
    weights = np.zeros((len(blocks), turns))
    for block, (_, own) in enumerate(blocks):
        rows[block] = own[0]
        rows[block, : len(own)] = own
        weights[block, : len(own)] = 1.0
    users = np.array([user for user, _ in blocks], dtype=np.int64)
    return Questions(users, log.items[rows], log.ratings[rows], weights >= 0, weights)


def refuse_leaks(past: InteractionLog, asked: Questions, dataset: Dataset) -> None:
    """Law 7: every target is a training row, and no prompt has seen it.

    Raises:
        ValueError: a target comes from after the split, or stands in the history.
    """
    size = dataset.num_items
    targets = np.unique(asked.users[:, None] * size + asked.items)
    training = dataset.train.users * size + dataset.train.items
    if late := int((~np.isin(targets, training)).sum()):
        raise ValueError(
            f"a RAFT set wanted targets from training rows, got {late} that are not; split the data"
            " first and ask about dataset.train"
        )
    if seen := int(np.isin(targets, past.users * size + past.items).sum()):
        raise ValueError(
            f"a RAFT set wanted prompts made before their targets, got {seen} targets that stand in"
            " the history; cut the history earlier"
        )

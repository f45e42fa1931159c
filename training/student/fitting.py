"""Fits a student: small networks that say what a language model said, each from its own start."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.student.ensemble import NAMES
from agents.student.seen import NUMBERS, Columns, Seen
from simenv.events import NUM_STARS
from simenv.ranges import check_number
from simenv.seeding import Stream, generator
from training.student.lessons import Lessons


@dataclass(frozen=True)
class FittingSettings:
    """How a student is made and learns.

    Attributes:
        members: networks.
        width: of each.
        epochs: passes over the lessons.
        batch: questions a step.
        rate: of Adam, falling to 0 along a cosine.
        decay: of weights, by AdamW.
    """

    members: int = 4
    width: int = 64
    epochs: int = 20
    batch: int = 512
    rate: float = 3e-3
    decay: float = 1e-2

    def __post_init__(self) -> None:
        for name in ("members", "width", "epochs", "batch"):
            least = "whole [2, 64]" if name == "members" else "whole [1, 1e6]"
            check_number("a student", name, getattr(self, name), least)
        check_number("a student", "rate", self.rate, "(0, 1]")
        check_number("a student", "decay", self.decay, "[0, 1]")


def fit(
    lessons: Lessons,
    people: Columns,
    vectors: Columns,
    settings: FittingSettings,
    seed: int = 0,
) -> dict[str, NDArray[np.float32]]:
    """Weights for an ``Ensemble``, by name.

    Every network sees the lessons in an order of its own, from weights of its own, and leaves a
    tenth of them out, so that they agree where the lessons decide, and elsewhere need not.

    Args:
        lessons: at least one.
        people: (u, p) of ``people_columns``.
        vectors: (i, d) of items.
        settings: how.
        seed: of weights and orders.
    """
    made = torch.Generator().manual_seed(
        int(generator(seed, Stream.STUDENT_WEIGHTS).integers(2**62))
    )
    tables = _Tables(lessons, people, vectors)
    weights = _beginning(settings, people.shape[1], vectors.shape, made)
    optimizer = torch.optim.AdamW(weights.values(), lr=settings.rate, weight_decay=settings.decay)
    count, m = len(lessons.answers), settings.members
    kept = torch.stack(
        [torch.randperm(count, generator=made)[: -(-9 * count // 10)] for _ in range(m)]
    )
    steps = max(1, -(-kept.shape[1] // settings.batch))
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps * settings.epochs)
    for _ in range(settings.epochs):
        order = torch.stack([own[torch.randperm(len(own), generator=made)] for own in kept])
        for rows in order.split(settings.batch, dim=1):
            optimizer.zero_grad()
            _loss(weights, tables, rows).backward()
            optimizer.step()
            plan.step()
    return {name: own.detach().numpy() for name, own in weights.items()}


class _Tables:
    """Lessons as tensors."""

    def __init__(self, lessons: Lessons, people: Columns, vectors: Columns) -> None:
        seen: Seen = lessons.seen
        self.numbers, self.answers = torch.from_numpy(seen.numbers), _floats(lessons.answers)
        self.users, self.items = torch.from_numpy(seen.users), torch.from_numpy(seen.items)
        self.recalled = torch.from_numpy(seen.recalled)
        self.people, self.vectors = torch.from_numpy(people), torch.from_numpy(vectors)


def _loss(w: dict[str, Tensor], tables: _Tables, rows: Tensor) -> Tensor:
    """Mean cross entropy of rows (m, b), one set a network, to the model's distributions."""
    items, recalled = tables.items[rows], tables.recalled[rows]
    numbers, known = tables.numbers[rows], (recalled >= 0)[..., None]
    which = torch.arange(len(rows))[:, None]
    remembered = tables.vectors[recalled] @ w["of_recalled"] + w["own_recalled"][which, recalled]
    hidden = (
        numbers @ w["of_numbers"]
        + tables.people[tables.users[rows]] @ w["of_people"]
        + tables.vectors[items] @ w["of_items"]
        + w["own_items"][which, items]
        + torch.where(known, remembered, w["without"][:, None])
        + w["first"][:, None]
    )
    deeper = hidden.relu() @ w["middle"] + w["second"][:, None]
    logits = deeper.relu() @ w["last"] + w["stars"][:, None]
    return -(tables.answers[rows] * logits.log_softmax(dim=-1)).sum(dim=-1).mean(dim=1).sum()


def _beginning(
    settings: FittingSettings,
    width_of_people: int,
    of_vectors: tuple[int, ...],
    made: torch.Generator,
) -> dict[str, Tensor]:
    """First weights; what is of one item alone begins at 0."""
    m, h, (num_items, d) = settings.members, settings.width, of_vectors
    shapes = {
        "of_numbers": (m, len(NUMBERS), h), "of_people": (m, width_of_people, h),
        "of_items": (m, d, h), "own_items": (m, num_items, h),
        "of_recalled": (m, d, h), "own_recalled": (m, num_items, h), "without": (m, h),
        "first": (m, h), "middle": (m, h, h), "second": (m, h),
        "last": (m, h, NUM_STARS), "stars": (m, NUM_STARS),
    }  # fmt: skip
    found = {}
    for name in NAMES:
        values = torch.zeros(shapes[name])
        if len(shapes[name]) == 3 and not name.startswith("own"):
            values = torch.randn(shapes[name], generator=made) * shapes[name][1] ** -0.5
        found[name] = values.requires_grad_()
    return found


def _floats(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))

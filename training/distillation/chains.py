"""A user's way through their ratings, batch by batch: each reflection builds on the one before.

It knows no server and no prompt.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simenv.events import InteractionLog
from training.distillation.distiller_prompts import RatedItem

if TYPE_CHECKING:
    from training.distillation.answer_schema import Reflection  # pydantic is not always installed

BATCH = 10  # ratings in one reflection, as in the paper


@dataclass
class Chain:
    """One user's batches, and the reflections that are there so far."""

    batches: list[list[RatedItem]]
    reflections: list["Reflection"] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether every batch has its reflection."""
        return len(self.reflections) == len(self.batches)

    @property
    def next_batch(self) -> list[RatedItem]:
        """What is to be reflected on next; there is none when it is done."""
        return self.batches[len(self.reflections)]

    def stopped(self, why: str) -> str:
        """Why and where it stopped, for a report."""
        return f"batch {len(self.reflections) + 1} of {len(self.batches)}: {why}"


def batches_of(log: InteractionLog) -> dict[int, list[list[RatedItem]]]:
    """User → batches of at most 10 ratings in the order of time; users without rows are absent."""
    offsets = log.offsets()
    found = {}
    for user in range(log.num_users):
        rows = slice(offsets[user], offsets[user + 1])
        pairs = zip(log.items[rows].tolist(), log.ratings[rows].tolist(), strict=True)
        rated = [RatedItem(item, rating) for item, rating in pairs]
        if rated:
            found[user] = [rated[i : i + BATCH] for i in range(0, len(rated), BATCH)]
    return found

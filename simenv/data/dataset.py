"""What every data source returns: a catalogue and a split log, averages, the truth if known."""

from dataclasses import dataclass
from typing import Protocol

from simenv.catalog import Catalog
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.item_averages import ItemAverages


class Truth(Protocol):
    """The real response of every user to every item; only a synthetic world has one."""

    def probabilities(self, users: IntArray, items: IntArray) -> FloatArray:
        """Distribution over stars of users (n,) for items (n, k): (n, k, 5)."""
        ...


@dataclass(frozen=True)
class Dataset:
    """A split log over one catalogue; ``averages`` never see a row of ``test``.

    They come from ``train``, and from ``background`` where there is one.
    """

    name: str
    catalog: Catalog
    averages: ItemAverages
    train: InteractionLog
    test: InteractionLog
    user_ids: tuple[str, ...]  # what the source calls user 0, 1, …
    truth: Truth | None = None
    background: InteractionLog | None = None  # rows of other people, numbered from 0, same items

    @property
    def num_users(self) -> int:
        """Users of the log."""
        return self.train.num_users

    @property
    def num_items(self) -> int:
        """Items of the catalogue."""
        return len(self.catalog)

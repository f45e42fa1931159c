"""What every data source returns: a catalogue and a split log, averages, the truth if known."""

from dataclasses import dataclass

from simenv.catalog import Catalog
from simenv.data.reading_report import Reading
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from simenv.user_model import WorldTruth


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
    truth: WorldTruth | None = None
    background: InteractionLog | None = None  # rows of other people, numbered from 0, same items
    reading: Reading | None = None  # what was read of the files; None = it comes from no file

    @property
    def num_users(self) -> int:
        """Users of the log."""
        return self.train.num_users

    @property
    def num_items(self) -> int:
        """Items of the catalogue."""
        return len(self.catalog)

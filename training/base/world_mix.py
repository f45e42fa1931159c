"""Which training worlds must be read: a share of them, by lot, and the rest of the old kind."""

from dataclasses import dataclass

from simenv.data.dataset import Dataset
from simenv.data.synthetic import drawn_world
from simenv.data.worlds.reading_world import drawn_reading_world
from simenv.ranges import check_number
from simenv.seeding import Stream, generator


@dataclass(frozen=True)
class WorldMix:
    """World number → a drawn world, of the kind that must be read with chance ``reading_share``."""

    reading_share: float

    def __post_init__(self) -> None:
        check_number("a mix of worlds", "reading_share", self.reading_share, "[0, 1]")

    def __call__(self, world: int) -> Dataset:
        """The data set of one world; the same for the same number."""
        read = generator(world, Stream.WORLD_MIX).random() < self.reading_share
        return drawn_reading_world(world) if read else drawn_world(world)

"""Which training worlds must be read, and which have an extreme log: a share of each, by lot."""

from dataclasses import dataclass

from simenv.data.dataset import Dataset
from simenv.data.synthetic import drawn_world
from simenv.data.worlds.reading_world import drawn_reading_world
from simenv.ranges import check_number
from simenv.seeding import Stream, generator

_EXTREME = (1.5, 2.5)  # logging bias; the drawn worlds of old have 1.5 at most


@dataclass(frozen=True)
class WorldMix:
    """World number → a drawn world, of the kind that must be read with chance ``reading_share``.

    With chance ``biased_share`` the logging bias of either kind is drawn between 1.5 and 2.5.
    There people met hardly anything but what they expected to like, so that what nobody picked is
    liked less than the averages say; questions about it are asked as in every training world.
    """

    reading_share: float
    biased_share: float = 0.0

    def __post_init__(self) -> None:
        for name in ("reading_share", "biased_share"):
            check_number("a mix of worlds", name, getattr(self, name), "[0, 1]")

    def __call__(self, world: int) -> Dataset:
        """The data set of one world; the same for the same number."""
        read = generator(world, Stream.WORLD_MIX).random() < self.reading_share
        drawn = generator(world, Stream.BIASED_WORLDS)
        bias = drawn.uniform(*_EXTREME) if drawn.random() < self.biased_share else None
        return drawn_reading_world(world, bias) if read else drawn_world(world, bias)

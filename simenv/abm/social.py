"""What people hear of from each other: word of mouth over a network, trends and viral items.

Each of them puts an item on a slate that the recommender did not choose. Letters: ``U`` all users,
``I`` all items, ``n`` users awake, ``k`` slate places.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simenv.events import BoolArray, Feedback, IntArray, SeedArray, Slates
from simenv.ranges import check_fields, check_number
from simenv.seeding import Channel, Stream, generator, mix, uniforms
from simenv.snapshots import Arrays

if TYPE_CHECKING:
    import networkx as nx

RECOMMENDED, FRIEND, TREND, VIRAL = range(4)  # where an exposure came from


@dataclass(frozen=True)
class SocialSettings:
    """What people hear; a chance of 0 switches it off.

    Args:
        friends: neighbours a person has on average; 0 = nobody knows anybody.
        rewiring: share of acquaintances outside one's own circle, in [0, 1] (Watts and Strogatz).
        tell_chance: that a rating of at least ``tell_stars`` reaches a given friend.
        tell_stars: how good something must be to be talked about.
        trend_chance: that somebody awake meets the item most watched lately.
        trend_memory: how much of its past counts in a trend, a tick, in [0, 1).
    """

    friends: int = 8
    rewiring: float = 0.1
    tell_chance: float = 0.1
    tell_stars: float = 4.0
    trend_chance: float = 0.1
    trend_memory: float = 0.8

    def __post_init__(self) -> None:
        shares = ("rewiring", "tell_chance", "trend_chance", "trend_memory")
        check_fields(self, dict.fromkeys(shares, "[0, 1]"), "it is a share or a chance")
        check_number("SocialSettings", "friends", self.friends, "whole [0, 1e6]", "0 is nobody")
        check_number("SocialSettings", "tell_stars", self.tell_stars, "(-inf, inf)", "try 4")

    @classmethod
    def off(cls) -> "SocialSettings":
        """Nobody hears anything from anybody."""
        return cls(friends=0, tell_chance=0.0, trend_chance=0.0)


class Social:
    """The network and what travels over it. Each person keeps the last item heard of."""

    def __init__(self, settings: SocialSettings, groups: IntArray, num_items: int, seed: int):
        self.settings = settings
        self.graph = draw_network(settings, groups, seed)
        self._starts, self._friends = _neighbours(self.graph, len(groups))
        self._heard = np.full(len(groups), -1, dtype=np.int64)
        self._trend = np.zeros(num_items)

    def friends(self, user: int) -> IntArray:
        """Neighbours of one user."""
        return self._friends[self._starts[user] : self._starts[user + 1]]

    def edges(self) -> IntArray:
        """(e, 2) every acquaintance once."""
        owners = np.repeat(np.arange(len(self._heard)), np.diff(self._starts))
        both = np.column_stack([owners, self._friends])
        return both[both[:, 0] < both[:, 1]]

    def mix_in(
        self,
        users: IntArray,
        slates: Slates,
        seeds: SeedArray,
        allowed: BoolArray,
        viral: dict[int, float],
    ) -> tuple[Slates, IntArray]:
        """Slates with what people heard of in their last places, and the source (n, k) of each.

        Args:
            users: (n,).
            slates: (n, k) of the recommender; not changed.
            seeds: (n,) of this tick.
            allowed: (n, I) items that are available and new to the user.
            viral: item → chance.
        """
        items = slates.items.copy()
        sources = np.full(items.shape, RECOMMENDED, dtype=np.int64)
        put = _Putter(items, sources, allowed)
        if self.settings.tell_chance:
            put(self._heard[users], FRIEND)
            self._heard[users] = -1
        if self.settings.trend_chance and self._trend.any():
            draws = uniforms(seeds, Channel.TREND, 1)[:, 0]
            hot = int(self._trend.argmax())
            put(np.where(draws < self.settings.trend_chance, hot, -1), TREND)
        for item, chance in viral.items():
            draws = uniforms(mix(seeds, item), Channel.VIRAL, 1)[:, 0]
            put(np.where(draws < chance, item, -1), VIRAL)
        return Slates(items, slates.scores), sources

    def spread(
        self, users: IntArray, items: IntArray, feedback: Feedback, seeds: SeedArray
    ) -> None:
        """People talk of what they liked, and trends move on.

        Args:
            users: (n,).
            items: (n, k) shown.
            feedback: of the users.
            seeds: (n,) of this tick.
        """
        if self.settings.trend_chance:
            self._trend *= self.settings.trend_memory
            self._trend += np.bincount(items[feedback.taken], minlength=len(self._trend))
        if self.settings.tell_chance and len(self._friends):
            self._talk(users, items, feedback, seeds)

    def _talk(self, users: IntArray, items: IntArray, feedback: Feedback, seeds: SeedArray) -> None:
        """Whoever liked something well enough names the best of it to some friends."""
        best = feedback.ratings.argmax(axis=1)
        rows = np.flatnonzero(feedback.ratings.max(axis=1) >= self.settings.tell_stars)
        degrees = np.diff(self._starts)[users[rows]]
        tellers = np.repeat(rows, degrees)
        within = np.arange(len(tellers)) - np.repeat(np.cumsum(degrees) - degrees, degrees)
        listeners = self._friends[self._starts[users[tellers]] + within]
        draws = uniforms(mix(seeds[tellers], listeners), Channel.WORD_OF_MOUTH, 1)[:, 0]
        hears = draws < self.settings.tell_chance
        self._heard[listeners[hears]] = items[tellers[hears], best[tellers[hears]]]

    def arrays(self) -> Arrays:
        """What was heard and what is trending."""
        return {"heard": self._heard, "trend": self._trend}

    def load(self, arrays: Arrays) -> None:
        """Bring back the state that ``arrays`` gave."""
        self._heard[:] = arrays["heard"]
        self._trend[:] = arrays["trend"]


class _Putter:
    """Puts items into places from the end of the slate; the first place stays the recommender's."""

    def __init__(self, items: IntArray, sources: IntArray, allowed: BoolArray) -> None:
        self.items, self.sources, self.allowed = items, sources, allowed
        self.free = np.full(len(items), items.shape[1] - 1)

    def __call__(self, wanted: IntArray, source: int) -> None:
        rows = np.flatnonzero((wanted >= 0) & (self.free > 0))
        rows = rows[self.allowed[rows, wanted[rows]]]
        rows = rows[~(self.items[rows] == wanted[rows, None]).any(axis=1)]
        self.items[rows, self.free[rows]] = wanted[rows]
        self.sources[rows, self.free[rows]] = source
        self.free[rows] -= 1


def draw_network(settings: SocialSettings, groups: IntArray, seed: int) -> "nx.Graph":
    """A small world: circles of people of one group, with some acquaintances far away.

    Args:
        settings: how many friends, how many of them far away.
        groups: (U,) people are seated by group, so neighbours are mostly alike.
        seed: of the graph and of the seating within a group.
    """
    import networkx as nx  # only societies need it

    num_users = len(groups)
    order = generator(seed, Stream.NETWORK).permutation(num_users)
    order = order[np.argsort(groups[order], kind="stable")]
    degree = min(settings.friends, num_users - 1)
    if degree < 2:
        graph = nx.Graph()
        graph.add_nodes_from(range(num_users))
        return graph
    ring = nx.watts_strogatz_graph(num_users, degree, settings.rewiring, seed=seed)
    return nx.relabel_nodes(ring, dict(enumerate(order.tolist())))


def _neighbours(graph: "nx.Graph", num_users: int) -> tuple[IntArray, IntArray]:
    edges = np.array(list(graph.edges), dtype=np.int64).reshape(-1, 2)
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    starts = np.searchsorted(both[:, 0], np.arange(num_users + 1))
    return starts.astype(np.int64), both[:, 1].copy()

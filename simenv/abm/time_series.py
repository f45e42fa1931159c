"""The time series of a society, measured once a tick and handed to Mesa's ``DataCollector``."""

from typing import Any

import numpy as np

from simenv.abm import concentration as measures
from simenv.abm.keeping.journal import TickRecord
from simenv.abm.social import FRIEND
from simenv.catalog import Catalog
from simenv.events import Feedback, FloatArray, IntArray, InteractionLog, mean_answered
from simenv.exposure import coverage, gini
from simenv.seeding import Stream, generator
from simenv.snapshots import Arrays

DRAWN = {  # curves that pages draw: what each is called, and its unit
    "active": ("people awake", "people"),
    "satisfaction": ("expected stars of what is shown", "stars"),
    "gini": ("Gini of exposure", "0 to 1"),
    "coverage": ("share of the catalogue ever shown", "0 to 1"),
    "filter_bubble": ("filter bubble", "0 to 1"),
    "polarisation": ("polarisation between groups", "0 to 1"),
    "echo_chamber": ("echo chamber", "difference of cosines"),
    "from_friends": ("share of exposures from friends", "0 to 1"),
}
_TASTE_MEMORY = 0.9  # weight of the past, a slate, in what somebody watches
_KNOWN = 20.0  # items that the past before the first tick is worth at most
_SHELF_MEMORY = 0.9  # weight of the past, a tick, in what is on show
_SAMPLE = 2_000  # pairs of people compared a tick


class Curves:
    """What people watch and what is shown, and the figures that follow from it.

    Args:
        catalog: whose genres are compared.
        log: what people watched before the first tick.
        groups: (U,) persona groups.
        friends: (e, 2) every acquaintance once.
        seed: of the pairs of people that are compared.
    """

    def __init__(
        self, catalog: Catalog, log: InteractionLog, groups: IntArray, friends: IntArray, seed: int
    ) -> None:
        self._groups, self._labels = groups, np.unique(groups).tolist()
        self._shares = catalog.genre_shares
        self.consumption = self._before(log)
        self.exposure = np.zeros(len(catalog))  # of late
        self.shown = np.zeros(len(catalog))  # ever
        self._num_returns = 0
        self.latest: dict[str, float] = {}
        rng = generator(seed, Stream.COMPARED_PAIRS)
        self._friends = friends[np.sort(rng.permutation(len(friends))[:_SAMPLE])]
        self._strangers = rng.integers(0, len(groups), (len(self._friends), 2))

    def _before(self, log: InteractionLog) -> FloatArray:
        """(U, g) what people watched before the first tick, worth at most ``_KNOWN`` items."""
        sums = np.zeros((len(self._groups), self._shares.shape[1]))
        np.add.at(sums, log.users, self._shares[log.items])
        total = sums.sum(axis=1, keepdims=True)
        return np.asarray(sums * np.minimum(1.0, _KNOWN / np.maximum(total, 1e-12)))

    def names(self) -> list[str]:
        """Of all curves."""
        split = [f"{name}_{g}" for g in self._labels for name in ("active", "satisfaction")]
        return [
            "active", "returns", "failed", "unanswered", "saturated", "ratings", "mean_rating",
            "satisfaction", "gini", "coverage", "filter_bubble", "polarisation", "echo_chamber",
            "from_friends", *split,
        ]  # fmt: skip

    def reporters(self) -> dict[str, Any]:
        """For ``mesa.DataCollector``."""
        return {name: [self._of, [name]] for name in self.names()}

    def _of(self, name: str) -> float:
        return self.latest[name]

    def take_in(
        self, users: IntArray, items: IntArray, feedback: Feedback, num_returns: int
    ) -> None:
        """Users (n,) were shown items (n, k) and took some; so many had come back for it."""
        self._num_returns = num_returns
        watched = np.einsum("nk,nkg->ng", feedback.taken.astype(np.float64), self._shares[items])
        self.consumption[users] = _TASTE_MEMORY * self.consumption[users] + watched
        counts = np.bincount(items.ravel(), minlength=len(self.shown))
        self.exposure *= _SHELF_MEMORY
        self.exposure += counts
        self.shown += counts

    def measure(self, last: TickRecord, num_saturated: int) -> None:
        """Everything about the tick that has just been played."""
        stars = mean_answered(last.feedback.expected)
        own, groups = self.consumption[last.users], self._groups[last.users]
        taken = last.feedback.ratings[last.feedback.taken]
        self.latest = {
            "active": float(len(last.users)),
            "returns": float(self._num_returns if len(last.users) else 0),
            "failed": float(len(last.failed)),
            "unanswered": last.slates_unanswered,
            "saturated": float(num_saturated),
            "ratings": float(len(taken)),
            "mean_rating": _mean(taken),
            "satisfaction": _mean(stars),
            "gini": gini(self.exposure),
            "coverage": coverage(self.shown),
            "filter_bubble": measures.bubble(own),
            "polarisation": measures.polarisation(own, groups),
            "echo_chamber": measures.echo_chamber(self.consumption, self._friends, self._strangers),
            "from_friends": _mean(last.sources == FRIEND),
        }
        for group in self._labels:
            mine = groups == group
            self.latest[f"active_{group}"] = float(mine.sum())
            self.latest[f"satisfaction_{group}"] = _mean(stars[mine])

    def arrays(self) -> Arrays:
        """The state by name."""
        return {
            "consumption": self.consumption,
            "exposure": self.exposure,
            "shown": self.shown,
        }


def _mean(values: Any) -> float:
    return float(values.mean()) if values.size else 0.0

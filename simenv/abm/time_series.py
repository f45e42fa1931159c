"""The time series of a society, measured once a tick and handed to Mesa's ``DataCollector``."""

from typing import TYPE_CHECKING, Any

import numpy as np

from simenv.abm import concentration as measures
from simenv.events import Feedback, FloatArray, IntArray
from simenv.exposure import coverage, gini
from simenv.snapshots import Arrays

if TYPE_CHECKING:
    from simenv.abm.model import PersonaSociety

_TASTE_MEMORY = 0.9  # weight of the past, a slate, in what somebody watches
_KNOWN = 20.0  # items that the past before the first tick is worth at most
_SHELF_MEMORY = 0.9  # weight of the past, a tick, in what is on show
_SAMPLE = 2_000  # pairs of people compared a tick


class Curves:
    """What people watch and what is shown, and the figures that follow from it."""

    def __init__(self, society: "PersonaSociety") -> None:
        self.society = society
        self._shares = society.catalog.genre_shares
        self.consumption = self._before()
        self.exposure = np.zeros(len(self._shares))  # of late
        self.shown = np.zeros(len(self._shares))  # ever
        self.returns = 0
        self.latest: dict[str, float] = {}
        self._labels = np.unique(society.groups).tolist()
        rng = np.random.default_rng([society.root, 19])
        edges = society.social.edges()
        chosen = rng.permutation(len(edges))[:_SAMPLE]
        self._friends = edges[np.sort(chosen)]
        self._strangers = rng.integers(0, len(society.groups), (len(self._friends), 2))

    def _before(self) -> FloatArray:
        """(U, g) what people watched before the first tick, worth at most ``_KNOWN`` items."""
        log = self.society.platform.log
        sums = np.zeros((len(self.society.groups), self._shares.shape[1]))
        np.add.at(sums, log.users, self._shares[log.items])
        total = sums.sum(axis=1, keepdims=True)
        return np.asarray(sums * np.minimum(1.0, _KNOWN / np.maximum(total, 1e-12)))

    def names(self) -> list[str]:
        """Of all curves."""
        split = [f"{name}_{g}" for g in self._labels for name in ("active", "satisfaction")]
        return [
            "active", "returns", "failed", "saturated", "ratings", "mean_rating", "satisfaction",
            "gini", "coverage", "filter_bubble", "polarisation", "echo_chamber", "from_friends",
            *split,
        ]  # fmt: skip

    def reporters(self) -> dict[str, Any]:
        """For ``mesa.DataCollector``."""
        return {name: [self._of, [name]] for name in self.names()}

    def _of(self, name: str) -> float:
        return self.latest[name]

    def take_in(self, users: IntArray, items: IntArray, feedback: Feedback) -> None:
        """Users (n,) were shown items (n, k) and took some."""
        watched = np.einsum("nk,nkg->ng", feedback.taken.astype(np.float64), self._shares[items])
        self.consumption[users] = _TASTE_MEMORY * self.consumption[users] + watched
        counts = np.bincount(items.ravel(), minlength=len(self.shown))
        self.exposure *= _SHELF_MEMORY
        self.exposure += counts
        self.shown += counts

    def measure(self, num_saturated: int) -> None:
        """Everything about the tick that has just been played."""
        last, society = self.society.last, self.society
        stars = last.feedback.expected.mean(axis=1) if len(last.users) else np.zeros(0)
        own, groups = self.consumption[last.users], society.groups[last.users]
        taken = last.feedback.ratings[last.feedback.taken]
        self.latest = {
            "active": float(len(last.users)),
            "returns": float(self.returns if len(last.users) else 0),
            "failed": float(len(last.failed)),
            "saturated": float(num_saturated),
            "ratings": float(len(taken)),
            "mean_rating": _mean(taken),
            "satisfaction": _mean(stars),
            "gini": gini(self.exposure),
            "coverage": coverage(self.shown),
            "filter_bubble": measures.bubble(own),
            "polarisation": measures.polarisation(own, groups),
            "echo_chamber": measures.echo_chamber(self.consumption, self._friends, self._strangers),
            "from_friends": _mean(last.sources == 1),
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

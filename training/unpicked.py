"""What people would never pick: tastes read from ratings and from picks, and a floor a person.

A rating says how an item was liked; that it was picked, and others were not, says that it promised
more than they did. Both are read together, from training rows alone:

rating = mean + quality + generosity + taste · attributes, with noise;
log-odds of a pick = activity + popularity + quality + taste · attributes.

Qualities, popularities, tastes, generosities and activities are drawn to 0 with variances that are
learnt with them (one a taste's attribute). An item's popularity has nothing to do with its quality:
what is picked though it is liked no better is popular. After Hernández-Lobato, Houlsby and
Ghahramani, Probabilistic matrix factorization with non-random missing data (2014), with attributes
in place of factors.

Letters: ``n`` people, ``m`` items, ``d`` attributes.
"""

from dataclasses import dataclass

import numpy as np

from agents.wariness import Wariness
from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.seeding import Stream, generator

_TEXT_DIMS = 32
_ROUNDS = 6  # of people, then items
_STEP = 1.5  # at most, of one Newton step
_LEAST_NOISE = 0.1  # variance of stars; without it a log of equal stars tells anything
_MOST_READ = 400  # people by whom items are learnt; all are placed among these
# What a person's floor is, and by how much what promises less falls below its promise. Chosen once,
# on worlds 6100 to 6102; see docs/explanation/fidelity.md.
_FLOOR_SHARE = 0.05  # of a person's picks that promise less than the floor
_STEEPNESS = 2.5


def learn_wariness(dataset: Dataset, seed: int = 0) -> Wariness:
    """How wary the people of ``dataset.train`` are; see ``agents.wariness``.

    Args:
        dataset: training rows and the background are read, held-out rows are not.
        seed: of who is read for the items, where there are more than 400 people.

    Raises:
        ValueError: there are no training rows.
    """
    log = dataset.train
    if not len(log):
        raise ValueError(
            "wariness wanted training rows, got none; raise data.fraction, or leave it out"
        )
    attributes = _attributes(dataset)
    everybody = stacked(log, dataset.background)
    able = np.flatnonzero(np.diff(everybody.offsets()))
    drawn = generator(seed, Stream.READ_PICKS).permutation(able)[:_MOST_READ]
    reading = _Reading.start(everybody, attributes)
    for _ in range(_ROUNDS):
        reading.turn(np.sort(drawn))
    tastes = np.zeros((log.num_users, attributes.shape[1]))
    own = np.flatnonzero(np.diff(log.offsets()))
    for user in own.tolist():
        tastes[user] = reading.placed(user)
    people = np.column_stack([np.ones(log.num_users), tastes]) * _STEEPNESS
    items = np.column_stack([reading.quality, attributes])
    return Wariness(people, items, _floors(log, people, items))


def _floors(log: InteractionLog, people: FloatArray, items: FloatArray) -> FloatArray:
    """(n, 1) what all but the least promising picks of everybody promise; without any, nothing."""
    offsets, floors = log.offsets(), np.zeros((log.num_users, 1))
    for user in range(log.num_users):
        promised = items @ people[user]
        picked = log.items[offsets[user] : offsets[user + 1]]
        share = _FLOOR_SHARE if len(picked) else 0.0
        floors[user] = np.quantile(promised[picked] if len(picked) else promised, share)
    return floors


def _attributes(dataset: Dataset) -> FloatArray:
    """(m, d) genres, reduced words and year, standardised; what all items have in common is out."""
    from agents.embedding import TfidfSvdEmbedder  # heavy

    catalog = dataset.catalog
    words = TfidfSvdEmbedder(_TEXT_DIMS).embed(catalog.texts())
    known = catalog.years > 0
    years = np.where(known, catalog.years, catalog.years[known].mean() if known.any() else 0.0)
    columns = np.column_stack([catalog.genre_shares, words, years]).astype(np.float64)
    spread = columns.std(axis=0)
    kept = spread > 1e-9
    return np.asarray((columns - columns.mean(axis=0))[:, kept] / spread[kept])


@dataclass
class _Reading:
    """Everything that is inferred of a log, and one turn of inference."""

    log: InteractionLog
    attributes: FloatArray  # (m, d)
    mean: float
    quality: FloatArray  # (m,)
    popularity: FloatArray  # (m,) log-odds
    own: FloatArray  # (n, 2 + d) generosity, activity (log-odds) and tastes
    noise: float = 0.6  # variances from here on
    quality_spread: float = 0.2
    popularity_spread: float = 1.0
    generosity_spread: float = 0.15
    taste_spread: FloatArray | None = None  # (d,)

    @classmethod
    def start(cls, log: InteractionLog, attributes: FloatArray) -> "_Reading":
        """Nobody has a taste and no item a quality yet."""
        m, d = attributes.shape
        shares = np.clip(np.diff(log.offsets()) / m, 0.5 / m, 1 - 0.5 / m)
        own = np.zeros((log.num_users, 2 + d))
        own[:, 1] = np.log(shares / (1 - shares))
        zeros = np.zeros(m), np.zeros(m)
        spread = np.full(d, 0.3 / d)
        return cls(log, attributes, float(log.ratings.mean()), *zeros, own, taste_spread=spread)

    def turn(self, users: IntArray) -> None:
        """One Newton step of the users, one of the items, and the variances that follow."""
        doubts = np.stack([self._step(user) for user in users.tolist()])
        self._learn_items(users)
        own = self.own[users] ** 2 + doubts
        self.generosity_spread = float(own[:, 0].mean())
        self.taste_spread = np.maximum(own[:, 2:].mean(axis=0), 1e-5)

    def placed(self, user: int) -> FloatArray:
        """(d,) tastes of a user among items that stay as they are."""
        for _ in range(2):
            self._step(user)
        return self.own[user, 2:]

    def _rows(self, user: int) -> tuple[IntArray, FloatArray]:
        ends = self.log.offsets()[user : user + 2]
        return self.log.items[slice(*ends)], self.log.ratings[slice(*ends)]

    def _step(self, user: int) -> FloatArray:
        """Move a user; (2 + d,) how unsure each of their numbers stays."""
        items, ratings = self._rows(user)
        own, x = self.own[user], self.attributes
        assert self.taste_spread is not None
        prior = np.concatenate([[1 / self.generosity_spread, 1e-3], 1 / self.taste_spread])
        liked = np.column_stack([np.ones(len(items)), np.zeros(len(items)), x[items]])
        rest = ratings - self.mean - self.quality[items] - liked @ own
        tried = np.column_stack([np.zeros(len(x)), np.ones(len(x)), x])
        odds = _chance(self.popularity + self.quality + tried @ own)
        picked = np.zeros(len(x))
        picked[items] = 1.0
        pull = liked.T @ rest / self.noise + tried.T @ (picked - odds) - prior * own
        pull[1] += prior[1] * own[1]  # activity is drawn nowhere
        curve = liked.T @ liked / self.noise + np.diag(prior)
        curve += (tried * (odds * (1 - odds))[:, None]).T @ tried
        doubt = np.linalg.inv(curve)
        move = doubt @ pull
        self.own[user] = own + move * min(1.0, _STEP / np.abs(move).max())
        return np.diag(doubt)

    def _learn_items(self, users: IntArray) -> None:
        """Qualities and popularities by these users (n,), and their variances, noise and mean."""
        log = self.log.take(np.isin(self.log.users, users))
        tastes = self.own[:, 2:] @ self.attributes.T
        rest = log.ratings - self.mean - self.own[log.users, 0] - tastes[log.users, log.items]
        counts = np.bincount(log.items, minlength=log.num_items)
        odds = _chance(self.own[users, 1][:, None] + self.popularity + self.quality + tastes[users])
        surplus, weight = counts - odds.sum(axis=0), (odds * (1 - odds)).sum(axis=0)
        misfit = np.bincount(log.items, rest - self.quality[log.items], log.num_items)
        pull = misfit / self.noise - self.quality / self.quality_spread + surplus
        push = surplus - self.popularity / self.popularity_spread
        stiff = counts / self.noise + 1 / self.quality_spread + weight
        firm = weight + 1 / self.popularity_spread
        both = stiff * firm - weight**2
        self.quality = self.quality + np.clip((firm * pull - weight * push) / both, -1, 1)
        self.popularity = self.popularity + np.clip(
            (stiff * push - weight * pull) / both, -_STEP, _STEP
        )
        self.quality_spread = float((self.quality**2 + firm / both).mean())
        self.popularity_spread = float((self.popularity**2 + stiff / both).mean())
        left = rest - self.quality[log.items]
        self.noise = max(1.1 * float((left**2).mean()), _LEAST_NOISE)
        self.mean += float(left.mean())


def _chance(log_odds: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -40, 40))))

"""The first three parts of Ms as habits in words: activity, conformity and diversity.

Each compares a user with the others of the log, in words and never in figures.

Letters: ``n`` users.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from agents.wording.phrases import listed, several
from simenv.catalog import Catalog
from simenv.domains.domain import Domain
from simenv.events import FloatArray, InteractionLog
from simenv.item_averages import ItemAverages

# From above which share of the users → words; the first that fits.
_ACTIVITY = (
    (0.9, ("I rate {kinds} all the time", "Rating {kinds} is a hobby of mine")),
    (0.6, ("I rate {kinds} often", "I get through many {kinds}")),
    (0.3, ("I rate {kinds} now and then", "I rate a fair number of {kinds}")),
    (-1.0, ("I rate few {kinds}", "I seldom rate {kinds}")),
)
_FAME = (
    (0.8, ("mostly those that everybody knows", "hardly ever anything obscure")),
    (0.3, ("well-known ones and some that few people know", "famous ones and lesser-known ones")),
    (-1.0, ("many that few people know", "often what others have never heard of")),
)
_CONFORMITY = (
    (0.8, ("My stars often have little to do with what others give", "I judge for myself")),
    (0.25, ("I hear what others say and then follow my own taste",
            "I agree with others about as often as most people do")),
    (-1.0, ("I mostly agree with what others think", "I usually go along with the crowd")),
)  # fmt: skip
# Level of the ratings next to others', in stars, from which on → words.
_GENEROSITY = (
    (0.6, ("I am very generous: I give far more stars than others",
           "I give far more stars than most people, nearly everything pleases me")),
    (0.3, ("I am generous: I give more stars than others", "I rate more kindly than most people")),
    (0.1, ("I am a little more generous than others", "I give slightly more stars than others")),
    (-0.1, ("I am neither strict nor generous", "I give about as many stars as others do")),
    (-0.3, ("I am a little stricter than others", "I give slightly fewer stars than others")),
    (-0.6, ("I am strict: I give fewer stars than others", "I am stricter than most people")),
    (-9.0, ("I am very strict: I give far fewer stars than others",
            "I give far fewer stars than most people, little pleases me")),
)  # fmt: skip
_SPREAD = (
    (0.75, ("I use the whole scale: much is wonderful and much is awful",
            "my stars go from one end of the scale to the other")),
    (0.25, ("I tell good from bad without extremes", "my stars vary as much as most people's")),
    (-1.0, ("most things get nearly the same stars from me",
            "I seldom give very high or very low stars")),
)  # fmt: skip
_LEAST_SHARE = 0.1  # of the picks, from which on a genre is named
_MOST_NAMED = 4
_WIDTH = (
    (0.66, ("I pick from all over: {}", "My choice is wide, with a bit of everything: {}")),
    (0.33, ("I have favourites and sometimes try others: mostly {}",
            "Most of what I pick is {}, with exceptions")),
    (-1.0, ("I keep to what I know: {}", "Nearly all I pick is {}")),
)  # fmt: skip
_FIRST = "The first {kind} I picked is {names}"
_LEAST_ROWS = 2  # ratings, below which nobody has a habit
_SAME = 1e-6  # of numbers that are alike but for their last digits


@dataclass(frozen=True)
class Habits:
    """Where every user stands among the users of a log."""

    domain: Domain
    genre_names: tuple[str, ...]
    counts: FloatArray  # (n,) ratings
    fame: FloatArray  # (n,) mean log votes of what they picked
    distance: FloatArray  # (n,) mean squared distance from fair averages
    spread: FloatArray  # (n,) standard deviation of the ratings
    shares: FloatArray  # (n, genres) of the mentions of genres

    @classmethod
    def of(cls, log: InteractionLog, catalog: Catalog, averages: ItemAverages) -> Self:
        """The habits in the rows of ``log``."""
        counts = np.bincount(log.users, minlength=log.num_users).astype(np.float64)

        def mean(values: FloatArray) -> FloatArray:
            return np.asarray(np.bincount(log.users, values, len(counts)) / np.maximum(counts, 1))

        away = log.ratings - averages.fair[log.items]
        variance = mean(log.ratings**2) - mean(log.ratings) ** 2
        shares = np.zeros((log.num_users, len(catalog.genre_names)))
        np.add.at(shares, log.users, catalog.genre_shares[log.items])
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
        return cls(
            catalog.domain,
            catalog.genre_names,
            counts,
            mean(np.log1p(averages.counts[log.items])),
            mean(away**2),
            np.sqrt(np.maximum(variance, 0.0)),
            shares,
        )

    def activity(self, user: int, draw: float) -> str:
        """How much they rate, and whether it is well known."""
        kinds = several(self.domain)
        if not self.counts[user]:
            return f"I have not rated any {self.domain.noun} yet."
        much = _said(_ACTIVITY, self._rank(self.counts, user), draw).format(kinds=kinds)
        if np.ptp(self.fame[self.counts > 0]) < _SAME:  # everybody picks what is as well known
            return f"{much}."
        return f"{much}, {_said(_FAME, self._rank(self.fame, user), draw)}."

    def conformity(self, user: int, level: float, draw: float) -> str:
        """How near the others they rate, how generous they are, and how they use the scale."""
        if not self.counts[user]:
            return "I do not know yet how I compare with others."
        generous = _said(_GENEROSITY, level, draw)
        if self.counts[user] < _LEAST_ROWS:
            return f"{generous}."
        crowd = _said(_CONFORMITY, self._rank(self.distance, user), draw)
        scale = _said(_SPREAD, self._rank(self.spread, user), draw)
        return f"{crowd}. {generous}, and {scale}."

    def diversity(self, user: int, draw: float) -> str:
        """How wide their choice is, and what most of it is; nothing without genres."""
        order = np.argsort(-self.shares[user], kind="stable")[:_MOST_NAMED]
        names = [self.genre_names[g] for g in order if self.shares[user, g] >= _LEAST_SHARE]
        if not names:
            return ""
        if self.counts[user] < _LEAST_ROWS:
            return f"{_FIRST.format(kind=self.domain.noun, names=listed(names))}."
        width = 1.0 / np.maximum((self.shares**2).sum(axis=1), 1e-9)  # how many genres, in effect
        return f"{_said(_WIDTH, self._rank(width, user), draw).format(listed(names))}."

    def _rank(self, values: FloatArray, user: int) -> float:
        """Share of the users with ratings who have less than this one; ties count half.

        Who has nothing at all of it is below everybody, however many are like them.
        """
        if values[user] < _SAME:
            return 0.0
        known = values[self.counts > 0]
        less, same = (known < values[user]).sum(), (known == values[user]).sum()
        return float((less + 0.5 * same) / max(len(known), 1))


def _said(table: tuple[tuple[float, tuple[str, ...]], ...], value: float, draw: float) -> str:
    forms = next(forms for least, forms in table if value >= least)
    return forms[int(draw * len(forms))]

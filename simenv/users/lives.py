"""A user's life over many visits: how long people stay away, and when they are gone for good.

Numbers only; ``RecVectorEnv(life=Life())`` makes an episode a life instead of one visit.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from simenv.events import FloatArray, SeedArray
from simenv.ranges import check_fields
from simenv.seeding import Channel, uniforms


@dataclass(frozen=True)
class Life:
    """Return times are log-normal; people who were pleased come back sooner.

    median = ``median_days`` · 2 ** (``doublings_per_star`` · (``content_level`` - stars)), where
    stars are the mean expected stars of the visit that ended.

    Args:
        days: a life is truncated after so many days.
        median_days: half of the people come back within so many days of a visit of
            ``content_level`` stars.
        spread: standard deviation of the logarithm of the return time.
        doublings_per_star: how often the return time doubles for a visit one star worse.
        content_level: stars of a visit that neither pleased nor annoyed.
        gone_after: days; whoever would stay away longer never comes back (terminated).

    Raises:
        TypeError, ValueError: a number is none, or one that must be positive is not.
    """

    days: float = 365.0
    median_days: float = 2.0
    spread: float = 1.2
    doublings_per_star: float = 1.5
    content_level: float = 3.6
    gone_after: float = 30.0

    def __post_init__(self) -> None:
        days = ("days", "median_days", "spread", "gone_after")
        check_fields(self, dict.fromkeys(days, "(0, inf)"), "give it in days")
        stars = ("doublings_per_star", "content_level")
        check_fields(self, dict.fromkeys(stars, "[-100, 100]"), "give it for stars from 1 to 5")

    @property
    def last_day(self) -> float:
        """The latest day on which anybody can be seen: the last return may fall after ``days``."""
        return self.days + self.gone_after

    def days_away(self, stars: FloatArray, seeds: SeedArray) -> FloatArray:
        """Days (n,) until the next visit of users whose last one had mean ``stars`` (n,).

        ``inf`` where they are gone for good. ``seeds`` (n,) are those of the slate that ended it.
        """
        median = self.median_days * np.exp2(self.doublings_per_star * (self.content_level - stars))
        normal = ndtri(uniforms(seeds, Channel.RETURN, 1)[:, 0] + 2.0**-54)
        days = median * np.exp(self.spread * normal)
        return np.where(days > self.gone_after, np.inf, days)

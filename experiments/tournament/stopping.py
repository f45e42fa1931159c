"""When to stop asking users: every difference is known well enough, or a budget is spent.

Users are asked in waves that every policy shares, so wherever a run stops all policies have met the
same users. It knows no policies and no users. Fixed-width stopping looks at intervals repeatedly;
that widens no interval by much, but it is no test: p-values of a stopped run are descriptive.
"""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from experiments.reporting.formatting import rounded
from simenv.ranges import check_number

_LIMITS = {"precision", "exposures", "seconds", "cost"}
_ALLOWED = {
    "precision": "(0, inf)",
    "exposures": "whole [1, inf)",
    "seconds": "(0, inf)",
    "cost": "(0, inf)",
    "price_per_hour": "[0, inf)",
    "price_per_million_tokens": "[0, inf)",
    "wave": "whole [1, inf)",
}


@dataclass(frozen=True)
class Stopping:
    """Limits; None = no limit. Without any, all users are asked in one wave.

    Attributes:
        precision: stars; enough when the 95 % half-width of every paired difference is below it.
        exposures: items that simulated users may be shown, over all policies.
        seconds: of asking simulated users; fitting is not counted.
        cost: in the currency of the prices.
        price_per_hour: of the machine.
        price_per_million_tokens: of the prompts, on a server that charges for them.
        wave: users asked before looking again.
    """

    precision: float | None = None
    exposures: int | None = None
    seconds: float | None = None
    cost: float | None = None
    price_per_hour: float = 0.0
    price_per_million_tokens: float = 0.0
    wave: int = 25

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            value = getattr(self, name)
            if value is not None or name not in _LIMITS:
                cure = "null sets no limit" if name in _LIMITS else ""
                check_number("stopping", name, value, allowed, cure)
        if self.cost is not None and not self.price_per_hour + self.price_per_million_tokens > 0:
            raise ValueError(
                "stopping wanted a price for a budget of cost, got none; set budget.price_per_hour"
                " or budget.price_per_million_tokens"
            )

    @property
    def limited(self) -> bool:
        """Whether anything can stop the run early."""
        limits = (self.precision, self.exposures, self.seconds, self.cost)
        return any(limit is not None for limit in limits)


class Spent(NamedTuple):
    """What asking has cost so far."""

    exposures: int = 0
    seconds: float = 0.0
    tokens: int = 0

    def plus(self, exposures: int, seconds: float, tokens: int) -> "Spent":
        """With one more wave."""
        return Spent(self.exposures + exposures, self.seconds + seconds, self.tokens + tokens)


@dataclass
class Meter:
    """Keeps account of a run and says how many users the next wave may have.

    Attributes:
        stopping: the limits.
        num_users: that could be asked.
        most_exposures: that one user can cost, over all policies.

    Raises:
        ValueError: the budget of exposures is below what a single user may cost.
    """

    stopping: Stopping
    num_users: int
    most_exposures: int
    asked: int = 0
    spent: Spent = field(default_factory=Spent)
    half_width: float = math.nan
    reason: str = ""

    def __post_init__(self) -> None:
        limit = self.stopping.exposures
        if limit is not None and limit < self.most_exposures:
            raise ValueError(
                f"a budget of {limit} exposures is below the {self.most_exposures} that one user"
                " may cost over all policies; raise budget.exposures, or lower the number of"
                " policies, env.max_episode_steps or env.slate_size"
            )

    def next_wave(self) -> int:
        """Users to ask next; 0 = stop, and ``reason`` says why."""
        left = self.num_users - self.asked
        if left == 0:
            self.reason = "every user was asked"
        elif self._precise():
            self.reason = f"every difference is known to ± {self.stopping.precision:g} stars"
        else:
            return self._affordable(left)
        return 0

    def count(self, users: int, exposures: int, seconds: float, tokens: int, width: float) -> None:
        """Enter a finished wave and the widest half-interval of all differences so far."""
        self.asked += users
        self.spent = self.spent.plus(exposures, seconds, tokens)
        self.half_width = width

    @property
    def cost(self) -> float:
        """What the prices make of the time and the tokens."""
        prices = self.stopping
        hours, millions = self.spent.seconds / 3600, self.spent.tokens / 1e6
        return prices.price_per_hour * hours + prices.price_per_million_tokens * millions

    def report(self) -> dict[str, Any]:
        """Why the run stopped and what it cost, for JSON."""
        return {
            "reason": self.reason,
            "users": self.asked,
            "planned": self.num_users,
            "half_width": rounded(self.half_width),
            "exposures": self.spent.exposures,
            "seconds": round(self.spent.seconds, 3),
            "tokens": self.spent.tokens,
            "cost": round(self.cost, 6),
        }

    def _precise(self) -> bool:
        wanted = self.stopping.precision
        return wanted is not None and self.half_width <= wanted

    def _affordable(self, left: int) -> int:
        if not self.stopping.limited:
            return left
        wave = min(left, self.stopping.wave)
        for name, limit, spent, per_user in self._budgets():
            wave = min(wave, int((limit - spent) / per_user) if per_user > 0 else wave)
            if wave < 1:
                self.reason = f"the budget of {limit:g} {name} is spent"
                return 0
        return wave

    def _budgets(self) -> list[tuple[str, float, float, float]]:
        """Name, limit, spent and what another user costs: at most, or on average so far."""
        limits = self.stopping
        found: list[tuple[str, float, float, float]] = []
        if limits.exposures is not None:
            spent = self.spent.exposures
            found.append(("exposures", limits.exposures, spent, self.most_exposures))
        asked = max(self.asked, 1)
        if limits.seconds is not None:
            found.append(
                ("seconds", limits.seconds, self.spent.seconds, self.spent.seconds / asked)
            )
        if limits.cost is not None:
            found.append(("cost", limits.cost, self.cost, self.cost / asked))
        return found

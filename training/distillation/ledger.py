"""What was paid: tokens and cost, under a limit that is checked before a request leaves.

It knows no server. A request reserves the most it can cost; what it did cost is booked when its
answer comes, and one whose answer was lost is booked at its most.
"""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

_MILLION = 1_000_000


class TokenCount(NamedTuple):
    """Tokens read and written by the model."""

    input: int
    output: int


@dataclass(frozen=True)
class Prices:
    """Cost of a million tokens, in any one currency; 0 on your own server.

    Raises:
        ValueError: a price is negative or no number.
    """

    input: float
    output: float

    def __post_init__(self) -> None:
        for name in ("input", "output"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(
                    f"{name}_price wanted the cost of a million tokens, 0 or more, got {value!r}"
                )

    def cost(self, tokens: TokenCount) -> float:
        """Cost of these tokens."""
        return (self.input * tokens.input + self.output * tokens.output) / _MILLION


class OverBudgetError(RuntimeError):
    """The next request could exceed ``max_cost``; nothing was sent."""


class Spending(NamedTuple):
    """What a run cost."""

    answers: int  # paid in this run
    input_tokens: int
    output_tokens: int
    unheard: int  # requests without an answer or a token count, booked at their most
    unheard_cost: float
    cost: float  # of all of these
    cached_answers: int  # paid for by earlier runs
    max_cost: float | None


@dataclass
class Bill:
    """One request's outcome, filled in by who sends it."""

    used: TokenCount | None = None  # what the server counted
    refused: bool = False  # the server said no, or was never reached: nothing to pay


@dataclass
class Ledger:
    """Books every request of a run; safe between threads.

    Args:
        prices: of a million tokens.
        max_cost: what all requests together may cost; None = no limit.

    Raises:
        ValueError: the limit is negative or no number.
    """

    prices: Prices
    max_cost: float | None
    _answers: int = 0
    _tokens: TokenCount = field(default_factory=lambda: TokenCount(0, 0))
    _unheard: int = 0
    _unheard_cost: float = 0.0
    _cached: int = 0
    _open: float = 0.0  # the most that requests on their way can cost
    _num_open: int = 0
    _change: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        if self.max_cost is not None and not (math.isfinite(self.max_cost) and self.max_cost >= 0):
            raise ValueError(
                f"max_cost wanted 0 or more, or null for no limit, got {self.max_cost!r}"
            )

    @property
    def cost(self) -> float:
        """Booked so far."""
        return self.prices.cost(self._tokens) + self._unheard_cost

    @contextmanager
    def request(self, most: TokenCount) -> Iterator[Bill]:
        """Reserve for one request and book what its bill says at the end.

        Waits where requests on their way might leave enough.

        Args:
            most: upper bounds of its tokens.

        Raises:
            OverBudgetError: it could exceed the limit.
        """
        reserved, bill = self.prices.cost(most), Bill()
        self._reserve(reserved)
        try:
            yield bill
        finally:
            with self._change:
                self._open -= reserved
                self._num_open -= 1
                if bill.used is not None:
                    self._answers += 1
                    self._tokens = TokenCount(*map(sum, zip(self._tokens, bill.used, strict=True)))
                elif not bill.refused:
                    self._unheard += 1
                    self._unheard_cost += reserved
                self._change.notify_all()

    def cached(self) -> None:
        """Note an answer that was paid for earlier."""
        with self._change:
            self._cached += 1

    def spending(self) -> Spending:
        """The books."""
        with self._change:
            unheard = self._unheard, self._unheard_cost
            return Spending(
                self._answers, *self._tokens, *unheard, self.cost, self._cached, self.max_cost
            )

    def _reserve(self, cost: float) -> None:
        with self._change:
            while self.max_cost is not None and self.cost + self._open + cost > self.max_cost:
                if not self._num_open or self.cost + cost > self.max_cost:
                    raise OverBudgetError(
                        f"stopped before max_cost={self.max_cost:g}: {self.cost:.4f} is spent and"
                        f" the next request could cost {cost:.4f}; run it again with a higher"
                        " max_cost and nothing paid for is paid again"
                    )
                self._change.wait()
            self._open += cost
            self._num_open += 1

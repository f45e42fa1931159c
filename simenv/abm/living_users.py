"""What some users can do beyond a ``UserModel``: change as they live, and know who they were.

A society asks for it by ``isinstance`` and goes without where users cannot; it knows none of the
language models behind them.
"""

from time import perf_counter
from typing import Protocol, runtime_checkable

import numpy as np

from simenv.events import IntArray
from simenv.user_model import UserModel


@runtime_checkable
class Reflects(Protocol):
    """User models whose people can write their profile anew from what they remember."""

    def reflect(self, users: IntArray, tick: int) -> None:
        """The users (n,) think over who they are."""
        ...


@runtime_checkable
class Refreshes(Protocol):
    """User models whose people's language model can be trained further on what they decided."""

    def refresh(self, tick: int) -> None:
        """Train, and go on with what came out where it is no worse."""
        ...


class ProfileVersion(Protocol):
    """A profile and the tick from which on it held; 0 = from the start."""

    tick: int
    profile: str


@runtime_checkable
class KeepsVersions(Protocol):
    """User models whose people change, and remember who they were."""

    def versions(self, user: int) -> list[ProfileVersion]:
        """Every profile of a user, oldest first."""
        ...


def reflect_if_due(user_model: UserModel, tick: int, every: int, unreflected: IntArray) -> None:
    """Users with ``every`` ratings or more since they last reflected do so.

    Args:
        user_model: nothing happens where its people cannot reflect.
        tick: now.
        every: ratings; 0 = never.
        unreflected: (U,) ratings since then; back to 0 for those who reflect.
    """
    if every and isinstance(user_model, Reflects):
        due = np.flatnonzero(unreflected >= every)
        if len(due):
            user_model.reflect(due, tick)
            unreflected[due] = 0


def refresh_if_due(user_model: UserModel, tick: int, every: int) -> float:
    """Train the users' language model in every ``every``-th tick (0 = never); returns seconds."""
    started = perf_counter()
    if every and tick % every == 0 and isinstance(user_model, Refreshes):
        user_model.refresh(tick)
    return perf_counter() - started

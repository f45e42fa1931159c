"""What some users can do beyond a ``UserModel``: change as they live, and know who they were.

A society asks for it by ``isinstance`` and goes without where users cannot; it knows none of the
language models behind them.
"""

from typing import Protocol, runtime_checkable

from simenv.events import IntArray


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

"""The seam between the world and whoever answers for its users."""

from typing import NamedTuple, Protocol, runtime_checkable

from simenv.events import Feedback, IntArray, SeedArray, Slates


class UserModel(Protocol):
    """Users as a batch. ``respond`` and ``remember`` are two verbs so that questions are free."""

    @property
    def num_users(self) -> int:
        """How many users exist; ids are ``[0, num_users)``."""
        ...

    def reset(self) -> None:
        """Go back to the state at construction: memories, sessions, everything."""
        ...

    def respond(self, users: IntArray, slates: Slates, seeds: SeedArray) -> Feedback:
        """Answer slates (n, k) as users (n,) with seeds (n,); changes nothing.

        An answer depends only on the user's own state, the slate and the seed, never on who else
        is in the batch.
        """
        ...

    def remember(self, users: IntArray, slates: Slates, feedback: Feedback) -> None:
        """Take feedback into the users' state; the only method that changes anything."""
        ...

    def start_session(self, users: IntArray) -> None:
        """The users (n,) come back: session state (satisfaction, patience) starts afresh."""
        ...

    def snapshot(self) -> bytes:
        """The exact state: memories and sessions."""
        ...

    def restore(self, snapshot: bytes) -> None:
        """Bring back the state that ``snapshot`` returned."""
        ...


class Explanation(NamedTuple):
    """What a user knew when a slate came, in words."""

    profile: str  # Ms
    recalled: list[str]  # (k,) what Ml brought back for each place, "" = nothing


@runtime_checkable
class Explains(Protocol):
    """User models that can say what they know; rendering asks, nothing else does."""

    def explain(self, users: IntArray, items: IntArray) -> list[Explanation]:
        """What users (n,) bring to items (n, k); changes nothing."""
        ...

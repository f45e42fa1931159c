"""The seam between the world and whoever answers for its users, and the truth if it is known."""

from typing import NamedTuple, Protocol, runtime_checkable

from simenv.events import Feedback, FloatArray, IntArray, SeedArray, Slates


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
        """The exact state: memories and sessions.

        ``simenv.snapshot_differences`` keeps a later one as what changed since an earlier one.
        """
        ...

    def restore(self, snapshot: bytes) -> None:
        """Bring back the state that ``snapshot`` returned."""
        ...


@runtime_checkable
class LivesAnew(Protocol):
    """User models whose users carry something from visit to visit that a new life is without."""

    def start_life(self, users: IntArray) -> None:
        """The users (n,) begin a life; ``start_session`` is called after it."""
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


class RecalledMemory(NamedTuple):
    """A past decision that an item brings to mind."""

    title: str
    stars: float
    reason: str
    similarity: float  # to the item asked about, in [-1, 1]
    in_full: bool  # it stands in the prompt as it is; else it is summed up with others


class Piece(NamedTuple):
    """A token of a prompt."""

    text: str
    cached: bool  # it was not computed for this question


class Question(NamedTuple):
    """One question to one user, whole."""

    prompt: str
    adapter: str | None  # None = the base model
    recalled: list[RecalledMemory]
    chances: FloatArray  # (5,) of one to five stars; NaN = failed
    pieces: list[Piece]  # of the prompt; empty where whoever answers does not say
    cached_tokens: int | None  # None = not known


@runtime_checkable
class Questions(Protocol):
    """User models that can show what they ask and are answered."""

    def question(self, user: int, item: int, chosen: bool = False) -> Question:
        """Ask about one item as in life, and tell all of it; changes no memory."""
        ...


class Truth(Protocol):
    """What users really think of items."""

    def probabilities(self, users: IntArray, items: IntArray) -> FloatArray:
        """Distribution over stars of users (n,) for items (n, k): (n, k, 5)."""
        ...


class WorldTruth(Truth, Protocol):
    """The truth of a made world, which also says who its users are; no real log has one."""

    @property
    def activity(self) -> IntArray:
        """(num_users,) trait level 1, 2 or 3."""
        ...

    @property
    def conformity(self) -> FloatArray:
        """(num_users,) in [0, 1): how much users go by what everybody sees."""
        ...

    @property
    def noise_sd(self) -> float:
        """Stars: scale of the noise around a user's utility, > 0."""
        ...

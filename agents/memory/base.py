"""What a person recalls (long-term memory, Ml): past decisions with reasons, found by similarity.

The seam, and the memories behind it: ``ExactMemory`` is the reference in plain numpy,
``TableMemory`` the same with similarities looked up, ``FaissMemory`` the same behind FAISS. All
keep the decisions in the same arrays; only the search differs.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from agents.embedding import Vectors
from agents.memory.exact import ExactMemory, TableMemory
from agents.memory.faiss_memory import FaissMemory
from agents.memory.search import Recalled
from simenv.events import FloatArray, IntArray

__all__ = ["ExactMemory", "FaissMemory", "MakeMemory", "Memory", "Recalled", "TableMemory"]


class Memory(Protocol):
    """The seam between people and whatever keeps their past; ``agents.testing.memory`` tests it.

    A user's decisions stand in the order they were made; the place of one is its ``row``.
    """

    def add(
        self,
        users: IntArray,
        items: IntArray,
        ratings: FloatArray,
        reasons: Sequence[str],
    ) -> None:
        """Append decisions (r,) in the order given; over a user's budget the least useful goes.

        Raises:
            ValueError: the columns differ in length; nothing is added.
        """
        ...

    def recall(self, users: IntArray, items: IntArray, m: int) -> Recalled:
        """Own memories of users (n,) most similar to items (n, k); never of the item itself.

        Equal similarities: the more recent decision comes first. Changes nothing.

        Raises:
            ValueError: fewer than one memory is wanted.
        """
        ...

    def reason(self, user: int, row: int) -> str:
        """The reason kept with a user's ``row``-th decision."""
        ...

    def decisions(self, user: int) -> list[tuple[int, float, str]]:
        """A user's decisions in order: (item, rating, reason)."""
        ...

    def count(self, users: IntArray) -> IntArray:
        """(n,) decisions each user keeps."""
        ...

    def __len__(self) -> int:
        """How many decisions are kept, over all users."""
        ...

    @property
    def num_bytes(self) -> int:
        """Of the decisions and their reasons; item vectors and search indexes not counted."""
        ...

    def seal(self) -> None:
        """Make the present content the one that ``reset`` goes back to."""
        ...

    def reset(self) -> None:
        """Go back to the content of ``seal``; to nothing where there was none."""
        ...

    def snapshot(self) -> bytes:
        """The exact content; equal contents give equal bytes."""
        ...

    def restore(self, snapshot: bytes) -> None:
        """Bring back what ``snapshot`` returned; what ``reset`` goes back to stays.

        Raises:
            ValueError: the bytes are no snapshot, or one of another number of users; nothing
                changes.
        """
        ...


# (unit vectors (num_items, d), num_users) -> an empty memory
MakeMemory = Callable[[Vectors, int], Memory]

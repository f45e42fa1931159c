"""What a person recalls (long-term memory, Ml): past decisions with reasons, found by similarity.

The seam, and the memories behind it: ``ExactMemory`` is the reference in plain numpy,
``TableMemory`` the same with similarities looked up, ``FaissMemory`` the same behind FAISS. All
keep the decisions in the same arrays; only the search differs.
"""

from collections.abc import Sequence
from typing import Protocol

from agents.memory.exact import ExactMemory, TableMemory
from agents.memory.faiss_memory import FaissMemory
from agents.memory.search import Recalled
from simenv.events import FloatArray, IntArray

__all__ = ["ExactMemory", "FaissMemory", "Memory", "Recalled", "TableMemory"]


class Memory(Protocol):
    """The seam between people and whatever keeps their past."""

    def add(
        self,
        users: IntArray,
        items: IntArray,
        ratings: FloatArray,
        reasons: Sequence[str],
    ) -> None:
        """Append decisions (r,) in the order given; over a user's budget the least useful goes."""
        ...

    def recall(self, users: IntArray, items: IntArray, m: int) -> Recalled:
        """Own memories of users (n,) most similar to items (n, k); never of the item itself.

        Raises:
            ValueError: fewer than one memory is wanted.
        """
        ...

    def reason(self, user: int, row: int) -> str:
        """The reason kept with a user's ``row``-th decision."""
        ...

    def snapshot(self) -> bytes:
        """The exact content."""
        ...

    def restore(self, snapshot: bytes) -> None:
        """Bring back what ``snapshot`` returned."""
        ...

    def reset(self) -> None:
        """Forget everything added since construction."""
        ...

    def __len__(self) -> int:
        """How many decisions are kept, over all users."""
        ...

"""Questions that people answered, word for word, and the stars they gave; the latest of each.

What was asked was written before the decision became a memory, so an entry never holds its own
answer: neither among what was recalled, nor in the profile, nor in the averages.
"""

import json
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from agents.inference.engine import Request
from simenv.events import FloatArray, IntArray


class DiaryEntry(NamedTuple):
    """One decision."""

    prefix: str  # Ms, as it was then
    suffix: str  # what was recalled, and the item
    stars: int  # 1..5, as given


class Diary:
    """Entries of every user, oldest first.

    Args:
        num_users: users 0..num_users-1.
        most: entries kept of a user, at least 1; the oldest goes.
    """

    def __init__(self, num_users: int, most: int) -> None:
        self._entries: list[deque[DiaryEntry]] = [deque(maxlen=most) for _ in range(num_users)]

    def write(self, users: IntArray, asked: Sequence[Request], stars: FloatArray) -> None:
        """Users (r,) were asked (r,) and gave stars (r,)."""
        for user, request, given in zip(users.tolist(), asked, stars.tolist(), strict=True):
            self._entries[user].append(DiaryEntry(request.prefix, request.suffix, round(given)))

    def of(self, user: int) -> list[DiaryEntry]:
        """A user's entries, oldest first."""
        return list(self._entries[user])

    def clear(self) -> None:
        """Forget everything."""
        for entries in self._entries:
            entries.clear()

    def snapshot(self) -> str:
        """The exact content; a prefix that stands on many entries is kept once."""
        places: dict[str, int] = {}
        rows = [
            [user, places.setdefault(entry.prefix, len(places)), entry.suffix, entry.stars]
            for user, entries in enumerate(self._entries)
            for entry in entries
        ]
        return json.dumps({"prefixes": list(places), "pages": rows})

    def restore(self, snapshot: str) -> None:
        """Bring back what ``snapshot`` returned."""
        self.clear()
        saved = json.loads(snapshot)
        for user, prefix, suffix, stars in saved["pages"]:
            self._entries[user].append(DiaryEntry(saved["prefixes"][prefix], suffix, stars))

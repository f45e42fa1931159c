"""Questions that people answered, word for word, and the stars they gave; the latest of each.

What was asked was written before the decision became a memory, so an entry never holds its own
answer: neither among what was recalled, nor in the profile, nor in the averages.
"""

import json
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from agents.inference.engine import Past, PastDecision, Request
from simenv.events import FloatArray, IntArray


class DiaryEntry(NamedTuple):
    """One decision."""

    prefix: str  # Ms, as it was then
    suffix: str  # what was recalled, and the item
    stars: int  # 1..5, as given
    item: str = ""  # of what is read in blocks
    past: Past = ()

    def request(self, adapter: str | None) -> Request:
        """The question once more, to another adapter."""
        return Request(self.prefix, self.suffix, adapter, 0, self.item, self.past)


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
            told = request.prefix, request.suffix, round(given), request.item, request.past
            self._entries[user].append(DiaryEntry(*told))

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
        texts: dict[str, int] = {}  # of blocks, which many entries share
        rows = [
            [
                user,
                places.setdefault(entry.prefix, len(places)),
                entry.suffix,
                entry.stars,
                *(texts.setdefault(text, len(texts)) for text in _texts(entry)),
            ]
            for user, entries in enumerate(self._entries)
            for entry in entries
        ]
        return json.dumps({"prefixes": list(places), "pages": rows, "texts": list(texts)})

    def restore(self, snapshot: str) -> None:
        """Bring back what ``snapshot`` returned."""
        self.clear()
        saved = json.loads(snapshot)
        for user, prefix, suffix, stars, *rest in saved["pages"]:
            item, *past = [saved["texts"][place] for place in rest] or [""]
            pairs = zip(past[::2], past[1::2], strict=True)
            memories = tuple(PastDecision(*pair) for pair in pairs)
            told = saved["prefixes"][prefix], suffix, stars, item, memories
            self._entries[user].append(DiaryEntry(*told))


def _texts(entry: DiaryEntry) -> list[str]:
    """The texts of an entry that is read in blocks: its item, then item and text of memories."""
    told = [text for decision in entry.past for text in decision]
    return [entry.item, *told] if entry.item else []

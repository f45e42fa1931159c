"""What hostile inputs came to: tests say it here, ``tests/attack.py`` makes a table of it."""

from collections import Counter
from typing import Literal

COUNTS: Counter[tuple[str, str]] = Counter()


def tally(kind: str, came_to: Literal["worked", "refused"]) -> None:
    """Count one input of a kind that worked rightly, or was refused in our own words."""
    COUNTS[kind, came_to] += 1

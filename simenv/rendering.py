"""A slate and its answer in words, for people who watch."""

from typing import Any

from simenv.catalog import Catalog
from simenv.events import IntArray


def describe_slate(
    catalog: Catalog, user: int, items: IntArray | None, info: dict[str, Any], row: int
) -> str:
    """What the last slate of one row was and what came of it.

    Args:
        catalog: for the titles.
        user: who sits in the row now.
        items: (n, k) the last slates; None before the first one.
        info: of the step that showed them, with masks.
        row: which one.
    """
    if items is None or not info["_user"][row] or not info["_ratings"][row]:
        return f"user {user}: nothing shown yet"
    lines = [f"user {info['user'][row]}:"]
    for place, item in enumerate(items[row].tolist()):
        taken = bool(info["taken"][row, place])
        verdict = f"watched, {info['ratings'][row, place]:.0f} stars" if taken else "passed over"
        expected = info["expected"][row, place]
        lines.append(f"  {place + 1}. {catalog.titles[item]} (expected {expected:.2f}): {verdict}")
    return "\n".join(lines)

"""Figures and settings as trackers keep them: flat names, numbers, series. It knows no tracker."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_ODD = re.compile(r"[^\w./ -]+", re.ASCII)
_NAMES = ("name", "label", "policy", "setting", "title")  # what an entry of a list is called by
_LONGEST = 200  # characters of a name


class Figure(NamedTuple):
    """One number, or one of a series."""

    name: str
    value: float
    step: int  # place in its series; 0 for a number alone


def figures_of(results: Mapping[str, Any]) -> list[Figure]:
    """Every number of a result but its provenance, under the path that leads to it.

    Entries of a list go by their ``name``; a list of numbers is a series. Signs that trackers
    refuse become ``_``, and of two names that are then alike the second is numbered.

    Args:
        results: what ``results.json`` holds.
    """
    shown = {key: value for key, value in results.items() if key != "provenance"}
    taken: dict[str, str] = {}  # name → the path that it stands for
    return [
        Figure(_free(path, taken), float(value), step)
        for path, value, step in _numbers(shown, "")
        if math.isfinite(value)
    ]


def settings_of(config: Mapping[str, Any]) -> dict[str, str]:
    """A config as dotted names with values as texts."""
    found: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            found |= {f"{key}.{name}": text for name, text in settings_of(value).items()}
        else:
            found[str(key)] = str(value)
    return found


def _numbers(node: Any, path: str) -> Iterator[tuple[str, float, int]]:
    if isinstance(node, bool | int | float):
        yield path, node, 0
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _numbers(value, f"{path}/{key}" if path else str(key))
    elif isinstance(node, list | tuple):
        yield from _of_list(node, path)


def _of_list(node: Any, path: str) -> Iterator[tuple[str, float, int]]:
    if node and all(isinstance(one, int | float) or one is None for one in node):
        yield from ((path, one, place) for place, one in enumerate(node) if one is not None)
        return
    for place, one in enumerate(node):
        named = one if isinstance(one, Mapping) else {}
        name = next((named[key] for key in _NAMES if isinstance(named.get(key), str)), place)
        yield from _numbers(one, f"{path}/{name}")


def _free(path: str, taken: dict[str, str]) -> str:
    """A name for a path that no other path has."""
    parts = (_ODD.sub("_", part).strip(" .") or "_" for part in path.split("/"))
    base = name = "/".join(parts)[:_LONGEST]
    count = 2
    while taken.setdefault(name, path) != path:
        name = f"{base}_{count}"
        count += 1
    return name

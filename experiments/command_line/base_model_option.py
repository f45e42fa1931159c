"""The option ``slm`` names the base model wherever an experiment has one; it is never ignored."""

from collections.abc import Mapping, Set
from typing import Any

from experiments.command_line.options import OptionError

_PLACES = (
    "users.model",
    "experiment.slm",
    "experiment.base.same_rows",
    "experiment.base.population",
)


def check_base_model(config: Mapping[str, Any], uses: Set[str] | None) -> None:
    """Refuse a base model that nobody would run on.

    Args:
        config: resolved, as plain dicts and lists; not changed.
        uses: common options of the experiment; None = all of them.

    Raises:
        OptionError: naming the option that is in the way.
    """
    slm = config.get("slm")
    if slm is None:
        return
    there = _places(config, uses)
    if slm in there.values():
        return
    if not there:
        raise OptionError(
            f"slm={slm} would change nothing: these users run on no language model; take"
            " users=persona, or leave slm out"
        )
    place, value = next(iter(there.items()))
    raise OptionError(f"slm={slm} and {place}={value} name two base models; leave one out")


def _places(config: Mapping[str, Any], uses: Set[str] | None) -> dict[str, Any]:
    """Where the experiment reads a base model's name → what stands there."""
    used = [p for p in _PLACES if p != "users.model" or uses is None or "users" in uses]
    named = {place: _value(config, place) for place in used}
    return {place: value for place, value in named.items() if value is not _MISSING}


_MISSING = object()


def _value(config: Mapping[str, Any], place: str) -> Any:
    node: Any = config
    for part in place.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return _MISSING
        node = node[part]
    return node

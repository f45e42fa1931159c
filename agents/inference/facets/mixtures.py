"""How an adapter's facets are mixed for one person, written as the name that a request asks for.

An adapter of K facets is one LoRA of rank K·r whose ranks belong to facets, r each. Its gate is K
weights that sum to 1; the name ``facets:0.75,0.25`` asks for the adapter ``facets`` mixed so. All
that is kept under an adapter's name (prefixes, answers, records) is thus kept under the gate too.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_MARK = ":"  # in no adapter's own name
_DIGITS = 6  # a gate is told to a millionth, so that equal names are equal mixtures
_OFF = 1e-4  # from 1, at most, that a gate's sum may be

Gate = tuple[float, ...]


class Mixture(NamedTuple):
    """An adapter, and how its facets are mixed; no gate = an ordinary adapter."""

    adapter: str | None
    gate: Gate = ()


def check_gate(gate: Sequence[float], what: str) -> Gate:
    """The gate, if it is one.

    Raises:
        ValueError: a weight is negative or no number, or they do not sum to 1.
    """
    weights = tuple(float(weight) for weight in gate)
    if not all(math.isfinite(w) and w >= 0 for w in weights) or abs(sum(weights) - 1) > _OFF:
        shown = ", ".join(f"{w:g}" for w in weights[:8])
        raise ValueError(
            f"{what} wanted a gate of weights >= 0 that sum to 1, got ({shown}), sum"
            f" {sum(weights):g}; divide them by their sum, or train the facets again"
        )
    return weights


def mixture_name(adapter: str | None, gate: Sequence[float]) -> str | None:
    """What a request asks for; the adapter's own name without a gate.

    Raises:
        ValueError: the gate is none; see ``check_gate``.
    """
    if adapter is None or not len(gate):
        return adapter
    weights = ",".join(f"{w:.{_DIGITS}f}" for w in check_gate(gate, f"adapter {adapter!r}"))
    return f"{adapter}{_MARK}{weights}"


@lru_cache(maxsize=2**16)
def read_mixture(name: str | None) -> Mixture:
    """The adapter and the gate that a name asks for.

    Raises:
        ValueError: what follows the mark is no gate.
    """
    if name is None or _MARK not in name:
        return Mixture(name)
    adapter, _, weights = name.partition(_MARK)
    try:
        gate = tuple(float(weight) for weight in weights.split(","))
    except ValueError as error:
        raise ValueError(
            f"a mixture wanted an adapter and weights, as facets:0.75,0.25, got {name!r}; write it"
            " with mixture_name"
        ) from error
    return Mixture(adapter, check_gate(gate, f"adapter {adapter!r}"))


def adapter_of(name: str | None) -> str | None:
    """The adapter that a name asks for, mixed or not."""
    return read_mixture(name).adapter


def refuse_mixture(name: str | None) -> None:
    """Refuse a name that a server is asked for and that asks for a mixture.

    Raises:
        ValueError: it does.
    """
    if read_mixture(name).gate:
        raise ValueError(
            f"a server wanted an adapter's name, got the mixture {name!r}, and servers mix no"
            " facets; use engine=local, or people with persona adapters"
        )

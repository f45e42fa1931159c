"""Refuses requests that do not ask for adapters as they are made. It knows no model."""

from collections.abc import Iterable, Mapping, Sequence

from agents.inference.engine import UnknownAdapterError
from agents.inference.facets.mixtures import read_mixture


def check_asked(
    names: Iterable[str | None], adapters: Sequence[str], facets: Mapping[str, int]
) -> None:
    """Refuse names that do not ask for loaded adapters as they are; ``facets``: how many each has.

    Raises:
        UnknownAdapterError: an adapter is not loaded.
        ValueError: the gate has not a weight for each facet, or the adapter has none to mix.
    """
    for name in {*names} - {None}:
        adapter, gate = read_mixture(name)
        if adapter is None or adapter not in adapters:
            raise UnknownAdapterError(str(adapter), adapters)
        wanted = facets.get(adapter, 0)
        if len(gate) != wanted:
            raise ValueError(
                f"adapter {adapter!r} has {wanted} facets and wanted a gate of as many weights, got"
                f" {len(gate)}; ask with the gate that came with it (Persona.gate)"
            )

"""People with something taken away: what of them does a result rest on?

One line each: ``personarec experiment=policy_ranking users.ablation=no_ml``; all at once with
``users.ablation=none,no_ms,no_ml -m`` and ``personarec experiment=collect``.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from agents.assembly import without
from agents.population.population import Population

_SEED = 61  # of the shuffle


def ablated(population: Population, ablation: str) -> Population:
    """``population`` without something; it is not changed itself.

    Args:
        population: whose people they are.
        ablation: ``none``, ``no_ms`` (no profile), ``no_ml`` (no memories), ``no_adapter``,
            ``shared_adapter`` (the most frequent one for everybody) or ``shuffled_adapters`` (each
            person gets a group's adapter that is not their own, at random).

    Raises:
        ValueError: no such ablation, or it needs more adapters than the people have.
    """
    if ablation not in ABLATIONS:
        raise ValueError(f"users.ablation wanted one of {', '.join(ABLATIONS)}, got {ablation!r}")
    return ABLATIONS[ablation](population)


def _no_adapter(population: Population) -> Population:
    return _with_adapters(population, [None] * len(population.personas), "no_adapter", 1)


def _shared(population: Population) -> Population:
    names, counts = np.unique([p.adapter or "" for p in population.personas], return_counts=True)
    order = [str(name) for name in names[np.argsort(-counts, kind="stable")] if name]
    shared = order[0] if order else None
    return _with_adapters(population, [shared] * len(population.personas), "shared_adapter", 1)


def _shuffled(population: Population) -> Population:
    names = sorted(population.adapters)
    rng = np.random.default_rng(_SEED)
    others = [[n for n in names if n != p.adapter] for p in population.personas]
    drawn = [str(rng.choice(own)) if own else None for own in others]
    return _with_adapters(population, drawn, "shuffled_adapters", 2)


def _with_adapters(
    population: Population, adapters: list[str | None], ablation: str, least: int
) -> Population:
    if len(population.adapters) < least:
        raise ValueError(
            f"users.ablation={ablation} wanted people with at least {least} adapters,"
            f" {population.name!r} has {len(population.adapters)}; name a population that has them"
            " with users.population=PATH"
        )
    personas = [
        replace(persona, adapter=name)
        for persona, name in zip(population.personas, adapters, strict=True)
    ]
    return replace(population, personas=personas)


ABLATIONS: dict[str, Callable[[Population], Population]] = {
    "none": lambda population: population,
    "no_ms": lambda population: without(population, persona=True),
    "no_ml": lambda population: without(population, memory=True),
    "no_adapter": _no_adapter,
    "shared_adapter": _shared,
    "shuffled_adapters": _shuffled,
}

"""How a trait enters people who are otherwise the same: as words before their profile, or as an
adapter. It asks nobody.
"""  # noqa: D205

from dataclasses import dataclass, replace

from agents.inference.facets.mixtures import mixture_name
from agents.interviews.asking import Interviewee
from agents.interviews.conditioning import factor_context
from agents.persona import Persona
from agents.population.population import Population
from agents.prompts import persona_prefix

POLES = ("low", "none", "high")
_LEVELS = {"low": -2, "high": 2}


@dataclass(frozen=True)
class Condition:
    """A factor's pole, and the adapter that brings it; None = words do."""

    factor: str  # a letter of ``FACTORS``; empty = nothing is imposed
    pole: str  # of ``POLES``
    adapter: str | None = None


UNCONDITIONED = Condition("", "none")


def conditioned(population: Population, condition: Condition) -> Population:
    """The same people with a trait.

    Args:
        population: is not changed.
        condition: the trait; words are put before everybody's profile, an adapter takes the place
            of everybody's own.

    Raises:
        ValueError: the population does not hold the adapter, or a profile gets longer than 2,000
            words.
    """
    if condition.pole == "none":
        return population
    if condition.adapter is not None and condition.adapter not in population.adapters:
        held = ", ".join(sorted(population.adapters)) or "none"
        raise ValueError(
            f"population {population.name!r} wanted an adapter it holds for {condition.factor}"
            f" ({condition.pole}), got {condition.adapter!r} (held: {held}); add it to the"
            " population, or leave it out and words impose the trait"
        )
    changed = [_with(persona, condition) for persona in population.personas]
    return replace(population, personas=changed)


def interviewee(population: Population, user: int) -> Interviewee:
    """A person as an interview meets them: told and adapted as in the environment."""
    persona = population.personas[user]
    prefix = persona_prefix(persona, population.catalog.kind, population.style)
    who = prefix.partition("TASK:")[0].strip()
    return Interviewee(str(user), who, mixture_name(persona.adapter, persona.gate))


def _with(persona: Persona, condition: Condition) -> Persona:
    if condition.adapter is not None:
        return replace(persona, adapter=condition.adapter, gate=())
    words = factor_context(condition.factor, _LEVELS[condition.pole]).replace("\n", " ")
    return replace(persona, profile=f"{words} {persona.profile}")

"""How a trait enters people who are otherwise the same: as words before their profile, or as an
adapter. It asks nobody.
"""  # noqa: D205

from dataclasses import dataclass, replace

from agents.inference.facets.mixtures import mixture_name
from agents.interviews.asking import Interviewee
from agents.interviews.conditioning import factor_context
from agents.persona import Persona
from agents.population.population import Population
from agents.prompt_budget import budget_of
from agents.prompts import persona_prefix
from simenv.events import IntArray

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
        raise _not_held(population, condition)
    changed = [_with(persona, condition) for persona in population.personas]
    return replace(population, personas=changed)


def interviewees(population: Population, people: IntArray) -> list[Interviewee]:
    """People (n,) as an interview meets them: told, within the same budget of tokens, and adapted
    as in the environment.
    """  # noqa: D205
    domain, style = population.catalog.domain, population.style
    budget = budget_of(style, population.model)
    found = []
    for user in people.tolist():
        persona = population.personas[user]
        who = persona_prefix(persona, domain, style, budget).partition("TASK:")[0].strip()
        found.append(Interviewee(str(user), who, mixture_name(persona.adapter, persona.gate)))
    return found


def _not_held(population: Population, condition: Condition) -> ValueError:
    held = ", ".join(sorted(population.adapters)) or "none"
    return ValueError(
        f"population {population.name!r} wanted an adapter it holds for {condition.factor}"
        f" ({condition.pole}), got {condition.adapter!r} (held: {held}); add it to the"
        " population, or leave it out and words impose the trait"
    )


def _with(persona: Persona, condition: Condition) -> Persona:
    if condition.adapter is not None:
        return replace(persona, adapter=condition.adapter, gate=())
    words = factor_context(condition.factor, _LEVELS[condition.pole]).replace("\n", " ")
    return replace(persona, profile=f"{words} {persona.profile}")

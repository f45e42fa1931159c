"""The people of a population, interviewed as they rate films: with their profile and adapter."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from agents.inference.engine import Engine
from agents.interviews.asking import Interviewee, ask
from agents.interviews.frames import PLAIN, frame_of
from agents.interviews.instruments import Instrument
from agents.interviews.scores import trait_scores, types_of
from agents.personality.conditions import interviewees
from agents.population.folder import is_inside
from agents.population.measured_traits import (
    MeasuredTraits,
    TraitScale,
    kept_beside,
    read_traits,
    write_traits,
)
from agents.population.population import Population
from experiments.interviews.settings import Settings
from simenv.events import FloatArray

COLUMNS = ("population", "person", "instrument", "trait", "score", "type")


class Interviewed(NamedTuple):
    """What the first people of a population said of themselves."""

    rows: list[dict[str, Any]]  # a row a person and trait
    measured: list[MeasuredTraits]  # an entry an instrument


def interview_people(
    make: Callable[..., Engine], name: str, population: Population, settings: Settings
) -> Interviewed:
    """Expected points over the exact distribution, and the type, in one batch an instrument.

    Args:
        make: makes an engine of a model and its adapters.
        name: of the population, for the rows.
        population: whose people; not changed.
        settings: ``people`` says how many, the first ones.
    """
    count = min(settings.people, len(population.personas))
    people = interviewees(population, np.arange(count))
    of = population.person_keys
    keys = [of.key(persona) for persona in population.personas[:count]]
    found = Interviewed([], [])
    with closing(make(population.model, population.adapters)) as engine:
        frame = frame_of(engine) if settings.chat else PLAIN
        for instrument in settings.instruments:
            answers = ask(engine, people, instrument, settings.how(), frame)
            scores = trait_scores(instrument, answers.expected())
            measured = _measured(instrument, scores, keys, _told(settings))
            found.measured.append(measured)
            found.rows.extend(_rows(name, people, measured, keys))
    return found


def stored(folder: str, found: Interviewed) -> str:
    """Put the scores into ``traits.json`` of the population's own folder; where they went, or why
    they did not: what was measured is in the results anyway.
    """  # noqa: D205
    place = Path(folder)
    if not place.is_dir() or is_inside(place):
        return (
            "not stored: the population is on the hub or part of the package; save it to a folder"
        )
    try:
        write_traits(place, kept_beside(read_traits(place), found.measured))
    except OSError as error:
        return f"not stored: {error.strerror or error}"
    return "traits.json of its folder"


def _measured(
    instrument: Instrument, scores: FloatArray, keys: list[str], told: str
) -> MeasuredTraits:
    scales = tuple(
        TraitScale(trait.name, trait.title, float(least), float(most))
        for trait, (least, most) in zip(instrument.traits, instrument.scale, strict=True)
    )
    by_key = {key: tuple(own) for key, own in zip(keys, scores.tolist(), strict=True)}
    types = {}
    if instrument.scoring == "types":
        found = types_of(instrument, scores).tolist()
        types = dict(zip(keys, map(str, found), strict=True))
    return MeasuredTraits(instrument.name, told, scales, by_key, types)


def _told(settings: Settings) -> str:
    """How it was asked, in words."""
    return (
        f"options {settings.order}, {settings.rounds} rounds, wording {settings.wordings[0]},"
        f" {'chat' if settings.chat else 'plain'} frame, seed {settings.seed}"
    )


def _rows(
    name: str, people: list[Interviewee], measured: MeasuredTraits, keys: list[str]
) -> list[dict[str, Any]]:
    found = []
    for person, key in zip(people, keys, strict=True):
        kind = measured.types.get(key, "")
        for scale, score in zip(measured.scales, measured.scores[key], strict=True):
            values = (name, person.name, measured.instrument, scale.name, score, kind)
            found.append(dict(zip(COLUMNS, values, strict=True)))
    return found


def summed_up(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Population → instrument → trait → mean and spread over people; None where nobody answered."""
    found: dict[str, Any] = {}
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for (name, instrument, trait), own in table.groupby(["population", "instrument", "trait"]):
        known = own["score"].dropna()
        figures = {
            "people": len(own),
            "mean": round(float(known.mean()), 4) if len(known) else None,
            "sd": round(float(known.std()), 4) if len(known) > 1 else None,
        }
        found.setdefault(str(name), {}).setdefault(str(instrument), {})[str(trait)] = figures
    return found

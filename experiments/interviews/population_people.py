"""The people of a population, interviewed as they rate films: with their profile and adapter."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import pandas as pd

from agents.inference.engine import Engine
from agents.interviews.asking import Interviewee, ask
from agents.interviews.frames import PLAIN, frame_of
from agents.interviews.scores import trait_scores, types_of
from agents.population.population import Population
from experiments.interviews.settings import Settings

COLUMNS = ("population", "person", "instrument", "trait", "score", "type")


def interview_people(
    make: Callable[..., Engine], name: str, folder: str, settings: Settings
) -> list[dict[str, Any]]:
    """A row a person and trait: expected points over the exact distribution, and the type.

    Args:
        make: makes an engine of a model and its adapters.
        name: of the population, for the rows.
        folder: or hub id.
        settings: ``people`` says how many, the first ones.
    """
    population = Population.load(folder)
    people = [
        Interviewee(str(i), f"You are this person.\n{persona.profile}", persona.adapter)
        for i, persona in enumerate(population.personas[: settings.people])
    ]
    with closing(make(population.model, population.adapters)) as engine:
        return _rows(engine, name, people, settings)


def _rows(
    engine: Engine, name: str, people: list[Interviewee], settings: Settings
) -> list[dict[str, Any]]:
    found = []
    frame = frame_of(engine) if settings.chat else PLAIN
    for instrument in settings.instruments:
        answers = ask(engine, people, instrument, settings.how(), frame)
        scores = trait_scores(instrument, answers.expected())
        types = types_of(instrument, scores) if instrument.scoring == "types" else None
        for (i, t), score in np.ndenumerate(scores):
            own = "" if types is None else str(types[i])
            trait = instrument.traits[t].name
            values = (name, people[i].name, instrument.name, trait, float(score), own)
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

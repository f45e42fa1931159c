"""Is it this person? The same questions to the people with something of them changed or taken.

Every variant answers the same rows on the same engine as the people themselves; what its error
rises by is what the answers stood on.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from agents.fidelity.error_measures import mae, rmse, rmse_difference_interval
from agents.fidelity.held_out import rate
from agents.fidelity.variants import (
    masked_titles,
    shuffled_history,
    without_memory,
    without_profile,
)
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from experiments.alignment.asked import Asked, Rows, average_and_offset
from experiments.people.ablations import ablated
from experiments.people.in_anothers_place import swapped
from experiments.reporting.formatting import tidy
from experiments.reporting.progress import Tick
from simenv.events import FloatArray, IntArray, InteractionLog, expected_stars
from simenv.seeding import Stream, generator
from training.collaborative import peers_of
from training.distillation.tellers import teller

SWAP = "another's Ms and Ml"
KNOWN_ROWS = (0, 1, 2, 5, 10, 20, 50)


def some_people(rows: Rows, most_rows: int, seed: int) -> Rows:
    """All measured rows of people who are drawn until there are about so many rows."""
    return rows.take(np.isin(rows.log.users, some_users(rows.log, most_rows, seed)))


def some_users(log: InteractionLog, most_rows: int, seed: int) -> IntArray:
    """Who is drawn for ``some_people``, in no order."""
    users = generator(seed, Stream.VARIANT_USERS).permutation(np.unique(log.users))
    counts = np.bincount(log.users)[users]
    enough = int(np.searchsorted(np.cumsum(counts), most_rows)) + 1
    return users[:enough]


def variants(people: Population, seed: int) -> dict[str, Callable[[], Population]]:
    """Name → the people with something of them changed, made when it is asked."""
    found: dict[str, Callable[[], Population]] = {
        SWAP: lambda: swapped(people, seed),
        "shuffled history": lambda: shuffled_history(
            people, generator(seed, Stream.SHUFFLED_HISTORY)
        ),
        "masked titles": lambda: masked_titles(people),
        "no memory": lambda: without_memory(people),
        "no profile": lambda: without_profile(people),
    }
    if people.adapters:
        found["no adapter"] = lambda: ablated(people, "no_adapter")
    if len(people.adapters) > 1:
        found["another's adapter"] = lambda: ablated(people, "shuffled_adapters")
    return found


def rises(
    asked: Asked, rows: Rows, made: Mapping[str, Callable[[], Population]], tick: Tick
) -> dict[str, dict[str, Any]]:
    """Variant of ``made`` → its RMSE on these rows, and how much more that is than the people's."""
    log, own = rows.log, expected_stars(rows.chances) - rows.log.ratings
    found = {}
    for name, make in made.items():
        stars = _stars(asked.model, make(), log)
        answered = np.isfinite(stars)
        error = (stars - log.ratings)[answered]
        found[name] = {
            "rmse": rmse(error),
            "rise": rmse(error) - rmse(own[answered]),
            "rise_ci95": rmse_difference_interval(error, own[answered], log.users[answered]),
            "moved": mae((stars - expected_stars(rows.chances))[answered]),
            "rows": int(answered.sum()),
        }
        tick(name, advance=1)
    ready: dict[str, dict[str, Any]] = tidy(found)
    return ready


def cold_start(asked: Asked, rows: Rows, tick: Tick) -> dict[str, dict[str, Any]]:
    """Known ratings of a person → RMSE of the people, and of the average plus an own offset."""
    found = {}
    for known in KNOWN_ROWS:
        tick(f"{known} known ratings")
        stars = _stars(asked.model, knowing(asked, known), rows.log)
        answered = np.isfinite(stars)
        log = rows.log.take(answered)
        first = _first_rows(asked.dataset.train, known)
        plain = average_and_offset(asked.dataset.averages.fair, first, log)
        errors = stars[answered] - log.ratings, plain - log.ratings
        found[str(known)] = {
            "rmse": rmse(errors[0]),
            "average_and_offset_rmse": rmse(errors[1]),
            "difference_ci95": rmse_difference_interval(*errors, log.users),
        }
        tick(f"{known} known ratings", advance=1)
    ready: dict[str, dict[str, Any]] = tidy(found)
    return ready


def knowing(asked: Asked, known: int) -> Population:
    """The people as they would be if only the first ``known`` ratings of each were known.

    Profiles and reasons are written anew without a model; adapters, groups and gates stay, and so
    does what others think of the items.
    """
    people, dataset = asked.model.population, asked.dataset
    first = _first_rows(dataset.train, known)
    told = teller(people.style, dataset.catalog, dataset.averages).distil(first)
    personas = [
        replace(new, adapter=old.adapter, cluster=old.cluster, gate=old.gate)
        for new, old in zip(told.personas, people.personas, strict=True)
    ]
    peers = people.peers and peers_of(replace(dataset, train=first))
    return replace(people, personas=personas, history=first, reasons=told.reasons, peers=peers)


def _first_rows(log: InteractionLog, known: int) -> InteractionLog:
    return log.take(np.arange(len(log)) - log.offsets()[log.users] < known)


def _stars(model: PersonaUsers, people: Population, log: InteractionLog) -> FloatArray:
    """(r,) what ``people`` say in the place of those of ``model``; NaN = no answer."""
    changed = PersonaUsers(people, model.engine, model.make_memory, calibrated=False)
    return expected_stars(rate(changed, log))

"""The fidelity that a population's card states: on own later ratings, and on unseen worlds."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from omegaconf import DictConfig

from agents.assembly import persona_users
from agents.fidelity.held_out import against_truth, measure
from agents.population.population import Population
from experiments.reporting.progress import progress_bar
from simenv.data.dataset import Dataset
from simenv.data.synthetic import drawn_world, synthetic
from simenv.events import IntArray
from training.populate import population_from_dataset
from training.spreading import IN_THIS_PROCESS, Workers, one_by_one, values_of


def measure_people(
    people: Population,
    dataset: Dataset,
    settings: DictConfig,
    unseen: bool,
    workers: Workers = IN_THIS_PROCESS,
) -> dict[str, Any]:
    """Question → ``measure``: the people with and without adapters, and the base elsewhere.

    Args:
        people: of ``dataset``.
        dataset: whose held-out rows are asked about.
        settings: ``num_users`` asked, and the numbers of the unseen worlds.
        unseen: whether unseen worlds are asked about too.
        workers: that ask, each question whole on one of them.
    """
    own, num = "own later ratings", settings.num_users
    asked = {own: partial(_measured, people, dataset, num)}
    if people.adapters:
        asked[f"{own}, no adapters"] = partial(_measured, _bare(people), dataset, num)
    for seed in settings.unseen_worlds if unseen else ():
        asked[f"unseen world {seed}"] = partial(_elsewhere, people, synthetic, seed, num)
    for seed in settings.unseen_drawn_worlds if unseen else ():
        asked[f"unseen drawn world {seed}"] = partial(_elsewhere, people, drawn_world, seed, num)
    with progress_bar("fidelity", total=len(asked)) as tick, workers as spread:
        figures = {}
        for name, found in values_of((spread or one_by_one)(asked, tick)):
            figures[name] = found
            tick(name, advance=1)
    return {name: figures[name] for name in asked}


def asked_people(dataset: Dataset, num_users: int) -> IntArray:
    """The first people (n,) who have held-out rows."""
    return np.flatnonzero(np.diff(dataset.test.offsets()))[:num_users]


def _measured(people: Population, dataset: Dataset, num_users: int) -> dict[str, Any]:
    users = asked_people(dataset, num_users)
    model = persona_users(people)
    figures = measure(model, dataset, users)
    if dataset.truth is not None:
        figures["suggested"] = against_truth(model, dataset, users, np.random.default_rng(0))
    model.engine.close()
    return figures


def _bare(people: Population) -> Population:
    personas = [replace(persona, adapter=None) for persona in people.personas]
    return replace(people, personas=personas, adapters={})


def _elsewhere(
    people: Population, make_world: Callable[[int], Dataset], seed: int, num_users: int
) -> dict[str, Any]:
    """Another world's people on the same base; adapters belong to people and stay behind."""
    world = make_world(seed)
    return _measured(population_from_dataset(world, people), world, num_users)

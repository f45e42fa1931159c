"""A saved population as a data set, and as the people of a data set.

``data=population data.path=PATH users.population=PATH`` ranks policies with the people of a folder
and nothing else: their log is split again in time, policies learn from the earlier part, and the
people's memories are cut to it, so that no item a policy may show is remembered.
"""

from dataclasses import replace

import numpy as np

from agents.population.population import Population
from simenv.data.dataset import Dataset
from simenv.data.reading_report import Reading
from simenv.data.splits import split_dataset
from simenv.events import BoolArray, InteractionLog
from training.unpicked import learn_wariness


def population_data(path: str, fraction: float = 0.8) -> Dataset:
    """The people's own log over their catalogue, split in time; no truth is known.

    Args:
        path: folder or hub id of a population, or a name in the package, as ``shipped``.
        fraction: of each person's rows that policies learn from and people remember.
    """
    people = Population.load(path)
    ids = tuple(str(u) for u in range(len(people.personas)))
    dataset = split_dataset(people.name, people.catalog, people.history, ids, fraction)
    reading = _reading(people, fraction)
    reading.announce()
    return replace(dataset, reading=reading)


def _reading(people: Population, fraction: float) -> Reading:
    log, catalog = people.history, people.catalog
    return Reading(
        file=f"history.parquet of {people.name}",
        num_rows=len(log),
        num_kept=len(log),
        rating_range=(float(log.ratings.min(initial=5)), float(log.ratings.max(initial=1))),
        times="seconds since 1970",
        split=f"{fraction:.0%} of everybody's rows come first in time and are training rows, the"
        " rest is held out",
        num_users=log.num_users,
        num_users_used=log.num_users,
        num_items=len(catalog),
        num_items_unrated=len(catalog) - len(np.unique(log.items)),
        num_items_untitled=sum(not title for title in catalog.titles),
    )


def people_of(dataset: Dataset, population: Population) -> Population:
    """The population's people as users of ``dataset``, remembering its training rows only.

    Raises:
        ValueError: they are other people, over other items, or rated something else.
    """
    sizes = len(population.personas), len(population.catalog)
    if sizes != (dataset.num_users, dataset.num_items):
        raise ValueError(
            f"users.population={population.name!r} has {sizes[0]} people over {sizes[1]} items,"
            f" but data {dataset.name!r} has {dataset.num_users} over {dataset.num_items}; use"
            " data=population data.path=PATH for its own log, or users.model=PATH to put these"
            " users on its language model"
        )
    kept = _rows_of(population.history, dataset.train)
    if int(kept.sum()) != len(dataset.train):
        raise ValueError(
            f"users.population={population.name!r} rated {int(kept.sum())} of the"
            f" {len(dataset.train)} training rows of {dataset.name!r}: they are other people; use"
            " the data and the seed it was built from, or data=population data.path=PATH"
        )
    reasons = [reason for reason, keep in zip(population.reasons, kept, strict=True) if keep]
    history = population.history.take(kept)
    people = replace(
        population,
        history=history,
        reasons=reasons,
        catalog=dataset.catalog,
        averages=dataset.averages,
    )
    if people.wariness is None or kept.all():
        return people
    return replace(people, wariness=learn_wariness(dataset))  # of the rows that they remember


def _rows_of(log: InteractionLog, wanted: InteractionLog) -> BoolArray:
    """(r,) which rows of ``log`` are also rows of ``wanted``: same user, item, stars and time."""
    if (log.num_users, log.num_items) != (wanted.num_users, wanted.num_items):
        return np.zeros(len(log), dtype=np.bool_)
    columns = ("users", "items", "ratings", "timestamps")
    rows = set(zip(*(getattr(wanted, c).tolist() for c in columns), strict=True))
    own = zip(*(getattr(log, c).tolist() for c in columns), strict=True)
    return np.array([row in rows for row in own], dtype=np.bool_)

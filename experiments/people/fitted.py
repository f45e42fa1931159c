"""Simulated users without a language model: tastes fitted to the biased log, user by user.

They are a simulator like any other: learnt from what people chose to watch, wrong where nobody
watched, and answered in microseconds. So training to convergence, many seeds and an ensemble cost
minutes, and what a policy does to a simulator can be studied.
"""

import numpy as np

from experiments.people.people import People
from simenv.data.dataset import Dataset
from simenv.data.evidence import Evidence
from simenv.data.synthetic import SyntheticTruth
from simenv.events import FloatArray
from simenv.seeding import Stream, generator
from simenv.users.scripted_users import ScriptedUsers
from simenv.users.visits import activity_levels
from training.tastes import taste_ridge

_NOISE_SD = 0.75  # of a rating about what its user thinks of the item, in stars


def fitted(dataset: Dataset, l2: float = 2.0, evidence: Evidence = "shared") -> People:
    """Users whose tastes are ridge regressions of their own training rows on genres and year.

    Args:
        dataset: whose users they are; ids are its own.
        l2: ridge penalty: ratings that the prior of no taste is worth.
        evidence: what the training rows are, for the card; see ``simenv.data.evidence``.
    """
    tastes = fit_tastes(dataset, l2)
    users = ScriptedUsers(tastes, dataset.num_users, dataset.num_items, tastes.activity)
    card = {
        "kind": "fitted",
        "engine": "none",
        "model": "a ridge regression of every user's training rows on genres and year",
        "population": {"name": dataset.name, "users": int(dataset.num_users)},
        "warning": "FITTED USERS: no language model answered; regressions on the log did.",
    }
    return People(users, card).told_as(evidence)


def fit_tastes(
    dataset: Dataset, l2: float, rng: np.random.Generator | None = None
) -> SyntheticTruth:
    """The response model of a synthetic world with utilities fitted to the training rows.

    A rating is the nearest star to fair average + taste · attributes + noise.

    Args:
        dataset: whose training rows.
        l2: ridge penalty.
        rng: None = the posterior mean of the tastes; else one draw of the posterior (perturb the
            ratings and the prior's centre, then fit: exact for a linear Gaussian model).
    """
    log, average = dataset.train, dataset.averages.fair
    x = _attributes(dataset)
    centre = np.zeros((log.num_users, x.shape[1]))
    rest = log.ratings - average[log.items]
    if rng is not None:
        rest = rest + _NOISE_SD * rng.standard_normal(len(rest))
        centre = _NOISE_SD / np.sqrt(l2) * rng.standard_normal(centre.shape)
    tastes = taste_ridge(log, x, rest, l2, centre)
    return SyntheticTruth(
        utilities=average + tastes @ x.T,
        noise_sd=_NOISE_SD,
        activity=activity_levels(log),
        conformity=np.zeros(log.num_users),
        quality=average,
    )


def posterior_members(
    people: People, dataset: Dataset, size: int = 5, l2: float = 2.0
) -> list[SyntheticTruth]:
    """Draws of the tastes that the log leaves possible: they agree where it says enough."""
    rngs = (generator(seed, Stream.POSTERIOR_TASTES) for seed in range(size))
    return [fit_tastes(dataset, l2, rng) for rng in rngs]


def _attributes(dataset: Dataset) -> FloatArray:
    """(num_items, d): a constant, shares of the genres, and the standardised year."""
    shares = dataset.catalog.genre_shares
    years = dataset.catalog.years.astype(np.float64)
    age = (years - years.mean()) / max(float(years.std()), 1e-9)
    return np.column_stack([np.ones(len(shares)), shares, 0.3 * age])

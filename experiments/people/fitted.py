"""Simulated users without a language model: tastes fitted to the biased log, user by user.

They are a simulator like any other: learnt from what people chose to watch, wrong where nobody
watched, and answered in microseconds. So training to convergence, many seeds and an ensemble cost
minutes, and what a policy does to a simulator can be studied.
"""

import numpy as np

from experiments.people.people import People
from simenv.data.dataset import Dataset
from simenv.data.synthetic import SyntheticTruth
from simenv.events import FloatArray, IntArray
from simenv.users.scripted_users import ScriptedUsers
from simenv.users.visits import activity_levels

_NOISE_SD = 0.75  # of a rating about what its user thinks of the item, in stars


def fitted(dataset: Dataset, l2: float = 2.0) -> People:
    """Users whose tastes are ridge regressions of their own training rows on genres and year.

    Args:
        dataset: whose users they are; ids are its own.
        l2: ridge penalty: ratings that the prior of no taste is worth.
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
    return People(users, card)


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
    log, average = dataset.train, dataset.catalog.fair_averages
    x = _attributes(dataset)
    centre = np.zeros((log.num_users, x.shape[1]))
    rest = log.ratings - average[log.items]
    if rng is not None:
        rest = rest + _NOISE_SD * rng.standard_normal(len(rest))
        centre = _NOISE_SD / np.sqrt(l2) * rng.standard_normal(centre.shape)
    tastes = _ridge(log.users, x[log.items], rest, centre, l2)
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
    rngs = (np.random.default_rng([seed, 43]) for seed in range(size))
    return [fit_tastes(dataset, l2, rng) for rng in rngs]


def _attributes(dataset: Dataset) -> FloatArray:
    """(num_items, d): a constant, shares of the genres, and the standardised year."""
    genres = dataset.catalog.genre_matrix
    shares = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1)
    years = dataset.catalog.years.astype(np.float64)
    age = (years - years.mean()) / max(float(years.std()), 1e-9)
    return np.column_stack([np.ones(len(genres)), shares, 0.3 * age])


def _ridge(
    groups: IntArray, x: FloatArray, y: FloatArray, centre: FloatArray, l2: float
) -> FloatArray:
    """One ridge regression a group: weights (g, d) of rows x (r, d) on y (r,), drawn to centre."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(len(centre) + 1))
    x, y = x[order], y[order]
    weights = np.zeros_like(centre)
    for group, prior in enumerate(centre):
        rows = slice(starts[group], starts[group + 1])
        gram = x[rows].T @ x[rows] + l2 * np.eye(x.shape[1])
        weights[group] = np.linalg.solve(gram, x[rows].T @ y[rows] + l2 * prior)
    return weights

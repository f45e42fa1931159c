"""Users without a language model: what a simple rating predictor would say, as a ``UserModel``.

They are the bar: simulated people are worth their cost only where they rank policies better than
these do. They learn from training rows only.
"""

from dataclasses import dataclass

import numpy as np

from experiments.people.people import People
from simenv.data.dataset import Dataset
from simenv.data.evidence import Evidence
from simenv.data.rating_baselines import BiasModel
from simenv.data.splits import stacked
from simenv.events import NUM_STARS, STARS, FloatArray, IntArray
from simenv.users.scripted_users import ScriptedUsers
from training.tastes import taste_ridge

PREDICTOR_WARNING = (
    "PREDICTOR USERS: a rating predictor answered, no language model. These figures are the bar"
    " that simulated people have to pass."
)
_PRIOR_ROWS = 4.0  # ratings that the prior of no taste is worth
_TEXT_DIMS = 32


@dataclass(frozen=True)
class PredictedTruth:
    """A ``Truth`` made of predicted means: distributions over stars with those means.

    Of all distributions with mean m the one with probabilities proportional to
    exp(a · stars - stars² / 2s²) is taken, a discrete normal, so that the mean is m exactly.
    """

    means: FloatArray  # (num_users, num_items) in [1, 5]
    spread: float = 0.9  # s, in stars

    def probabilities(self, users: IntArray, items: IntArray) -> FloatArray:
        """Distribution over stars of users (n,) for items (n, k): (n, k, 5)."""
        wanted = np.clip(self.means[np.asarray(users)[:, None], items], 1.02, 4.98)
        low, high = np.full(wanted.shape, -40.0), np.full(wanted.shape, 40.0)
        for _ in range(50):  # the mean grows with the tilt
            tilt = (low + high) / 2
            below = _tilted(tilt, self.spread) @ STARS < wanted
            low, high = np.where(below, tilt, low), np.where(below, high, tilt)
        return _tilted((low + high) / 2, self.spread)


def non_personal(dataset: Dataset, evidence: Evidence = "shared") -> People:
    """Item average + user offset: everybody agrees which items are better.

    Args:
        dataset: whose users they are; ``train`` and ``background`` are learnt from.
        evidence: what ``train`` is, for the card; see ``simenv.data.evidence``.
    """
    people = predicted_people(
        dataset, _biases(dataset), "item average + user offset", "non-personal"
    )
    return people.told_as(evidence)


def ridge(dataset: Dataset, evidence: Evidence = "shared") -> People:
    """The same, and each user's taste for genres and words: a ridge regression a user."""
    means = _biases(dataset)
    features = _features(dataset)
    train = dataset.train
    residuals = train.ratings - means[train.users, train.items]
    people = predicted_people(
        dataset,
        means + taste_ridge(train, features, residuals, _PRIOR_ROWS) @ features.T,
        "ridge regression on genres and words, one a user",
        "ridge",
    )
    return people.told_as(evidence)


def predicted_people(dataset: Dataset, means: FloatArray, model: str, kind: str) -> People:
    """Users who expect ``means`` (num_users, num_items) stars; ``model`` says whose they are."""
    means = np.clip(means, 1.0, NUM_STARS)
    users = ScriptedUsers(PredictedTruth(means), dataset.num_users, dataset.num_items)
    card = {
        "kind": kind,
        "engine": "none",
        "model": model,
        "population": {"name": dataset.name, "users": int(dataset.num_users)},
        "warning": PREDICTOR_WARNING,
    }
    return People(users, card)


def _biases(dataset: Dataset) -> FloatArray:
    """(num_users, num_items) predictions of the bias model."""
    model = BiasModel().fit(stacked(dataset.train, dataset.background))
    users, items = np.arange(dataset.num_users), np.arange(dataset.num_items)
    return model.predict(users[:, None], items[None, :])


def _features(dataset: Dataset) -> FloatArray:
    """(num_items, d) genre shares and reduced word counts."""
    from agents.embedding import TfidfSvdEmbedder  # heavy, and only the ridge needs it

    shares = dataset.catalog.genre_shares
    words = TfidfSvdEmbedder(_TEXT_DIMS).embed(dataset.catalog.texts())
    return np.column_stack([shares, words]).astype(np.float64)


def _tilted(tilt: FloatArray, spread: float) -> FloatArray:
    centred = STARS - STARS.mean()
    weights = np.exp(tilt[..., None] * centred - centred**2 / (2 * spread**2))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

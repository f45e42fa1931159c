"""Predictors without a language model in the table: those always there, and those asked for."""

from collections.abc import Callable, Sequence

from experiments.predictors.bayesian_fm import BayesianFM
from experiments.predictors.matrix_factorisation import BiasedMF
from experiments.predictors.neighbours import ItemNeighbours
from simenv.data.content_ridge import ContentRidge
from simenv.data.dataset import Dataset
from simenv.data.rating_baselines import BASELINES, RatingPredictor
from simenv.data.splits import stacked
from simenv.events import FloatArray

PLAIN: dict[str, Callable[[], RatingPredictor]] = {**BASELINES, "matrix factorisation": BiasedMF}
# option → name in the table, and how it is made; they need texts, time or a package of their own.
EXTRA: dict[str, tuple[str, Callable[[Dataset], RatingPredictor]]] = {
    "content_ridge": ("content ridge", lambda dataset: ContentRidge(dataset.catalog)),
    "knn": ("nearest neighbours", lambda dataset: ItemNeighbours()),
    "myfm": ("myFM", lambda dataset: BayesianFM()),
}


def plain_answers(dataset: Dataset, extra: Sequence[str]) -> dict[str, FloatArray]:
    """Predictor → stars (r,) for the test rows, learnt from training rows and the background."""
    known, asked = stacked(dataset.train, dataset.background), dataset.test
    models = {name: make() for name, make in PLAIN.items()}
    models |= {EXTRA[option][0]: EXTRA[option][1](dataset) for option in extra}
    return {
        name: model.fit(known).predict(asked.users, asked.items) for name, model in models.items()
    }

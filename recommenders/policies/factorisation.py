"""Matrix factorisation for implicit feedback through ``implicit``: ALS, BPR, logistic.

The library is needed to fit only; a saved policy recommends without it.
"""

import importlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from recommenders.base import Observation, Recommender
from recommenders.policies.liked_rows import positive_matrix
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.ranges import check_fields

_THEIR_NAMES = {
    "regularisation": "regularization",
    "negatives_per_positive": "neg_prop",
    "seed": "random_state",
}


def _implicit(module: str) -> Any:
    """A CPU module of ``implicit``; the GPU ones draw their random numbers elsewhere."""
    try:
        return importlib.import_module(f"implicit.cpu.{module}")
    except ImportError as error:
        raise ImportError(
            "ALS, BPR and LogisticMF need implicit: pip install personarec[rec]"
        ) from error


class FactorRecommender(Recommender):
    """Score = user factors · item factors, both learnt from the positives of the log.

    Users without positives get zero factors, so their scores are equal and popularity decides.
    A session does not move the factors. The same seed gives the same factors if ``num_threads``
    is 1: with more, BPR's threads race by design.

    LogisticMF's defaults are the library's. Those of ALS (regularisation) and BPR (iterations) were
    chosen by hand on held-out rows of MovieLens-100K, so figures on that log flatter them; search
    for your own with ``experiment=search``.
    """

    _state = ("_user_factors", "_item_factors")

    _kind: ClassVar[tuple[str, str]]  # module and class of ``implicit.cpu``

    _ranges: ClassVar[dict[str, str]] = {
        "factors": "whole [1, 1e6]",
        "regularisation": "[0, inf)",
        "alpha": "(0, inf)",
        "learning_rate": "(0, inf)",
        "iterations": "whole [1, 1e9]",
        "negatives_per_positive": "whole [1, 1e9]",
        "min_rating": "(-inf, inf)",
        "seed": "whole [0, 1e9]",
        "num_threads": "whole [0, 1e6]",
    }

    min_rating: float

    def __post_init__(self) -> None:
        check_fields(self, {n: text for n, text in self._ranges.items() if hasattr(self, n)})

    def _fit(self, log: InteractionLog) -> None:
        positives = positive_matrix(self.name, log, self.min_rating)
        model = self._model()
        # Its own threads and those of BLAS would fight over the cores.
        with threadpool_limits(1, "blas"):
            model.fit(positives.astype(np.float32), show_progress=False)
        self._user_factors = np.array(model.user_factors, dtype=np.float32)
        self._item_factors = np.array(model.item_factors, dtype=np.float32)
        self._user_factors[np.diff(positives.indptr) == 0] = 0.0

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        left = self._user_factors[users].astype(np.float64)
        return np.asarray(left @ self._item_factors.T.astype(np.float64))

    def _model(self) -> Any:
        """An unfitted model of the library with this policy's arguments under its names."""
        module, kind = self._kind
        arguments = {_THEIR_NAMES.get(n, n): v for n, v in self._params().items()}
        del arguments["min_rating"]
        with threadpool_limits(1, "blas"):  # ALS's constructor warns about a threaded BLAS
            return getattr(_implicit(module), kind)(**arguments)


@dataclass(eq=False)
class ALS(FactorRecommender):
    """Weighted alternating least squares.

    Hu, Koren, Volinsky: Collaborative filtering for implicit feedback datasets (ICDM 2008).

    Args:
        factors: width of the factors.
        regularisation: ridge penalty on the factors.
        alpha: weight of a positive; an absent row has weight 1.
        iterations: sweeps.
        min_rating: stars from which a row is a positive.
        seed: of the first factors.
        num_threads: of the library.
    """

    _kind: ClassVar[tuple[str, str]] = ("als", "AlternatingLeastSquares")

    factors: int = 64
    regularisation: float = 10.0
    alpha: float = 1.0
    iterations: int = 15
    min_rating: float = 4.0
    seed: int = 0
    num_threads: int = 1


@dataclass(eq=False)
class BPR(FactorRecommender):
    """Bayesian personalised ranking: a positive should score above a random other item.

    Rendle, Freudenthaler, Gantner, Schmidt-Thieme: BPR (UAI 2009).

    Args:
        factors: width of the factors; the library adds an item bias.
        learning_rate: step of the stochastic gradient.
        regularisation: ridge penalty on the factors.
        iterations: epochs.
        min_rating: stars from which a row is a positive.
        seed: of the first factors and the sampled pairs.
        num_threads: of the library; more than 1 is faster and not reproducible.
    """

    _kind: ClassVar[tuple[str, str]] = ("bpr", "BayesianPersonalizedRanking")

    factors: int = 64
    learning_rate: float = 0.01
    regularisation: float = 0.01
    iterations: int = 60
    min_rating: float = 4.0
    seed: int = 0
    num_threads: int = 1


@dataclass(eq=False)
class LogisticMF(FactorRecommender):
    """Logistic matrix factorisation.

    Johnson: Logistic matrix factorization for implicit feedback data (NeurIPS workshop 2014).

    Args:
        factors: width of the factors; the library adds biases.
        learning_rate: step of AdaGrad.
        regularisation: ridge penalty on the factors.
        iterations: sweeps.
        negatives_per_positive: sampled absent rows for each positive.
        min_rating: stars from which a row is a positive.
        seed: of the first factors and the sampled negatives.
        num_threads: of the library; more than 1 is faster and not reproducible.
    """

    _kind: ClassVar[tuple[str, str]] = ("lmf", "LogisticMatrixFactorization")

    factors: int = 30
    learning_rate: float = 1.0
    regularisation: float = 0.6
    iterations: int = 30
    negatives_per_positive: int = 30
    min_rating: float = 4.0
    seed: int = 0
    num_threads: int = 1

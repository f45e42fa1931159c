"""A Bayesian factorisation machine with implicit features, from myFM: the strongest plain rival.

Rendle, Zhang and Koren, On the Difficulty of Evaluating Baselines (2019): user, item, what else the
user rated and who else rated the item, by Gibbs sampling. myFM (MIT licence) is an extra:
``pip install "personarec[fm]"``.
"""

import importlib.util
import sys
from contextlib import redirect_stderr
from importlib import metadata
from io import StringIO
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from simenv.events import NUM_STARS, FloatArray, IntArray, InteractionLog

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class BayesianFM:
    """A ``RatingPredictor``; an id that the log does not hold is answered from the prior.

    Args:
        rank: length of the factors.
        num_iterations: Gibbs samples, of which the later half is averaged.
        seed: of the sampler.
    """

    def __init__(self, rank: int = 10, num_iterations: int = 60, seed: int = 0) -> None:
        self.rank = rank
        self.num_iterations = num_iterations
        self.seed = seed

    def fit(self, log: InteractionLog) -> Self:
        """Learn from training rows; without myFM an ``ImportError`` says how to install it."""
        regressor, self._block = _myfm()
        n, m = log.num_users, log.num_items
        self._users, self._items = (
            _with_others(log.users, log.items, n, m),
            _with_others(log.items, log.users, m, n),
        )
        self._model = regressor(rank=self.rank, random_seed=self.seed)
        with redirect_stderr(StringIO()):  # its bar would stand among the experiment's own
            self._model.fit(
                None,
                log.ratings,
                X_rel=self._blocks(log.users, log.items),
                n_iter=self.num_iterations,
                n_kept_samples=self.num_iterations // 2,
                group_shapes=[n, m, m, n],
            )
        return self

    def predict(self, users: IntArray, items: IntArray) -> FloatArray:
        """Stars in [1, 5] for users and items of one (broadcast) shape, which is the result's."""
        users, items = np.broadcast_arrays(users, items)
        stars = self._model.predict(None, self._blocks(users.reshape(-1), items.reshape(-1)))
        return np.asarray(np.clip(stars, 1.0, NUM_STARS).reshape(users.shape))

    def _blocks(self, users: IntArray, items: IntArray) -> list[object]:
        """Features of (user, item) pairs (r,): those of the user beside those of the item."""
        return [
            self._block(np.asarray(ids, dtype=np.int64), features)
            for ids, features in ((users, self._users), (items, self._items))
        ]


def _myfm() -> tuple[Any, Any]:
    """The regressor and the block of features of myFM.

    Its version 0.4.0 asks ``pkg_resources``, which setuptools no longer brings, for its own number.
    Where that module is absent, one that answers stands in its place while myFM is imported.
    """
    if importlib.util.find_spec("myfm") is None:
        raise ImportError(
            'the baseline "myFM" wanted the package myfm, which is not installed;'
            ' pip install "personarec[fm]"'
        )
    absent = importlib.util.find_spec("pkg_resources") is None
    if absent:
        sys.modules["pkg_resources"] = _stand_in()
    try:
        from myfm import MyFMRegressor, RelationBlock
    finally:
        if absent:
            del sys.modules["pkg_resources"]
    return MyFMRegressor, RelationBlock


def _stand_in() -> Any:
    module: Any = ModuleType("pkg_resources")
    module.get_distribution = metadata.distribution
    module.DistributionNotFound = metadata.PackageNotFoundError
    return module


def _with_others(own: IntArray, others: IntArray, size: int, num_others: int) -> "csr_matrix":
    """(size, size + num_others) who it is, and with whom it stands in a row, of length 1."""
    from scipy.sparse import csr_matrix, hstack, identity

    counts = np.bincount(own, minlength=size)
    weights = 1 / np.sqrt(counts[own])
    together = csr_matrix((weights, (own, others)), shape=(size, num_others))
    return csr_matrix(hstack([identity(size), together]))

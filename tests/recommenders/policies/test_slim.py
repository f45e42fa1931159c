import numpy as np
import pytest

from recommenders.policies.slim import SLIM, nonnegative_lasso
from simenv.events import InteractionLog


def test_one_candidate_is_soft_thresholding() -> None:
    # ½ · 4 w² - 3 w + 1 w is least at w = (3 - 1) / 4.
    assert nonnegative_lasso(np.array([[4.0]]), np.array([3.0]), 1.0) == pytest.approx([2 / 4])
    assert nonnegative_lasso(np.array([[4.0]]), np.array([0.5]), 1.0).tolist() == [0.0]


def test_weights_keep_the_conditions_of_the_least_point() -> None:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((60, 8)) < 0.4)
    log = InteractionLog.from_columns(
        users, items, np.full(len(users), 5.0), num_users=60, num_items=8
    )
    policy = SLIM(l1=0.5, l2=2.0, num_candidates=8).fit(log)
    x = (log.to_csr().toarray() > 0).astype(float)
    weights = policy._weights.toarray()
    assert (weights >= 0).all()
    assert (np.diag(weights) == 0).all()
    gradient = x.T @ (x @ weights - x) + 2.0 * weights + 0.5
    off_diagonal = ~np.eye(8, dtype=bool)
    active = weights > 0
    assert np.abs(gradient[active]).max() < 1e-2
    assert gradient[off_diagonal & ~active].min() > -1e-2


def test_candidates_bound_the_column() -> None:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((60, 8)) < 0.5)
    log = InteractionLog.from_columns(
        users, items, np.full(len(users), 5.0), num_users=60, num_items=8
    )
    policy = SLIM(l1=0.0, l2=1.0, num_candidates=2).fit(log)
    assert (policy._weights > 0).sum(axis=0).max() == 2


def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="SLIM wanted l2 above 0, got 0"):
        SLIM(l2=0)

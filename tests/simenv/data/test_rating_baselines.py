"""Predictors on a log one can hold in the head, and on the paper's protocol."""

import numpy as np
import pytest

from simenv.data.rating_baselines import (
    BASELINES,
    AlwaysFour,
    BiasModel,
    GlobalMean,
    ItemMean,
    RatingPredictor,
    UserMean,
)
from simenv.data.readers.rating_table import RatedCatalog
from simenv.data.readers.user_sample import build_dataset, only_drawn
from simenv.data.splits import stacked
from simenv.events import FloatArray, InteractionLog

# Users 0 and 1, user 2 without rows; items 0 and 1, item 2 without rows.
LOG = InteractionLog.from_columns(
    [0, 0, 1], [0, 1, 0], [5.0, 2.0, 3.0], num_users=3, num_items=3
)  # fmt: skip
USERS, ITEMS = np.array([0, 1, 2]), np.array([1, 0, 2])
MEAN = (5 + 2 + 3) / 3


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (AlwaysFour(), [4, 4, 4]),
        (GlobalMean(), [MEAN, MEAN, MEAN]),
        (UserMean(), [(5 + 2) / 2, 3, MEAN]),
        (ItemMean(), [2, (5 + 3) / 2, MEAN]),
    ],
)
def test_means(model: RatingPredictor, expected: list[float]) -> None:
    assert model.fit(LOG).predict(USERS, ITEMS) == pytest.approx(expected)


def test_one_round_of_the_bias_model_in_whole_arithmetic() -> None:
    model = BiasModel(user_shrinkage=5, item_shrinkage=3, num_rounds=1).fit(LOG)
    r = [5 - MEAN, 2 - MEAN, 3 - MEAN]  # residuals of the three rows
    items = [(r[0] + r[2]) / (2 + 3), r[1] / (1 + 3), 0]
    users = [(r[0] - items[0] + r[1] - items[1]) / (2 + 5), (r[2] - items[0]) / (1 + 5), 0]
    assert model.item_bias == pytest.approx(items)
    assert model.user_bias == pytest.approx(users)
    expected = [MEAN + users[u] + items[i] for u, i in zip(USERS, ITEMS, strict=True)]
    assert model.predict(USERS, ITEMS) == pytest.approx(expected)


def test_all_rounds_of_the_bias_model_by_plain_loops() -> None:
    """Fifteen rounds; an item counts as if 3 more ratings were the mean, a user as if 5 were."""
    rows = list(zip(LOG.users.tolist(), LOG.items.tolist(), LOG.ratings.tolist(), strict=True))
    of_user, of_item = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    for _ in range(15):
        for item in range(3):
            rest = [stars - MEAN - of_user[u] for u, i, stars in rows if i == item]
            of_item[item] = sum(rest) / (len(rest) + 3)
        for user in range(3):
            rest = [stars - MEAN - of_item[i] for u, i, stars in rows if u == user]
            of_user[user] = sum(rest) / (len(rest) + 5)
    expected = [MEAN + of_user[u] + of_item[i] for u, i in zip(USERS, ITEMS, strict=True)]
    found = BiasModel().fit(LOG).predict(USERS, ITEMS)
    assert found == pytest.approx(expected)
    assert found == pytest.approx([70 / 23, 242 / 69, 10 / 3])  # where the rounds end


def test_a_sum_of_biases_beyond_the_scale_is_the_nearest_star() -> None:
    """User 0 gives 5 where the mean is 3, user 1 gives 1; all others love item 4, hate item 5."""
    users = [0] * 4 + [1] * 4 + [2, 3, 4, 5] * 2
    items = [0, 1, 2, 3] * 2 + [4] * 4 + [5] * 4
    stars = [5.0] * 4 + [1.0] * 4 + [5.0] * 4 + [1.0] * 4
    log = InteractionLog.from_columns(users, items, stars, num_users=6, num_items=6)
    model = BiasModel(user_shrinkage=0.5, item_shrinkage=0.5).fit(log)
    assert model.mean == 3
    assert model.user_bias[0] + model.item_bias[4] > 2
    assert model.predict(np.array([0, 1, 0]), np.array([4, 5, 5]))[:2].tolist() == [5.0, 1.0]


@pytest.mark.parametrize("name", BASELINES)
def test_contract_stars_in_range_and_broadcast_shapes(name: str) -> None:
    model = BASELINES[name]().fit(LOG)
    grid = model.predict(USERS[:, None], ITEMS[None, :])
    assert grid.shape == (3, 3)
    assert grid.min() >= 1
    assert grid.max() <= 5
    assert np.diag(grid) == pytest.approx(model.predict(USERS, ITEMS))


@pytest.mark.parametrize("name", BASELINES)
def test_contract_an_empty_log_is_no_error(name: str) -> None:
    empty = InteractionLog.from_columns([], [], [], num_users=3, num_items=3)
    prediction = BASELINES[name]().fit(empty).predict(USERS, ITEMS)
    assert prediction.tolist() == ([4.0] * 3 if name == "always 4" else [3.0] * 3)


def test_real_ml_1m_gives_the_errors_measured_before(real_ml_1m: RatedCatalog) -> None:
    """Users 1 to 2,999, 200 of them drawn five times: an independent program gave these RMSEs."""
    half = only_drawn(real_ml_1m.log, np.arange(2_999))
    rated = real_ml_1m._replace(log=half, user_ids=real_ml_1m.user_ids[:2_999])
    errors = []
    for seed in range(5):
        data = build_dataset("d", rated, min_ratings=100, max_ratings=200, num_users=200, seed=seed)
        log = stacked(data.train, data.background)
        models = [make().fit(log) for make in BASELINES.values()]
        test = data.test
        errors.append([rmse(m.predict(test.users, test.items), test.ratings) for m in models])
    expected = [1.155, 1.106, 1.053, 0.972, 0.916]  # in the order of BASELINES; sd of a draw .011+
    assert np.mean(errors, axis=0) == pytest.approx(expected, abs=0.01)


def rmse(predicted: FloatArray, true: FloatArray) -> float:
    return float(np.sqrt(np.mean((predicted - true) ** 2)))

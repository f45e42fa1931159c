"""Item neighbours from a library: they find what is rated alike, and know what they do not know."""

import numpy as np
import pytest

from experiments.predictors.neighbours import ItemNeighbours
from simenv.data.rating_baselines import BiasModel
from simenv.events import InteractionLog

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def log():
    """60 people; films 0 to 9 are rated alike, so are 10 to 19, against each other."""
    rows = []
    for user in range(60):
        side = 1 if user % 2 else -1
        for item in RNG.permutation(20)[:12]:
            kind = 1 if item < 10 else -1
            rows.append((user, int(item), float(np.clip(3 + side * kind * 2, 1, 5))))
    columns = (np.array(column) for column in zip(*rows, strict=True))
    return InteractionLog.from_columns(*columns, num_users=62, num_items=22)


def test_unmet_items_get_what_their_neighbours_got(log):
    model = ItemNeighbours().fit(log)
    users, items = np.repeat([0, 1], 20), np.tile(np.arange(20), 2)
    wanted = np.where((items < 10) == (users == 1), 5.0, 1.0)
    error = model.predict(users, items) - wanted
    plain = BiasModel().fit(log).predict(users, items) - wanted
    assert np.sqrt((error**2).mean()) < 0.8 * np.sqrt((plain**2).mean())


def test_unknown_people_and_items_are_answered_by_the_bias_model(log):
    users, items = np.array([[61], [0]]), np.array([[3, 21], [21, 20]])
    found = ItemNeighbours().fit(log).predict(users, items)
    assert found.shape == (2, 2)
    assert found == pytest.approx(BiasModel().fit(log).predict(users, items))

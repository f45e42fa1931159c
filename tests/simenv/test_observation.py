import numpy as np
import pytest

from simenv.env.scripted_env import make_vector_env
from simenv.observation import (
    History,
    as_batch,
    cold_observation,
    concatenate,
    observe,
    push_latest,
    take_row,
    take_rows,
)


@pytest.mark.parametrize("num_places", [1, 2, 3, 5])
def test_the_latest_items_come_last_and_the_oldest_leave(num_places):
    history = np.tile(np.arange(3), (2, 1))
    push_latest(history, np.array([1]), np.arange(10, 10 + num_places)[None])
    assert history[0].tolist() == [0, 1, 2]
    assert history[1].tolist() == [0, 1, 2, *range(10, 10 + num_places)][-3:]


def test_all_rows_in_another_order_get_their_own_items():
    history = History.empty(3, 2)
    history.push(np.array([2, 0, 1]), np.array([[20], [0], [10]]), np.array([[2.0], [0], [1]]))
    assert history.items.tolist() == [[-1, 0], [-1, 10], [-1, 20]]
    assert history.ratings.tolist() == [[0, 0], [0, 1], [0, 2]]


def test_a_cold_observation_is_what_an_environment_shows_first():
    env = make_vector_env(3, 12, 20, slate_size=2, history_length=4)
    first, _ = env.reset(seed=0)
    cold = cold_observation(first["user"], history_length=4)
    assert cold.keys() == first.keys()
    for key, values in first.items():
        np.testing.assert_array_equal(cold[key], values)
        assert cold[key].dtype == values.dtype


def test_an_observation_shares_no_array_with_the_history():
    history, users, progress = History.empty(2, 3), np.arange(2), np.zeros(2)
    seen = observe(users, history, progress, days=progress)
    for values in seen.values():
        values[...] = 7
    assert (history.items == -1).all()
    assert not history.ratings.any()
    assert users.tolist() == [0, 1]
    assert not progress.any()


def test_rows_come_apart_and_together_again_with_every_key():
    whole = cold_observation(np.arange(4), 2) | {"candidates": np.arange(12).reshape(4, 3)}
    parts = [take_rows(whole, np.array([0, 1])), *(as_batch(take_row(whole, r)) for r in (2, 3))]
    again = concatenate(parts)
    assert again.keys() == whole.keys()
    for key, values in whole.items():
        np.testing.assert_array_equal(again[key], values)
    parts[0]["user"][:] = 9
    assert whole["user"].tolist() == [0, 1, 2, 3]

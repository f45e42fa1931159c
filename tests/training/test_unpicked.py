"""What picks say of tastes: in worlds whose truth is known, and what may not be read."""

from dataclasses import replace

import numpy as np
import pytest

from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from training.unpicked import learn_wariness

WORLD = synthetic(6900, num_users=60, num_items=120)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wary():
    return learn_wariness(WORLD)


def unmet_orders(dataset):
    """Utilities, and where somebody has not met the item."""
    return dataset.truth.utilities, dataset.train.to_csr().toarray() == 0


def test_the_truly_worst_items_lose_more_stars_than_others(wary):
    utilities, unmet = unmet_orders(WORLD)
    users = np.arange(WORLD.num_users)
    lost = wary.lost(users, np.tile(np.arange(WORLD.num_items), (len(users), 1)))
    worst = np.argsort(np.where(unmet, utilities, np.inf), axis=1)[:, :10]
    of_worst = np.take_along_axis(lost, worst, axis=1).mean()
    best = np.argsort(np.where(unmet, -utilities, np.inf), axis=1)[:, :10]
    of_best = np.take_along_axis(lost, best, axis=1).mean()
    assert of_worst > 2 * lost[unmet].mean()
    assert of_best < 0.1 * of_worst


def test_of_what_people_picked_hardly_anything_loses_stars(wary):
    log = WORLD.train
    lost = wary.lost(log.users, log.items[:, None])[:, 0]
    assert 0 < (lost > 0).mean() < 0.1


def test_it_is_learnt_from_training_rows_and_the_background_alone(wary):
    other = replace(WORLD, test=WORLD.test.take(np.zeros(len(WORLD.test), dtype=bool)))
    np.testing.assert_array_equal(learn_wariness(other).people, wary.people)
    fewer = replace(WORLD, train=WORLD.train.take(np.arange(len(WORLD.train)) % 2 == 0))
    assert not np.allclose(learn_wariness(fewer).people, wary.people)


def test_picks_alone_tell_tastes_where_all_stars_are_the_same():
    """Even users pick of one genre alone, odd ones of all others; nobody likes anything more."""
    inside = WORLD.catalog.genre_matrix[:, 0] > 0
    rng = np.random.default_rng(0)
    picks = [
        rng.choice(np.flatnonzero(inside == (u % 2 == 0)), 8, replace=False) for u in range(60)
    ]
    log = InteractionLog.from_columns(
        np.repeat(np.arange(60), 8), np.concatenate(picks), np.full(480, 4.0),
        num_users=60, num_items=120,
    )  # fmt: skip
    wary = learn_wariness(replace(WORLD, train=log, background=None))
    promised = wary.people @ wary.items.T
    gap = promised[:, inside].mean(axis=1) - promised[:, ~inside].mean(axis=1)
    assert gap[::2].min() > gap[1::2].max()


def test_who_picked_nothing_is_wary_of_nothing():
    log = WORLD.train
    known = replace(WORLD, train=log.take(log.users != 7))
    lost = learn_wariness(known).lost(np.array([7]), np.arange(WORLD.num_items)[None])
    assert (lost == 0).all()


def test_without_training_rows_there_is_nothing_to_learn():
    empty = InteractionLog.from_columns([], [], [], num_users=60, num_items=120)
    with pytest.raises(ValueError, match="wariness wanted training rows, got none; raise data"):
        learn_wariness(replace(WORLD, train=empty))

"""Losses in unseen worlds: constants by hand, and cold items are asked about as suggestions."""

import numpy as np
import pytest

from agents.prompt_style import PromptStyle
from simenv.data.worlds.reading_world import reading_world
from training.base.pocket_model import PocketConfig, new_model, train_tokenizer
from training.base.unseen_losses import unseen_losses


@pytest.fixture(scope="module")
def world():
    return reading_world(2, num_users=12, num_items=80)


@pytest.fixture(scope="module")
def found(world):
    texts = [*world.catalog.texts(), " 1 2 3 4 5 RATING: Chosen. Suggested. AVERAGE 3.0 from 0"]
    tokenizer = train_tokenizer(texts, 400)
    model = new_model(PocketConfig.tiny(), len(tokenizer))
    return unseen_losses({"untrained": (tokenizer, model, PromptStyle())}, world)


def test_the_constants_are_the_entropies_of_counted_ratings(world, found):
    later = world.truth.later.ratings
    shares = np.array([(later == star).mean() for star in range(1, 6)])
    entropy = -(shares[shares > 0] * np.log(shares[shares > 0])).sum()
    best = found["cold items"]["best constant"]
    assert best["log_loss"] == pytest.approx(entropy)
    assert best["rmse"] == pytest.approx(later.std())
    train = world.train.ratings
    told = np.array([(train == star).mean() for star in range(1, 6)])
    cross = -np.log(told[later.astype(int) - 1]).mean()
    assert found["cold items"]["constant"]["log_loss"] == pytest.approx(cross)


def test_every_base_is_asked_about_held_out_rows_and_cold_items(found):
    for part in ("held out", "cold items"):
        assert set(found[part]) == {"constant", "best constant", "untrained"}
        assert np.isfinite(found[part]["untrained"]["log_loss"])


def test_a_world_without_cold_items_has_no_such_figures():
    world = reading_world(2, num_users=12, num_items=80, cold_items=0.0)
    assert set(unseen_losses({}, world)) == {"held out"}

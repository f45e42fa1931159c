"""What a training world hides is gone everywhere but from the questions."""

import numpy as np
import pytest

from simenv.data.splits import stacked
from simenv.data.synthetic import drawn_world, synthetic
from simenv.item_averages import ItemAverages
from tests.simenv.data.test_synthetic import fingerprint
from training.base.hiding import Hiding
from training.base.world_mix import WorldMix
from training.examples.from_log import ExampleWriter, later_rows


@pytest.fixture(scope="module")
def world():
    return synthetic(3, num_users=24, num_items=120)


def test_hiding_nothing_gives_the_same_world(world):
    assert Hiding()(world, 0) is world


def test_an_item_whose_ratings_are_hidden_is_as_one_that_nobody_rated(world):
    hidden = Hiding(items=0.3)(world, 5)
    gone = (hidden.averages.counts == 0) & (world.averages.counts > 0)
    assert 0.2 < gone.mean() < 0.4
    assert not gone[hidden.train.items].any()
    assert len(hidden.train) == (~gone[world.train.items]).sum()
    rest = world.train.take(~gone[world.train.items])
    assert (hidden.averages.fair == ItemAverages.of(rest, world.catalog).fair).all()


def test_questions_about_hidden_items_are_still_asked_and_say_that_nobody_rated_them(world):
    hidden = Hiding(items=0.3)(world, 5)
    assert hidden.test is world.test
    writer = ExampleWriter(hidden)
    rng = np.random.default_rng(0)
    from agents.prompt_style import PromptStyle

    asked = later_rows(hidden, 8, rng)
    suffixes = writer.write(asked, PromptStyle()).suffixes
    cold = (hidden.averages.counts[asked.items] == 0).reshape(-1)
    assert cold.any()
    assert [" from 0.\n" in suffix for suffix in suffixes] == cold.tolist()


def test_other_peoples_ratings_of_hidden_items_are_hidden_too(world):
    import dataclasses

    both = dataclasses.replace(world, background=world.test)
    hidden = Hiding(items=0.3)(both, 5)
    gone = hidden.averages.counts == 0
    assert not gone[stacked(hidden.train, hidden.background).items].any()


def test_summaries_and_casts_are_hidden_by_draws_of_their_own(world):
    hidden = Hiding(summaries=0.5, casts=0.2)(world, 1).catalog
    silent = np.array([not text for text in hidden.summaries])
    castless = np.array([not cast for cast in hidden.casts])
    assert 0.35 < silent.mean() < 0.65
    assert 0.08 < castless.mean() < 0.32
    assert (silent & ~castless).any()
    assert (~silent & castless).any()
    kept = [i for i in range(120) if not silent[i]]
    assert all(hidden.summaries[i] == world.catalog.summaries[i] for i in kept)
    assert hidden.titles == world.catalog.titles


def test_what_is_hidden_follows_from_the_seed_alone(world):
    one, again, other = (Hiding(items=0.3)(world, seed) for seed in (5, 5, 6))
    assert (one.averages.counts == again.averages.counts).all()
    assert (one.averages.counts != other.averages.counts).any()


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share):
    with pytest.raises(ValueError, match=r"hiding wanted items"):
        Hiding(items=share)


def test_a_mix_without_reading_worlds_is_the_worlds_that_the_shipped_base_learnt_from():
    assert fingerprint(WorldMix(0.0)(1000)) == fingerprint(drawn_world(1000))


def test_the_share_of_worlds_that_must_be_read_is_kept():
    assert WorldMix(1.0)(1000).name == "drawn-reading-1000"
    from simenv.seeding import Stream, generator

    lots = [generator(world, Stream.WORLD_MIX).random() < 0.5 for world in range(1000, 1400)]
    assert 0.4 < np.mean(lots) < 0.6
    first = lots.index(True) + 1000
    assert WorldMix(0.5)(first).name == f"drawn-reading-{first}"
    with pytest.raises(ValueError, match="a mix of worlds wanted reading_share"):
        WorldMix(1.5)

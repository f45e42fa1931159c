"""People who are cut to few rows are known by these alone, wherever they are told."""

from dataclasses import replace

import numpy as np
import pytest

from agents.prompt_style import PromptStyle
from simenv.data.synthetic import drawn_world, synthetic
from simenv.item_averages import ItemAverages
from simenv.seeding import Stream, generator
from tests.simenv.data.test_synthetic import fingerprint
from training.base.batches import world_examples
from training.base.few_rows import FewRows, first_rows_known
from training.base.hiding import Hiding
from training.base.pocket_model import PocketConfig
from training.base.world_mix import WorldMix
from training.collaborative import peers_of
from training.examples.from_log import ExampleWriter, later_rows


@pytest.fixture(scope="module")
def world():
    return synthetic(3, num_users=40, num_items=150)


def sizes(dataset):
    return np.diff(dataset.train.offsets())


def test_nobody_is_cut_unless_it_is_asked_for(world):
    assert FewRows()(world, 0) is world


def test_a_share_of_the_people_keeps_their_first_rows_and_the_others_all(world):
    few = FewRows(share=0.5, least=5, most=10)(world, 1)
    cut = sizes(few) < sizes(world)
    assert 0.25 < cut.mean() < 0.75
    assert set(sizes(few)[cut]) <= set(range(5, 11))
    assert len(set(sizes(few)[cut])) > 2
    for user in range(world.num_users):
        own, whole = (log.take(log.users == user) for log in (few.train, world.train))
        assert (own.items == whole.items[: len(own)]).all()
        assert (own.ratings == whole.ratings[: len(own)]).all()
    assert few.test is world.test
    assert few.truth is world.truth


def test_small_numbers_are_drawn_as_often_as_large_ones_of_the_same_ratio():
    """5 to 16 and 17 to 60 are about as likely: chances go by one over the number."""
    kept = sizes(FewRows(share=1.0)(synthetic(4, num_users=400, num_items=150), 2))
    assert 0.4 < (kept <= 16).mean() < 0.6
    assert kept.min() == 5
    assert kept.max() <= 60


def test_who_has_fewer_rows_than_were_drawn_keeps_all(world):
    few = FewRows(share=1.0, least=10_000, most=10_000)(world, 1)
    assert (sizes(few) == sizes(world)).all()


def test_cut_rows_stand_in_no_average_profile_memory_or_vector(world):
    """Their stars are turned round: nothing that is told of what is left may change."""
    few = FewRows(share=0.6, least=5, most=8)
    kept = few(world, 1)
    place = np.arange(len(world.train)) - world.train.offsets()[world.train.users]
    gone = place >= sizes(kept)[world.train.users]
    assert gone.sum() > 100
    turned = np.where(gone, 6 - world.train.ratings, world.train.ratings)
    other = few(replace(world, train=replace(world.train, ratings=turned)), 1)
    assert (kept.averages.fair == other.averages.fair).all()
    assert (kept.averages.counts == ItemAverages.of(kept.train, world.catalog).counts).all()
    style = PromptStyle(peers=True)
    asked = later_rows(kept, 3, np.random.default_rng(0))
    told, same = (ExampleWriter(d, style=style).write(asked, style) for d in (kept, other))
    assert told.prefixes == same.prefixes
    assert told.suffixes == same.suffixes
    ones = np.arange(world.num_users)[:, None], np.arange(world.num_items)[None, :]
    assert (peers_of(kept).stars(*ones) == peers_of(other).stars(*ones)).all()


def test_a_rating_that_is_left_does_change_what_is_told(world):
    """The counterpart of the test above: the comparison can fail."""
    few = FewRows(share=0.6, least=5, most=8)
    kept = few(world, 1)
    first = world.train.ratings.copy()
    first[0] = 6 - first[0] if first[0] != 3 else 1
    other = few(replace(world, train=replace(world.train, ratings=first)), 1)
    asked = later_rows(kept, 3, np.random.default_rng(0))
    told, same = (ExampleWriter(d).write(asked, PromptStyle()) for d in (kept, other))
    assert told.prefixes != same.prefixes


def test_other_peoples_rows_stay_in_the_averages(world):
    both = replace(world, background=world.test)
    few = first_rows_known(both, np.full(world.num_users, 2))
    assert len(few.train) == 2 * world.num_users
    counts = np.bincount(np.concatenate([few.train.items, world.test.items]), minlength=150)
    assert (few.averages.counts == counts).all()
    assert few.background is both.background


def test_a_training_asks_all_people_what_it_would_ask_and_tells_less(world):
    config = PocketConfig(hiding=Hiding(items=0.2), suggested_share=0.0, partial_share=0.0)
    cut = replace(config, few_rows=FewRows(share=1.0, least=5, most=5))
    rngs = [np.random.default_rng(0) for _ in range(2)]
    [whole], [few] = (
        world_examples(world, 7, c, 4, r) for c, r in zip((config, cut), rngs, strict=True)
    )
    assert (whole.targets == few.targets).all()
    assert sum(a != b for a, b in zip(whole.prefixes, few.prefixes, strict=True)) > 30


def test_who_is_cut_follows_from_the_seed_alone(world):
    one, again, other = (sizes(FewRows(share=0.5)(world, seed)) for seed in (5, 5, 6))
    assert (one == again).all()
    assert (one != other).any()


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share):
    with pytest.raises(ValueError, match=r"few rows wanted share .* it is a share of the people"):
        FewRows(share=share)


def test_numbers_of_rows_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="few rows wanted least of at least 1, got 0"):
        FewRows(share=0.5, least=0)
    with pytest.raises(ValueError, match="wanted least at or below most, got 9 and 8; lower the"):
        FewRows(share=0.5, least=9, most=8)


def test_a_share_of_worlds_has_an_extreme_log_and_the_others_stay_as_they_were():
    mix = WorldMix(0.0, 0.3)
    draws = {
        world: generator(world, Stream.BIASED_WORLDS).random() < 0.3 for world in range(1000, 1200)
    }
    assert 0.2 < np.mean(list(draws.values())) < 0.4
    usual = next(world for world, extreme in draws.items() if not extreme)
    assert fingerprint(mix(usual)) == fingerprint(drawn_world(usual))


def test_people_of_an_extreme_world_are_the_same_and_met_more_of_what_they_like():
    extreme, usual = WorldMix(0.0, 1.0)(1003), drawn_world(1003)
    assert (extreme.truth.utilities == usual.truth.utilities).all()
    liking = [d.truth.utilities[d.train.users, d.train.items].mean() for d in (extreme, usual)]
    assert liking[0] > liking[1] + 0.2
    assert WorldMix(1.0, 1.0)(1003).name == "drawn-reading-1003"


def test_a_share_of_extreme_worlds_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="a mix of worlds wanted biased_share"):
        WorldMix(0.0, 1.5)

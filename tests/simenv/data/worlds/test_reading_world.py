"""A world that must be read: what stands where, who is cold, and what nobody is told."""

import dataclasses

import numpy as np
import pytest

from simenv.data.rating_baselines import BiasModel
from simenv.data.splits import COLD_ROWS
from simenv.data.worlds.reading_text import MOODS, REGISTERS, THEMES
from simenv.data.worlds.reading_world import (
    ReadingParameters,
    _alike,
    drawn_reading_world,
    reading_world,
)
from tests.simenv.data.test_synthetic import fingerprint


@pytest.fixture(scope="module")
def world():
    return reading_world(3)


def told(text: str, topics) -> set[int]:
    """Themes or moods one of whose words stands in a text."""
    low = text.lower()
    return {
        number
        for number, topic in enumerate(topics)
        if any(word.lower() in low for register in topic.words for word in register)
    }


def test_every_summary_tells_the_themes_and_the_mood_and_nothing_else_does(world):
    themes, moods = (world.truth.structure.blocks[b].attributes for b in (1, 2))
    catalog = world.catalog
    for item in range(len(catalog)):
        assert set(np.flatnonzero(themes[item])) <= told(catalog.summaries[item], THEMES)
        assert set(np.flatnonzero(moods[item])) <= told(catalog.summaries[item], MOODS)


def test_no_word_of_a_theme_or_mood_means_another_one():
    for topics in (THEMES, MOODS):
        words = [w.lower() for topic in topics for register in topic.words for w in register]
        assert len(words) == len(set(words)) == 3 * len(REGISTERS) * len(topics)


def test_items_are_alike_in_theme_without_sharing_a_word(world):
    """Matching strings is not enough: most pairs of one theme name it in different words."""
    themes = world.truth.structure.blocks[1].attributes
    low = [text.lower() for text in world.catalog.summaries]
    shared = pairs = 0
    for theme, topic in enumerate(THEMES):
        words = [w.lower() for register in topic.words for w in register]
        items = np.flatnonzero(themes[:, theme])
        used = [{w for w in words if w in low[i]} for i in items]
        for a in range(len(items)):
            for b in range(a):
                pairs += 1
                shared += bool(used[a] & used[b])
    assert shared / pairs < 0.2


def test_tastes_told_in_summaries_are_as_large_as_those_for_genres(world):
    structure = world.truth.structure

    def variance(name: str) -> float:
        alone = structure.reading_only((name,))
        return sum(
            way.share * ((alone.features(way) ** 2).sum(axis=1) - way.generosity**2 * 0.16).mean()
            for way in alone.ways
        )

    assert variance("themes") + variance("moods") > variance("genres")


def test_cold_items_are_in_the_catalogue_and_in_no_row_of_the_log(world):
    cold = world.truth.cold_items
    assert cold.sum() == round(0.1 * world.num_items)
    for log in (world.train, world.test):
        assert not cold[log.items].any()
    assert (world.averages.counts[cold] == 0).all()
    assert world.catalog.years[cold].min() > world.catalog.years[~cold].max()
    assert cold[world.truth.later.items].all()
    assert (np.diff(world.truth.later.offsets()) == 8).all()


def test_cold_people_are_known_by_none_to_twenty_rows_and_tested_on_more(world):
    cold = world.truth.cold_people
    assert cold.sum() == round(0.25 * world.num_users)
    known = np.diff(world.train.offsets())
    assert set(known[cold]) == set(COLD_ROWS)
    assert known[~cold].min() >= 12
    assert np.diff(world.test.offsets())[cold].min() >= 1
    assert (known + np.diff(world.test.offsets()) == world.truth.num_logged).all()


def test_people_decide_in_the_ways_that_the_truth_says(world):
    """Whoever goes by quality likes it, and contrarians do not."""
    truth = world.truth
    names = [way.name for way in truth.structure.ways]
    assert names == ["story", "cast", "reputation", "era", "contrarian"]
    slopes = [
        np.polyfit(truth.quality, truth.utilities[truth.groups == group].mean(axis=0), 1)[0]
        for group in range(5)
    ]
    assert np.argmax(slopes) == names.index("reputation")
    assert slopes[names.index("contrarian")] < 0 < min(slopes[:4])


def test_the_data_set_beside_its_truth_says_nothing_of_the_groups(world):
    told_to_users = {
        field.name for field in dataclasses.fields(world) if field.name not in {"truth"}
    }
    assert told_to_users == {
        "name", "catalog", "averages", "train", "test", "user_ids", "background", "reading",
    }  # fmt: skip


def test_people_say_what_they_like_in_their_own_words(world):
    assert len(world.truth.sayings) == world.num_users
    assert all(told(text, THEMES) or told(text, MOODS) for text in world.truth.sayings)


def test_a_seed_is_a_world_and_another_seed_another_one(world):
    assert fingerprint(reading_world(3)) == fingerprint(world)
    assert fingerprint(reading_world(4)) != fingerprint(world)


def test_at_bias_0_items_are_met_by_lot_and_chances_never_name_a_cold_item(world):
    chances = world.truth.logging_chances()
    assert (chances[:, world.truth.cold_items] == 0).all()
    plain = reading_world(3, logging_bias=0.0)
    open_items = ~plain.truth.cold_items
    assert np.ptp(plain.truth.logging_chances()[:, open_items], axis=1).max() < 1e-9


@pytest.mark.parametrize("name", ["cold_items", "cold_people"])
@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_of_the_cold_outside_0_to_1_is_refused(name, share):
    with pytest.raises(ValueError, match=rf"a reading world wanted {name}"):
        reading_world(1, **{name: share})


def test_a_world_without_anybody_cold_works():
    world = reading_world(1, num_users=24, num_items=120, cold_items=0.0, cold_people=0.0)
    assert not len(world.truth.later)
    assert not world.truth.cold_people.any()
    BiasModel().fit(world.train).predict(world.test.users, world.test.items)


def test_drawn_worlds_differ_in_kind():
    one, other = drawn_reading_world(1), drawn_reading_world(2)
    assert one.num_items != other.num_items
    assert one.name == "drawn-reading-1"
    assert ReadingParameters.drawn(np.random.default_rng(0)).theme_sd > 0


def only(**sds: float) -> ReadingParameters:
    """A small world in which people differ in nothing but what is named."""
    none = dict.fromkeys(
        ("user_sd", "quality_sd", "genre_sd", "theme_sd", "mood_sd", "actor_sd", "era_sd"), 0.0
    )
    return ReadingParameters(num_users=300, num_items=60, num_actors=12, **{**none, **sds})


@pytest.mark.parametrize(
    ("name", "sd"),
    [("genre_sd", 0.7), ("theme_sd", 0.5), ("mood_sd", 0.4), ("actor_sd", 0.3), ("era_sd", 0.2),
     ("user_sd", 0.6)],
)  # fmt: skip
def test_tastes_vary_as_a_perfect_reader_is_told(name, sd):
    """Else the ceiling is that of another world."""
    truth = reading_world(0, parameters=only(**{name: sd})).truth
    for group, way in enumerate(truth.structure.ways):
        own = truth.utilities[truth.groups == group] - truth.structure.mean_rating
        told = (truth.structure.features(way) ** 2).sum(axis=1).mean()
        assert (own**2).mean() == pytest.approx(told, rel=0.4), way.name


def test_tastes_that_come_in_kinds_have_the_covariance_of_the_mixture():
    """0.6 of a kind drawn as a sum of three over √3, 0.8 of one's own."""
    kinds = np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 0.0]])
    wanted = 0.36 / 3 * np.array([[10.0, 2.0], [2.0, 4.0]]) + 0.64 * np.eye(2)
    assert _alike(kinds) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("name", "block", "topics"), [("theme_sd", 1, THEMES), ("mood_sd", 2, MOODS)]
)
def test_people_say_the_theme_and_the_mood_that_they_like_most(name, block, topics):
    truth = reading_world(0, parameters=only(**{name: 0.7})).truth
    attributes = truth.structure.blocks[block].attributes
    tastes = np.linalg.lstsq(attributes, truth.utilities.T - truth.structure.mean_rating)[0]
    found = [told(text, topics) for text in truth.sayings]
    assert sum(map(bool, found)) > 200, "a saying may leave out the mood"
    for taste, named in zip(tastes.T, found, strict=True):
        assert not named or taste.argmax() in named


def test_cold_people_are_asked_about_fifteen_rows_at_most(world):
    asked = np.diff(world.test.offsets())[world.truth.cold_people]
    assert asked.max() == 15


def test_nobody_rates_an_item_that_is_not_out_however_many_are_not():
    """A fault once: who wanted to rate more items than were out rated cold ones."""
    world = reading_world(3, num_users=20, num_items=30, cold_items=0.9)
    for log in (world.train, world.test):
        assert not world.truth.cold_items[log.items].any()
    assert world.truth.num_logged.max() == 3

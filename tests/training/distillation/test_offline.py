"""Traits by the published rules and profiles, on logs one can hold in the head."""

from dataclasses import replace

import numpy as np
import pytest

from agents.embedding import TfidfSvdEmbedder
from agents.prompt_style import PromptStyle
from simenv.catalog import Catalog
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from training.distillation.offline import OfflineDistiller
from training.populate import population_from_dataset, population_on

GENRES = (("A",), ("B",), ("C",), ("D",), (), (), ("A",))  # of items 0..6
ROWS = [  # (items, ratings) of users 0..5; every item's average is 3, so residuals are rating - 3
    ([0], [3]),
    ([0, 1], [4, 4]),
    ([0, 1, 2], [5, 5, 3]),
    ([0, 6, 1, 2], [3, 3, 4, 4]),
    ([0, 1, 2, 3, 4, 5], [5, 5, 5, 5, 5, 5]),
    ([], []),
]


def catalog(**fields):
    titles = tuple(f"Film {i}" for i in range(7))
    return Catalog(titles, np.zeros(7, dtype=np.int64), GENRES, **fields)


AVERAGES = ItemAverages(np.full(7, 3.0), np.full(7, 10), np.full(7, 3.0))


def log_of(rows, num_items=7):
    users = np.repeat(np.arange(len(rows)), [len(items) for items, _ in rows])
    items, ratings = (np.concatenate([np.array(row[i], float) for row in rows]) for i in (0, 1))
    return InteractionLog.from_columns(
        users, items.astype(int), ratings, num_users=len(rows), num_items=num_items
    )


def distil(rows, **fields):
    return OfflineDistiller(catalog(**fields), AVERAGES).distil(log_of(rows))


def persona_of(items, ratings, **fields):
    return distil([(items, ratings)], **fields).personas[0]


@pytest.fixture(scope="module")
def levels():
    """(6, 3) activity, conformity, diversity."""
    return OfflineDistiller(catalog(), AVERAGES).traits(log_of(ROWS))


def test_activity_is_the_number_of_ratings_cut_at_the_60th_and_90th_percentile(levels):
    """Counts 1 2 3 4 6: the 60th is 3 + 0.4 · (4 - 3) = 3.4, the 90th 4 + 0.6 · (6 - 4) = 5.2."""
    assert levels[:5, 0].tolist() == [1, 1, 1, 2, 3]


def test_conformity_is_the_squared_distance_cut_at_the_25th_and_80th_percentile(levels):
    """Distances 0/1, 2/2, 8/3, 2/4, 24/6: the 25th is 2/4, the 80th 8/3 + 0.2 · (4 - 8/3)."""
    assert levels[:5, 1].tolist() == [1, 2, 2, 2, 3]


def test_diversity_counts_genres_up_to_four_fifths_cut_at_the_33rd_and_66th(levels):
    """Genres with running share <= 0.8: 0, 1, 2, 2, 3; the 33rd is 1.32, the 66th 2."""
    assert levels[:5, 2].tolist() == [1, 1, 3, 3, 3]


def test_a_user_without_rows_gets_the_middle_and_moves_nobodys_percentile(levels):
    assert levels[5].tolist() == [2, 2, 2]
    fewer = OfflineDistiller(catalog(), AVERAGES).traits(log_of(ROWS[:5]))
    np.testing.assert_array_equal(levels[:5], fewer)


def test_a_user_without_rows_says_so_and_nothing_else():
    persona = distil(ROWS).personas[5]
    assert persona.profile == "I have not rated any movie yet."
    assert persona.tastes == {}


def test_an_empty_log_makes_everybody_average():
    found = distil([([], []), ([], [])])
    assert [(p.activity, p.conformity, p.diversity) for p in found.personas] == [(2, 2, 2)] * 2
    assert found.reasons == []


def test_equal_ratings_have_a_level_no_spread_and_no_tastes():
    persona = persona_of([0, 1, 2, 3], [4, 4, 4, 4])
    assert persona.profile.startswith(
        "I gave 4.0 on average, +0.9 next to others, with a spread of 0.0."
    )
    assert persona.tastes == {}
    assert "like" not in persona.profile


def test_one_rating_says_nothing_about_tastes():
    persona = persona_of([2], [1])
    assert persona.profile == "I gave 1.0 on average, -0.9 next to others, with a spread of 0.0."
    assert persona.tastes == {}


def test_a_taste_is_the_ridge_estimate_and_stands_in_the_profile():
    """One row of each genre, 2 stars up and down: 2 · 1 / (1 + 4) = 0.4."""
    persona = persona_of([0, 1], [5, 1])
    assert persona.tastes == pytest.approx({"A": 2 / (1 + 4), "B": -2 / (1 + 4)})
    assert "I like A +0.4." in persona.profile
    assert "I care less for B -0.4." in persona.profile
    assert "+0.0 next to others, with a spread of 2.0" in persona.profile


def test_tastes_do_not_count_a_users_generosity():
    strict, kind = persona_of([0, 1], [3, 1]), persona_of([0, 1], [5, 3])
    assert strict.tastes == pytest.approx(kind.tastes)
    assert "-0.9 next to others" in strict.profile
    assert "+0.9 next to others" in kind.profile  # 1.0, as far as it is told


def test_the_level_is_a_users_generosity_drawn_to_0_where_ratings_are_few():
    """As if three more ratings had been exactly the others' average."""
    assert persona_of([0, 1], [4, 4]).level == pytest.approx((1 + 1) / (2 + 3))
    assert persona_of([0], [1]).level == pytest.approx(-2 / (1 + 3))
    assert persona_of([], []).level == 0.0


def test_a_preference_for_new_ones_is_told():
    years = np.array([1950, 1950, 1950, 2000, 2000, 2000, 1975])
    new = replace(catalog(), years=years)
    rows = [([0, 1, 2, 3, 4, 5], [1, 1, 1, 5, 5, 5])]
    distiller = OfflineDistiller(new, AVERAGES)
    assert "I prefer newer ones" in distiller.distil(log_of(rows)).personas[0].profile
    old = [([0, 1, 2, 3, 4, 5], [5, 5, 5, 1, 1, 1])]
    assert "I prefer older ones" in distiller.distil(log_of(old)).personas[0].profile


def test_an_actor_in_two_liked_items_is_told():
    """Residuals next to the user's own mean: +2, +2, -4 → 2 · 2 / (2 + 3) = 0.8 for Ida."""
    casts = (("Ida",), ("Ida",), ("Max",), (), (), (), ())
    persona = persona_of([0, 1, 2], [5, 5, 2], casts=casts)
    assert f"I like to see Ida {(1 + 1) / (2 + 3):+.1f}." in persona.profile
    assert "Max" not in persona.profile


def test_every_row_gets_a_reason_in_the_order_of_the_log():
    found = distil([([0, 1], [5, 1]), ([4], [5])])
    assert found.reasons == ["A as I love it", "B like this is not for me", "as I love it"]


# -- law 7 --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dataset():
    return synthetic(4, num_users=15, num_items=60)


def flipped(dataset):
    """The same world, in which everything after the split went the other way."""
    test = dataset.test
    return replace(
        dataset,
        test=replace(test, ratings=6 - test.ratings, items=test.items[::-1].copy()),
        averages=ItemAverages.of(dataset.train, dataset.catalog),
    )


def test_rows_after_the_split_change_nothing_about_the_people(dataset):
    first, second = (population_on(d, "m", PromptStyle()) for d in (dataset, flipped(dataset)))
    assert first.personas == second.personas
    assert first.reasons == second.reasons
    np.testing.assert_array_equal(first.vectors, second.vectors)
    np.testing.assert_array_equal(first.averages.means, second.averages.means)
    np.testing.assert_array_equal(first.averages.counts, second.averages.counts)


def test_the_first_memories_are_exactly_the_training_rows(dataset):
    people = population_on(dataset, "m", PromptStyle())
    for name in ("users", "items", "ratings"):
        np.testing.assert_array_equal(getattr(people.history, name), getattr(dataset.train, name))
    sums = np.bincount(dataset.train.items, dataset.train.ratings, dataset.num_items)
    counts = np.bincount(dataset.train.items, minlength=dataset.num_items)
    np.testing.assert_allclose(people.averages.means * counts, sums)


# -- assembly -----------------------------------------------------------------------------------


def test_a_data_sets_people_run_on_the_model_and_style_of_a_base(dataset):
    others = synthetic(6, num_users=4, num_items=30)
    base = population_on(others, "owner/model", PromptStyle(verbatim=3)).with_card(model="nice")
    people = population_from_dataset(dataset, base)
    assert people.model == "owner/model"
    assert people.style == PromptStyle(verbatim=3)
    assert people.name == dataset.name
    assert len(people.personas) == dataset.num_users
    assert people.adapters == {}
    assert people.card == {"model": "nice"}
    assert not {p.profile for p in people.personas} & {p.profile for p in base.personas}


def test_an_embedder_of_your_own_decides_what_is_alike(dataset):
    narrow, usual = (
        population_on(dataset, "m", PromptStyle(), TfidfSvdEmbedder(num_dims=d)).vectors
        for d in (5, 64)
    )
    assert usual.shape[1] - narrow.shape[1] > 10  # the rest is learnt from ratings

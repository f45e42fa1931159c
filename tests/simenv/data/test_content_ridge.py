"""The content ridge on catalogues one can hold in the head, and on items that nobody rated."""

import numpy as np
import pytest

from simenv.catalog import Catalog
from simenv.data.content_ridge import ContentRidge
from simenv.data.rating_baselines import BiasModel
from simenv.data.worlds.reading_world import reading_world
from simenv.events import InteractionLog


def catalog(**columns) -> Catalog:
    nothing = {"years": np.zeros(3, dtype=np.int64), "genres": ((), (), ())}
    return Catalog(("A", "B", "C"), **{**nothing, **columns})


def log(users, items, stars) -> InteractionLog:
    return InteractionLog.from_columns(users, items, stars, num_users=2, num_items=3)


def test_one_round_in_whole_arithmetic():
    """Items 0 and 1 share a genre of variance 1; a rating has variance 2, nobody is generous."""
    genres = (("Drama",), ("Drama",), ())
    parts = {"genre": 1.0, "era": 0.0, "people": 0.0, "plot": 0.0, "own": 0.0}
    model = ContentRidge(catalog(genres=genres), **parts, rating_variance=2.0)
    model = model.fit(log([0, 0, 1, 1], [0, 2, 0, 2], [5, 3, 5, 3]))
    # Two ratings of item 0 stand 1 above the mean of 4: worth 1 · 2 / (2 + 2 ratings) = 1/2 for
    # item 0 and 1 alike. Of -1 + 1/2 users keep nothing: their rows cancel in every round.
    middle = (0.5 + 0) / 2
    rest = 2 * -middle / (2 + 5)  # generosity after the first round, shrunk as by 5 ratings
    worth = [0.5, 0.5, 0.0]
    for _ in range(3):
        worth = [(1 - rest) / 2, (1 - rest) / 2, 0.0]
        rest = 2 * -(worth[0] / 2) / (2 + 5)
    assert model.worth == pytest.approx(worth)
    assert model.generosity == pytest.approx([rest, rest])


@pytest.mark.parametrize(
    ("part", "columns"),
    [
        ("genre", {"genres": (("Drama",), ("Drama",), ("War",), (), ())}),
        ("era", {"years": np.array([1990, 1991, 1930, 0, 0])}),
        ("people", {"casts": (("Ada", "Ben"), ("Ada",), ("Cleo",), (), ())}),
        ("plot", {"summaries": ("a whale hunt", "whale dies", "", "whale", "whale")}),
    ],
)
def test_what_two_items_share_carries_what_one_is_worth_to_the_other(part, columns):
    nothing = {"years": np.zeros(5, dtype=np.int64), "genres": ((),) * 5}
    films = Catalog(tuple("ABCDE"), **{**nothing, **columns})
    parts = dict.fromkeys(("genre", "era", "people", "plot", "own"), 0.0)
    rows = InteractionLog.from_columns([0, 0], [0, 2], [5, 3], num_users=1, num_items=5)
    model = ContentRidge(films, **{**parts, part: 1.0}, rating_variance=1.0).fit(rows)
    assert model.worth[1] > 0.2
    assert model.worth[2] < model.worth[1]


def test_a_persons_own_taste_for_genres_counts():
    genres = (("Drama",), ("War",), ("Drama",))
    model = ContentRidge(catalog(genres=genres)).fit(log([0, 0, 1, 1], [0, 1, 0, 1], [5, 1, 1, 5]))
    drama = model.predict(np.array([0, 1]), np.array([2, 2]))
    assert drama[0] > drama[1]


def test_an_empty_log_and_an_empty_catalogue_of_texts_give_the_middle():
    model = ContentRidge(catalog()).fit(log([], [], []))
    assert model.predict(np.array([[0], [1]]), np.array([0, 2])) == pytest.approx(
        np.full((2, 2), 3)
    )


def test_items_that_nobody_rated_are_told_apart_better_than_by_generosity_alone():
    world = reading_world(5)
    later = world.truth.later
    errors = [  # around their mean: people pick what they like, so all that a log knows is too high
        np.std(model.fit(world.train).predict(later.users, later.items) - later.ratings)
        for model in (ContentRidge(world.catalog), BiasModel())
    ]
    assert errors[0] < errors[1]

"""What is claimed of people, in whole arithmetic: likings, habits, and what is named first."""

from types import SimpleNamespace

import numpy as np
import pytest

from agents.wording.aspects import Aspect, aspects_of
from simenv.catalog import Catalog
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from training.distillation.in_words.habits import Habits
from training.distillation.in_words.likings import _neighbours, likings
from training.distillation.in_words.profile_words import Tastes, profile
from training.distillation.in_words.words_distiller import WordsDistiller

DRAWS = [0.0] * 15


def catalog(num_items: int = 6) -> Catalog:
    return Catalog(
        titles=tuple(f"Film {i}" for i in range(num_items)),
        years=np.array([1991, 1992, 2003, 2004, 0, 0][:num_items]),
        genres=(("War",), ("War",), ("Love",), ("Love",), ("War", "Love"), ())[:num_items],
        casts=(("Ann Lee",), ("Ann Lee",), ("Bo Ray",), (), (), ())[:num_items],
    )


def log_of(*rows: tuple[int, int, float], num_users: int = 1, num_items: int = 6):
    users, items, stars = (list(column) for column in zip(*rows, strict=True))
    return InteractionLog.from_columns(
        users, items, stars, num_users=num_users, num_items=num_items
    )


def of_user(own, *rows, user=0):
    """Aspect → (stars, rows) of a user's likings."""
    log, aspects = log_of(*rows), aspects_of(films := catalog())
    found = likings(log, np.array(own), aspects)
    del films
    return {aspects.all[a].key: (stars, count) for a, stars, count in found.of(user)}


def test_a_liking_is_the_sum_of_ones_own_stars_over_the_rows_and_a_prior_of_its_kind():
    own = [1.0, 0.5, -1.5]  # beyond others and beyond oneself
    found = of_user(own, (0, 0, 5.0), (0, 1, 4.0), (0, 2, 1.0))
    assert found["person:Ann Lee"] == (pytest.approx(1.5 / (2 + 3)), 2)
    assert found["era:1990s"] == (pytest.approx(1.5 / (2 + 8)), 2)
    assert found["War"] == (pytest.approx(1.5 / (2 + 4)), 2)
    assert set(found) == {"person:Ann Lee", "era:1990s", "War"}, "of one row nothing is said"


def test_themes_that_are_near_speak_for_each_other_by_half_a_cosine_less():
    alike = np.array([[1.0, 0.8, 0.4], [0.8, 1.0, 0.5], [0.4, 0.5, 1.0]])
    near = SimpleNamespace(names=("planets", "astronauts", "brides"), alike=alike)
    every = tuple(Aspect("theme", name) for name in sorted(near.names))
    place = {aspect: p for p, aspect in enumerate(every)}
    found = _neighbours(SimpleNamespace(all=every, place=place, themes=near))
    # astronauts, brides, planets
    assert found.toarray() == pytest.approx(np.array([[1, 0, 0.3], [0, 1, 0], [0.3, 0, 1]]))


def test_ones_own_stars_are_beyond_what_others_give_and_one_gives_to_others():
    films = catalog()
    log = log_of((0, 0, 5.0), (0, 1, 3.0), (0, 2, 4.0), (1, 0, 3.0), (1, 2, 1.0), num_users=2)
    averages = ItemAverages.of(log, films)
    own = WordsDistiller(films, averages)._own(log)
    apart = log.ratings - averages.fair[log.items]
    wanted = [*(apart[:3] - apart[:3].mean()), *(apart[3:] - apart[3:].mean())]
    assert own == pytest.approx(wanted)


def test_titles_are_named_by_stars_then_by_how_far_from_others_and_the_latest_last_first():
    films = catalog()
    rows = ((0, 0, 4.0), (0, 1, 5.0), (0, 2, 5.0), (0, 3, 3.0), (0, 4, 2.0), (0, 5, 1.0))
    log = log_of(*rows)
    distiller = WordsDistiller(films, ItemAverages.of(log, films))
    own = np.array([0.1, 0.2, 0.9, 0.0, -0.5, -2.0])
    titles = distiller._titles(log, own, 0)
    assert titles.loved == ["Film 2", "Film 1", "Film 0"], "four or five stars"
    assert titles.hated == ["Film 5", "Film 4"], "one or two"
    assert titles.latest == [f"Film {i}" for i in (5, 4, 3, 2, 1, 0)]


def test_what_is_liked_and_what_is_not_are_told_apart_in_the_whole_profile():
    films = catalog()
    rows = [(0, i, s) for i, s in enumerate((5.0, 5.0, 1.0, 1.0, 3.0, 3.0))]
    rows += [(1, i, 3.0) for i in range(6)]
    log = log_of(*rows, num_users=2)
    told = WordsDistiller(films, ItemAverages.of(log, films)).distil(log).personas[0].profile
    likes, dislikes = told.split('"Film 2"')[0], told.split('"Film 2"')[1]
    assert '"Film 0"' in likes
    sentences = [s for s in told.split(". ") if "1990s" in s or "Ann Lee" in s]
    assert sentences
    assert not any(word in s for s in sentences for word in ("less", "seldom", "without", "tired"))
    assert any("2000s" in s and ("less" in s or "seldom" in s) for s in told.split(". "))
    assert dislikes


@pytest.mark.parametrize(
    ("level", "said"),
    [(0.7, "very generous"), (0.6, "very generous"), (0.3, "I am generous"), (0.1, "a little more"),
     (0.0, "neither"), (-0.1, "neither"), (-0.2, "a little stricter"), (-0.5, "I am strict:"),
     (-0.7, "very strict")],
)  # fmt: skip
def test_generosity_is_said_by_the_level(level, said):
    films = catalog()
    log = log_of((0, 0, 5.0), (0, 1, 3.0))
    habits = Habits.of(log, films, ItemAverages.of(log, films))
    assert said in habits.conformity(0, level, 0.0)


def crowd(*ratings: list[float]) -> Habits:
    """User u rated the first films as in ``ratings[u]``."""
    films = catalog()
    rows = [(u, i, s) for u, own in enumerate(ratings) for i, s in enumerate(own)]
    log = log_of(*rows, num_users=len(ratings))
    return Habits.of(log, films, ItemAverages.of(log, films))


def test_a_rank_is_the_share_below_and_half_of_the_equal():
    habits = crowd([3.0, 4.0], [3.0, 4.0], [1.0, 5.0, 1.0], [3.0])
    assert [habits._rank(habits.counts, u) for u in range(4)] == [0.5, 0.5, 0.875, 0.125]


def test_who_picks_from_more_genres_is_said_to_choose_more_widely():
    habits = crowd([3.0, 4.0], [3.0, 4.0], [3.0, 4.0, 3.0, 4.0], [3.0, 4.0, 3.0])
    assert habits.diversity(0, 0.0) == "I keep to what I know: War."
    assert habits.diversity(2, 0.0) == "I pick from all over: Love and War."


def test_of_one_rating_no_habit_is_claimed():
    habits = crowd([5.0], [3.0, 1.0, 4.0], [2.0])
    assert habits.conformity(0, 0.2, 0.0) == "I am a little more generous than others."
    assert habits.diversity(0, 0.0) == "The first movie I picked is War."


def test_of_nothing_but_equal_stars_no_spread_is_claimed():
    """All are alike, which is not to vary as much as most people do."""
    habits = crowd([4.0, 4.0], [4.0, 4.0], [4.0, 4.0])
    for user in range(3):
        assert "most things get nearly the same stars from me" in habits.conformity(user, 0.0, 0.0)


def test_where_all_that_is_rated_is_as_well_known_fame_is_no_habit():
    habits = crowd([4.0, 2.0], [3.0, 4.0])
    assert habits.activity(0, 0.0) == "I rate movies now and then."


@pytest.mark.parametrize("draw", [0.0, 0.4, 0.9])
def test_a_single_title_is_spoken_of_as_one(draw):
    one = Tastes(["Film 0"], (), (), (), (), ())
    none = Tastes((), (), (), (), (), ())
    told = profile(catalog().domain, one, none, ["Film 0"], [draw] * 12)
    assert " are " not in told
    assert " were " not in told


def test_no_more_titles_are_named_than_stated():
    many = Tastes([f"Film {i}" for i in range(12)], (), (), (), (), ())
    told = profile(catalog().domain, many, many, [f"Late {i}" for i in range(12)], DRAWS)
    assert told.count('"Film') == 6 + 4
    assert told.count('"Late') == 8

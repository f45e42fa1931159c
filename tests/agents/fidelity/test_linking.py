"""Whose profile fits these ratings? Golden numbers of small cases."""

import numpy as np
import pytest

from agents.fidelity.linking import ProfileReader, by_person, linked, ratings_as_numbers
from simenv.events import InteractionLog

VECTORS = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])


def test_ratings_become_their_mean_spread_choice_and_liking():
    log = InteractionLog.from_columns(
        [0, 0, 2], [0, 1, 2], [5.0, 3.0, 4.0], num_users=3, num_items=3
    )
    found = ratings_as_numbers(log, VECTORS)
    assert found[0] == pytest.approx([4.0, 1.0, 0.5, 0.5, 0.5, -0.5])
    assert found[1] == pytest.approx(np.zeros(6))  # nobody rated anything
    assert found[2] == pytest.approx([4.0, 0.0, 2.0, 2.0, 0.0, 0.0])


def test_how_many_ratings_somebody_has_is_not_told():
    once = InteractionLog.from_columns([0, 0], [0, 1], [5.0, 3.0], num_users=1, num_items=3)
    columns = [0] * 4, [0, 1, 0, 1], [5.0, 3.0, 5.0, 3.0]
    twice = InteractionLog(*(np.array(c) for c in columns), np.arange(4.0), 1, 3)
    assert ratings_as_numbers(twice, VECTORS) == pytest.approx(ratings_as_numbers(once, VECTORS))


def test_a_person_is_linked_where_their_own_profile_fits_best():
    scores = np.array([[3.0, 0.0, 1.0], [1.0, 2.0, 5.0], [0.0, 2.0, 4.0]])
    assert linked(scores, np.array([[0, 1, 2]])).tolist() == [[1.0, 0.5, 0.0]]
    assert linked(scores, np.array([[0, 1], [0, 2]])).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_equal_profiles_are_linked_by_chance():
    sets = np.array([[0, 1, 2, 3]])
    assert linked(np.zeros((4, 4)), sets).tolist() == [[0.25] * 4]


def test_shares_are_those_of_each_person():
    sets = np.array([[0, 1], [0, 3]])
    found = by_person(np.array([[1.0, 0.0], [0.0, 1.0]]), sets, 4)
    assert found[[0, 1, 3]].tolist() == [0.5, 0.0, 1.0]
    assert np.isnan(found[2])


def a_world(seed: int, num_people: int) -> tuple[list[str], np.ndarray]:
    """People who love one of two titles and say so; their later ratings are as they say."""
    rng = np.random.default_rng(seed)
    kind, strict = rng.integers(2, size=num_people), rng.integers(2, size=num_people)
    words = ("I am strict with all", "I am generous to all")
    profiles = [f'{words[s]}. I loved "{"AB"[k]}".' for k, s in zip(kind, strict, strict=True)]
    given = np.column_stack([strict, 0 * kind, kind, 1 - kind, 0 * kind, 0 * kind]) * 1.0
    return profiles, given + 0.05 * rng.standard_normal(given.shape)


def test_a_reader_learns_words_and_titles_on_others_and_links_strangers():
    reader = ProfileReader({"A": 0, "B": 1}, VECTORS).fit(*a_world(1, 60))
    words = ["I am strict with all", "I am generous to all"]
    profiles = [f'{w}. I loved "{t}".' for w in words for t in "AB"]
    given = np.array([[s, 0, k, 1 - k, 0, 0] for s in (0.0, 1.0) for k in (0, 1)])
    assert linked(reader.scores(profiles, given), np.array([[0, 1, 2, 3]])).mean() == 1.0
    wrong = reader.scores(profiles[::-1], given)
    assert linked(wrong, np.array([[0, 1, 2, 3]])).mean() == 0.0


def test_a_reader_without_others_is_refused():
    with pytest.raises(ValueError, match="wanted two others to learn from or more, got 1"):
        ProfileReader({}, VECTORS).fit(["a word"], np.zeros((1, 6)))


def a_reader() -> ProfileReader:
    return ProfileReader({"A": 0, "B": 1}, VECTORS).fit(*a_world(1, 60))


def test_the_scores_of_a_small_world_are_these():
    """Golden: ridge 20 on words and titles of weight 0.1, errors whitened with 5 % of the unit."""
    profiles = ['I am strict with all. I loved "A".', 'I am generous to all. I loved "B".']
    given = np.array([[0.0, 0, 0, 1, 0, 0], [1.0, 0, 1, 0, 0, 0]])
    wanted = np.array([[-1.9979, -9.9493], [-10.1538, -2.4440]])
    assert a_reader().scores(profiles, given) == pytest.approx(wanted, abs=2e-3)


def test_the_words_of_a_title_are_no_words_of_the_profile():
    """A film called "I am strict with all" says nothing of who names it."""
    given = np.array([[0.0, 0, 0, 1, 0, 0], [1.0, 0, 1, 0, 0, 0]])
    titled, plain = (a_reader().scores([p], given) for p in ('"I am strict with all"', ""))
    np.testing.assert_array_equal(titled, plain)

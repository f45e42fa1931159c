import numpy as np
import pytest

from simenv.env.rewards import Outcome, expected_rating, mean_rating
from simenv.env.scripted_env import make_world
from simenv.seeding import Channel, row_seeds, uniforms
from simenv.users.behaviour import Behaviour, behaviour_of, sample_stars

NUM_USERS = 20_000
CHANCES = np.array([0.1, 0.1, 0.2, 0.4, 0.2])  # 3.5 expected stars
SEEDS = row_seeds(0, np.arange(NUM_USERS), np.zeros(NUM_USERS, dtype=np.int64))


def answers(num_places, behaviour=None):
    """Everybody thinks the same of every item."""
    chances = np.broadcast_to(CHANCES, (NUM_USERS, num_places, 5))
    activity = np.ones(NUM_USERS, dtype=np.int64)
    behaviour = behaviour or Behaviour()
    return behaviour.act(chances, np.full(NUM_USERS, 3.6), activity, SEEDS)


def test_an_answer_is_its_arithmetic_with_a_draw_of_its_own_for_every_decision():
    num, seeds = 500, SEEDS[:500]
    chances = np.random.default_rng(0).dirichlet(np.ones(5), size=(num, 2))
    expected = chances @ np.array([1, 2, 3, 4, 5])
    satisfaction, activity = np.linspace(1, 5, num), np.arange(num) % 3 + 1
    found = Behaviour().act(chances, satisfaction, activity, seeds)
    watched = np.array([1, 0.95]) / (1 + np.exp(-1.5 * (expected - 3)))
    taken = uniforms(seeds, Channel.TAKE, 2) < watched
    below = uniforms(seeds, Channel.RATING, 2)[..., None] >= np.cumsum(chances, axis=-1)[..., :4]
    mood = 0.7 * satisfaction + 0.3 * expected.mean(axis=1)
    odds = 0.08 / 0.92 * np.exp(1.6 * (3.6 - mood) - 0.4 * (activity - 1))
    np.testing.assert_array_equal(found.taken, taken)
    np.testing.assert_array_equal(found.ratings, np.where(taken, 1 + below.sum(axis=-1), 0))
    np.testing.assert_array_equal(
        found.quits, uniforms(seeds, Channel.QUIT, 1)[:, 0] < odds / (1 + odds)
    )
    np.testing.assert_array_equal(found.probabilities, chances)


def test_chances_and_mood_follow_the_stated_defaults():
    behaviour = Behaviour()
    np.testing.assert_allclose(
        behaviour.take_chance(np.array([[2.0, 4.0, 3.0]])),
        [[1 / (1 + np.exp(1.5)), 0.95 / (1 + np.exp(-1.5)), 0.95**2 / 2]],
    )
    odds = 0.08 / 0.92 * np.exp(np.array([1.6 * (3.6 - 3.0), 1.6 * (3.6 - 4.0) - 2 * 0.4]))
    np.testing.assert_allclose(
        behaviour.quit_chance(np.array([3.0, 4.0]), np.array([1, 3])), odds / (1 + odds)
    )
    moved = behaviour.update_satisfaction(np.array([3.0, 5.0]), np.array([[1.0, 2.0], [4.0, 5.0]]))
    np.testing.assert_allclose(moved, [0.7 * 3 + 0.3 * 1.5, 0.7 * 5 + 0.3 * 4.5])


def test_a_draw_on_an_edge_belongs_to_the_star_above():
    even = np.array([0.5, 0.5, 0.0, 0.0, 0.0])
    assert sample_stars(np.tile(even, (4, 1)), np.array([0, 0.25, 0.5, 0.999])).tolist() == [
        1,
        1,
        2,
        2,
    ]
    sure = np.array([0.0, 0.0, 0.0, 0.0, 1.0])
    assert sample_stars(sure[None], np.array([0.0])).tolist() == [5]
    assert sample_stars(even[None], np.array([0.0])).dtype == np.float64


def test_places_lower_down_are_watched_less_by_the_stated_factor():
    shares = answers(4, Behaviour(examine_decay=0.8)).taken.mean(axis=0)
    first = 1 / (1 + np.exp(-1.5 * (3.5 - 3.0)))
    np.testing.assert_allclose(shares, first * 0.8 ** np.arange(4), atol=0.012)


def test_stars_are_drawn_from_the_distribution_whether_an_item_is_liked_or_not():
    feedback = answers(3)
    stars = feedback.ratings[feedback.taken]
    shares = np.bincount(stars.astype(int), minlength=6)[1:] / len(stars)
    np.testing.assert_allclose(shares, CHANCES, atol=0.01)


def test_a_contented_user_leaves_at_the_base_rate_and_patience_and_joy_lower_it():
    chances = Behaviour(base_quit=0.08, content_level=3.6).quit_chance(
        np.array([3.6, 3.6, 4.6, 2.6]), np.array([1, 3, 1, 1])
    )
    odds = 0.08 / 0.92
    wanted = np.array([odds, odds * np.exp(-2 * 0.4), odds * np.exp(-1.6), odds * np.exp(1.6)])
    np.testing.assert_allclose(chances, wanted / (1 + wanted))


def test_the_expected_reward_has_the_mean_of_the_sampled_one_and_less_of_its_variance():
    """One place, since with more of them the sampled mean favours what was taken."""
    users, catalog = make_world(NUM_USERS, 20)
    who, items = np.arange(NUM_USERS), np.arange(NUM_USERS)[:, None] % 20
    activity = np.ones(NUM_USERS, dtype=np.int64)
    chances = users.truth.probabilities(who, items)
    feedback = Behaviour().act(chances, np.full(NUM_USERS, 3.6), activity, SEEDS)
    outcome = Outcome(feedback, who, items, catalog, np.zeros(NUM_USERS))
    taken = feedback.taken[:, 0]
    sampled, expected = mean_rating(outcome)[taken], expected_rating(outcome)[taken]
    noise = (sampled - expected).std() / np.sqrt(taken.sum())
    assert abs((sampled - expected).mean()) < 4 * noise
    assert expected.var() < 0.9 * sampled.var()


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("examine_decay", 1.2, r"in \(0, 1\]"),
        ("examine_decay", 0, r"in \(0, 1\]"),
        ("examine_decay", -0.5, r"in \(0, 1\]"),
        ("base_quit", 0, r"in \(0, 1\)"),
        ("base_quit", 1, r"in \(0, 1\)"),
        ("satisfaction_memory", 1.5, r"in \[0, 1\]"),
        ("satisfaction_memory", -0.5, r"in \[0, 1\]"),
    ],
)
def test_chances_outside_their_range_are_refused(name, value, wanted):
    with pytest.raises(ValueError, match=f"Behaviour wanted {name} {wanted}, got {value}; choose"):
        Behaviour(**{name: value})


def test_the_ends_of_the_ranges_are_allowed():
    for name, value in (
        ("examine_decay", 1),
        ("satisfaction_memory", 0),
        ("satisfaction_memory", 1),
    ):
        assert getattr(Behaviour(**{name: value}), name) == value


def test_users_that_do_not_say_how_they_behave_behave_by_the_defaults():
    users, _ = make_world(3, 4)
    users.behaviour = Behaviour(base_quit=0.5)
    assert behaviour_of(users) == Behaviour(base_quit=0.5)
    assert behaviour_of(object()) == Behaviour()

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simenv.events import Slates, expected_stars
from simenv.seeding import row_seeds
from simenv.snapshots import unpack_arrays
from simenv.testing.user_models import UserModelContract
from simenv.users.behaviour import Behaviour
from simenv.users.scripted_users import LatentTruth, ScriptedUsers


def make_users(num_users=9, num_items=30, **settings):
    return ScriptedUsers(LatentTruth.draw(num_users, num_items), num_users, num_items, **settings)


class TestScriptedUsers(UserModelContract):
    num_items = 30

    @pytest.fixture
    def make_users(self):
        return make_users


@given(st.integers(0, 2**32), st.permutations(range(9)))
@settings(max_examples=25, deadline=None)
def test_an_answer_does_not_depend_on_who_else_is_asked(root, order):
    users, who = make_users(), np.array(order)
    items = np.random.default_rng(root).permuted(np.tile(np.arange(30), (9, 1)), axis=1)[:, :4]
    seeds = row_seeds(root, who, np.zeros(9, dtype=np.int64))
    whole = users.respond(who, Slates.of_items(items), seeds)
    for row in (0, 8):
        alone = users.respond(who[[row]], Slates.of_items(items[[row]]), seeds[[row]])
        for mine, theirs in zip(alone, whole, strict=True):
            np.testing.assert_array_equal(mine[0], theirs[row])


def test_star_probabilities_are_the_logistic_steps_of_the_liking():
    truth = LatentTruth(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1), level=3.0, noise=0.5)
    probabilities = truth.probabilities(np.array([0]), np.array([[0]]))[0, 0]
    below_2_5 = 1 / (1 + np.exp(-(2.5 - 3.0) / 0.5))
    assert probabilities[:2].sum() == pytest.approx(below_2_5)
    assert expected_stars(probabilities) == pytest.approx(3.0)


def test_a_drawn_world_uses_the_whole_scale_and_users_disagree():
    truth = LatentTruth.draw(200, 300, seed=1)
    items = np.tile(np.arange(300), (200, 1))
    stars = expected_stars(truth.probabilities(np.arange(200), items))
    assert 2.8 < stars.mean() < 3.8
    assert stars.std(axis=0).mean() > 0.5
    assert stars.min() < 1.5
    assert stars.max() > 4.5


def test_remember_counts_exactly_the_ratings_and_moves_satisfaction_towards_the_slate():
    users = make_users(behaviour=Behaviour(content_level=3.0))
    who, slates = np.array([2, 5]), Slates.of_items(np.array([[1, 2], [3, 4]]))
    feedback = users.respond(who, slates, row_seeds(0, who, who))
    users.remember(who, slates, feedback)
    assert users.num_ratings[who].tolist() == feedback.taken.sum(axis=1).tolist()
    assert users.num_ratings.sum() == feedback.taken.sum()
    after = 0.7 * 3.0 + 0.3 * feedback.expected.mean(axis=1)
    np.testing.assert_allclose(users.satisfaction[who], after)
    users.start_session(who)
    assert (users.satisfaction == 3.0).all()
    assert users.num_ratings.sum() == feedback.taken.sum(), "a new session forgets no rating"


def test_disappointed_users_leave_sooner():
    truth = LatentTruth(np.zeros((2000, 1)), np.zeros((4, 1)), np.array([1.5, 1.4, -2, -2.1]))
    users, who = ScriptedUsers(truth, 2000, 4), np.arange(2000)
    seeds = row_seeds(0, who, who * 0)
    good, bad = (
        users.respond(who, Slates.of_items(np.tile(slate, (2000, 1))), seeds).quits.mean()
        for slate in ([0, 1], [2, 3])
    )
    assert bad > good + 0.05


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: make_users(activity=np.ones(3)), r"one level a user, shape \(9,\), got \(3,\)"),
        (
            lambda: LatentTruth(np.zeros((2, 3)), np.zeros((4, 2)), np.zeros(4)),
            "as many factors a user as an item .* got factors",
        ),
        (
            lambda: LatentTruth(np.zeros((2, 3)), np.zeros((4, 3)), np.zeros(4), noise=0),
            "noise above 0, got 0; try 0.4",
        ),
        (lambda: make_users().restore(b"nonsense"), r"bytes that snapshot\(\) returned, got 8"),
        (lambda: unpack_arrays(b""), r"bytes that snapshot\(\) returned, got 0"),
        (
            lambda: make_users().restore(make_users(num_users=4).snapshot()),
            r"wanted satisfaction of shape \(9,\), got \(4,\); build",
        ),
        (
            lambda: make_users().respond(
                np.array([0]),
                Slates.of_items(np.array([[30]])),
                row_seeds(0, *np.zeros((2, 1), int)),
            ),
            r"slates wanted items in \[0, 30\), got 30\.\.30; recommend",
        ),
    ],
)
def test_wrong_worlds_are_refused_with_the_cure(build, message):
    with pytest.raises(ValueError, match=message):
        build()

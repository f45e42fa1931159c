import numpy as np
import pytest

from simenv.catalog import Catalog
from simenv.env.rollout import rollout
from simenv.env.scripted_env import make_vector_env
from simenv.env.vector_env import RecVectorEnv
from simenv.events import Slates
from simenv.users.behaviour import Behaviour
from simenv.users.scripted_users import LatentTruth, ScriptedUsers

USERS = np.array([9, 1, 8, 2, 7, 3, 6])
STEPS, PLACES = 4, 3


class Fixed:
    """Shows every user the same items, a new slate each step; keeps the feedback."""

    def __init__(self, first=0):
        self.first, self.updates, self.asked = first, [], []

    def recommend(self, observation, k, rng):
        steps = np.rint(observation["progress"][:, 0] * STEPS).astype(np.int64)
        self.asked.append(observation["user"].tolist())
        return Slates.of_items(self.first + steps[:, None] * k + np.arange(k))

    def update(self, observation, slates, feedback):
        self.updates.append((observation["user"].tolist(), slates, feedback))


class Propensities(Fixed):
    def recommend(self, observation, k, rng):
        items, scores, _ = super().recommend(observation, k, rng)
        return Slates(items, scores, np.full(items.shape, 0.25))


def make(num_envs=3, **settings):
    world = {"num_users": 10, "num_items": 30, "slate_size": PLACES, "session_steps": STEPS}
    return make_vector_env(num_envs, autoreset_mode="Disabled", **(world | settings))


def test_every_user_plays_one_session_whatever_the_batch_size():
    policy = Fixed()
    out = rollout(make(3), policy, seed=1, users=USERS)
    assert out.users.tolist() == USERS.tolist()
    assert out.items.shape == (7, STEPS, PLACES)
    assert (out.alive[:, 0]).all()
    lengths = out.lengths()
    assert ((lengths == STEPS) | out.quits).all()
    for row, length in enumerate(lengths):
        assert out.alive[row].tolist() == [True] * length + [False] * (STEPS - length)
        assert (out.items[row, :length].ravel() == np.arange(length * PLACES)).all()
        assert (out.items[row, length:] == -1).all()
    assert ((out.ratings > 0) == out.taken).all()
    for size in (1, 7, 10):
        other = rollout(make(size), Fixed(), seed=1, users=USERS)
        for name in ("items", "ratings", "expected", "taken", "alive", "quits"):
            np.testing.assert_array_equal(getattr(out, name), getattr(other, name))


def test_only_users_whose_session_runs_reach_the_policy():
    policy, seen = Fixed(), []
    out = rollout(
        make(7), policy, seed=1, users=USERS, on_step=lambda who, *_: seen.append(who.tolist())
    )
    assert [len(users) for users in policy.asked] == out.alive.sum(axis=0)[: len(seen)].tolist()
    assert policy.asked == [users for users, *_ in policy.updates] == seen
    assert sum(feedback.quits.sum() for *_, feedback in policy.updates) == out.quits.sum()


def test_two_policies_meet_the_same_luck():
    """Common random numbers: where two policies show the same, the same happens."""

    class Other(Fixed):
        def recommend(self, observation, k, rng):
            items, scores, _ = super().recommend(observation, k, rng)
            odd = np.asarray(observation["user"]) % 2 == 1
            return Slates(np.where(odd[:, None], items + 12, items), scores)

    env = make(3)
    left = rollout(env, Fixed(), seed=1, users=USERS)
    right = rollout(env, Other(), seed=1, users=USERS[::-1])
    for row, user in enumerate(USERS):
        twin = right.users.tolist().index(user)
        same = np.array_equal(left.ratings[row], right.ratings[twin])
        assert same or user % 2 == 1
    again = rollout(env, Fixed(), seed=2, users=USERS)
    assert not np.array_equal(left.ratings, again.ratings)


def test_memories_are_kept_when_asked_for():
    env = make(3)
    first = rollout(env, Fixed(), seed=1, users=USERS)
    second = rollout(env, Fixed(), seed=1, users=USERS, reset_users=False)
    total = first.taken.sum() + second.taken.sum()
    assert env.user_model.num_ratings.sum() == total
    assert not np.array_equal(first.ratings, second.ratings), "lifetime steps go on"
    third = rollout(env, Fixed(), seed=1, users=USERS)
    np.testing.assert_array_equal(first.ratings, third.ratings)


def test_a_fork_without_reset_is_keyed_by_its_seed():
    env = make(3)
    rollout(env, Fixed(), seed=1, users=USERS)
    state = env.snapshot()
    ratings = []
    for seed in (5, 5, 6):
        env.restore(state)
        played = rollout(env, Fixed(), seed=seed, users=USERS, reset_users=False)
        ratings.append(played.ratings)
    np.testing.assert_array_equal(ratings[0], ratings[1])
    assert not np.array_equal(ratings[0], ratings[2])


def test_the_frame_has_one_row_an_exposure(tmp_path):
    import pandas as pd

    out = rollout(make(3), Propensities(), seed=1, users=USERS)
    frame = out.to_frame()
    columns = "user step place item score propensity expected rating taken quit failed"
    assert list(frame) == columns.split()
    assert len(frame) == out.lengths().sum() * PLACES
    assert (frame["propensity"] == 0.25).all()
    assert frame.groupby("user")["quit"].any().sum() == out.quits.sum()
    assert frame["quit"].sum() == out.quits.sum() * PLACES
    row = frame[(frame.user == 8) & (frame.step == 0) & (frame.place == 2)].iloc[0]
    assert row["item"] == out.items[2, 0, 2]
    assert row["rating"] == out.ratings[2, 0, 2]
    frame.to_parquet(tmp_path / "log.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "log.parquet"), frame)


def test_unknown_propensities_stay_unknown():
    out = rollout(make(3), Fixed(), seed=1, users=USERS)
    assert out.propensities is None
    assert out.to_frame()["propensity"].isna().all()


@pytest.mark.parametrize(
    ("mode", "users", "message"),
    [
        ("NextStep", USERS, "leaves ended sessions alone, got .*; build it with autoreset_mode="),
        ("Disabled", [1, 1], "each once, got 2 ids of 1 users; pass np.unique"),
        ("Disabled", [], "at least one user and each once, got 0 ids"),
        ("Disabled", [10], r"ids in \[0, 10\) or -1"),
    ],
)
def test_wrong_rollouts_are_refused_with_the_cure(mode, users, message):
    env = make_vector_env(2, num_users=10, autoreset_mode=mode)
    with pytest.raises(ValueError, match=message):
        rollout(env, Fixed(), seed=0, users=users)


class EpsilonGreedy:
    """Mean rating so far plus a little luck; epsilon = 1 is the random policy."""

    def __init__(self, num_items, epsilon):
        self.sums, self.counts = np.full(num_items, 3.0), np.ones(num_items)
        self.epsilon = epsilon

    def recommend(self, observation, k, rng):
        n, num_items = len(observation["user"]), len(self.sums)
        scores = np.tile(self.sums / self.counts, (n, 1)) + 1e-6 * rng.random((n, num_items))
        explores = rng.random(n) < self.epsilon
        scores[explores] = rng.random((int(explores.sum()), num_items))
        items = np.argsort(-scores, axis=1)[:, :k]
        return Slates(items, np.take_along_axis(scores, items, axis=1))

    def update(self, observation, slates, feedback):
        np.add.at(self.sums, slates.items, feedback.expected)
        np.add.at(self.counts, slates.items, 1)


def test_a_learner_beats_random_where_one_genre_is_loved():
    num_users, num_items, num_genres = 200, 40, 4
    genres = np.arange(num_items) % num_genres
    tastes = np.tile([1.5, -1.0, -1.0, -1.0], (num_users, 1))
    truth = LatentTruth(tastes, np.eye(num_genres)[genres], np.zeros(num_items))
    catalog = Catalog(
        titles=tuple(map(str, range(num_items))),
        years=np.zeros(num_items, dtype=np.int64),
        genres=tuple((str(g),) for g in genres),
    )
    users = ScriptedUsers(truth, num_users, num_items, behaviour=Behaviour())
    env = RecVectorEnv(users, catalog, num_envs=20, slate_size=4, autoreset_mode="Disabled")
    who = np.arange(num_users)
    greedy = rollout(env, EpsilonGreedy(num_items, 0.1), seed=0, users=who)
    random = rollout(env, EpsilonGreedy(num_items, 1.0), seed=0, users=who)
    late = slice(100, None)
    assert greedy.expected[late][greedy.alive[late]].mean() > 4.0
    assert random.expected[late][random.alive[late]].mean() < 3.2
    assert greedy.lengths()[late].mean() > random.lengths()[late].mean() + 1

"""An answer that failed is nothing: not taken, rated, remembered, averaged nor rewarded."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from agents.assembly import persona_users
from agents.fidelity.held_out import measure
from agents.inference.failures import FailedRequestsError
from agents.inference.scripted import ScriptedEngine
from agents.inference.wrapped.tolerant import TolerantEngine
from recommenders.evaluation.session_measures import ItemFacts, score_sessions
from recommenders.policies.bandits import EpsilonGreedy
from simenv.data.synthetic import synthetic
from simenv.env.rewards import REWARDS
from simenv.env.rollout import rollout
from simenv.env.vector_env import RecVectorEnv
from simenv.events import Feedback, Slates, mean_answered
from simenv.seeding import row_seeds
from simenv.users.behaviour import Behaviour
from training.populate import population_from_dataset


class Flaky(ScriptedEngine):
    """Fails on every third request of a call, or on all once ``dead``."""

    dead = False

    def score(self, requests, choices):
        scores = super().score(requests, choices)
        failed = range(len(requests)) if self.dead else range(2, len(requests), 3)
        if failed:
            raise FailedRequestsError(dict.fromkeys(failed, "no"), scores, "here")
        return scores


@pytest.fixture
def users(population):
    return persona_users(population, engine=lambda *_, **__: TolerantEngine(Flaky()))


def answers_of(users, num_users=4, places=5):
    ids = np.arange(num_users)
    slates = Slates.of_items(np.tile(np.arange(places), (num_users, 1)))
    return ids, slates, users.respond(ids, slates, row_seeds(0, ids, np.zeros_like(ids)))


def test_a_failed_answer_is_marked_and_neither_taken_nor_rated(users, population):
    _, _, feedback = answers_of(users)
    failed = np.arange(20).reshape(4, 5) % 3 == 2
    np.testing.assert_array_equal(feedback.failed, failed)
    assert np.isnan(feedback.expected[failed]).all()
    assert np.isfinite(feedback.expected[~failed]).all()
    assert not feedback.taken[failed].any()
    assert not feedback.ratings[failed].any()
    assert feedback.taken.any()
    whole = persona_users(population, engine="scripted")
    _, _, wanted = answers_of(whole)
    np.testing.assert_array_equal(feedback.expected[~failed], wanted.expected[~failed])
    np.testing.assert_array_equal(feedback.taken, wanted.taken & ~failed)


def test_a_failed_answer_is_not_remembered_and_moves_no_mood(users):
    ids, slates, feedback = answers_of(users)
    before = users.snapshot()
    nothing = feedback._replace(
        probabilities=np.full_like(feedback.probabilities, np.nan),
        taken=np.zeros_like(feedback.taken), ratings=np.zeros_like(feedback.ratings),
    )  # fmt: skip
    users.remember(ids, slates, nothing)
    assert users.snapshot() == before
    users.remember(ids, slates, feedback)
    assert np.isfinite(users._satisfaction).all()


def test_the_mood_moves_by_the_answered_places_alone():
    behaviour = Behaviour(satisfaction_memory=0.5)
    seen = np.array([[5.0, np.nan, 3.0], [np.nan] * 3, [1.0, 2.0, 3.0]])
    np.testing.assert_allclose(
        behaviour.update_satisfaction(np.full(3, 3.0), seen), [0.5 * 3 + 0.5 * 4, 3.0, 2.5]
    )
    np.testing.assert_array_equal(mean_answered(seen), [4.0, np.nan, 2.0])


def test_nobody_leaves_over_a_slate_that_has_no_answer():
    ids = np.arange(500)
    nothing, activity = np.full((500, 3, 5), np.nan), np.ones(500, dtype=np.int64)
    seeds = row_seeds(0, ids, np.zeros_like(ids))
    feedback = Behaviour().act(nothing, np.full(500, 1.0), activity, seeds)
    assert not feedback.quits.any()
    assert not feedback.taken.any()


def environment(users, **settings):
    return RecVectorEnv(
        users, users.population.catalog, num_envs=4, slate_size=5, max_episode_steps=4,
        autoreset_mode=AutoresetMode.DISABLED, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("reward", sorted(REWARDS))
def test_every_reward_is_finite_and_of_the_answered_places(users, reward):
    env = environment(users, reward=reward)
    env.reset(seed=1)
    _, rewards, _, _, info = env.step(np.tile(np.arange(5), (4, 1)))
    assert np.isfinite(rewards).all()
    assert info["failed"].dtype == np.bool_
    np.testing.assert_array_equal(info["failed"], np.isnan(info["expected"]))
    assert info["failed"].sum() == 6
    if reward == "expected_rating":
        np.testing.assert_allclose(rewards, np.nanmean(info["expected"], axis=1))


def test_a_reward_of_ones_own_that_is_nan_is_told_what_to_leave_out(users):
    env = environment(users, reward=lambda outcome: outcome.expected.mean(axis=1))
    env.reset(seed=1)
    with pytest.raises(ValueError, match=r"finite numbers.*that are not outcome\.failed"):
        env.step(np.tile(np.arange(5), (4, 1)))


def test_sessions_go_on_where_the_engine_is_gone_for_a_while(users):
    answers_of(users)
    users.engine.inner.dead = True
    env = environment(users)
    env.reset(seed=1)
    _, rewards, terminated, _, info = env.step(np.tile(np.arange(5), (4, 1)))
    assert info["failed"].all()
    assert not rewards.any()
    assert not terminated.any()


def test_a_roll_out_and_its_measures_leave_failed_places_out(users, population):
    class Same:
        def recommend(self, observation, k, rng):
            return Slates.of_items(np.tile(np.arange(k), (len(observation["user"]), 1)))

        def update(self, observation, slates, feedback):
            pass

    played = rollout(environment(users), Same(), seed=2, users=np.arange(5))
    assert 0.2 < played.failed[played.alive].mean() < 0.4
    frame = played.to_frame()
    assert (frame["failed"] == frame["expected"].isna()).all()
    assert (frame["failed"] == frame["rating"].isna()).all()
    assert not frame.loc[frame["failed"], "taken"].any()
    catalog = population.catalog
    size = len(catalog)
    facts = ItemFacts(catalog.genre_directions, np.zeros(size), np.ones(size), np.ones(10**4))
    scores = score_sessions(played, facts)
    wanted = [np.nanmean(played.expected[i][played.alive[i]]) for i in range(5)]
    np.testing.assert_allclose(scores.mean_rating, wanted)
    assert np.isfinite(scores.satisfaction).all()


def test_fidelity_leaves_failed_rows_out_for_all_and_counts_them(population, dataset):
    people = population_from_dataset(dataset, population)
    model = persona_users(people, engine=lambda *_, **__: TolerantEngine(Flaky()))
    found = measure(model, dataset, np.arange(6))
    asked = found["num_failed"] + found["num_ratings"]
    assert 0.2 < found["num_failed"] / asked < 0.5
    assert all(np.isfinite(figures["rmse"]) for figures in found["predictors"].values())
    model.engine.inner.dead = True
    with pytest.raises(ValueError, match=rf"got none of {asked}; the log says why"):
        measure(model, dataset, np.arange(6))


@pytest.fixture(scope="module")
def dataset():
    return synthetic(seed=2, num_users=16, num_items=80)


def test_a_policy_learns_nothing_from_a_failed_answer(population):
    policy = EpsilonGreedy().fit(population.history)
    counts, sums = policy._counts.copy(), policy._sums.copy()
    slates = Slates.of_items(np.array([[1, 2]]))
    chances = np.array([[[np.nan] * 5, [0.0, 0, 0, 0, 1]]])
    answer = Feedback(np.array([[0.0, 5.0]]), chances, np.array([[False, True]]), np.zeros(1, bool))
    observation = {"user": np.array([0])}
    policy.update(observation, slates, answer)
    assert policy._counts[1] == counts[1]
    assert policy._sums[1] == sums[1]
    assert policy._counts[2] == counts[2] + 1

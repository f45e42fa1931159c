"""What people who train policies ask of a simulator: a test named after each wish."""

import functools
import re
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import simenv
from recommenders.off_policy.estimators import estimate_policy
from recommenders.off_policy.logged_slates import Recorder, SimulatedLog
from recommenders.off_policy.support import check_support
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Popularity, Random
from simenv.env.rollout import rollout
from simenv.env.scripted_env import make_vector_env
from simenv.env.spaces import SlateSpace
from simenv.events import InteractionLog
from simenv.wrappers.action_masks import Masked
from simenv.wrappers.candidates import VectorCandidateSet
from simenv.wrappers.views import VectorSeen

ROOT = Path(__file__).parents[1]
SMALL = {"num_users": 30, "num_items": 40, "slate_size": 3, "session_steps": 2}


def steps(env, number, num_items=40, seed=0):
    """Users, rewards and ends of so many random slates."""
    space = SlateSpace(num_items, (env.num_envs, 3), seed=seed)
    found = []
    for _ in range(number):
        observation, rewards, terminated, truncated, _ = env.step(space.sample())
        found.append((observation["user"], rewards, terminated | truncated))
    return [np.array(column) for column in zip(*found, strict=True)]


def test_options_and_seeds_survive_autoreset():
    env = gym.make_vec("ScriptedRec-v0", num_envs=3, autoreset_mode="SameStep", **SMALL)
    who = np.array([7, 3, 11])
    env.reset(seed=4, options={"users": who, "root": 9})
    users, rewards, ends = steps(env, 9)
    assert ends.sum() >= 12  # sessions of two slates: every row restarted several times
    assert (users == who).all()
    env.reset(seed=4, options={"users": who, "root": 9})
    np.testing.assert_array_equal(steps(env, 9)[1], rewards)
    env.reset(seed=4, options={"users": who, "root": 10})
    assert (steps(env, 9)[2] != ends).any() or (steps(env, 9)[1] != rewards).any()


def test_action_masks_for_large_catalogues():
    world = make_vector_env(4, num_users=8, num_items=50_000, slate_size=3, session_steps=20)
    met = InteractionLog.from_columns(
        np.arange(8), np.arange(8), np.full(8, 4.0), num_users=8, num_items=50_000
    )
    stock = np.arange(50_000) % 2 == 0
    env = VectorSeen(VectorCandidateSet(world, 60), Masked(50_000, met, stock, num_places=3))
    observation, _ = env.reset(seed=0)
    assert observation["action_mask"].shape == (4, 60)
    shown = [set(), set(), set(), set()]
    for _ in range(6):
        places = np.argsort(-observation["action_mask"], axis=1, kind="stable")[:, :3]
        items = np.take_along_axis(observation["candidates"], places, axis=1)
        who, before = observation["user"], observation["progress"][:, 0]
        observation, *_ = env.step(places)
        for row in range(4):
            shown[row] = set() if before[row] == 0 else shown[row]
            assert stock[items[row]].all()
            assert not shown[row] & set(items[row].tolist())
            assert who[row] not in items[row]  # user u met item u
            shown[row] |= set(items[row].tolist())


def test_delta_snapshots_and_mid_run_forks():
    env = make_vector_env(8, 3_000, 40, slate_size=3, session_steps=6)
    env.reset(seed=1)
    steps(env, 3)
    start = env.snapshot()
    steps(env, 1, seed=5)
    change = env.snapshot(since=start)
    assert len(change) < len(start) / 10
    went_on = steps(env, 4, seed=6)
    for _ in range(2):  # in the middle of sessions, as often as one likes
        fork = make_vector_env(8, 3_000, 40, slate_size=3, session_steps=6)
        fork.restore(change, base=start)
        for ours, theirs in zip(steps(fork, 4, seed=6), went_on, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    fork.restore(change, base=start)
    assert (steps(fork, 4, seed=7)[1] != went_on[1]).any()  # other slates, another future


@pytest.mark.slow  # loads the shipped people
def test_a_run_is_replayed_without_a_model(tmp_path):
    from agents.inference.scripted import ScriptedEngine
    from agents.inference.wrapped.replay import recording_engine, replay_engine

    def played(engine):
        env = gym.make_vec(
            "PersonaRec-v0", num_envs=3, slate_size=3, session_steps=3, engine=engine
        )
        env.reset(seed=2)
        found = steps(env, 5, num_items=600)
        env.close()
        return found

    path = str(tmp_path / "answers.jsonl.gz")
    asked = []

    def model(*_, **__):
        asked.append(1)
        return ScriptedEngine()

    recorded = played(functools.partial(recording_engine, engine=model, path=path))
    assert asked == [1]
    replayed = played(functools.partial(replay_engine, path=path))
    assert asked == [1]  # no engine was built
    for ours, theirs in zip(replayed, recorded, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_logs_are_ready_for_off_policy_estimates_and_say_what_they_support(tmp_path):
    env = make_vector_env(30, **SMALL, autoreset_mode="Disabled")
    log = InteractionLog.from_columns(
        [0, 1, 2, 3], [0, 1, 0, 2], [5.0, 4.0, 4.0, 2.0], num_users=30, num_items=40
    )
    recorder = Recorder(Random().fit(log))
    rollout(env, recorder, seed=0, users=np.arange(30))
    recorder.log().save(tmp_path / "log")
    played = SimulatedLog.load(tmp_path / "log")
    ready = played.earned(played.ratings)
    close = EpsilonGreedy(epsilon=0.9).fit(log)
    good = check_support(Random().fit(log), ready, played.candidates)
    assert good.is_enough
    assert good.effective_size == pytest.approx(played.slates.items.size)
    found = check_support(close, ready, played.candidates)
    assert found.outside == 0
    value = estimate_policy(close, ready, ["IPS"])["IPS"]
    assert value.low < played.ratings.mean() * 2
    far = check_support(Popularity().fit(log), ready, played.candidates)
    assert not far.is_enough
    assert "log with a policy that is closer to it, or log more" in far.problems[0]


def test_ppo_dqn_and_a_bandit_beat_random_on_the_shipped_users_in_what_is_published():
    """Trainings of minutes on a language model are run by hand; here is what the docs say."""
    page = (ROOT / "docs/results.md").read_text(encoding="utf-8").split("### On the language model")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", page[1], re.MULTILINE)
    stars = {name: [float(x) for x in re.findall(r"\d\.\d\d", cell)] for name, cell, _ in rows[:20]}
    random, half = stars["random"]
    said = (ROOT / "docs/how-to/train_a_policy.md").read_text(encoding="utf-8")
    for name, figures in (("lin_ucb", [0.53]), ("dqn, 20,000 slates", [0.24]),
                          ("PPO, seeds 0, 1, 2", [0.58, 0.60])):  # fmt: skip
        own = stars[name] if name.startswith("PPO") else stars[name][:1]
        assert min(own) > random + 2 * half
        gains = sorted({round(one - random, 2) for one in own})
        assert gains[:: max(1, len(gains) - 1)] == figures
        assert " to ".join(f"+{gain:.2f}" for gain in figures) in said


def test_every_environment_is_registered_once():
    assert {"PersonaRec-v0", "ScriptedRec-v0", "ForesightRec-v0"} <= set(gym.registry)
    before = len(gym.registry)
    simenv.register_environments()
    assert len(gym.registry) == before

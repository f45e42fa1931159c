import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from recommenders.base import cold_observation
from recommenders.off_policy.estimators import estimate_policy
from recommenders.off_policy.logged_slates import Recorder, SimulatedLog
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Popularity, Random
from recommenders.policies.linear_bandits import LinTS
from simenv.catalog import Catalog
from simenv.env.rollout import Rollout, rollout
from simenv.env.vector_env import RecVectorEnv
from simenv.events import InteractionLog, Slates
from simenv.users.scripted_users import LatentTruth, ScriptedUsers

NUM_USERS, NUM_ITEMS, K, STEPS = 12, 20, 3, 3
LOG = InteractionLog.from_columns(
    np.arange(NUM_USERS), np.arange(NUM_USERS), np.full(NUM_USERS, 4.0),
    num_users=NUM_USERS, num_items=NUM_ITEMS,
)  # fmt: skip


def played(policy) -> tuple[Rollout, SimulatedLog]:
    users = ScriptedUsers(LatentTruth.draw(NUM_USERS, NUM_ITEMS), NUM_USERS, NUM_ITEMS)
    catalog = Catalog(
        tuple(f"Item {i}" for i in range(NUM_ITEMS)), np.zeros(NUM_ITEMS, int), ((),) * NUM_ITEMS
    )
    env = RecVectorEnv(
        users, catalog, num_envs=NUM_USERS, slate_size=K, max_episode_steps=STEPS,
        autoreset_mode=AutoresetMode.DISABLED,
    )  # fmt: skip
    recorder = Recorder(policy)
    tape = rollout(env, recorder, seed=3, users=np.arange(NUM_USERS))
    return tape, recorder.log()


@pytest.fixture
def recorded() -> tuple[Rollout, SimulatedLog]:
    return played(EpsilonGreedy(epsilon=0.5).fit(LOG))


def test_it_holds_every_slate_with_place_chances_and_candidates(recorded) -> None:
    tape, log = recorded
    order = [np.flatnonzero(tape.alive[:, t]) for t in range(STEPS)]
    np.testing.assert_array_equal(log.users, np.concatenate(order))
    for name, found in (
        ("items", log.slates.items),
        ("propensities", log.slates.propensities),
        ("ratings", log.ratings),
        ("taken", log.taken),
        ("expected", log.expected),
    ):
        wanted = np.concatenate([getattr(tape, name)[rows, t] for t, rows in enumerate(order)])
        np.testing.assert_array_equal(found, wanted, err_msg=name)
    assert np.take_along_axis(log.candidates, log.slates.items, axis=1).all()
    # One item is in the training log, three more are gone with every step.
    steps = np.concatenate([np.full(len(rows), t) for t, rows in enumerate(order)])
    left = log.candidates.sum(axis=1)
    assert (left <= NUM_ITEMS - 1 - K * steps + steps).all()
    assert (left >= NUM_ITEMS - 1 - K * steps).all()
    assert ((log.prefix_chances > 0) & (log.prefix_chances <= 1)).all()
    np.testing.assert_allclose(log.prefix_chances[:, 0], log.slates.propensities[:, 0])


def test_recording_changes_nothing() -> None:
    users = ScriptedUsers(LatentTruth.draw(NUM_USERS, NUM_ITEMS), NUM_USERS, NUM_ITEMS)
    catalog = Catalog(
        tuple(f"Item {i}" for i in range(NUM_ITEMS)), np.zeros(NUM_ITEMS, int), ((),) * NUM_ITEMS
    )
    env = RecVectorEnv(
        users, catalog, num_envs=NUM_USERS, slate_size=K, max_episode_steps=STEPS,
        autoreset_mode=AutoresetMode.DISABLED,
    )  # fmt: skip
    plain = rollout(env, EpsilonGreedy(epsilon=0.5).fit(LOG), seed=3, users=np.arange(NUM_USERS))
    tape, _ = played(EpsilonGreedy(epsilon=0.5).fit(LOG))
    np.testing.assert_array_equal(tape.items, plain.items)
    np.testing.assert_array_equal(tape.ratings, plain.ratings)


def test_a_saved_log_is_the_same_and_can_be_weighed(recorded, tmp_path) -> None:
    _, log = recorded
    log.save(tmp_path / "log.npz")
    loaded = SimulatedLog.load(tmp_path / "log.npz")
    assert (loaded.logged_by, len(loaded)) == ("EpsilonGreedy", len(log))
    assert loaded.observation.keys() == log.observation.keys()
    for key, value in log.observation.items():
        np.testing.assert_array_equal(loaded.observation[key], value)
    for name, value in zip(Slates._fields, log.slates, strict=True):
        np.testing.assert_array_equal(getattr(loaded.slates, name), value)
    for name in ("prefix_chances", "candidates", "ratings", "taken", "expected"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(log, name), err_msg=name)
    assert loaded.candidates.dtype == bool
    values = []
    for one in (log, loaded):
        policy = EpsilonGreedy(epsilon=0.4).fit(LOG)
        values.append(estimate_policy(policy, one.earned(one.ratings), ["IPS", "cascade-IPS"]))
    assert values[0] == values[1]


def test_a_policy_that_cannot_say_its_chances_leaves_them_out(tmp_path) -> None:
    _, log = played(LinTS().fit(LOG))
    assert log.slates.propensities is None
    assert log.prefix_chances is None
    log.save(tmp_path / "log.npz")
    assert SimulatedLog.load(tmp_path / "log.npz").prefix_chances is None


def test_what_is_no_log_is_refused(tmp_path) -> None:
    Popularity().fit(LOG).save(tmp_path / "policy.npz")
    with pytest.raises(ValueError, match=r"holds no simulated log; write one with Recorder"):
        SimulatedLog.load(tmp_path / "policy.npz")
    recorder = Recorder(Random().fit(LOG))
    with pytest.raises(ValueError, match=r"recorder of Random has seen no slate; play it"):
        recorder.log()
    recorder.recommend(cold_observation(np.arange(2)), 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"seen no slate"):
        recorder.log()

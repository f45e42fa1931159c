import numpy as np
import pytest

from recommenders.policies.heuristics import Random
from simenv.env.export import d3rlpy_arrays, minari_dataset, session_observations
from simenv.env.rollout import rollout
from simenv.env.scripted_env import make_vector_env
from simenv.events import InteractionLog

SIZES = {"num_users": 12, "num_items": 40}


@pytest.fixture(scope="module")
def seen():
    """What every step really showed its policy, by user."""
    return {}


@pytest.fixture(scope="module")
def played(seen):
    log = InteractionLog.from_columns([0, 1], [0, 1], [3.0, 4.0], num_users=12, num_items=40)
    policy = Random().fit(log)
    recommend = policy.recommend

    def watched(observation, k, rng):
        for row, user in enumerate(observation["user"].tolist()):
            seen.setdefault(user, []).append({k: v[row].copy() for k, v in observation.items()})
        return recommend(observation, k, rng)

    policy.recommend = watched
    env = make_vector_env(
        5, **SIZES, slate_size=3, history_length=8, session_steps=6, autoreset_mode="Disabled"
    )
    return rollout(env, policy, seed=0, users=np.arange(12))


def test_observations_are_those_that_the_policy_saw(played, seen):
    for row, user in enumerate(played.users.tolist()):
        rebuilt = session_observations(played, row, 8, 6)
        assert len(rebuilt["user"]) == played.lengths()[row] + 1
        for step, observation in enumerate(seen[user]):
            for key, values in observation.items():
                np.testing.assert_array_equal(rebuilt[key][step], values)


def test_arrays_are_one_row_a_slate_in_d3rlpys_shapes(played):
    arrays = d3rlpy_arrays(played, history_length=8)
    rows = played.lengths().sum()
    assert arrays["observations"].shape == (rows, 2 + 2 * 8)
    assert arrays["actions"].shape == (rows, 3)
    assert arrays["rewards"].shape == (rows, 1)
    assert all(values.dtype == np.float32 for values in arrays.values())
    assert arrays["terminals"].sum() == played.quits.sum()
    assert arrays["timeouts"].sum() == (~played.quits).sum()
    ends = np.flatnonzero(arrays["terminals"] + arrays["timeouts"])
    assert (ends + 1).tolist() == np.cumsum(played.lengths()).tolist()
    np.testing.assert_allclose(arrays["rewards"].sum(), played.rewards.sum(), rtol=1e-6)
    np.testing.assert_allclose(
        played.rewards[played.alive], played.expected[played.alive].mean(axis=1)
    )


def test_minari_gives_back_what_was_put_in(played, tmp_path, monkeypatch):
    minari = pytest.importorskip("minari", reason="an optional extra")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    minari_dataset(
        played, "personarec/random-v0", **SIZES, history_length=8, description="random slates"
    )
    stored = minari.load_dataset("personarec/random-v0")
    assert stored.total_episodes == 12
    assert stored.total_steps == played.lengths().sum()
    for row, episode in enumerate(stored.iterate_episodes()):
        length = played.lengths()[row]
        np.testing.assert_array_equal(episode.actions, played.items[row, :length])
        np.testing.assert_allclose(episode.rewards, played.rewards[row, :length])
        assert bool(episode.terminations[-1]) == bool(played.quits[row])
        rebuilt = session_observations(played, row, 8, 6)
        np.testing.assert_array_equal(
            episode.observations["history_items"], rebuilt["history_items"]
        )

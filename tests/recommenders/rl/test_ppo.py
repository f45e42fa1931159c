"""PPO: its arithmetic on data one can hold in the head, and that it learns."""

import numpy as np
import pytest
import torch

from recommenders.rl.features import Features, make_features
from recommenders.rl.ppo import PPOSettings, advantages, train
from recommenders.rl.slate_model import LearnerView, SlateModel
from recommenders.rl.trained_policy import TrainedPolicy
from simenv.data.synthetic import synthetic
from simenv.env.rollout import rollout
from simenv.env.scripted_env import make_vector_env, make_world
from simenv.env.vector_env import RecVectorEnv
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages


def test_advantages_are_the_discounted_surprises_and_stop_at_ends():
    rewards = torch.tensor([[1.0], [2.0], [4.0]])
    values = torch.tensor([[0.5], [1.0], [3.0]])
    ends = torch.tensor([[0.0], [1.0], [0.0]])
    found = advantages(rewards, values, ends, torch.tensor([10.0]), gamma=0.9, lam=0.5)
    last = 4 + 0.9 * 10 - 3
    middle = 2 - 1
    first = (1 + 0.9 * 1 - 0.5) + 0.9 * 0.5 * middle
    np.testing.assert_allclose(found[:, 0], [first, middle, last], rtol=1e-6)


def small_features(num_users=30, num_items=40):
    users, catalog = make_world(num_users, num_items)
    rng = np.random.default_rng(0)
    rows = [(u, i) for u in range(num_users) for i in rng.choice(num_items, 5, replace=False)]
    u, i = np.array(rows).T
    stars = users.truth.probabilities(u, i[:, None])[:, 0].argmax(axis=1) + 1.0
    log = InteractionLog.from_columns(u, i, stars, num_users=num_users, num_items=num_items)
    return make_features(log, catalog, ItemAverages.of(log, catalog)), log


def test_items_of_the_log_and_of_the_session_are_never_shown():
    features, log = small_features()
    env = make_vector_env(30, 30, 40, slate_size=3, history_length=30, autoreset_mode="Disabled")
    model = SlateModel(features, 8)
    played = rollout(env, TrainedPolicy(model).fit(log), seed=0, users=np.arange(30))
    for row, user in enumerate(played.users):
        shown = played.items[row][played.alive[row]].ravel()
        assert len(np.unique(shown)) == len(shown)
        assert not features.met[user, shown].any()


def test_a_policy_with_a_memory_of_one_row_equals_the_batch():
    features, _ = small_features()
    env = make_vector_env(6, 30, 40, slate_size=3, history_length=20)
    observation, _ = env.reset(seed=0)
    observation, *_ = env.step(env.action_space.sample())
    model = SlateModel(features, 8)
    with torch.no_grad():
        together, _ = model(LearnerView.of(observation))
        alone, _ = model(LearnerView.of({k: v[2:3] for k, v in observation.items()}))
    np.testing.assert_allclose(together[2:3], alone, rtol=1e-5, atol=1e-6)


def loved_genre_world():
    """A world of one taste: everybody loves the first genre, and features say each item's genre."""
    users, catalog = make_world(40, 60)
    loved = catalog.genre_matrix[:, 0] > 0
    users.truth.user_factors[:] = 0.0
    users.truth.quality[:] = np.where(loved, 1.2, -0.8)
    features = Features(
        users=np.ones((40, 1), np.float32),
        items=catalog.genre_matrix.astype(np.float32),
        met=np.zeros((40, 60), np.bool_),
        num_factors=1,
    )
    return users, catalog, features, loved


def test_ppo_finds_the_genre_that_everybody_loves_in_seconds():
    users, catalog, features, loved = loved_genre_world()
    env = RecVectorEnv(users, catalog, num_envs=20, slate_size=3, autoreset_mode="SameStep")
    model = train(env, features, PPOSettings(total_steps=2_400, learning_rate=1e-2, width=16))
    observation, _ = env.reset(seed=9)
    with torch.no_grad():
        best = model(LearnerView.of(observation))[0].topk(3, dim=1).indices.numpy()
    assert loved[best].mean() > 0.9


def test_the_same_seed_trains_the_same_model():
    weights = []
    for _ in range(2):
        users, catalog, features, _ = loved_genre_world()
        env = RecVectorEnv(users, catalog, num_envs=8, slate_size=3, autoreset_mode="SameStep")
        model = train(env, features, PPOSettings(total_steps=160, width=8))
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*weights)


def test_training_wants_sessions_that_restart_at_once():
    _, catalog, features, _ = loved_genre_world()
    env = RecVectorEnv(make_world(40, 60)[0], catalog, num_envs=2)
    with pytest.raises(ValueError, match="train wanted autoreset_mode='SameStep', got 'NextStep'"):
        train(env, features, PPOSettings())


def test_features_see_training_rows_only():
    dataset = synthetic(seed=3, num_users=40, num_items=80)
    features = make_features(dataset.train, dataset.catalog, dataset.averages)
    rows = dataset.test.users, dataset.test.items
    trained = np.zeros_like(features.met)
    trained[dataset.train.users, dataset.train.items] = True
    np.testing.assert_array_equal(features.met, trained)
    assert not features.met[rows].any()
    assert np.isfinite(features.users).all()
    assert features.users[:, : features.num_factors].std(axis=0).max() <= 1.001

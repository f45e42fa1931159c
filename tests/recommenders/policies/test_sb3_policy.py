import numpy as np
import pytest
from stable_baselines3 import DQN, PPO

from recommenders.base import cold_observation
from recommenders.policies.sb3_policy import SB3Policy
from simenv.env.rollout import rollout
from simenv.env.scripted_env import make_vector_env
from simenv.events import InteractionLog
from simenv.wrappers.sb3_vec_env import SB3VecEnv
from simenv.wrappers.slate_codes import MoreLikeThis, VectorCodedSlates
from simenv.wrappers.views import Embedded, Flat, VectorSeen

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 8}
LOG = InteractionLog.from_columns([0, 0, 1], [4, 5, 4], [4.0, 2, 5], num_users=12, num_items=20)
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def ppo():
    env = make_vector_env(4, **SMALL, repeats="replace", autoreset_mode="SameStep")
    model = PPO("MultiInputPolicy", SB3VecEnv(env), n_steps=8, batch_size=32, n_epochs=1, seed=0)
    return model.learn(64)


def test_slates_are_the_models_actions_where_the_user_has_not_met_them(ppo):
    policy = SB3Policy(ppo, label="mine").fit(LOG)
    observation = cold_observation(np.arange(12), 8)
    slates = policy.recommend(observation, 3, RNG)
    actions, _ = ppo.predict(observation, deterministic=True)
    for user in range(12):
        wanted = [i for i in dict.fromkeys(actions[user]) if i not in LOG.items[LOG.users == user]]
        assert slates.items[user][: len(wanted)].tolist() == wanted
        assert len(set(slates.items[user].tolist())) == 3
    assert policy.name == "mine"


def test_a_trained_policy_plays_sessions_beside_the_others(ppo):
    env = make_vector_env(4, **SMALL, autoreset_mode="Disabled")
    played = rollout(env, SB3Policy(ppo).fit(LOG), seed=0, users=np.arange(12))
    assert (played.items[played.alive] >= 0).all()
    assert played.lengths().min() >= 1


def test_q_values_rank_all_items():
    vectors = RNG.normal(size=(20, 4))
    views = Embedded(vectors), Flat()
    world = make_vector_env(4, **SMALL, autoreset_mode="SameStep")
    env = VectorSeen(VectorCodedSlates(world, MoreLikeThis(vectors)), *views)
    model = DQN("MlpPolicy", SB3VecEnv(env), learning_starts=8, seed=0).learn(32)

    def view(observation):
        return views[1].look(views[0].look(observation))

    policy = SB3Policy(model, view=view).fit(LOG)
    observation = cold_observation(np.arange(2, 12), 8)
    slates = policy.recommend(observation, 3, RNG)
    best, _ = model.predict(view(observation), deterministic=True)
    assert slates.items[:, 0].tolist() == best.tolist()


def test_saving_points_to_the_library(ppo):
    larger = InteractionLog.from_columns([0], [4], [4.0], num_users=12, num_items=50)
    policy = SB3Policy(ppo, decode=lambda a: a).fit(larger)
    assert policy.recommend(cold_observation(np.arange(2), 8), 3, RNG).items.shape == (2, 3)
    with pytest.raises(ValueError, match=r"PPO cannot be saved here; use model.save\(path\)"):
        policy.save("x")

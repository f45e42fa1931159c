"""DQN of Stable-Baselines3 on the same users: one item an action, plain flat observations."""

from typing import Any

import numpy as np

from recommenders.policies.sb3_policy import SB3Policy
from recommenders.rl.features import Features
from simenv.env.vector_env import RecVectorEnv
from simenv.observation import Observation
from simenv.values.extras import needing
from simenv.wrappers.slate_codes import MoreLikeThis, VectorCodedSlates
from simenv.wrappers.views import Embedded, Flat, VectorSeen


def train_dqn(
    env: RecVectorEnv, features: Features, total_steps: int, seed: int, gamma: float = 0.7
) -> SB3Policy:
    """Train on ``env`` (SAME_STEP) and return an unfitted policy that ranks items by Q-value.

    While it learns, a slate is the chosen item and those most like it. ``gamma`` discounts what
    comes after.
    """
    with needing("DQN"):
        from stable_baselines3 import DQN

    from simenv.wrappers.sb3_vec_env import SB3VecEnv

    embedded, flat = Embedded(features.items, features.users), _Short()
    views = VectorSeen(VectorCodedSlates(env, MoreLikeThis(features.items)), embedded, flat)
    model = DQN(
        "MlpPolicy",
        SB3VecEnv(views),
        learning_rate=1e-3,
        gamma=gamma,
        learning_starts=min(2_000, total_steps // 4),
        batch_size=128,
        train_freq=4,
        gradient_steps=8,
        exploration_fraction=0.5,
        policy_kwargs={"net_arch": [64]},
        seed=seed,
    ).learn(total_steps)

    def view(observation: Observation) -> Any:
        seen = flat.look(embedded.look(observation))
        return np.asarray(seen, dtype=np.float32)

    return SB3Policy(model, view=view, label="dqn")


class _Short(Flat):
    """``Flat`` without the vectors of every history item: their sum says enough."""

    def space(self, space: Any) -> Any:
        """See ``View``."""
        from gymnasium import spaces

        kept = {
            k: s
            for k, s in space.spaces.items()
            if k in ("user_vector", "liked_vector", "progress")
        }
        return super().space(spaces.Dict(kept))

"""``ForesightRec-v0``: lives among items that tempt and items that nourish, the optimum known.

Everybody thinks alike of every item; what differs is whether it tempts. So a life has few states,
and ``best_plan`` finds what is best in each of them. Boredom, leaving and return times are those of
``VisitEffects``, ``Behaviour`` and ``Life``.
"""

from typing import Unpack

import numpy as np
from gymnasium.vector import AutoresetMode

from simenv.catalog import Catalog
from simenv.env.best_plan import ForesightModel
from simenv.env.options import EnvSettings, check_settings
from simenv.env.single_env import RecEnv
from simenv.env.vector_env import RecVectorEnv
from simenv.users.behaviour import Behaviour
from simenv.users.lives import Life
from simenv.users.scripted_users import LatentTruth, ScriptedUsers
from simenv.users.visit_effects import VisitEffects
from simenv.users.weariness import Wear

KINDS = ("Nourishing", "Tempting")
_PLACES = 90  # of a life: 30 slates of three
# Satisfaction looks at the last slate alone, so that a life has few states.
BEHAVIOUR = Behaviour(satisfaction_memory=0.0)


def make_world(num_users: int = 200, num_items: int = 240) -> tuple[ScriptedUsers, Catalog]:
    """Users who think alike, and items of two kinds by turns; nothing is drawn."""
    check_settings(num_users=num_users, num_items=num_items)
    nothing = np.zeros((num_users, 1)), np.zeros((num_items, 1)), np.zeros(num_items)
    users = ScriptedUsers(LatentTruth(*nothing), num_users, num_items, behaviour=BEHAVIOUR)
    kinds = [KINDS[item % 2] for item in range(num_items)]
    catalog = Catalog(
        titles=tuple(f"{kind} {item:04d}" for item, kind in enumerate(kinds)),
        years=np.zeros(num_items, dtype=np.int64),
        genres=tuple((kind,) for kind in kinds),
    )
    return users, catalog


def foresight_settings(**settings: Unpack[EnvSettings]) -> EnvSettings:
    """The settings of the environment, with its own where none are given."""
    mine: EnvSettings = {
        "slate_size": 3,
        "history_length": _PLACES,
        "reward": "clicks",
        "max_episode_steps": 30,
        "life": Life(days=900.0),
        "effects": VisitEffects(window=_PLACES),
        "wear": Wear(tempting=KINDS[1:]),
    }
    return {**mine, **settings}


def make_model(**settings: Unpack[EnvSettings]) -> ForesightModel:
    """The decision problem behind an environment of these settings; see ``best_plan``.

    Raises:
        ValueError: with these settings a life has too many states, or something else is paid.
    """
    own = foresight_settings(**settings)
    life, effects, wear = own["life"], own["effects"], own["wear"]
    if life is None or effects is None or wear is None or own["reward"] != "clicks":
        raise ValueError(
            "make_model wanted a life, effects, wear and reward='clicks', got others; leave them"
            " out, or compare by playing instead of by the plan"
        )
    users, _ = make_world(1, 2)
    nobody, first = np.zeros(1, dtype=np.int64), np.zeros((1, 1), dtype=np.int64)
    return ForesightModel(
        chances=users.truth.probabilities(nobody, first)[0, 0],
        slate_size=own["slate_size"],
        max_steps=own["max_episode_steps"],
        wear=wear,
        life=life,
        behaviour=BEHAVIOUR,
        effects=effects,
    )


def make_env(
    num_users: int = 200,
    num_items: int = 240,
    *,
    session_steps: int = 30,
    **settings: Unpack[EnvSettings],
) -> RecEnv:
    """The environment behind ``gym.make("ForesightRec-v0", …)``.

    Args:
        num_users: who think alike and live on their own.
        num_items: half of them tempting; a life shows none of them twice if there are enough.
        session_steps: slates of a life at most.
        settings: see ``RecVectorEnv``; what is not given is that of ``foresight_settings``.
    """
    settings.setdefault("max_episode_steps", session_steps)
    return RecEnv(*make_world(num_users, num_items), **foresight_settings(**settings))


def make_vector_env(
    num_envs: int = 1,
    num_users: int = 200,
    num_items: int = 240,
    *,
    session_steps: int = 30,
    autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    **settings: Unpack[EnvSettings],
) -> RecVectorEnv:
    """The environment behind ``gym.make_vec("ForesightRec-v0", …)``; see ``make_env``."""
    settings.setdefault("max_episode_steps", session_steps)
    return RecVectorEnv(
        *make_world(num_users, num_items),
        num_envs=num_envs,
        autoreset_mode=autoreset_mode,
        **foresight_settings(**settings),
    )

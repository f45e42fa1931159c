"""``ScriptedRec-v0``: a small generated world with a known truth, for tests and tutorials."""

from typing import Unpack

from gymnasium.vector import AutoresetMode

from simenv.catalog import Catalog
from simenv.env.options import EnvSettings, check_settings
from simenv.env.single_env import RecEnv
from simenv.env.vector_env import RecVectorEnv
from simenv.ranges import check_seed
from simenv.seeding import Stream, generator
from simenv.users.behaviour import Behaviour
from simenv.users.scripted_users import LatentTruth, ScriptedUsers

_GENRES = ("Action", "Comedy", "Crime", "Drama", "Fantasy", "Horror", "Romance", "Western")


def make_world(
    num_users: int, num_items: int, world_seed: int = 0, behaviour: Behaviour | None = None
) -> tuple[ScriptedUsers, Catalog]:
    """The users and the catalogue that ``world_seed`` names: same numbers, same world.

    An item's genre is its strongest taste factor, so a genre's items please the same users.
    """
    check_settings(num_users=num_users, num_items=num_items)
    check_seed("the scripted world", "world_seed", world_seed)
    if behaviour is not None and not isinstance(behaviour, Behaviour):
        raise TypeError(
            f"behaviour wanted a Behaviour or None, got {behaviour!r:.80};"
            " build one, such as Behaviour()"
        )
    truth = LatentTruth.draw(num_users, num_items, num_factors=len(_GENRES), seed=world_seed)
    activity = generator(world_seed, Stream.ACTIVITY).integers(1, 4, num_users)
    users = ScriptedUsers(truth, num_users, num_items, activity, behaviour or Behaviour())
    genres = [_GENRES[factor] for factor in truth.item_factors.argmax(axis=1)]
    catalog = Catalog(
        titles=tuple(f"{genre} {item:04d}" for item, genre in enumerate(genres)),
        years=generator(world_seed, Stream.YEARS).integers(1950, 2025, num_items),
        genres=tuple((genre,) for genre in genres),
    )
    return users, catalog


def make_env(
    num_users: int = 100,
    num_items: int = 200,
    *,
    world_seed: int = 0,
    behaviour: Behaviour | None = None,
    session_steps: int = 10,
    **settings: Unpack[EnvSettings],
) -> RecEnv:
    """The environment behind ``gym.make("ScriptedRec-v0", …)``.

    Args:
        num_users: users of the world.
        num_items: items of the catalogue.
        world_seed: draws tastes and items; the seed of ``reset`` draws everything else.
        behaviour: how stars become watching, rating and leaving.
        session_steps: slates until truncation. ``gym.make`` keeps ``max_episode_steps`` for its
            own TimeLimit wrapper, which can only truncate earlier; this name reaches the
            environment.
        settings: see ``RecVectorEnv``.
    """
    users, catalog = make_world(num_users, num_items, world_seed, behaviour)
    settings.setdefault("max_episode_steps", session_steps)
    return RecEnv(users, catalog, **settings)


def make_vector_env(
    num_envs: int = 1,
    num_users: int = 100,
    num_items: int = 200,
    *,
    world_seed: int = 0,
    behaviour: Behaviour | None = None,
    session_steps: int = 10,
    autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    **settings: Unpack[EnvSettings],
) -> RecVectorEnv:
    """The environment behind ``gym.make_vec("ScriptedRec-v0", …)``; see ``make_env``."""
    users, catalog = make_world(num_users, num_items, world_seed, behaviour)
    settings.setdefault("max_episode_steps", session_steps)
    return RecVectorEnv(
        users, catalog, num_envs=num_envs, autoreset_mode=autoreset_mode, **settings
    )

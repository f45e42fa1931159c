"""One user at a time: row 0 of a one-slot ``RecVectorEnv``, with no logic of its own."""

from collections.abc import Mapping
from typing import Any, Unpack

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from simenv.catalog import Catalog
from simenv.env.infos import Info
from simenv.env.options import EnvSettings, as_options, parse_seed
from simenv.env.rendering import MODES, Frame
from simenv.env.vector_env import RecVectorEnv
from simenv.events import IntArray, SeedArray
from simenv.observation import Observation, take_row
from simenv.ranges import as_array
from simenv.user_model import UserModel


class RecEnv(gym.Env[Observation, IntArray]):
    """A session with one user; the settings and the meaning are those of ``RecVectorEnv``.

    ``reset(options={"users": u})`` takes an id or a list of one.
    """

    metadata: dict[str, Any] = {"render_modes": [*MODES], "render_fps": 1}  # noqa: RUF012

    def __init__(
        self, user_model: UserModel, catalog: Catalog, **settings: Unpack[EnvSettings]
    ) -> None:
        self._batch = RecVectorEnv(
            user_model, catalog, num_envs=1, autoreset_mode=AutoresetMode.DISABLED, **settings
        )
        self.observation_space = self._batch.single_observation_space
        self.action_space = self._batch.single_action_space
        self.render_mode = self._batch.render_mode

    @property
    def user_model(self) -> UserModel:
        """Who answers."""
        return self._batch.user_model

    @property
    def catalog(self) -> Catalog:
        """What can be shown."""
        return self._batch.catalog

    @property
    def next_seeds(self) -> SeedArray:
        """(1,) the seed of the coming answer."""
        return self._batch.next_seeds

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Start a session; with a seed the whole world goes back to its construction first."""
        seed, chosen = parse_seed(seed), as_options(options)
        super().reset(seed=seed)
        if chosen.get("users") is not None:
            users = as_array(chosen["users"])
            chosen["users"] = users if users.ndim else users[None]
            _check_seated(users)
        observation, info = self._batch.reset(seed=seed, options=chosen)
        return take_row(observation, 0), _first(info)

    def step(self, action: IntArray) -> tuple[Observation, float, bool, bool, Info]:
        """Show one slate (k,); after the session's end call ``reset`` first."""
        batch = self._batch.step(as_array(action)[None])
        observation, rewards, terminated, truncated, info = batch
        ends = bool(terminated[0]), bool(truncated[0])
        return take_row(observation, 0), float(rewards[0]), *ends, _first(info)

    def render(self) -> Frame | None:  # type: ignore[override]
        """The last slate as a page; None in "human" mode, which prints on its own."""
        frames = self._batch.render()
        return None if frames is None else frames[0]

    def close(self) -> None:
        """Release what the user model holds; closing twice is fine."""
        self._batch.close()

    def snapshot(self, since: bytes | None = None) -> bytes:
        """The exact state, or what changed in it; see ``RecVectorEnv.snapshot``."""
        return self._batch.snapshot(since)

    def restore(self, snapshot: bytes, base: bytes | None = None) -> None:
        """Bring back the state that ``snapshot`` returned; see ``RecVectorEnv.restore``."""
        self._batch.restore(snapshot, base)


def _check_seated(users: IntArray) -> None:
    """Raise if nobody would sit in the only row; the batch checks all else."""
    if np.issubdtype(users.dtype, np.integer) and (users < 0).any():
        raise ValueError(
            f"reset option 'users' wanted the id of one user, at least 0, got {users.tolist()}:"
            " an environment of one row cannot leave it idle"
        )


def _first(info: Info) -> Info:
    """Row 0 of every array, copied; the masks of a batch say nothing about one row."""
    return {key: values[0].copy() for key, values in info.items() if not key.startswith("_")}

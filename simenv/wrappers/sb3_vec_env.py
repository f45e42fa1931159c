"""Stable-Baselines3 over the native batch: one question to the users for all rows of a step.

Imported only by whoever has Stable-Baselines3; nothing else in ``simenv`` knows it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from simenv.values.extras import needing

with needing("environments for Stable-Baselines3"):
    from stable_baselines3.common.vec_env import VecEnv
    from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from simenv.env.infos import Info
from simenv.env.options import as_options
from simenv.env.vector_env import RecVectorEnv
from simenv.ranges import as_array

_Indices = VecEnvIndices


class SB3VecEnv(VecEnv):
    """A ``VecEnv`` around a batch that restarts its rows in the same step.

    Infos hold what SB3 wants (``terminal_observation``, ``TimeLimit.truncated``) and each row's own
    ``ratings``, ``taken``, … of the slate it was shown.

    Args:
        env: a ``RecVectorEnv`` built with ``autoreset_mode="SameStep"``, in any vector wrappers.

    Raises:
        TypeError: there is no ``RecVectorEnv`` inside.
        ValueError: another autoreset mode.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        world = env.unwrapped
        if not isinstance(world, RecVectorEnv):
            raise TypeError(
                f"SB3VecEnv wanted a RecVectorEnv, got {type(world).__name__};"
                " build one with gym.make_vec, or give SB3 the single environment itself"
            )
        if world.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise ValueError(
                f"SB3VecEnv wanted autoreset_mode='SameStep', got {world.autoreset_mode.value!r};"
                " pass it to gym.make_vec: gym.make_vec(…, autoreset_mode='SameStep')"
            )
        self.env = env
        self.world = world
        self.render_mode = world.render_mode
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> Any:
        """Start every session; after ``seed`` the whole world goes back to its construction.

        Options that ``set_options`` was given as a list, one dict a row, may name each row's user.

        Raises:
            ValueError: other options differ between rows, or some rows name a user and some none.
        """
        options = _one_for_all(self._options, self.num_envs)
        observation, info = self.env.reset(seed=self._seeds[0], options=options)
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [_row(info, i) for i in range(self.num_envs)]
        return observation

    def step_async(self, actions: Any) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Show the slates: observations, rewards (n,) float32, dones (n,) and one info a row."""
        observation, rewards, terminated, truncated, info = self.env.step(self._actions)
        infos = [_row(info, i) for i in range(self.num_envs)]
        for row in np.flatnonzero(terminated | truncated).tolist():
            infos[row] = _row(info["final_info"], row) | {
                "terminal_observation": info["final_obs"][row],
                "TimeLimit.truncated": bool(truncated[row] and not terminated[row]),
            }
        return observation, rewards.astype(np.float32), terminated | truncated, infos

    def close(self) -> None:
        """Release what the users hold."""
        self.env.close()

    def get_images(self) -> Sequence[np.ndarray[Any, Any] | None]:
        """One picture for each of the first rows, if the environment renders any."""
        frames = self.world.render() if self.render_mode == "rgb_array" else None
        return [np.asarray(frame) for frame in frames or ()]

    def get_attr(self, attr_name: str, indices: _Indices = None) -> list[Any]:
        """The batch's attribute, once for every row asked for."""
        return [getattr(self.world, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: _Indices = None) -> None:
        """Set an attribute of the batch; rows cannot differ."""
        self._want_all(f"set_attr({attr_name!r})", indices)
        setattr(self.world, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: _Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of the batch once; every row gets what it returned."""
        self._want_all(f"env_method({method_name!r})", indices)
        returned = getattr(self.world, method_name)(*method_args, **method_kwargs)
        return [returned] * self.num_envs

    def env_is_wrapped(self, wrapper_class: type[Any], indices: _Indices = None) -> list[bool]:
        """False: the rows are not environments of their own, so nothing single wraps them."""
        return [False] * len(list(self._get_indices(indices)))

    def _want_all(self, verb: str, indices: _Indices) -> None:
        if indices is not None and len(set(self._get_indices(indices))) != self.num_envs:
            raise ValueError(
                f"{verb} wanted all {self.num_envs} rows, got {indices}: they are one native"
                " batch; leave indices out"
            )


def _one_for_all(options: Sequence[Mapping[str, Any]], num_envs: int) -> dict[str, Any]:
    """The batch's options that rows of options (n,) say: their users joined, all else in common."""
    if len(options) != num_envs:
        raise ValueError(
            f"set_options wanted one dict or one for each of {num_envs} rows, got {len(options)};"
            " give as many"
        )
    rows = [as_options(row) for row in options]
    names = {name for row in rows for name in row}
    differing = {name for name in names if not all(_agree(rows[0], row, name) for row in rows)}
    if not differing:
        return rows[0]
    if differing != {"users"} or any(row.get("users") is None for row in rows):
        raise ValueError(
            "set_options wanted rows that differ in their user alone, each with one, got rows that"
            f" differ in {sorted(map(str, differing))}; give all rows the same or one dict"
        )
    return {**rows[0], "users": _users(rows)}


def _users(rows: Sequence[Mapping[str, Any]]) -> NDArray[Any]:
    """(n,) of rows that name one each, as an id or a list of one."""
    ids = [as_array(row["users"]).reshape(-1) for row in rows]
    if any(len(own) != 1 for own in ids):
        raise ValueError("set_options wanted one user a row, got several; give each row's own id")
    return np.concatenate(ids)


def _agree(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    if name not in one or name not in other:
        return name not in one and name not in other
    return bool(np.array_equal(as_array(one[name]), as_array(other[name])))


def _row(info: Info, row: int) -> Info:
    """What an info says of one row."""
    return {
        key: values[row]
        for key, values in info.items()
        if not key.startswith(("_", "final_")) and info[f"_{key}"][row]
    }

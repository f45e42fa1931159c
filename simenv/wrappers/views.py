"""Other ways to see a session: vectors of user and history, words, or one flat array of numbers.

Each ``View`` turns a batch of observations into another; two wrappers put a view around a single
environment or a batch. Letters: ``n`` rows, ``h`` history length, ``d``, ``e`` widths.
"""

import string
from collections.abc import Mapping
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from simenv.catalog import Catalog
from simenv.env.infos import Info
from simenv.env.vector_env import Step
from simenv.observation import Observation, as_batch
from simenv.ranges import check_number

Array32 = NDArray[np.float32]
Vectors = NDArray[np.floating[Any]]


class View(Protocol):
    """A way to see a session."""

    def space(self, space: spaces.Dict) -> spaces.Space[Any]:
        """What one row sees, given what it saw."""
        ...

    def look(self, observation: Mapping[str, Any]) -> Any:
        """The batch of n observations, seen this way; the argument is not changed."""
        ...


class Embedded:
    """Adds vectors: who the user is (Ms) and what the history held.

    ``user_vector`` (e,), ``history_vectors`` (h, d) with zeros where empty, and
    ``liked_vector`` (d,): the sum of the history's vectors weighted by stars - 3, 0 if not taken.

    Args:
        item_vectors: (num_items, d), such as ``population.vectors``.
        user_vectors: (num_users, e), such as an embedder gives for the profiles; None = none.
    """

    def __init__(self, item_vectors: Vectors, user_vectors: Vectors | None = None) -> None:
        self._items = np.asarray(item_vectors, dtype=np.float32)
        self._users = None if user_vectors is None else np.asarray(user_vectors, dtype=np.float32)

    def space(self, space: spaces.Dict) -> spaces.Dict:
        """See ``View``."""
        num_items = int(space["history_items"].high.flat[0]) + 1  # type: ignore[attr-defined]
        _check_rows("item_vectors", self._items, num_items)
        (length,), width = space["history_items"].shape or (0,), self._items.shape[1]
        parts = {
            "history_vectors": _anything(length, width),
            "liked_vector": _anything(width),
        }
        if self._users is not None:
            _check_rows("user_vectors", self._users, int(space["user"].n))  # type: ignore[attr-defined]
            parts["user_vector"] = _anything(self._users.shape[1])
        return spaces.Dict({**space.spaces, **parts})

    def look(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        """See ``View``."""
        items, stars = observation["history_items"], observation["history_ratings"]
        history = np.where((items >= 0)[..., None], self._items[items], np.float32(0))
        weights = np.where(stars > 0, stars - 3.0, 0.0).astype(np.float32)
        liked = np.einsum("nh,nhf->nf", weights, history)
        seen = dict(observation) | {"history_vectors": history, "liked_vector": liked}
        if self._users is not None:
            seen["user_vector"] = self._users[observation["user"]]
        return seen


class Flat:
    """One array of numbers, for plain ``Box`` agents: ids are left out, everything else is joined.

    It wants ``Embedded`` inside; without it only stars and progress are numbers.
    """

    def space(self, space: spaces.Dict) -> spaces.Box:
        """See ``View``."""
        self._keys = [k for k in space.spaces if k not in ("user", "history_items", "text")]
        widths = [int(np.prod(space[k].shape or ())) for k in self._keys]
        return _anything(sum(widths))

    def look(self, observation: Mapping[str, Any]) -> Array32:
        """See ``View``: (n, width)."""
        parts = [np.asarray(observation[k], dtype=np.float32) for k in self._keys]
        return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


class Worded:
    """Adds ``text``: the latest items of the history in words, for agents that read.

    Args:
        catalog: for the titles.
        last: how many items are named.
        max_length: characters; longer texts lose their beginning.
    """

    def __init__(self, catalog: Catalog, last: int = 10, max_length: int = 1000) -> None:
        check_number("Worded", "last", last, "whole [1, 1e6]", "it counts items")
        check_number("Worded", "max_length", max_length, "whole [1, 1e6]", "it counts characters")
        self._titles = catalog.titles
        self._last = last
        self._max_length = max_length
        known = set("".join(catalog.titles)) | set(string.printable)
        self._space = spaces.Text(max_length, min_length=0, charset=frozenset(known))

    def space(self, space: spaces.Dict) -> spaces.Dict:
        """See ``View``."""
        return spaces.Dict({**space.spaces, "text": self._space})

    def look(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        """See ``View``; a batch of texts is a tuple."""
        rows = zip(
            observation["history_items"][:, -self._last :].tolist(),
            observation["history_ratings"][:, -self._last :].tolist(),
            strict=True,
        )
        return dict(observation) | {
            "text": tuple(self._words(items, stars) for items, stars in rows)
        }

    def _words(self, items: list[int], stars: list[float]) -> str:
        named = [
            f"{self._titles[i]}: {f'{s:.0f} stars' if s > 0 else 'passed over'}"
            for i, s in zip(items, stars, strict=True)
            if i >= 0
        ]
        return "; ".join(named)[-self._max_length :]


class Seen(gym.ObservationWrapper[Any, Any, Observation]):
    """A single environment through views, the first one innermost.

    Args:
        env: a ``RecEnv``, wrapped or not, whose observations are dicts.
        views: how its observations are seen.
    """

    def __init__(self, env: gym.Env[Observation, Any], *views: View) -> None:
        super().__init__(env)
        self._views = views
        self.observation_space = _space_through(views, env.observation_space)

    def observation(self, observation: Observation) -> Any:
        """One observation, seen through the views."""
        return _first(_through(self._views, as_batch(observation)))


class VectorSeen(VectorWrapper[Any, Any, Observation, Any, NDArray[Any]]):
    """``Seen`` for a batch, with the ``final_obs`` of SAME_STEP; row by row the two agree.

    Args:
        env: a ``RecVectorEnv``, wrapped or not.
        views: how its observations are seen.
    """

    def __init__(self, env: VectorEnv[Observation, Any, NDArray[Any]], *views: View) -> None:
        super().__init__(env)
        self._views = views
        self.single_observation_space = _space_through(views, env.single_observation_space)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, Info]:
        """As the environment, seen through the views."""
        observation, info = self.env.reset(seed=seed, options=options)
        return _through(self._views, observation), info

    def step(self, actions: Any) -> Step:
        """As the environment, seen through the views."""
        observation, rewards, terminated, truncated, info = self.env.step(actions)
        for row in np.flatnonzero(info.get("_final_obs", ())):
            final = as_batch(info["final_obs"][row])
            info["final_obs"][row] = _first(_through(self._views, final))
        return _through(self._views, observation), rewards, terminated, truncated, info


def _through(views: tuple[View, ...], observation: Any) -> Any:
    for view in views:
        observation = view.look(observation)
    return observation


def _space_through(views: tuple[View, ...], space: spaces.Space[Any]) -> spaces.Space[Any]:
    for view in views:
        if not isinstance(space, spaces.Dict):
            raise TypeError(
                f"{type(view).__name__} wanted observations in a Dict, got {space};"
                " put Flat last and only once"
            )
        space = view.space(space)
    return space


def _first(batch: Any) -> Any:
    if isinstance(batch, dict):
        return {key: values[0] for key, values in batch.items()}
    return batch[0]


def _anything(*shape: int) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, shape, np.float32)


def _check_rows(name: str, vectors: Array32, wanted: int) -> None:
    if vectors.ndim != 2 or len(vectors) != wanted:
        raise ValueError(
            f"{name} wanted one row for each of {wanted}, got shape {vectors.shape};"
            " embed this world's items and users"
        )
    if not np.isfinite(vectors).all():
        raise ValueError(f"{name} wanted finite numbers, got others; embed the texts anew")

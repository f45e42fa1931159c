"""Large catalogues made small: a policy chooses among c offered candidates instead of all items.

The wrappers hold no dynamics; they add ``candidates`` to the observation and turn positions into
item ids. Letters: ``n`` users in the batch, ``k`` slate places, ``c`` candidates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from simenv.catalog import Catalog
from simenv.env.infos import Info
from simenv.env.single_env import RecEnv
from simenv.env.spaces import check_actions, find_repeats
from simenv.env.vector_env import RecVectorEnv, Step
from simenv.events import BoolArray, IntArray, SeedArray
from simenv.observation import Observation
from simenv.ranges import as_array, is_whole
from simenv.seeding import Channel, uniforms

CandidateSource = Callable[[IntArray, SeedArray, int], IntArray]


class CandidateSet(gym.Wrapper[Observation, IntArray, Observation, IntArray]):
    """Offers c candidates a step; the action holds k positions in ``observation["candidates"]``.

    A position that repeats within a slate gives way to the next free one, so that learners which
    fill every place on its own (PPO) can act.

    Args:
        env: a ``RecEnv``, wrapped or not.
        num_candidates: c, at least the slate size and at most the number of items.
        source: "uniform", or a callable ``(users (n,), seeds (n,), c) -> items (n, c)`` whose items
            must not repeat within a row, as ``most_rated`` makes one; see ``resolve_source``.
    """

    def __init__(
        self,
        env: gym.Env[Observation, IntArray],
        num_candidates: int,
        source: str | CandidateSource = "uniform",
    ) -> None:
        super().__init__(env)
        if not isinstance(env.unwrapped, RecEnv):
            raise TypeError(
                f"CandidateSet wanted a RecEnv, got {type(env.unwrapped).__name__};"
                " use VectorCandidateSet for a batch"
            )
        self._world = env.unwrapped
        (self._num_places,) = env.action_space.shape or ()
        self._offer = _Offer(self._world.catalog, num_candidates, self._num_places, source)
        self.observation_space = cast(
            spaces.Space[Observation], self._offer.extend_space(env.observation_space)
        )
        self.action_space = self._offer.build_action_space()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """As the environment, with ``candidates`` (c,) in the observation."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._extend(observation), info

    def step(self, action: IntArray) -> tuple[Observation, float, bool, bool, Info]:
        """Show the candidates at the positions ``action`` (k,)."""
        live = np.ones(1, dtype=np.bool_)
        items = self._offer.choose(as_array(action)[None], live)[0]
        observation, reward, terminated, truncated, info = self.env.step(items)
        return self._extend(observation), float(reward), terminated, truncated, info

    def _extend(self, observation: Observation) -> Observation:
        users = np.atleast_1d(observation["user"])
        offered = self._offer.renew(users, self._world.next_seeds)
        return _with_candidates(observation, offered[0])


class VectorCandidateSet(VectorWrapper[Observation, IntArray, Observation, IntArray, NDArray[Any]]):
    """``CandidateSet`` for a ``RecVectorEnv``; row by row the two agree.

    With SAME_STEP the ``final_obs`` of a row holds the candidates of its last slate.
    """

    def __init__(
        self,
        env: VectorEnv[Observation, IntArray, NDArray[Any]],
        num_candidates: int,
        source: str | CandidateSource = "uniform",
    ) -> None:
        super().__init__(env)
        if not isinstance(env.unwrapped, RecVectorEnv):
            raise TypeError(
                f"VectorCandidateSet wanted a RecVectorEnv, got {type(env.unwrapped).__name__};"
                " use CandidateSet for a single environment"
            )
        self._world = env.unwrapped
        self._offer = _Offer(self._world.catalog, num_candidates, self._world.slate_size, source)
        self.single_observation_space = self._offer.extend_space(env.single_observation_space)
        self.single_action_space = self._offer.build_action_space()
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """As the environment, with ``candidates`` (n, c) in the observation."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._extend(observation), info

    def step(self, actions: IntArray) -> Step:
        """Show the candidates at the positions ``actions`` (n, k)."""
        items = self._offer.choose(actions, self._world.live)
        observation, rewards, terminated, truncated, info = self.env.step(items)
        for row in np.flatnonzero(info.get("_final_obs", ())):
            info["final_obs"][row]["candidates"] = self._offer.candidates[row].copy()
        return self._extend(observation), rewards, terminated, truncated, info

    def _extend(self, observation: Observation) -> Observation:
        offered = self._offer.renew(observation["user"], self._world.next_seeds)
        return _with_candidates(observation, offered)


def _with_candidates(observation: Observation, candidates: IntArray) -> Observation:
    extended = observation.copy()
    extended["candidates"] = candidates.copy()
    return extended


def resolve_source(source: str | CandidateSource, catalog: Catalog) -> CandidateSource:
    """The source of that name, or the callable itself.

    "uniform": one item from each of c equal strata of the shuffled, rotated catalogue, so every
    item is as likely as any other and none repeats; a hash of (root, user, lifetime step).

    Raises:
        ValueError: the name is not known.
    """
    if callable(source):
        return source
    if not isinstance(source, str) or source != "uniform":
        raise ValueError(
            f"source wanted 'uniform' or a callable (users, seeds, c) -> (n, c), got {source!r};"
            " for the most popular items pass most_rated(averages.counts) of your data set"
        )
    return _uniform_source(catalog)


def most_rated(counts: IntArray) -> CandidateSource:
    """Offers the c items with the most ratings, counts (num_items,), the same to everybody."""
    order = np.argsort(-counts, kind="stable")

    def draw(users: IntArray, seeds: SeedArray, num_candidates: int) -> IntArray:
        return np.tile(order[:num_candidates], (len(users), 1))

    return draw


def _uniform_source(catalog: Catalog) -> CandidateSource:
    shuffled = np.random.default_rng(0).permutation(len(catalog))

    def draw(users: IntArray, seeds: SeedArray, num_candidates: int) -> IntArray:
        edges = np.arange(num_candidates + 1) * len(shuffled) // num_candidates
        places = edges[:-1] + uniforms(seeds, Channel.CANDIDATE, num_candidates) * np.diff(edges)
        turn = uniforms(seeds, Channel.ROTATION, 1) * len(shuffled)
        turned = places.astype(np.int64) + turn.astype(np.int64)
        return np.asarray(shuffled[turned % len(shuffled)])

    return draw


@dataclass
class _Offer:
    """The candidates now on the table and the way from positions to items."""

    catalog: Catalog
    num_candidates: int
    num_places: int
    source: str | CandidateSource
    _drawn: IntArray | None = None  # (n, c); None = nothing was offered yet

    def __post_init__(self) -> None:
        wanted = as_array(self.num_candidates)
        is_number = is_whole(wanted) and wanted.ndim == 0
        if not is_number or not self.num_places <= self.num_candidates <= len(self.catalog):
            raise ValueError(
                f"num_candidates wanted a number from {self.num_places} (slate_size) to"
                f" {len(self.catalog)} (items), got {self.num_candidates}; choose one between"
            )
        self._draw = resolve_source(self.source, self.catalog)

    @property
    def candidates(self) -> IntArray:
        """(n, c) on offer now.

        Raises:
            RuntimeError: the environment was not reset yet.
        """
        if self._drawn is None:
            raise RuntimeError("step wanted a running environment; call reset() first")
        return self._drawn

    def extend_space(self, space: spaces.Space[Any]) -> spaces.Dict:
        """The observation space with ``candidates`` (c,)."""
        assert isinstance(space, spaces.Dict)
        high, shape = len(self.catalog) - 1, (self.num_candidates,)
        return spaces.Dict({**space.spaces, "candidates": spaces.Box(0, high, shape, np.int64)})

    def build_action_space(self) -> spaces.MultiDiscrete[Any]:
        """The action: k positions among c candidates."""
        return spaces.MultiDiscrete(np.full(self.num_places, self.num_candidates, dtype=np.int64))

    def renew(self, users: IntArray, seeds: SeedArray) -> IntArray:
        """Draw the candidates (n, c) of the coming step."""
        shape = (len(users), self.num_candidates)
        drawn = as_array(self._draw(users, seeds, self.num_candidates))
        if drawn.shape != shape or not is_whole(drawn):
            raise ValueError(
                f"source wanted to return item ids of shape {shape}, got {drawn.dtype} of shape"
                f" {drawn.shape}; return one row of distinct items a user"
            )
        items = drawn.astype(np.int64)
        outside = (items < 0) | (items >= len(self.catalog))
        if outside.any() or find_repeats(items).any():
            raise ValueError(
                f"source wanted to return distinct item ids in [0, {len(self.catalog)}), got"
                " others or repeats; draw without replacement from this catalogue"
            )
        self._drawn = items
        return items

    def choose(self, positions: IntArray, live: BoolArray) -> IntArray:
        """Items (n, k) at the positions (n, k); rows that are not live may hold anything."""
        candidates = self.candidates
        shape, noun = (len(live), self.num_places), "positions of candidates"
        chosen = check_actions(positions, shape, self.num_candidates, live, "replace", noun)
        chosen = np.where(live[:, None], chosen, 0)
        return np.asarray(np.take_along_axis(candidates, chosen, axis=1))

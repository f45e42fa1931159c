"""Other ways to say a slate: scores of everything, vectors near items, or one number.

Each ``SlateCode`` turns a batch of some learner's actions into item ids; two wrappers put a code
around a single environment or a batch. Letters: ``n`` rows, ``k`` slate places, ``d`` width.
"""

from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorActionWrapper, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from simenv.events import FloatArray, IntArray
from simenv.observation import Observation
from simenv.ranges import as_array, check_number, is_whole

Vectors = NDArray[np.floating[Any]]


class SlateCode(Protocol):
    """A way to say a slate."""

    @property
    def space(self) -> spaces.Space[Any]:
        """What one row's action looks like."""
        ...

    def decode(self, actions: NDArray[Any], num_places: int, num_items: int) -> IntArray:
        """Distinct numbers (n, num_places) in ``[0, num_items)`` of n actions."""
        ...


class TopK:
    """An action is a score for everything that can be shown; the k highest are shown, best first.

    Scores lie in [-1, 1]; equal ones go to the lower number.

    Args:
        num_items: of the catalogue, or candidates where the environment offers candidates.
    """

    def __init__(self, num_items: int) -> None:
        check_number("TopK", "num_items", num_items, "whole [1, 1e9]", "see the action space")
        self.space = spaces.Box(-1.0, 1.0, (num_items,), np.float32)

    def decode(self, actions: NDArray[Any], num_places: int, num_items: int) -> IntArray:
        """See ``SlateCode``."""
        _check_sizes(self.space.shape[0], num_items)
        scores = _checked(actions, self.space)
        return np.argsort(-scores, axis=1, kind="stable")[:, :num_places].astype(np.int64)


class NearestItems:
    """An action is k vectors; each place shows the free item whose vector is most similar.

    Dulac-Arnold et al.: Deep reinforcement learning in large discrete action spaces (2015).

    Args:
        vectors: (num_items, d), such as ``population.vectors``; compared by cosine.
        num_places: k.
    """

    def __init__(self, vectors: Vectors, num_places: int) -> None:
        check_number("NearestItems", "num_places", num_places, "whole [1, 1e9]", "it is k")
        self._vectors = _directions(vectors)
        self.space = spaces.Box(-1.0, 1.0, (num_places * self._vectors.shape[1],), np.float32)

    def decode(self, actions: NDArray[Any], num_places: int, num_items: int) -> IntArray:
        """See ``SlateCode``."""
        _check_sizes(len(self._vectors), num_items)
        wanted = _checked(actions, self.space)
        wanted = wanted.reshape(len(wanted), num_places, -1)
        free = np.ones((len(wanted), num_items), dtype=np.bool_)
        chosen = np.zeros((len(wanted), num_places), dtype=np.int64)
        for place in range(num_places):
            likeness = np.where(free, wanted[:, place] @ self._vectors.T, -np.inf)
            chosen[:, place] = likeness.argmax(axis=1)
            np.put_along_axis(free, chosen[:, place, None], False, axis=1)
        return chosen


class MoreLikeThis:
    """An action is one item, for learners with a plain ``Discrete`` space (DQN).

    The slate is the item and the k - 1 items most like it.

    Args:
        vectors: (num_items, d), compared by cosine.
    """

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = _directions(vectors)
        self.space = spaces.Discrete(len(self._vectors))

    def decode(self, actions: NDArray[Any], num_places: int, num_items: int) -> IntArray:
        """See ``SlateCode``."""
        _check_sizes(len(self._vectors), num_items)
        chosen = as_array(actions)
        if chosen.shape not in ((len(chosen),), (len(chosen), 1)) or not is_whole(chosen):
            raise ValueError(
                f"step wanted integer items in [0, {num_items}), got {chosen.dtype} of shape"
                f" {chosen.shape}; give one item a row"
            )
        chosen = chosen.reshape(-1)
        outside = chosen[(chosen < 0) | (chosen >= num_items)]
        if len(outside):
            raise ValueError(
                f"step wanted integer items in [0, {num_items}), got {chosen.dtype} in"
                f" {chosen.min()}..{chosen.max()}; give one item a row"
            )
        likeness = self._vectors[chosen] @ self._vectors.T
        likeness[np.arange(len(chosen)), chosen] = np.inf
        return np.argsort(-likeness, axis=1, kind="stable")[:, :num_places].astype(np.int64)


class CodedSlates(gym.ActionWrapper[Observation, Any, IntArray]):
    """A single environment whose actions are in a code.

    Args:
        env: takes slates of numbers: a ``RecEnv`` or a ``CandidateSet`` around one.
        code: how actions say slates.
    """

    def __init__(self, env: gym.Env[Observation, IntArray], code: SlateCode) -> None:
        super().__init__(env)
        self._code = code
        self._sizes = _slate_sizes(env.action_space)
        self.action_space = code.space

    def action(self, action: Any) -> IntArray:
        """The slate (k,) that ``action`` says."""
        slates = self._code.decode(as_array(action)[None], *self._sizes)
        return np.asarray(slates[0])


class VectorCodedSlates(VectorActionWrapper):
    """``CodedSlates`` for a batch; row by row the two agree.

    Args:
        env: a ``RecVectorEnv`` or a ``VectorCandidateSet`` around one.
        code: how actions say slates.
    """

    def __init__(self, env: VectorEnv[Observation, IntArray, Any], code: SlateCode) -> None:
        super().__init__(env)
        self._code = code
        self._sizes = _slate_sizes(env.single_action_space)
        self.single_action_space = code.space
        self.action_space = batch_space(code.space, self.num_envs)

    def actions(self, actions: Any) -> IntArray:
        """The slates (n, k) that ``actions`` (n, …) say."""
        rows = as_array(actions)
        came = len(rows) if rows.ndim else "a single one"
        if came != self.num_envs:
            raise ValueError(
                f"step wanted {self.num_envs} actions, one a row, got {came};"
                " give a batch over the environments"
            )
        return self._code.decode(rows, *self._sizes)


def _slate_sizes(space: spaces.Space[Any]) -> tuple[int, int]:
    """Places and numbers to choose among."""
    if not isinstance(space, spaces.MultiDiscrete) or space.nvec.ndim != 1:
        raise TypeError(
            f"a slate code wanted an environment that takes slates of item ids, got {space};"
            " put it around RecEnv, RecVectorEnv or a candidate set, and only once"
        )
    return len(space.nvec), int(space.nvec[0])


def _directions(vectors: Vectors) -> FloatArray:
    """Vectors (num_items, d) at length 1; those of length 0 stay."""
    came = as_array(vectors)
    if came.ndim != 2 or not came.size or came.dtype.kind not in "iuf":
        raise ValueError(
            f"a slate code wanted vectors of numbers (num_items, d), got {came.dtype} of shape"
            f" {came.shape}; give one row an item, such as population.vectors"
        )
    if not np.isfinite(came).all():
        row = int(np.argmin(np.isfinite(came).all(axis=1)))
        raise ValueError(
            f"a slate code wanted finite vectors, got others in row {row}; embed the items anew"
        )
    norms = np.linalg.norm(came, axis=1, keepdims=True)
    return np.asarray(came / np.maximum(norms, 1e-12), dtype=np.float64)


def _check_sizes(own: int, num_items: int) -> None:
    if own != num_items:
        raise ValueError(
            f"the slate code knows {own} items but the environment offers {num_items};"
            " build it with as many"
        )


def _extent(values: NDArray[Any]) -> str:
    """Where values that are numbers lie."""
    if not values.size or values.dtype.kind not in "iuf":
        return ""
    return f" in {values.min()}..{values.max()}"


def _checked(actions: NDArray[Any], space: spaces.Box) -> FloatArray:
    """Actions (n, width) as floats."""
    came = as_array(actions)
    is_good = came.shape[1:] == space.shape and came.dtype.kind in "iuf"
    if not is_good or not np.isfinite(came).all():
        raise ValueError(
            f"step wanted finite actions of shape (rows, {space.shape[0]}), got {came.shape}"
            f" of {came.dtype}{_extent(came)}; see env.action_space"
        )
    return came.astype(np.float64)

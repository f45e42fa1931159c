"""Logged slates and their weights: how much likelier the policy in question would have shown them.

A ``LoggedSlates`` is what was shown, a ``WeightedLog`` the same as one policy sees it. Here places
weigh apart from each other; ``cascade`` and ``pseudo_inverse`` weigh otherwise. It knows no
estimator. Letters: ``n`` slates, ``k`` places.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from recommenders.base import Observation, Recommender
from recommenders.off_policy.reward_models import RewardModel
from simenv.events import FloatArray, IntArray, Slates
from simenv.ranges import as_array, check_number


@dataclass(frozen=True)
class LoggedSlates:
    """What another policy showed, and what it earned.

    Raises:
        ValueError: a shape is wrong (an array (n,) is one number a slate, never one a place, also
            where n = k), a reward is no number, or a chance lies outside (0, 1].
    """

    observation: Observation  # of the n users when the slates were shown
    slates: Slates  # (n, k) with the propensities of the policy that showed them
    rewards: FloatArray  # (n, k) of every place, or (n,) of whole slates
    prefix_chances: FloatArray | None = None  # (n, k) of the slate down to each place

    def __post_init__(self) -> None:
        object.__setattr__(self, "rewards", _as_numbers("rewards", self.rewards))
        shape = self.slates.items.shape
        if len(shape) != 2 or 0 in shape or len(self.users) != shape[0]:
            raise ValueError(
                "off-policy estimates wanted slates of shape (slates, places) and the user of each"
                f" in the observation, got {shape} and {len(self.users)} users; log some slates"
            )
        if self.rewards.shape not in (shape, shape[:1]):
            raise ValueError(
                f"off-policy estimates wanted rewards of shape {shape} (slates, places), or"
                f" {shape[:1]} for whole slates, got {self.rewards.shape}"
            )
        _check_numbers("rewards", self.rewards, "leave out slates without an answer")
        _check_chances("propensities", self.slates.propensities, shape)
        _check_chances("prefix chances", self.prefix_chances, shape)

    @property
    def users(self) -> IntArray:
        """(n,) whose slate."""
        return np.asarray(self.observation["user"], dtype=np.int64).reshape(-1)

    def place_rewards(self) -> FloatArray:
        """(n, k).

        Raises:
            ValueError: only the rewards of whole slates are known.
        """
        if self.rewards.ndim == 1:
            raise ValueError(
                f"this estimate wanted the reward of every place {self.slates.items.shape}, got one"
                f" a slate {self.rewards.shape}; only PI can do with that"
            )
        return self.rewards

    def slate_rewards(self) -> FloatArray:
        """(n,) of whole slates; the mean over the places where each place has its own."""
        return self.rewards if self.rewards.ndim == 1 else self.rewards.mean(axis=1)


@dataclass(frozen=True)
class WeightedLog:
    """Logged slates as seen by the policy to be valued.

    Raises:
        ValueError: the shapes differ, or an entry is no finite number.
    """

    users: IntArray  # (n,) whose slate; slates of one user are not independent
    rewards: FloatArray  # (n, k) earned at each place
    weights: FloatArray  # (n, k); 1 where both policies show the item equally often
    logged_model: FloatArray | None = None  # (n, k) modelled reward of the shown item
    target_model: FloatArray | None = None  # (n, k) the same of what the policy would show there

    def __post_init__(self) -> None:
        object.__setattr__(self, "users", np.asarray(self.users))
        for name in _COLUMNS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _as_numbers(name, getattr(self, name)))
        shape = self.rewards.shape
        if len(shape) != 2 or 0 in shape or self.users.shape != shape[:1]:
            raise ValueError(
                "a weighted log wanted users (n,) and rewards (n, k), got"
                f" {self.users.shape} and {shape}; give at least one slate and its user"
            )
        for name in _COLUMNS:
            values = getattr(self, name)
            if values is None:
                continue
            if values.shape != shape:
                raise ValueError(
                    f"a weighted log wanted {name} of the rewards' shape {shape}, got"
                    f" {values.shape}"
                )
            _check_numbers(name, values, "leave out slates without an answer")


_COLUMNS = ("rewards", "weights", "logged_model", "target_model")


class Draws(NamedTuple):
    """How slates are drawn for the model term of a policy that draws; their mean is unbiased."""

    num: int = 32
    seed: int = 0


DRAWS = Draws()

Weigh = Callable[[Recommender, LoggedSlates, RewardModel | None, Draws], WeightedLog]
"""A way of weighing: a fitted policy (not changed), a log, a reward model or None, the draws."""


def weigh(
    policy: Recommender,
    log: LoggedSlates,
    model: RewardModel | None = None,
    draws: Draws = DRAWS,
) -> WeightedLog:
    """The log with the weights of ``policy`` at each place: chance of the shown item there.

    Args:
        policy: fitted, to be valued; not changed.
        log: with propensities.
        model: expected rewards, for the estimators that use one.
        draws: for the model term if the policy draws.

    Raises:
        ValueError: the log has no propensities or no rewards of places, or the policy cannot say
            its chances.
    """
    logged = log.slates.propensities
    if logged is None:
        raise ValueError(
            "off-policy estimates want slates with propensities, got None; log with a policy that"
            " says them, such as Random or EpsilonGreedy"
        )
    own = said(policy, policy.propensities(log.observation, log.slates.items), log)
    found = WeightedLog(log.users, log.place_rewards(), own / logged)
    return found if model is None else with_model(found, policy, log, model, draws)


class UnknownChancesError(ValueError):
    """A policy draws and cannot say its chances: only the environment can value it."""


def said(policy: Recommender, chances: FloatArray | None, log: LoggedSlates) -> FloatArray:
    """The chances (n, k) that ``policy`` says of the shown items.

    Raises:
        UnknownChancesError: it cannot say them; a ``ValueError``.
        ValueError: it says them in another shape, or something outside [0, 1].
    """
    if chances is None:
        raise UnknownChancesError(
            f"policy {policy.name} draws and cannot say its propensities, so only the environment"
            " can value it; value its deterministic form instead"
        )
    chances = as_array(chances)
    if chances.shape != log.slates.items.shape:
        raise ValueError(
            f"policy {policy.name} wanted propensities of shape {log.slates.items.shape} (slates,"
            f" places), got {chances.shape}; say the chance of every place"
        )
    if chances.dtype.kind not in "biuf" or not ((chances >= 0) & (chances <= 1 + 1e-9)).all():
        raise ValueError(
            f"policy {policy.name} wanted propensities in [0, 1], got {chances.dtype} in"
            f" {chances.min()}..{chances.max()}; say the chance of every place"
        )
    return chances.astype(np.float64)


def with_model(
    weighted: WeightedLog,
    policy: Recommender,
    log: LoggedSlates,
    model: RewardModel,
    draws: Draws = DRAWS,
) -> WeightedLog:
    """``weighted`` with what ``model`` expects of the shown items and of the policy's own slates.

    The other arguments are those of ``weigh``.
    """
    check_number("Draws", "num", draws.num, "whole [1, 1e9]", "try 32")
    users, k = weighted.users, log.slates.items.shape[1]
    rng = np.random.default_rng(draws.seed)
    shown = [
        model(users, policy.recommend(log.observation, k, rng).items)
        for _ in range(draws.num if policy.draws else 1)
    ]
    return replace(
        weighted,
        logged_model=model(users, log.slates.items),
        target_model=np.mean(shown, axis=0),
    )


def _check_chances(name: str, chances: FloatArray | None, shape: tuple[int, ...]) -> None:
    if chances is None:
        return
    chances = _as_numbers(f"logged {name}", chances)
    if chances.shape != shape:
        raise ValueError(
            f"off-policy estimates wanted logged {name} of shape {shape} (slates, places), got"
            f" {chances.shape}"
        )
    if not ((chances > 0) & (chances <= 1)).all():
        raise ValueError(
            f"logged {name} must lie in (0, 1], got {chances.min()}..{chances.max()}; log with"
            " the chance that each item had at its place"
        )


def _as_numbers(name: str, values: object) -> FloatArray:
    array = as_array(values)
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"off-policy estimates wanted {name} that are numbers, got {array.dtype} of shape"
            f" {array.shape}; give an array of floats"
        )
    return array.astype(np.float64)


def _check_numbers(name: str, values: FloatArray, cure: str) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        place = tuple(int(index) for index in bad[0])
        raise ValueError(
            f"off-policy estimates wanted {name} that are numbers, got {values[place]} at"
            f" {place} and {len(bad)} such in all; {cure}"
        )

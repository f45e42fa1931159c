"""Policies as a config names them: a class, a function that makes one, or a function that scores.

Whatever they are, they know the catalogue and the log before anybody is asked. Beside them stands
the one that knows the truth.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from hydra.utils import get_object, instantiate

from recommenders.base import Observation, Recommender
from recommenders.policies.callable_policy import CallablePolicy
from simenv.catalog import Catalog
from simenv.events import FloatArray, IntArray, InteractionLog, expected_stars
from simenv.user_model import Truth

Policy = TypeVar("Policy", bound=Recommender)
_SCORES = 2  # users and observation


def policy_makers(nodes: Mapping[Any, Any]) -> dict[str, Callable[[], Recommender]]:
    """Name → what makes the policy that its config node describes, in the order of the config."""
    return {str(n): functools.partial(make_policy, str(n), node) for n, node in nodes.items()}


def make_policy(name: str, node: Mapping[str, Any]) -> Recommender:
    """A new, unfitted policy.

    Args:
        name: of the policy in this run.
        node: ``_target_``, a class or a function that returns a policy, or a function of users
            (n,) and an observation that returns scores (n, num_items); and its arguments.

    Raises:
        TypeError: the target makes no policy.
    """
    target = get_object(node["_target_"])
    settings = {str(key): value for key, value in node.items() if not str(key).startswith("_")}
    left = _left(target, settings)
    if len(left) == _SCORES:
        return CallablePolicy(functools.partial(target, **settings), label=name)
    made = None if left else instantiate(node)
    if not isinstance(made, Recommender):
        got = f"a function of {', '.join(left)}" if left else f"a {type(made).__name__}"
        raise TypeError(
            f"recommender.{name} wanted a Recommender, or a function of (users, observation) that"
            f" returns scores for every item, got {got} by {node['_target_']}; subclass"
            " recommenders.base.Recommender, or write such a function"
        )
    return made


def introduced(policy: Policy, catalog: Catalog) -> Policy:
    """The policy after it has seen the items; a ``meet_catalog`` need not return it."""
    met: Any = policy.meet_catalog(catalog)
    return policy if met is None else met


def fitted(policy: Policy, catalog: Catalog, log: InteractionLog) -> Policy:
    """The policy after it has seen the items and learnt from the log."""
    policy = introduced(policy, catalog)
    learnt: Any = policy.fit(log)
    return policy if learnt is None else learnt


def _left(target: Any, settings: Mapping[str, Any]) -> list[str]:
    """Parameters of a function that must be given and are not; of a class none are asked for."""
    if isinstance(target, type) or not callable(target):
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        one.name
        for one in inspect.signature(target).parameters.values()
        if one.kind in positional and one.default is one.empty and one.name not in settings
    ]


class Oracle(Recommender):
    """Shows what the true users will like most: the best that any policy can do slate by slate.

    Args:
        truth: of a synthetic world.
    """

    def __init__(self, truth: Truth) -> None:
        self.truth = truth

    def _fit(self, log: InteractionLog) -> None:
        pass  # it knows

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        items = np.tile(np.arange(self.log.num_items), (len(users), 1))
        return expected_stars(self.truth.probabilities(users, items))

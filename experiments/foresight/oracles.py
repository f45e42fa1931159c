"""Policies that know the users: the best next slate, and the best plan for a life.

They look into the users of the environment they play in, which no policy of the table may.
"""

from dataclasses import dataclass

import numpy as np

from recommenders.base import Observation, Recommender
from simenv.env.best_plan import TEMPTING, ForesightModel, Plan, Visit
from simenv.env.vector_env import RecVectorEnv
from simenv.events import FloatArray, IntArray, InteractionLog, Slates, expected_stars
from simenv.user_model import UserModel
from simenv.users.behaviour import behaviour_of
from simenv.users.visit_effects import TiringUsers
from simenv.users.weariness import WearyUsers, tilted

_PANEL = 64  # items asked about in one call


def opinions(users: UserModel, who: IntArray, num_items: int) -> FloatArray:
    """(n, num_items, 5) what users ``who`` (n,) think of every item, before a life changes it."""
    seeds = np.zeros(len(who), dtype=np.uint64)  # no draw of the answers is used
    parts = [
        users.respond(who, Slates.of_items(np.tile(items, (len(who), 1))), seeds).probabilities
        for items in np.array_split(np.arange(num_items), max(1, num_items // _PANEL))
    ]
    return np.concatenate(parts, axis=1)


def weary_of(users: UserModel) -> WearyUsers | None:
    """The weary users among the layers around a user model; None = nobody tires over a life."""
    inner = users.inner if isinstance(users, TiringUsers) else users
    return inner if isinstance(inner, WearyUsers) else None


class GreedyOracle(Recommender):
    """Shows what is most likely to be taken now, by the users' own opinion, mood and attention.

    Args:
        env: in which it plays.
        who: (n,) users that it will meet, ascending.
        chances: (n, num_items, 5) of ``opinions``.
    """

    def __init__(self, env: RecVectorEnv, who: IntArray, chances: FloatArray) -> None:
        self.env = env
        self.who = who
        self.chances = chances

    def _fit(self, log: InteractionLog) -> None:
        pass  # it knows

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        items = np.tile(np.arange(self.log.num_items), (len(users), 1))
        chances = self.chances[np.searchsorted(self.who, users)]
        model = self.env.user_model
        weary = weary_of(model)
        if weary is not None:
            chances = tilted(chances, weary.pull(users, items))
        stars = expected_stars(chances)
        looked = behaviour_of(weary or model).take_chance(stars.reshape(-1, 1))
        take = looked.reshape(stars.shape)  # if the user looks at it
        tiring = model.attention(users, items) if isinstance(model, TiringUsers) else 1.0
        return np.asarray(take * tiring)


@dataclass(eq=False)
class PlanOracle(Recommender):
    """Acts by a plan: so many tempting and so many nourishing items, the likelier ones on top.

    Args:
        env: in which it plays.
        model: the decision problem.
        plan: what is best in its states.
    """

    env: RecVectorEnv
    model: ForesightModel
    plan: Plan

    def _fit(self, log: InteractionLog) -> None:
        pass  # it knows

    def _score(
        self, users: IntArray, observation: Observation, rng: np.random.Generator
    ) -> FloatArray:
        state, weary = self._lives(users, observation)
        action = self.plan.choose(state)
        tempting_top = np.greater(*self.model.places(state, action)[::-1])
        tempts = weary.temptation == TEMPTING
        unseen = ~self.seen(users, observation)
        wanted = np.zeros((len(users), self.log.num_items))
        for kind, number, on_top in (
            (tempts, action, tempting_top),
            (~tempts, self.model.slate_size - action, ~tempting_top),
        ):
            free = unseen & kind
            first = free & (np.cumsum(free, axis=1) <= number[:, None])
            wanted += first * (1.0 + on_top[:, None])
        return wanted

    def _lives(self, users: IntArray, observation: Observation) -> tuple[Visit, WearyUsers]:
        weary = weary_of(self.env.user_model)
        assert weary is not None
        k, steps = self.model.slate_size, self.model.max_steps
        places, tempted = weary.visit(users)
        shown = np.rint(np.asarray(observation["progress"])[:, 0] * steps).astype(np.int64)
        slates = np.rint(places / k).astype(np.int64)
        level = self.model.level_of(weary.weariness(users))
        return Visit(shown, slates, np.rint(tempted).astype(np.int64), level), weary

"""One world: what policies earn from its true users, and how user models judge the panel."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode

from agents.fidelity.error_measures import rmse
from experiments.leaderboard.entries import Anchor, PolicyWorld, UsersWorld
from experiments.leaderboard.rules import PANEL, Rules
from experiments.people.people import People, true_users
from experiments.tournament.policies import Oracle, fitted
from experiments.tournament.sessions import mean_ratings
from recommenders.base import Recommender, cold_observation
from recommenders.evaluation.statistics import kendall_tau
from simenv.data.dataset import Dataset
from simenv.data.synthetic import synthetic
from simenv.env.rollout import rollout
from simenv.env.vector_env import RecVectorEnv
from simenv.events import FloatArray, IntArray, Slates
from simenv.seeding import Stream, generator, row_seeds
from simenv.user_model import UserModel

MakePolicy = Callable[[], Recommender]
MakePeople = Callable[[Dataset], People]


class Panel(NamedTuple):
    """Slates that user models judge, and what the true users think of them."""

    users: IntArray  # (n,)
    items: IntArray  # (n, p·k) the slates of the p policies side by side
    stars: FloatArray  # (n, p·k) truly expected
    num_policies: int

    def by_policy(self, stars: FloatArray) -> FloatArray:
        """(p,) mean stars of every policy's slates, to a billionth: what is the same is a tie.

        A failed answer (NaN) counts for nothing.
        """
        parts = np.split(stars, self.num_policies, axis=1)
        return np.array([np.nanmean(part) for part in parts]).round(9)


def world_of(seed: int, rules: Rules) -> Dataset:
    """A synthetic world of the edition."""
    return synthetic(seed, num_users=rules.num_users, num_items=rules.num_items)


def anchor_of(dataset: Dataset, seed: int, rules: Rules) -> Anchor:
    """What random slates and the oracle's earn."""
    assert dataset.truth is not None
    truth = dataset.truth
    return Anchor(
        world=seed,
        random=earned(dataset, PANEL["random"], rules),
        oracle=earned(dataset, lambda: Oracle(truth), rules),
    )


def policy_world(dataset: Dataset, make: MakePolicy, seed: int, rules: Rules) -> PolicyWorld:
    """What a policy earns in the world of ``seed``."""
    return PolicyWorld(world=seed, stars=earned(dataset, make, rules))


def earned(dataset: Dataset, make: MakePolicy, rules: Rules) -> float:
    """Mean true stars over users of what they were shown in one session each."""
    policy = fitted(make(), dataset.catalog, dataset.train)
    env = RecVectorEnv(
        true_users(dataset),
        dataset.catalog,
        num_envs=rules.players,
        slate_size=rules.slate_size,
        max_episode_steps=rules.max_steps,
        autoreset_mode=AutoresetMode.DISABLED,
    )
    users = _drawn(dataset, rules.players, rules.seed)
    played = rollout(env, policy, seed=rules.seed, users=users)
    return round(float(mean_ratings(played).mean()), 9)


def panel_of(dataset: Dataset, rules: Rules) -> Panel:
    """The first slates of ``PANEL`` for the judges."""
    users = _drawn(dataset, rules.judges, rules.seed)
    slates = []
    for make in PANEL.values():
        policy = fitted(make(), dataset.catalog, dataset.train)
        rng = generator(rules.seed, Stream.BOARD_SLATES)
        slates.append(policy.recommend(cold_observation(users), rules.slate_size, rng).items)
    items = np.concatenate(slates, axis=1)
    return Panel(users, items, _asked(true_users(dataset), users, items, rules), len(PANEL))


def users_world(
    dataset: Dataset, panel: Panel, make: MakePeople, seed: int, rules: Rules
) -> tuple[UsersWorld, Mapping[str, Any]]:
    """How users built from the world's log judge the panel, and their card."""
    people = make(dataset)
    try:
        stars = _asked(people.model, panel.users, panel.items, rules)
    finally:
        if people.engine is not None:
            people.engine.close()
    parts = np.split(stars, panel.num_policies, axis=1)
    if any(np.isnan(part).all() for part in parts):  # no order of all policies, so no tau
        raise RuntimeError(
            f"no answer came from {people.card['kind']} users in world {seed} about the slates of"
            " some policy, so their order is not known; see that their model answers, and run again"
        )
    tau = float(kendall_tau(panel.by_policy(stars), panel.by_policy(panel.stars)))
    errors = (stars - panel.stars)[~np.isnan(stars)]
    order = None if np.isnan(tau) else round(tau, 9)
    found = UsersWorld(world=seed, tau=order, rmse=round(rmse(errors), 9))
    return found, people.card


def _asked(model: UserModel, users: IntArray, items: IntArray, rules: Rules) -> FloatArray:
    """Expected stars (n, q) of items (n, q); what a slate shows twice is asked about once."""
    stars = np.zeros(items.shape)
    distinct = [np.unique(own) for own in items]
    wide = max(map(len, distinct))
    asked = np.array([np.resize(own, wide) for own in distinct])
    seeds = row_seeds(rules.seed, users, np.zeros_like(users))
    expected = model.respond(users, Slates.of_items(asked), seeds).expected
    for row, own in enumerate(distinct):
        stars[row] = expected[row][np.searchsorted(own, items[row])]
    return stars


def _drawn(dataset: Dataset, number: int, seed: int) -> IntArray:
    everybody = np.unique(dataset.train.users)
    order = generator(seed, Stream.BOARD_USERS).permutation(everybody)
    return np.sort(order[:number]).astype(np.int64)

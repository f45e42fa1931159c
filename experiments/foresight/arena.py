"""Who lives where: the users, their catalogue and pasts, and the problem if it can be solved."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.inference.engine import Engine
from recommenders.rl.features import Features, make_features
from simenv.catalog import Catalog
from simenv.env.best_plan import ForesightModel
from simenv.env.foresight_env import make_model, make_world
from simenv.env.rollout import Rollout, rollout
from simenv.env.vector_env import RecVectorEnv
from simenv.events import IntArray, InteractionLog, Slates
from simenv.item_averages import ItemAverages
from simenv.policy import Policy
from simenv.seeding import Stream, generator, row_seeds
from simenv.user_model import UserModel

MakePlayer = Callable[[RecVectorEnv], Policy]


@dataclass(frozen=True)
class Arena:
    """What every policy meets alike."""

    users: UserModel
    catalog: Catalog
    log: InteractionLog  # what they met before
    averages: ItemAverages
    make: Callable[..., RecVectorEnv]  # of (user_model, catalog, **sizes)
    learners: IntArray  # who is learnt from
    judges: IntArray  # who is played at the end
    seed: int
    model: ForesightModel | None = None  # None = nobody knows the optimum
    engine: Engine | None = None

    def env(self, pool: IntArray, num_envs: int, mode: AutoresetMode) -> RecVectorEnv:
        """The environment for users of ``pool``, at most ``num_envs`` at a time."""
        return self.make(
            self.users,
            self.catalog,
            num_envs=min(num_envs, len(pool)),
            users=pool,
            autoreset_mode=mode,
        )

    def features(self) -> Features:
        """What learners see of users and items."""
        return make_features(self.log, self.catalog, self.averages)

    def play(self, make_player: MakePlayer) -> Rollout:
        """One life of every judge; the state of the users is as before afterwards."""
        before = self.users.snapshot()
        env = self.env(self.judges, len(self.judges), AutoresetMode.DISABLED)
        played = rollout(env, make_player(env), seed=self.seed, users=self.judges)
        self.users.restore(before)
        return played


def make_arena(cfg: DictConfig) -> Arena:
    """The arena of ``cfg.experiment.people``.

    Raises:
        ValueError: fewer than two users, or scripted users in an environment whose optimum cannot
            be known.
    """
    settings = cfg.experiment
    build = _scripted if settings.people == "scripted" else _shipped
    return build(cfg, instantiate(cfg.env))


def halves(users: IntArray, num_judges: int, seed: int) -> tuple[IntArray, IntArray]:
    """Who is learnt from and who judges, ascending; at most half of the users (n,) judge."""
    order = generator(seed, Stream.FORESIGHT_JUDGES).permutation(users)
    judges = min(num_judges, len(users) // 2)
    if not judges:
        raise ValueError(f"foresight wanted at least two users, got {len(users)}; raise num_users")
    return np.sort(order[judges:]), np.sort(order[:judges])


def _scripted(cfg: DictConfig, make: partial[RecVectorEnv]) -> Arena:
    """Users who think alike: as many to learn from as to judge."""
    users, catalog = make_world(2 * cfg.num_users, cfg.experiment.num_items)
    everybody = np.arange(users.num_users)
    settings: dict[str, Any] = {k: v for k, v in make.keywords.items() if k != "history_length"}
    log = past(make, users, catalog, cfg.experiment.past_items, cfg.seed)
    learners, judges = halves(everybody, cfg.num_users, cfg.seed)
    return Arena(
        users, catalog, log, ItemAverages.of(log, catalog), make, learners, judges, cfg.seed,
        model=make_model(**settings) if settings.get("wear") else None,
    )  # fmt: skip


def _shipped(cfg: DictConfig, make: partial[RecVectorEnv]) -> Arena:
    """The shipped population on its language model."""
    from agents.assembly import persona_users
    from agents.population.population import Population

    people = Population.shipped()
    users = persona_users(people, instantiate(cfg.engine))
    everybody = np.arange(users.num_users)
    learners, judges = halves(everybody, cfg.num_users, cfg.seed)
    return Arena(
        users, people.catalog, people.history, people.averages, make, learners, judges, cfg.seed,
        engine=users.engine,
    )  # fmt: skip


def past(
    make: Callable[..., RecVectorEnv], users: UserModel, catalog: Catalog, num_items: int, seed: int
) -> InteractionLog:
    """What rested users gave to ``num_items`` items each, drawn from the whole catalogue.

    Only what they took is in the log, as in a service's; nobody remembers it.
    """
    everybody = np.arange(users.num_users)
    env = make(users, catalog, num_envs=len(everybody))
    draws = generator(seed, Stream.FORESIGHT_LOG)
    items = draws.permuted(np.tile(np.arange(len(catalog)), (len(everybody), 1)), axis=1)
    slates = Slates.of_items(items[:, :num_items])
    given = env.user_model.respond(everybody, slates, row_seeds(seed, everybody, everybody))
    rows, places = np.nonzero(given.taken)
    return InteractionLog.from_columns(
        everybody[rows],
        slates.items[rows, places],
        given.ratings[rows, places],
        num_users=len(everybody),
        num_items=len(catalog),
    )

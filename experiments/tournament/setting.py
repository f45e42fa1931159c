"""What every policy of a tournament meets alike, built from the config: data, users, environment.

It plays nothing; that is done in ``playing``.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.inference.engine import Engine
from agents.inference.wrapped.kept_answers import keeping
from experiments.people.people import People, true_users
from experiments.reporting.progress import progress_bar
from experiments.tournament.feasibility import (
    LeftOut,
    check_reachable,
    too_few_unseen,
    too_long_prompts,
    unseen_items,
)
from experiments.tournament.stopping import Stopping
from recommenders.evaluation.session_measures import ItemFacts
from simenv.data.dataset import Dataset
from simenv.data.evidence import Views, views_of
from simenv.env.vector_env import RecVectorEnv
from simenv.events import IntArray
from simenv.ranges import check_number, check_seed
from simenv.seeding import Stream, generator
from simenv.user_model import UserModel
from simenv.users.behaviour import behaviour_of
from simenv.users.lives import Life


@dataclass(frozen=True)
class Setting:
    """What every policy meets alike."""

    dataset: Dataset  # as the policies know it
    users: IntArray  # (n,) who plays, ascending
    make_env: Callable[..., RecVectorEnv]  # of (user_model, catalog, **sizes)
    max_steps: int
    simulated: UserModel
    true: UserModel | None
    seed: int
    top: int
    min_rating: float
    slate_size: int = 5
    life: Life | None = None  # of the environment; None = an episode is one visit
    stopping: Stopping = field(default_factory=Stopping)
    engine: Engine | None = None  # that the simulated users ask
    left_out: tuple[LeftOut, ...] = ()  # users who cannot be asked
    people_data: Dataset | None = None  # as the people know it; None = as the policies do
    whole: Dataset | None = None  # before rows were cut between both; None = none were

    @property
    def known_to_people(self) -> Dataset:
        """The data whose training rows the people are made of."""
        return self.people_data or self.dataset

    def item_facts(self) -> ItemFacts:
        """What session measures need, by the behaviour and the life that were played."""
        return ItemFacts.of(self.dataset, behaviour_of(self.simulated), self.life)


_NUMBERS = {"top": "whole [1, inf)", "min_rating": "[0, inf)", "num_resamples": "whole [1, inf)"}


def make_setting(cfg: DictConfig) -> tuple[Setting, People]:
    """The data, the users and the environment of a run, and who answers.

    Settings are checked before anything is read or asked. Answers of a language model are kept in
    ``answers/`` of the run's folder, where the same command finds them again.

    Raises:
        TypeError: a setting that is a number is none.
        ValueError: a setting is out of its range, or no user can be asked.
    """
    stopping = checked_settings(cfg)
    with progress_bar("people", total=2) as tick:
        tick("reading the data")
        whole: Dataset = instantiate(cfg.data)
        view = view_of(cfg, whole)
        tick("building the users", advance=1)
        users, left_out = askable(cfg, view.policies)
        people: People = kept_people(cfg)(view.people)
        if not (Path(cfg.output_dir) / "answers").is_dir():  # a run that goes on has them already
            check_reachable(people.model, people.engine, users)
        long = too_long_prompts(people.model, people.engine, users)
        tick("ready", advance=1)
    users = np.setdiff1d(users, long.users)
    setting = setting_of(cfg, view, whole, users, people, stopping)
    check_sizes(setting)
    return replace(setting, left_out=tuple(o for o in (*left_out, long) if len(o.users))), people


def check_sizes(setting: Setting) -> None:
    """Find settings of the environment and of the metrics that no policy could meet.

    Raises:
        ValueError: more items are wanted than a user has not met, or the environment refuses its
            settings.
    """
    left = int(unseen_items(setting.dataset)[setting.users].min())
    if setting.top > left:
        raise ValueError(
            f"experiment.top wanted at most {left}, the items that a user has not met, got"
            f" {setting.top}; lower it"
        )
    setting.make_env(
        setting.simulated, setting.dataset.catalog, num_envs=1, max_episode_steps=setting.max_steps
    )


def askable(cfg: DictConfig, dataset: Dataset) -> tuple[IntArray, tuple[LeftOut, LeftOut]]:
    """Who plays (n,), ascending, and who cannot.

    Nothing that they like may be held out, or too few items be left for a whole session. The first
    are named where everybody was wanted: a draw leaves others out as well.

    Raises:
        ValueError: nobody can.
    """
    least = cfg.experiment.min_rating
    everybody = evaluation_users(dataset, dataset.num_users, least, cfg.seed)
    few = too_few_unseen(dataset, everybody, cfg.env.slate_size, cfg.env.max_episode_steps)
    users = evaluation_users(dataset, cfg.num_users, least, cfg.seed, without=few.users)
    none = np.setdiff1d(
        np.arange(dataset.num_users if cfg.num_users > len(users) else 0), everybody
    )
    why = f"no held-out rating of at least {least:g} stars (experiment.min_rating)"
    return users, (LeftOut(none, why), few)


def checked_settings(cfg: DictConfig) -> Stopping:
    """When the run stops, after all numbers of its config were checked.

    Raises:
        TypeError: a setting that is a number is none.
        ValueError: a setting is out of its range.
    """
    check_number("", "num_users", cfg.num_users, "whole [1, inf)")
    check_seed("", "seed", cfg.seed)
    for name, allowed in _NUMBERS.items():
        if name in cfg.experiment:
            check_number("experiment", name, cfg.experiment[name], allowed)
    return Stopping(precision=cfg.precision, **cfg.budget)


def kept_people(cfg: DictConfig) -> Callable[[Dataset], People]:
    """What makes the users of a data set; answers that an engine gives are kept with the run."""
    make: Callable[..., People] = instantiate(cfg.users)
    engine = make.keywords.get("engine") if isinstance(make, functools.partial) else None
    if engine is None:
        return make
    return functools.partial(make, engine=keeping(engine, Path(cfg.output_dir) / "answers"))


def view_of(cfg: DictConfig, dataset: Dataset) -> Views:
    """What policies and people know of the data by ``cfg.users.evidence``.

    Where the rows are cut between both, policies learn from the first half by ``cfg.seed``.
    """
    return views_of(dataset, cfg.users.get("evidence", "shared"), cfg.seed)[0]


def setting_of(
    cfg: DictConfig,
    view: Views,
    whole: Dataset,
    users: IntArray,
    people: People,
    stopping: Stopping | None = None,
) -> Setting:
    """The setting of users (n,) that are chosen already; without ``stopping`` all are asked.

    ``view`` is what policies and people know of ``whole``.
    """
    dataset = view.policies
    return Setting(
        dataset=dataset,
        people_data=view.people,
        whole=whole,
        users=users,
        make_env=instantiate(cfg.env),
        max_steps=cfg.env.max_episode_steps,
        simulated=people.model,
        true=true_users(dataset) if dataset.truth is not None else None,
        seed=cfg.seed,
        top=cfg.experiment.top,
        min_rating=cfg.experiment.min_rating,
        slate_size=cfg.env.slate_size,
        life=instantiate(cfg.env.get("life")),
        stopping=stopping or Stopping(),
        engine=people.engine,
    )


def evaluation_users(
    dataset: Dataset,
    num_users: int,
    min_rating: float,
    seed: int,
    without: IntArray | None = None,
) -> IntArray:
    """At most ``num_users`` users with training rows and a relevant held-out row, ascending.

    Nobody of ``without`` (n,) is drawn.

    Raises:
        ValueError: there is no such user.
    """
    liked = dataset.test.users[dataset.test.ratings >= min_rating]
    users = np.intersect1d(liked, dataset.train.users)
    users = users if without is None else np.setdiff1d(users, without)
    if not len(users):
        raise ValueError(
            f"{dataset.name!r} has no user with training rows and a held-out rating of at least"
            f" {min_rating}; lower experiment.min_rating or data.fraction"
        )
    rng = generator(seed, Stream.EVALUATED_USERS)
    chosen = rng.permutation(users)[:num_users]
    return np.sort(chosen).astype(np.int64)


def described(setting: Setting) -> dict[str, Any]:
    """``dataset`` and ``setting`` as they stand in the results."""
    dataset = setting.dataset
    return {
        "dataset": {
            "name": dataset.name,
            "num_users": dataset.num_users,
            "num_items": dataset.num_items,
            "train_ratings": len(dataset.train),
            "test_ratings": len(dataset.test),
            "truth_known": dataset.truth is not None,
        },
        "setting": {
            "num_users": len(setting.users),
            "slate_size": setting.slate_size,
            "max_steps": setting.max_steps,
            "top": setting.top,
            "min_rating": setting.min_rating,
            "left_out": [group.described(dataset) for group in setting.left_out],
        },
    }

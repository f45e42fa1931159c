"""What every policy of a tournament meets alike, built from the config: data, users, environment.

Where rows are cut between policies and people there are two settings, with the halves swapped.
It plays nothing; that is done in ``playing``.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
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
    askable,
    check_reachable,
    together,
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
    swapped: "Setting | None" = None  # with both halves of the rows swapped; None = none are cut

    @property
    def known_to_people(self) -> Dataset:
        """The data whose training rows the people are made of."""
        return self.people_data or self.dataset

    @property
    def views(self) -> "tuple[Setting, ...]":
        """The settings whose figures are averaged: this one, and the swapped one."""
        return (self,) if self.swapped is None else (self, self.swapped)

    def among(self, users: IntArray) -> "Setting":
        """The same before other users (n,), ascending."""
        swapped = None if self.swapped is None else self.swapped.among(users)
        return replace(self, users=users, swapped=swapped)

    def item_facts(self) -> ItemFacts:
        """What session measures need, by the behaviour and the life that were played."""
        return ItemFacts.of(self.whole or self.dataset, behaviour_of(self.simulated), self.life)


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
        views = views_by(cfg, whole)
        tick("building the users", advance=1)
        users, left_out = askable(cfg, *(view.policies for view in views))
        made = peopled(on_one_engine(kept_people(cfg)), *(view.people for view in views))
        if not (Path(cfg.output_dir) / "answers").is_dir():  # a run that goes on has them already
            check_reachable(made[0].model, made[0].engine, users)
        long = together([too_long_prompts(one.model, one.engine, users) for one in made])
        tick("ready", advance=1)
    users = np.setdiff1d(users, long.users)
    settings = [
        setting_of(cfg, view, whole, users, people, stopping)
        for view, people in zip(views, made, strict=True)
    ]
    for setting in settings:
        check_sizes(setting)
    first, people = _swapped(settings), made[0]._replace(swapped=made[1] if made[1:] else None)
    return replace(first, left_out=tuple(o for o in (*left_out, long) if len(o.users))), people


def _swapped(settings: Sequence[Setting]) -> Setting:
    """The first of one or two settings, which knows the second."""
    return replace(settings[0], swapped=settings[1]) if settings[1:] else settings[0]


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


def on_one_engine(make: Callable[..., People]) -> Callable[..., People]:
    """The same maker, whose people are all asked on one engine: a model is in memory once."""
    maker = make.keywords.get("engine") if isinstance(make, functools.partial) else None
    if maker is None:
        return make
    made: dict[Any, Engine] = {}

    def once(model: str, adapters: Mapping[str, str] | None = None) -> Engine:
        key = str(model), tuple(sorted((adapters or {}).items()))
        if key not in made:
            made[key] = maker(model, adapters=adapters)
        return made[key]

    return functools.partial(make, engine=once)


def peopled(make: Callable[..., People], *datasets: Dataset) -> list[People]:
    """The people of each data set; those on disk are in folders of their own."""
    folder = make.keywords.get("on_disk") if isinstance(make, functools.partial) else None
    apart = {} if folder is None else {"on_disk": f"{folder}_swapped"}
    return [make(one, **(apart if number else {})) for number, one in enumerate(datasets)]


def views_by(cfg: DictConfig, dataset: Dataset) -> list[Views]:
    """What policies and people know of the data by ``cfg.users.evidence``: one view, or two.

    Where the rows are cut between both, ``cfg.seed`` says how.
    """
    return views_of(dataset, cfg.users.get("evidence", "shared"), cfg.seed)


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
            **({"views": len(setting.views)} if setting.swapped else {}),
        },
    }

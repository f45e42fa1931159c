"""Trains and evaluates; the question and the score stand in the package docstring.

Files: ``answers/`` (of a language model, as they come; the same command goes on with them),
``results.json``, ``report.html``, ``curves.csv``, ``config.yaml`` and ``tensorboard/``.
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.inference.metering.meter import EngineMeter
from experiments.people.people import People
from experiments.reporting.parts import Parts
from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import public
from experiments.reporting.result import Result
from experiments.tournament.cautions import FEW, cautions, measured_fidelity
from experiments.tournament.feasibility import evaluation_users, too_few_unseen
from experiments.tournament.playing import play, ticks_per_policy
from experiments.tournament.policies import Oracle, policy_makers
from experiments.tournament.sessions import Session
from experiments.tournament.setting import (
    Setting,
    described,
    kept_people,
    on_one_engine,
    peopled,
    setting_of,
    views_by,
)
from experiments.tournament.shared_rows import measured_collusion
from experiments.tournament.summary import summarise
from experiments.train_policy import training_page as page
from experiments.train_policy.gains import compare, hacking, variance_cut
from experiments.train_policy.training_runs import Arm, Curve, learning_env, train_curve
from recommenders.base import Recommender
from recommenders.rl import ppo
from recommenders.rl.dqn import train_dqn
from recommenders.rl.features import Features, make_features
from simenv.data.dataset import Dataset
from simenv.env.pessimism import PessimisticRating
from simenv.env.rewards import RewardChoice
from simenv.events import IntArray

if TYPE_CHECKING:
    import pandas as pd

_TINY_STEPS = 512  # slates shown in training with debug=tiny


class School(NamedTuple):
    """Before whom policies learn: people made of the rows that the policies themselves know.

    Who judges them shares no row with their teachers where the rows are cut between both.
    """

    setting: Setting  # of the evaluation, before the teachers
    teachers: People
    learners: IntArray  # (m,) users who are learnt from, none of them evaluated


def run(cfg: DictConfig) -> Result:
    """Train on ``cfg.users`` of ``cfg.data`` and compare with ``cfg.recommender``."""
    _shrink(cfg)
    setting, people, school = _prepare(cfg)
    asking = EngineMeter(people.engine)
    curves = _train(cfg, setting, school)
    sessions = _played(cfg, setting, school, curves)
    num_resamples = cfg.experiment.num_resamples
    parts, makers = Parts(), policy_makers(cfg.recommender)
    values = {
        "experiment": cfg.experiment.name,
        "debug": cfg.get("debug"),
        "users": people.card,
        **_described(setting, school),
        **summarise(sessions, setting.item_facts(), setting.top, cfg.seed, num_resamples),
        **_learnt(cfg, sessions, school, curves),
        "engine": public(asking.report()),
        "fidelity": parts.get("fidelity", lambda: measured_fidelity(people, setting, FEW), None),
        "collusion": parts.get(
            "collusion", lambda: measured_collusion(cfg, people, makers, setting), None
        ),
        "failures": parts.failures,
    }
    told = values["fidelity"], values["contrasts"], values["collusion"]
    values["before_you_quote"] = cautions(people, *told)
    return Result(
        values,
        pages={"report.html": page.html, "report.md": page.markdown},
        frames={"curves.csv": _points(values["curves"])},
        lines=page.lines(values),
        error=parts.error,
    )


def _shrink(cfg: DictConfig) -> None:
    """With ``debug=tiny`` every training is one of seconds; the config says so."""
    if cfg.get("debug") == "tiny":
        own = cfg.experiment
        own.ppo.total_steps = min(own.ppo.total_steps, _TINY_STEPS)
        own.dqn_steps = min(own.dqn_steps, _TINY_STEPS)


def _played(
    cfg: DictConfig, setting: Setting, school: School, curves: list[Curve]
) -> list[Session]:
    policies = _policies(cfg, school, curves)
    with progress_bar("policies", total=len(policies) * ticks_per_policy(setting)) as tick:
        return play(policies, setting, tick)[0]


def _described(setting: Setting, school: School) -> dict[str, Any]:
    """``dataset`` and ``setting``, as far as training needs them."""
    found = described(setting)
    data = {key: found["dataset"][key] for key in ("name", "num_items")}
    return {"dataset": data, "setting": {**found["setting"], "num_learners": len(school.learners)}}


def _learnt(
    cfg: DictConfig,
    sessions: list[Session],
    school: School,
    curves: list[Curve],
) -> dict[str, Any]:
    """What learning was worth, and how it went."""
    names = {_name(curve) for curve in curves}
    return {
        "learnt": compare(sessions, learnt=names),
        "curves": [{"label": c.label, "seed": c.seed, "points": _finite(c.points)} for c in curves],
        "hacking": hacking(curves),
        "variance": variance_cut(school.setting, school.learners, num_envs=cfg.experiment.num_envs),
    }


def _name(trained: Arm | Curve) -> str:
    return f"ppo_{trained.label}_{trained.seed}"


def _prepare(cfg: DictConfig) -> tuple[Setting, People, School]:
    """Who is evaluated and where, who answers, and where policies learn."""
    with progress_bar("people", total=1) as tick:
        tick("reading the data and building the users")
        whole: Dataset = instantiate(cfg.data)
        view = views_by(cfg, whole)[0]
        dataset = view.policies
        everybody = np.unique(dataset.train.users)
        slates = cfg.env.slate_size, cfg.env.max_episode_steps
        few = too_few_unseen(dataset, everybody, *slates)
        everybody = np.setdiff1d(everybody, few.users)
        num_users = min(cfg.num_users, len(everybody) // 2)  # the others are learnt from
        users = evaluation_users(dataset, num_users, cfg.experiment.min_rating, cfg.seed, few.users)
        learners = np.setdiff1d(everybody, users)
        make = on_one_engine(kept_people(cfg))
        shared = view.people is view.policies
        people, *apart = peopled(make, *([view.people] if shared else [view.people, dataset]))
        tick("ready", advance=1)
    setting = setting_of(cfg, view, whole, users, people)
    if len(few.users):
        setting = replace(setting, left_out=(few,))
    teachers = apart[0] if apart else people
    before_them = replace(
        setting, simulated=teachers.model, engine=teachers.engine, people_data=dataset
    )
    return setting, people, School(before_them, teachers, learners)


def _rewards(cfg: DictConfig, school: School) -> dict[str, RewardChoice]:
    """The configured reward, and one for each penalty above 0."""
    rewards: dict[str, RewardChoice] = {"plain": cfg.env.reward}
    penalties = [float(p) for p in cfg.experiment.penalties]
    if penalties:
        members = instantiate(cfg.experiment.ensemble)(school.teachers, school.setting.dataset)
        rewards |= {f"penalty_{p:g}": PessimisticRating(members, p) for p in penalties}
    return rewards


def _train(cfg: DictConfig, setting: Setting, school: School) -> list[Curve]:
    """PPO on every reward, with every seed."""
    features = _features(setting)
    arms = [
        Arm(label, reward, ppo.PPOSettings(**cfg.experiment.ppo, seed=seed))
        for label, reward in _rewards(cfg, school).items()
        for seed in cfg.experiment.seeds
    ]
    curves, logs = [], Path(cfg.output_dir) / "tensorboard"
    with progress_bar("training", total=len(arms)) as tick:
        for arm in arms:
            env = learning_env(school.setting, school.learners, arm.reward, cfg.experiment.num_envs)
            start = school.setting.simulated.snapshot()
            checkpoints = cfg.experiment.num_checkpoints
            curves.append(
                train_curve(arm, setting, env, features, checkpoints, logs / _name(arm), tick)
            )
            school.setting.simulated.restore(start)
            tick(f"{arm.label}, seed {arm.seed}: done", advance=1)
    return curves


def _policies(
    cfg: DictConfig, school: School, curves: list[Curve]
) -> dict[str, Callable[[], Recommender]]:
    """Name to policy, to be fitted on the log: trained ones, those of the config, the oracle."""
    made: dict[str, Callable[[], Recommender]] = {
        _name(curve): functools.partial(_policy_of, curve) for curve in curves
    }
    if cfg.experiment.dqn_steps:
        made["dqn"] = functools.partial(_dqn, cfg, school)
    made |= policy_makers(cfg.recommender)
    if (truth := school.setting.dataset.truth) is not None:
        made["oracle"] = functools.partial(Oracle, truth)
    return made


def _features(setting: Setting) -> Features:
    dataset = setting.dataset
    return make_features(dataset.train, dataset.catalog, dataset.averages)


def _policy_of(curve: Curve) -> Recommender:
    return curve.policy


def _dqn(cfg: DictConfig, school: School) -> Recommender:
    setting = school.setting
    start = setting.simulated.snapshot()
    env = learning_env(setting, school.learners, cfg.env.reward, cfg.experiment.num_envs)
    features = _features(setting)
    policy = train_dqn(env, features, cfg.experiment.dqn_steps, cfg.seed)
    setting.simulated.restore(start)
    return policy


def _finite(points: list[dict[str, float]]) -> list[dict[str, float | None]]:
    return [{k: v if np.isfinite(v) else None for k, v in point.items()} for point in points]


def _points(curves: list[dict[str, Any]]) -> "pd.DataFrame":
    """A row a checkpoint."""
    import pandas as pd

    return pd.DataFrame(
        {"reward_name": curve["label"], "seed": curve["seed"], **point}
        for curve in curves
        for point in curve["points"]
    )

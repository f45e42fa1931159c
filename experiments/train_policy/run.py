"""Trains and evaluates; the question and the score stand in the package docstring.

Files: ``answers/`` (of a language model, as they come; the same command goes on with them),
``results.json``, ``report.html``, ``curves.csv``, ``config.yaml`` and ``tensorboard/``.
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from experiments.tournament.feasibility import too_few_unseen
from experiments.tournament.playing import Session, play, ticks_per_policy
from experiments.tournament.policies import policy_makers
from experiments.tournament.setting import (
    Setting,
    described,
    evaluation_users,
    kept_people,
    setting_of,
    view_of,
)
from experiments.tournament.shared_rows import measured_collusion
from experiments.tournament.summary import summarise
from experiments.train_policy import training_page as page
from experiments.train_policy.gains import compare, hacking, variance_cut
from experiments.train_policy.policies import Oracle
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


def run(cfg: DictConfig) -> Result:
    """Train on ``cfg.users`` of ``cfg.data`` and compare with ``cfg.recommender``."""
    _shrink(cfg)
    setting, people, learners = _prepare(cfg)
    asking = EngineMeter(people.engine)
    curves = _train(cfg, setting, people, learners)
    sessions = _played(cfg, setting, learners, curves)
    num_resamples = cfg.experiment.num_resamples
    parts, makers = Parts(), policy_makers(cfg.recommender)
    values = {
        "experiment": cfg.experiment.name,
        "debug": cfg.get("debug"),
        "users": people.card,
        **_described(setting, learners),
        **summarise(sessions, setting.item_facts(), setting.top, cfg.seed, num_resamples),
        **_learnt(cfg, sessions, setting, learners, curves),
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
    cfg: DictConfig, setting: Setting, learners: IntArray, curves: list[Curve]
) -> list[Session]:
    policies = _policies(cfg, setting, learners, curves)
    with progress_bar("policies", total=len(policies) * ticks_per_policy(setting)) as tick:
        return play(policies, setting, tick)[0]


def _described(setting: Setting, learners: IntArray) -> dict[str, Any]:
    """``dataset`` and ``setting``, as far as training needs them."""
    found = described(setting)
    data = {key: found["dataset"][key] for key in ("name", "num_items")}
    return {"dataset": data, "setting": {**found["setting"], "num_learners": len(learners)}}


def _learnt(
    cfg: DictConfig,
    sessions: list[Session],
    setting: Setting,
    learners: IntArray,
    curves: list[Curve],
) -> dict[str, Any]:
    """What learning was worth, and how it went."""
    names = {_name(curve) for curve in curves}
    return {
        "learnt": compare(sessions, learnt=names),
        "curves": [{"label": c.label, "seed": c.seed, "points": _finite(c.points)} for c in curves],
        "hacking": hacking(curves),
        "variance": variance_cut(setting, learners, num_envs=cfg.experiment.num_envs),
    }


def _name(trained: Arm | Curve) -> str:
    return f"ppo_{trained.label}_{trained.seed}"


def _prepare(cfg: DictConfig) -> tuple[Setting, People, IntArray]:
    """Who is evaluated and where, who answers, and who is learnt from."""
    with progress_bar("people", total=1) as tick:
        tick("reading the data and building the users")
        whole: Dataset = instantiate(cfg.data)
        view = view_of(cfg, whole)
        dataset = view.policies
        everybody = np.unique(dataset.train.users)
        slates = cfg.env.slate_size, cfg.env.max_episode_steps
        few = too_few_unseen(dataset, everybody, *slates)
        everybody = np.setdiff1d(everybody, few.users)
        num_users = min(cfg.num_users, len(everybody) // 2)  # the others are learnt from
        users = evaluation_users(dataset, num_users, cfg.experiment.min_rating, cfg.seed, few.users)
        learners = np.setdiff1d(everybody, users)
        people = kept_people(cfg)(view.people)
        tick("ready", advance=1)
    setting = setting_of(cfg, view, whole, users, people)
    if len(few.users):
        setting = replace(setting, left_out=(few,))
    return setting, people, learners


def _rewards(cfg: DictConfig, people: People, dataset: Dataset) -> dict[str, RewardChoice]:
    """The configured reward, and one for each penalty above 0."""
    rewards: dict[str, RewardChoice] = {"plain": cfg.env.reward}
    penalties = [float(p) for p in cfg.experiment.penalties]
    if penalties:
        members = instantiate(cfg.experiment.ensemble)(people, dataset)
        rewards |= {f"penalty_{p:g}": PessimisticRating(members, p) for p in penalties}
    return rewards


def _train(cfg: DictConfig, setting: Setting, people: People, learners: IntArray) -> list[Curve]:
    """PPO on every reward, with every seed."""
    features = _features(setting)
    arms = [
        Arm(label, reward, ppo.PPOSettings(**cfg.experiment.ppo, seed=seed))
        for label, reward in _rewards(cfg, people, setting.known_to_people).items()
        for seed in cfg.experiment.seeds
    ]
    curves, logs = [], Path(cfg.output_dir) / "tensorboard"
    with progress_bar("training", total=len(arms)) as tick:
        for arm in arms:
            env = learning_env(setting, learners, arm.reward, cfg.experiment.num_envs)
            checkpoints = cfg.experiment.num_checkpoints
            curves.append(
                train_curve(arm, setting, env, features, checkpoints, logs / _name(arm), tick)
            )
            tick(f"{arm.label}, seed {arm.seed}: done", advance=1)
    return curves


def _policies(
    cfg: DictConfig, setting: Setting, learners: IntArray, curves: list[Curve]
) -> dict[str, Callable[[], Recommender]]:
    """Name to policy, to be fitted on the log: trained ones, those of the config, the oracle."""
    made: dict[str, Callable[[], Recommender]] = {
        _name(curve): functools.partial(_policy_of, curve) for curve in curves
    }
    if cfg.experiment.dqn_steps:
        made["dqn"] = functools.partial(_dqn, cfg, setting, learners)
    made |= policy_makers(cfg.recommender)
    if setting.dataset.truth is not None:
        made["oracle"] = functools.partial(Oracle, setting.dataset.truth)
    return made


def _features(setting: Setting) -> Features:
    dataset = setting.dataset
    return make_features(dataset.train, dataset.catalog, dataset.averages)


def _policy_of(curve: Curve) -> Recommender:
    return curve.policy


def _dqn(cfg: DictConfig, setting: Setting, learners: IntArray) -> Recommender:
    start = setting.simulated.snapshot()
    env = learning_env(setting, learners, cfg.env.reward, cfg.experiment.num_envs)
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

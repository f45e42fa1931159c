"""Trains, evaluates and writes; the question and the score stand in the package docstring.

Files: ``results.json``, ``report.html``, ``curves.csv``, ``config.yaml`` and ``tensorboard/``.
"""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents.inference.metering.meter import EngineMeter, in_words
from experiments.people.people import People
from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import provenance, public
from experiments.reporting.report import write_json
from experiments.tournament.playing import play, ticks_per_policy
from experiments.tournament.setting import Setting, evaluation_users, policy_makers, setting_of
from experiments.tournament.summary import summarise
from experiments.tournament.tables import ranking_lines
from experiments.train_policy import training_page as page
from experiments.train_policy.gains import compare, hacking, variance_cut
from experiments.train_policy.learning_curves import Arm, Curve, learning_env, train_curve
from experiments.train_policy.policies import Oracle
from recommenders.base import Recommender
from recommenders.rl import ppo
from recommenders.rl.dqn import train_dqn
from recommenders.rl.features import make_features
from simenv.data.dataset import Dataset
from simenv.env.pessimism import PessimisticRating
from simenv.env.rewards import RewardChoice
from simenv.events import IntArray


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Train on ``cfg.users`` of ``cfg.data`` and compare with ``cfg.recommender``.

    Returns:
        What ``results.json`` holds.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    setting, people, learners = _prepare(cfg)
    asking = EngineMeter(people.engine)
    curves = _train(cfg, setting, people, learners, output_dir)
    policies = _policies(cfg, setting, learners, curves)
    with progress_bar("policies", total=len(policies) * ticks_per_policy(setting)) as tick:
        sessions, _ = play(policies, setting, tick)
    engine = asking.report()
    dataset, experiment = setting.dataset, cfg.experiment
    results = {
        "experiment": experiment.name,
        "debug": cfg.get("debug"),
        "dataset": {"name": dataset.name, "num_items": dataset.num_items},
        "users": people.card,
        "setting": {
            "num_users": len(setting.users),
            "num_learners": len(learners),
            "slate_size": cfg.env.slate_size,
            "max_steps": setting.max_steps,
            "top": setting.top,
            "min_rating": setting.min_rating,
        },
        **summarise(
            sessions, setting.item_facts(), setting.top, cfg.seed, experiment.num_resamples
        ),
        "learnt": compare(sessions, learnt={f"ppo_{c.label}_{c.seed}" for c in curves}),
        "curves": [{"label": c.label, "seed": c.seed, "points": _finite(c.points)} for c in curves],
        "hacking": hacking(curves),
        "variance": variance_cut(setting, learners, num_envs=experiment.num_envs),
        "engine": public(engine),
        "provenance": provenance(config, started),
    }
    _write(results, output_dir)
    console = Console()
    for line in ranking_lines(results):
        console.print(line, highlight=False)
    for sentence in page.sentences(results):
        console.print(sentence, highlight=False)
    console.print(in_words(engine), style="dim", highlight=False)
    console.print(f"Report: {output_dir / 'report.html'}", highlight=False, soft_wrap=True)
    return results


def _prepare(cfg: DictConfig) -> tuple[Setting, People, IntArray]:
    """Who is evaluated and where, who answers, and who is learnt from."""
    with progress_bar("people", total=1) as tick:
        tick("reading the data and building the users")
        dataset: Dataset = instantiate(cfg.data)
        everybody = np.unique(dataset.train.users)
        num_users = min(cfg.num_users, len(everybody) // 2)  # the others are learnt from
        users = evaluation_users(dataset, num_users, cfg.experiment.min_rating, cfg.seed)
        learners = np.setdiff1d(everybody, users)
        people: People = instantiate(cfg.users)(dataset)
        tick("ready", advance=1)
    setting = setting_of(cfg, dataset, users, people)
    return setting, people, learners


def _rewards(cfg: DictConfig, people: People, dataset: Dataset) -> dict[str, RewardChoice]:
    """The configured reward, and one for each penalty above 0."""
    rewards: dict[str, RewardChoice] = {"plain": cfg.env.reward}
    penalties = [float(p) for p in cfg.experiment.penalties]
    if penalties:
        members = instantiate(cfg.experiment.ensemble)(people, dataset)
        rewards |= {f"penalty_{p:g}": PessimisticRating(members, p) for p in penalties}
    return rewards


def _train(
    cfg: DictConfig, setting: Setting, people: People, learners: IntArray, output_dir: Path
) -> list[Curve]:
    experiment = cfg.experiment
    features = make_features(
        setting.dataset.train, setting.dataset.catalog, setting.dataset.averages
    )
    rewards, curves = _rewards(cfg, people, setting.dataset), []
    with progress_bar("training", total=len(rewards) * len(experiment.seeds)) as tick:
        for label, reward in rewards.items():
            for seed in experiment.seeds:
                arm = Arm(label, reward, ppo.PPOSettings(**experiment.ppo, seed=seed))
                env = learning_env(setting, learners, reward, experiment.num_envs)
                log_dir = output_dir / "tensorboard" / f"ppo_{label}_{seed}"
                curves.append(
                    train_curve(
                        arm, setting, env, features, experiment.num_checkpoints, log_dir, tick
                    )
                )
                tick(f"{label}, seed {seed}: done", advance=1)
    return curves


def _policies(
    cfg: DictConfig, setting: Setting, learners: IntArray, curves: list[Curve]
) -> dict[str, Callable[[], Recommender]]:
    """Name to policy, to be fitted on the log: trained ones, those of the config, the oracle."""
    made: dict[str, Callable[[], Recommender]] = {
        f"ppo_{curve.label}_{curve.seed}": functools.partial(_policy_of, curve) for curve in curves
    }
    if cfg.experiment.dqn_steps:
        made["dqn"] = functools.partial(_dqn, cfg, setting, learners)
    made |= policy_makers(cfg.recommender)
    if setting.dataset.truth is not None:
        made["oracle"] = functools.partial(Oracle, setting.dataset.truth)
    return made


def _policy_of(curve: Curve) -> Recommender:
    return curve.policy


def _dqn(cfg: DictConfig, setting: Setting, learners: IntArray) -> Recommender:
    start = setting.simulated.snapshot()
    env = learning_env(setting, learners, cfg.env.reward, cfg.experiment.num_envs)
    features = make_features(
        setting.dataset.train, setting.dataset.catalog, setting.dataset.averages
    )
    policy = train_dqn(env, features, cfg.experiment.dqn_steps, cfg.seed)
    setting.simulated.restore(start)
    return policy


def _finite(points: list[dict[str, float]]) -> list[dict[str, float | None]]:
    return [{k: v if np.isfinite(v) else None for k, v in point.items()} for point in points]


def _write(results: dict[str, Any], output_dir: Path) -> None:
    import pandas as pd

    output_dir.mkdir(parents=True, exist_ok=True)
    write_json(output_dir / "results.json", results)
    config_yaml = OmegaConf.to_yaml(OmegaConf.create(results["provenance"]["config"]))
    (output_dir / "config.yaml").write_text(config_yaml, encoding="utf-8")
    rows = [
        {"reward_name": curve["label"], "seed": curve["seed"], **point}
        for curve in results["curves"]
        for point in curve["points"]
    ]
    pd.DataFrame(rows).to_csv(output_dir / "curves.csv", index=False)
    page.write(output_dir / "report.html", results, config_yaml)

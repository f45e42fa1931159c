"""Runs the ranking and writes its files; the question and the score stand in the package docstring.

Files: ``results.json``, ``report.html``, ``report.md``, ``interactions.parquet`` (every slate of
every session, with the policy and the world that answered) and ``config.yaml`` (resolved).
"""

import functools
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents.inference.metering.meter import EngineMeter, in_words
from experiments.people.people import People, true_users
from experiments.policy_ranking import ranking_page as page
from experiments.policy_ranking.sentences import (
    agreement_sentences,
    answer,
    check,
    stop_sentence,
)
from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import provenance, public
from experiments.reporting.report import write_json
from experiments.tournament.group_summary import summarise_groups
from experiments.tournament.groups import persona_groups
from experiments.tournament.off_policy_check import estimate_from_log
from experiments.tournament.playing import (
    Session,
    Setting,
    evaluation_users,
    mean_ratings,
    play,
    ticks_per_policy,
)
from experiments.tournament.stopping import Meter, Stopping
from experiments.tournament.summary import summarise, summarise_off_policy
from experiments.tournament.tables import print_table
from experiments.tournament.traces import trace
from recommenders.base import Recommender
from simenv.data.dataset import Dataset
from simenv.events import IntArray


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Rank ``cfg.recommender`` with ``cfg.users`` on ``cfg.data``.

    Returns:
        What ``results.json`` holds.

    Raises:
        RuntimeError: every policy failed; the files are written all the same.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    experiment = cfg.experiment
    setting, people = make_setting(cfg)
    dataset, users = setting.dataset, setting.users
    asking = EngineMeter(people.engine)
    sessions, meter = _play(_policies(cfg), setting)
    engine = asking.report()
    facts, off_policy = setting.item_facts(), estimate_from_log(sessions, setting)
    results = {
        "experiment": experiment.name,
        "debug": cfg.get("debug"),
        "dataset": _describe(dataset),
        "users": people.card,
        "setting": _describe_setting(cfg, users),
        "stop": _describe_stop(meter),
        "engine": public(engine),
        **summarise(
            sessions, facts, experiment.top, cfg.seed, experiment.num_resamples, off_policy
        ),
        "groups": summarise_groups(sessions, persona_groups(dataset, people.population), facts),
        "off_policy": summarise_off_policy(off_policy, sessions),
        "traces": _trace(sessions, setting),
        "fidelity": _fidelity(people, dataset, users),
        "provenance": provenance(config, started),
    }
    _write(results, sessions, output_dir)
    _tell(results, output_dir)
    if all(session.error for session in sessions):
        raise RuntimeError(
            f"every policy failed, the first with {sessions[0].error}; see the table above"
        )
    return results


def make_setting(cfg: DictConfig) -> tuple[Setting, People]:
    """The data, the users and the environment of a run, and who answers."""
    experiment = cfg.experiment
    with progress_bar("people", total=2) as tick:
        tick("reading the data")
        dataset: Dataset = instantiate(cfg.data)
        tick("building the users", advance=1)
        users = evaluation_users(dataset, cfg.num_users, experiment.min_rating, cfg.seed)
        people: People = instantiate(cfg.users)(dataset)
        tick("ready", advance=1)
    setting = Setting(
        dataset=dataset,
        users=users,
        make_env=instantiate(cfg.env),
        max_steps=cfg.env.max_episode_steps,
        simulated=people.model,
        engine=people.engine,
        true=true_users(dataset) if dataset.truth is not None else None,
        seed=cfg.seed,
        top=experiment.top,
        min_rating=experiment.min_rating,
        slate_size=cfg.env.slate_size,
        life=instantiate(cfg.env.get("life")),
        stopping=Stopping(precision=cfg.precision, **cfg.budget),
    )
    return setting, people


def _policies(cfg: DictConfig) -> dict[str, Callable[[], Recommender]]:
    return {str(n): functools.partial(instantiate, node) for n, node in cfg.recommender.items()}


def _play(
    policies: dict[str, Callable[[], Recommender]], setting: Setting
) -> tuple[list[Session], Meter]:
    with progress_bar("policies", total=len(policies) * ticks_per_policy(setting)) as tick:
        return play(policies, setting, tick)


def _fidelity(people: People, dataset: Dataset, users: IntArray) -> dict[str, Any] | None:
    """Held-out error of the simulated users beside the simple predictors."""
    if people.fidelity is None:
        return None
    with progress_bar("fidelity", total=1) as tick:
        tick("held-out ratings")
        figures = people.fidelity(people.model, dataset, users)
        tick("done", advance=1)
    return figures


def _trace(sessions: list[Session], setting: Setting) -> dict[str, Any] | None:
    """The first slates of the policy that is best by the simulated users."""
    means = {
        i: float(mean_ratings(s.simulated).mean()) for i, s in enumerate(sessions) if s.simulated
    }
    if not means:
        return None
    best = sessions[max(means, key=lambda i: means[i])]
    users = trace(best, setting.simulated, setting.dataset.catalog, setting.seed)
    return {"policy": best.name, "users": users}


def _describe_stop(meter: Meter) -> dict[str, Any]:
    known = math.isfinite(meter.half_width)
    return {
        "reason": meter.reason,
        "users": meter.asked,
        "planned": meter.num_users,
        "half_width": round(meter.half_width, 6) if known else None,
        "exposures": meter.spent.exposures,
        "seconds": round(meter.spent.seconds, 3),
        "tokens": meter.spent.tokens,
        "cost": round(meter.cost, 6),
    }


def _describe(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "num_users": dataset.num_users,
        "num_items": dataset.num_items,
        "train_ratings": len(dataset.train),
        "test_ratings": len(dataset.test),
        "truth_known": dataset.truth is not None,
    }


def _describe_setting(cfg: DictConfig, users: IntArray) -> dict[str, Any]:
    return {
        "num_users": len(users),
        "slate_size": cfg.env.slate_size,
        "max_steps": cfg.env.max_episode_steps,
        "top": cfg.experiment.top,
        "min_rating": cfg.experiment.min_rating,
    }


def _write(results: dict[str, Any], sessions: list[Session], output_dir: Path) -> None:
    import pandas as pd

    output_dir.mkdir(parents=True, exist_ok=True)
    write_json(output_dir / "results.json", results)
    config_yaml = OmegaConf.to_yaml(OmegaConf.create(results["provenance"]["config"]))
    (output_dir / "config.yaml").write_text(config_yaml, encoding="utf-8")
    frames = [
        played.to_frame().assign(policy=session.name, world=world)
        for session in sessions
        for world, played in (("simulated", session.simulated), ("true", session.true))
        if played is not None
    ]
    interactions = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    for column in interactions.columns.intersection(["policy", "world"]):
        interactions[column] = interactions[column].astype("category")
    interactions.to_parquet(output_dir / "interactions.parquet", compression="zstd", index=False)
    (output_dir / "report.md").write_text(page.markdown(results), encoding="utf-8")
    page.write(output_dir / "report.html", results, config_yaml)


def _tell(results: dict[str, Any], output_dir: Path) -> None:
    console = Console()
    print_table(results, console)
    console.print(f"[bold]{answer(results)}[/bold] {check(results)}", highlight=False)
    for label, verdict in agreement_sentences(results):
        console.print(f"{label}: {verdict}", style="dim", highlight=False)
    console.print(stop_sentence(results["stop"]), style="dim", highlight=False)
    console.print(in_words(results["engine"]), style="dim", highlight=False)
    console.print(f"Report: {output_dir / 'report.html'}", highlight=False, soft_wrap=True)

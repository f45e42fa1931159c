"""Plays and learns; the question and the score stand in the package docstring.

Files: ``results.json``, ``report.html``, ``report.md``, ``curves.csv`` and ``config.yaml``.
"""

from collections.abc import Mapping
from contextlib import closing, nullcontext
from typing import Any

import numpy as np
from omegaconf import DictConfig

from agents.inference.metering.meter import EngineMeter
from experiments.foresight import foresight_page as page
from experiments.foresight.arena import Arena, make_arena
from experiments.foresight.learning import Learnt, learn_dqn, learn_ppo, lives_of
from experiments.foresight.levels import Level, exact, over_seeds, over_users
from experiments.foresight.oracles import GreedyOracle, PlanOracle, opinions
from experiments.reporting.progress import Tick, progress_bar
from experiments.reporting.provenance import public
from experiments.reporting.result import Result
from experiments.tournament.policies import fitted, policy_makers
from recommenders.rl import ppo
from simenv.env.best_plan import Choice, best_plan, greedy, worth


def run(cfg: DictConfig) -> Result:
    """Play ``cfg.recommender``, the oracles, PPO and DQN in ``cfg.env``.

    Raises:
        ValueError: a setting is out of its range, or scripted users live in an environment whose
            optimum cannot be known.
    """
    with progress_bar("users", total=1) as tick:
        tick("building the users")
        arena = make_arena(cfg)
        tick("ready", advance=1)
    asking = EngineMeter(arena.engine)
    with closing(arena.engine) if arena.engine is not None else nullcontext():
        levels, curves = _measured(cfg, arena)
        engine = public(asking.report())
    values = {
        "experiment": cfg.experiment.name,
        "debug": cfg.get("debug"),
        "setting": _described(cfg, arena),
        "levels": [level.values() for level in levels],
        "curves": curves,
        "engine": engine,
    }
    return Result(
        values,
        pages={"report.html": page.html, "report.md": page.markdown},
        frames={"curves.csv": page.points(curves)},
        lines=page.lines(values),
    )


def _measured(cfg: DictConfig, arena: Arena) -> tuple[list[Level], list[dict[str, Any]]]:
    """What a life is worth under everybody, best first, and PPO's curves."""
    settings = cfg.experiment
    total = len(settings.seeds) * (1 + bool(settings.dqn_steps)) + len(cfg.recommender) + 1
    with progress_bar("lives", total=total) as tick:
        levels = _oracles(arena, tick)
        for name, make in policy_makers(cfg.recommender).items():
            tick(f"{name} plays")
            policy = fitted(make(), arena.catalog, arena.log)
            levels.append(over_users(name, lives_of(arena, policy)))
            tick(f"{name}: done", advance=1)
        learnt = _ppo(cfg, arena, tick)
        levels.append(over_seeds("PPO", learnt))
        if settings.dqn_steps:
            levels.append(over_seeds("DQN", _dqn(cfg, arena, tick)))
    curves = [{"seed": one.seed, "points": one.points} for one in learnt]
    return sorted(levels, key=lambda level: -level.mean), curves


def _oracles(arena: Arena, tick: Tick) -> list[Level]:
    """What can be known: exactly where the problem is solved, by playing in any case."""
    tick("the greedy oracle plays")
    chances = opinions(arena.users, arena.judges, len(arena.catalog))
    played = arena.play(lambda env: GreedyOracle(env, arena.judges, chances).fit(arena.log))
    levels = [over_users("greedy oracle", played.rewards.sum(axis=1))]
    if arena.model is not None:
        levels = _solved(arena, levels[0])
    tick("the oracles: done", advance=1)
    return levels


def _solved(arena: Arena, played_greedily: Level) -> list[Level]:
    model = arena.model
    assert model is not None
    plan = best_plan(model)
    played = arena.play(lambda env: PlanOracle(env, model, plan).fit(arena.log))
    k = model.slate_size
    return [
        exact("optimum", plan.value, over_users("", played.rewards.sum(axis=1))),
        exact("greedy oracle", worth(model, greedy(model)), played_greedily),
        *(exact(f"always {m} of {k} tempting", worth(model, _always(m))) for m in range(k + 1)),
    ]


def _always(number: int) -> Choice:
    """The same number of tempting places in every state."""
    return lambda state: np.full(state.level.shape, number, dtype=np.int64)


def _ppo(cfg: DictConfig, arena: Arena, tick: Tick) -> list[Learnt]:
    settings, features, found = cfg.experiment, arena.features(), []
    for seed in settings.seeds:
        own = ppo.PPOSettings(**settings.ppo, seed=seed)
        found.append(
            learn_ppo(arena, features, own, settings.num_envs, settings.num_checkpoints, tick)
        )
        tick(f"PPO, seed {seed}: done", advance=1)
    return found


def _dqn(cfg: DictConfig, arena: Arena, tick: Tick) -> list[Learnt]:
    settings, features, found = cfg.experiment, arena.features(), []
    for seed in settings.seeds:
        tick(f"DQN, seed {seed}")
        steps, gamma = settings.dqn_steps, settings.ppo.gamma
        found.append(learn_dqn(arena, features, steps, settings.num_envs, seed, gamma))
        tick(f"DQN, seed {seed}: done", advance=1)
    return found


def _described(cfg: DictConfig, arena: Arena) -> Mapping[str, Any]:
    return {
        "people": cfg.experiment.people,
        "num_judges": len(arena.judges),
        "num_learners": len(arena.learners),
        "num_items": len(arena.catalog),
        "slate_size": cfg.env.slate_size,
        "max_steps": cfg.env.max_episode_steps,
        "reward": str(cfg.env.reward),
        "lives": cfg.env.get("life") is not None,
        "num_seeds": len(cfg.experiment.seeds),
    }

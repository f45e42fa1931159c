"""What learning was worth: gains over others, regret, reward hacking, the reward's noise."""

from collections.abc import Set
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from experiments.reporting.formatting import rounded_ends
from experiments.tournament.sessions import Session, mean_ratings
from experiments.tournament.setting import Setting
from experiments.train_policy.training_runs import Curve
from recommenders.evaluation.statistics import mean_interval, paired_contrast
from recommenders.policies.heuristics import Random
from simenv.env.rollout import Rollout, rollout
from simenv.events import FloatArray, IntArray, mean_answered


def _mean_stars(sessions: list[Session], world: str) -> dict[str, FloatArray]:
    """(n,) mean stars of each user under every policy that was played in ``world``."""
    return {
        s.name: mean_ratings(played) for s in sessions if (played := _played(s, world)) is not None
    }


def compare(sessions: list[Session], learnt: Set[str]) -> list[dict[str, Any]]:
    """Each learnt policy against random, the best other one and the oracle, paired by user.

    ``world`` is "simulated" or "true"; ``gain`` is in mean stars, with its interval. A gain over
    the oracle among the true users is the negated regret.
    """
    found = []
    for world in ("simulated", "true"):
        stars = _mean_stars(sessions, world)
        others = [name for name in stars if name not in learnt and name not in ("dqn", "oracle")]
        best = max(others, key=lambda name: float(np.nanmean(stars[name])), default=None)
        for name in sorted(learnt & set(stars)):
            rivals = {rival for rival in ("random", best, "oracle") if rival in stars}
            found += [
                {"policy": name, "world": world, "rival": rival, **_gain(stars[name], stars[rival])}
                for rival in sorted(rivals)
            ]
    return found


def hacking(curves: list[Curve]) -> list[dict[str, Any]]:
    """For each reward: where true stars were highest, and what training on cost after that.

    Means over seeds. ``peak_steps`` is the checkpoint with the most true stars, ``lost`` the true
    stars from there to the end, ``simulated_rise`` what the simulated users say of that stretch.
    Empty where no truth is known.
    """
    found = []
    for label in dict.fromkeys(c.label for c in curves):
        mine = [c.points for c in curves if c.label == label]
        length = min(len(points) for points in mine)
        if not all("true" in p for points in mine for p in points):
            continue
        of_seeds = {
            world: np.array([[p[world] for p in points[:length]] for points in mine])
            for world in ("simulated", "true")
        }
        simulated, true = (values.mean(axis=0) for values in of_seeds.values())
        peak = int(true.argmax())
        found.append(
            {
                "label": label,
                "peak_steps": mine[0][peak]["steps"],
                "peak_true": round(float(true[peak]), 4),
                "final_true": round(float(true[-1]), 4),
                "lost": round(float(true[peak] - true[-1]), 4),
                "lost_ci95": _ends(of_seeds["true"][:, peak] - of_seeds["true"][:, -1]),
                "simulated_rise": round(float(simulated[-1] - simulated[peak]), 4),
                "final_gap": round(float(simulated[-1] - true[-1]), 4),
            }
        )
    return found


def _ends(of_seeds: FloatArray) -> list[float | None]:
    """Of the interval over seeds (s,); None with one."""
    found = mean_interval(of_seeds)
    return rounded_ends(found.low, found.high, 4)


def variance_cut(setting: Setting, learners: IntArray, num_envs: int) -> dict[str, float]:
    """Variance of the expected-rating reward over that of the sampled one, on random slates.

    Over the slates in which something was taken, so that the sampled reward's zeros for the others
    do not flatter the expected one.
    """
    start = setting.simulated.snapshot()
    env = setting.make_env(
        setting.simulated,
        setting.dataset.catalog,
        num_envs=min(num_envs, len(learners)),
        max_episode_steps=setting.max_steps,
        autoreset_mode=AutoresetMode.DISABLED,
    )
    policy = Random().fit(setting.dataset.train)
    played = rollout(env, policy, seed=setting.seed, users=learners[: 4 * env.num_envs])
    setting.simulated.restore(start)
    kept = played.alive & played.taken.any(axis=2)
    expected = mean_answered(played.expected[kept])
    sampled = _means(played, kept)
    return {
        "slates": int(kept.sum()),
        "variance_expected": round(float(expected.var()), 4),
        "variance_sampled": round(float(sampled.var()), 4),
        "ratio": round(float(expected.var() / sampled.var()), 4),
    }


def _means(played: Rollout, kept: Any) -> FloatArray:
    taken, ratings = played.taken[kept], played.ratings[kept]
    return np.asarray(np.where(taken, ratings, 0.0).sum(axis=1) / taken.sum(axis=1))


def _played(session: Session, world: str) -> Rollout | None:
    return session.simulated if world == "simulated" else session.true


def _gain(mine: FloatArray, theirs: FloatArray) -> dict[str, Any]:
    contrast = paired_contrast(mine, theirs)
    return {
        "gain": round(contrast.mean, 4),
        "ci95": [round(contrast.low, 4), round(contrast.high, 4)],
    }

"""Runs the fork; the question and the score stand in the package docstring.

Files: ``results.json``, ``report.md`` and ``config.yaml`` (resolved).
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from omegaconf import DictConfig

from experiments.command_line.kinds import Choice
from experiments.command_line.options import OptionError, refusal
from experiments.counterfactual.fork import Branch, Fork, fork
from experiments.reporting.claims import verdict
from experiments.reporting.formatting import (
    interval,
    listed,
    number,
    rounded,
    rounded_ends,
    signed,
)
from experiments.reporting.parts import Parts
from experiments.reporting.progress import progress_bar
from experiments.reporting.report import markdown_table, markdown_text
from experiments.reporting.result import Result
from experiments.reporting.terminal import text_table
from experiments.tournament.cautions import FEW, cautions, measured_fidelity
from experiments.tournament.policies import fitted, policy_makers
from experiments.tournament.sessions import of_users
from experiments.tournament.setting import Setting, make_setting
from experiments.tournament.shared_rows import measured_collusion
from recommenders.base import Recommender
from recommenders.evaluation.statistics import holm, mean_interval, paired_contrast
from simenv.data.splits import stacked

HEADS = ["from then on", "stars after", "95 % CI", "minus staying", "95 % CI", "p (Holm)", "slates"]


def run(cfg: DictConfig) -> Result:
    """Fork a run of ``cfg.experiment.before`` after ``cfg.experiment.switch_at`` slates."""
    before, switch_at = str(cfg.experiment.before), int(cfg.experiment.switch_at)
    if before not in cfg.recommender:
        raise OptionError(refusal("experiment.before", Choice(tuple(cfg.recommender)), before))
    setting, people = make_setting(cfg)
    found = _forked(cfg, setting, before, switch_at)
    parts = Parts()
    values = {
        "experiment": cfg.experiment.name,
        "users": people.card,
        "before": before,
        "switch_at": switch_at,
        "num_users": len(setting.users),
        "still_there": int(found.there.sum()),
        "after": _compared(found, before),
        "fidelity": parts.get("fidelity", lambda: measured_fidelity(people, setting, FEW), None),
        "collusion": parts.get(
            "collusion",
            lambda: measured_collusion(cfg, people, policy_makers(cfg.recommender), setting),
            None,
        ),
        "failures": parts.failures,
    }
    told = values["fidelity"], _contrasts(values), values["collusion"]
    values["before_you_quote"] = cautions(people, *told)
    rows = _rows(values)
    lines = [text_table(HEADS, rows), answer(values), values["users"]["warning"] or ""]
    page = _markdown(values, rows)
    return Result(values, pages={"report.md": page}, lines=lines, error=parts.error)


def _contrasts(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every switch against staying."""
    stay = results["before"]
    return [
        {"better": name, "worse": f"staying with {stay}", "ci95": f["difference_ci95"],
         "p_holm": f["p_holm"]}
        for name, f in results["after"].items()
        if name != stay
    ]  # fmt: skip


def _fitted(cfg: DictConfig, setting: Setting) -> dict[str, Recommender]:
    log = stacked(setting.dataset.train, setting.dataset.background)
    makers = policy_makers(cfg.recommender)
    return {n: fitted(make(), setting.dataset.catalog, log) for n, make in makers.items()}


def _forked(cfg: DictConfig, setting: Setting, before: str, switch_at: int) -> Fork:
    """The fork of every view of the rows as one."""
    total = len(setting.views) * (1 + len(cfg.recommender))
    with progress_bar("sessions", total=total) as tick:
        begun = itertools.count()

        def on_branch(name: str) -> None:  # the one before it is done
            tick(name, advance=min(1, next(begun)))

        found = []
        for view in setting.views:
            env = view.make_env(
                view.simulated,
                view.dataset.catalog,
                num_envs=len(view.users),
                max_episode_steps=view.max_steps,
                autoreset_mode=AutoresetMode.DISABLED,
            )
            found.append(fork(
                env, before, _fitted(cfg, view), view.users,
                switch_at=switch_at, seed=view.seed, on_branch=on_branch,
            ))  # fmt: skip
        tick("done", advance=1)
    return pooled(found)


def pooled(forks: Sequence[Fork]) -> Fork:
    """Of the same users under each view; who was gone at the switch in one view is in none."""
    branches = {
        name: Branch(
            *(of_users(own) for own in zip(*(f.branches[name] for f in forks), strict=True))
        )
        for name in forks[0].branches
    }
    return Fork(np.logical_and.reduce([one.there for one in forks]), branches)


def _compared(found: Fork, before: str) -> dict[str, Any]:
    """Every branch, best first, next to staying."""
    stay = found.branches[before]
    others = [name for name in found.branches if name != before]
    contrasts = [paired_contrast(found.branches[n].stars, stay.stars) for n in others]
    adjusted = dict(zip(others, holm([c.p_value for c in contrasts]), strict=True))
    rows = {name: _figures(branch) for name, branch in found.branches.items()}
    for name, contrast in zip(others, contrasts, strict=True):
        rows[name] |= {
            "difference": rounded(contrast.mean),
            "difference_ci95": rounded_ends(contrast.low, contrast.high),
            "p_holm": rounded(adjusted[name]),
        }
    return dict(sorted(rows.items(), key=lambda item: -(item[1]["stars"] or 0.0)))


def _figures(branch: Branch) -> dict[str, Any]:
    mean, low, high = mean_interval(branch.stars)
    return {
        "stars": rounded(mean),
        "ci95": rounded_ends(low, high),
        "slates": rounded(mean_interval(branch.slates).mean),
        "difference": None,
        "difference_ci95": [None, None],
        "p_holm": None,
    }


def _rows(results: Mapping[str, Any]) -> list[list[str]]:
    return [
        [
            f"{name} (stays)" if name == results["before"] else name,
            number(f["stars"], 3),
            interval(f["ci95"], 3),
            number(f["difference"], 3),
            interval(f["difference_ci95"], 3),
            number(f["p_holm"], 3),
            number(f["slates"], 1),
        ]
        for name, f in results["after"].items()
    ]


def _markdown(results: Mapping[str, Any], rows: list[list[str]]) -> str:
    warning = (
        f"**{markdown_text(results['users']['warning'])}**\n\n"
        if results["users"]["warning"]
        else ""
    )
    return f"# {markdown_text(answer(results))}\n\n{warning}{markdown_table(HEADS, rows)}"


def answer(results: Mapping[str, Any]) -> str:
    """Which switches are surely better than staying, for whom."""
    after, before = results["after"], results["before"]
    better = [
        f"{name} ({signed(f['difference'], 3)} stars)"
        for name, f in after.items()
        if verdict(f["difference_ci95"], f["p_holm"]) == "more"
    ]
    ways = (
        f"better than staying with {before}: {listed(better)}"
        if better
        else (f"no switch is better beyond noise than staying with {before}")
    )
    return (
        f"After {results['switch_at']} slates, {ways}; {results['still_there']} of"
        f" {results['num_users']} users were still there"
    )

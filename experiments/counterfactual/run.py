"""Runs the fork and writes its files; the question and the score stand in the package docstring."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gymnasium.vector import AutoresetMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from experiments.counterfactual.fork import Branch, Fork, fork
from experiments.policy_ranking.run import make_setting
from experiments.reporting.provenance import provenance
from experiments.reporting.report import markdown_table, write_json
from experiments.tournament.tables import interval, number
from recommenders.evaluation.statistics import holm, mean_interval, paired_contrast
from simenv.data.splits import stacked

HEADS = ["from then on", "stars after", "95 % CI", "minus staying", "95 % CI", "p (Holm)", "slates"]


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Fork a run of ``cfg.experiment.before`` after ``cfg.experiment.switch_at`` slates.

    Returns:
        What ``results.json`` holds.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    setting, people = make_setting(cfg)
    log = stacked(setting.dataset.train, setting.dataset.background)
    policies = {
        str(name): instantiate(node).meet_catalog(setting.dataset.catalog).fit(log)
        for name, node in cfg.recommender.items()
    }
    env = setting.make_env(
        setting.simulated,
        setting.dataset.catalog,
        num_envs=len(setting.users),
        max_episode_steps=setting.max_steps,
        autoreset_mode=AutoresetMode.DISABLED,
    )
    before, switch_at = str(cfg.experiment.before), int(cfg.experiment.switch_at)
    found = fork(
        env, before, policies, setting.users, switch_at=switch_at, seed=setting.seed
    )  # fmt: skip
    results = {
        "experiment": cfg.experiment.name,
        "users": people.card,
        "before": before,
        "switch_at": switch_at,
        "num_users": len(setting.users),
        "still_there": int(found.there.sum()),
        "after": _compared(found, before),
        "provenance": provenance(config, started),
    }
    output_dir.mkdir(parents=True, exist_ok=True)
    write_json(output_dir / "results.json", results)
    text = _markdown(results)
    (output_dir / "report.md").write_text(text, encoding="utf-8")
    Console().print(text, highlight=False, markup=False)
    return results


def _compared(found: Fork, before: str) -> dict[str, Any]:
    """Every branch, best first, next to staying."""
    stay = found.branches[before]
    others = [name for name in found.branches if name != before]
    contrasts = [paired_contrast(found.branches[n].stars, stay.stars) for n in others]
    adjusted = dict(zip(others, holm([c.p_value for c in contrasts]), strict=True))
    rows = {name: _figures(branch) for name, branch in found.branches.items()}
    for name, contrast in zip(others, contrasts, strict=True):
        rows[name] |= {
            "difference": _number(contrast.mean),
            "difference_ci95": [_number(contrast.low), _number(contrast.high)],
            "p_holm": _number(adjusted[name]),
        }
    return dict(sorted(rows.items(), key=lambda item: -(item[1]["stars"] or 0.0)))


def _figures(branch: Branch) -> dict[str, Any]:
    mean, low, high = mean_interval(branch.stars)
    return {
        "stars": _number(mean),
        "ci95": [_number(low), _number(high)],
        "slates": _number(mean_interval(branch.slates).mean),
        "difference": None,
        "difference_ci95": [None, None],
        "p_holm": None,
    }


def _markdown(results: dict[str, Any]) -> str:
    rows = [
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
    best = next(iter(results["after"]))
    warning = f"**{results['users']['warning']}**\n\n" if results["users"]["warning"] else ""
    return (
        f"# After {results['switch_at']} slates of {results['before']}, {best} is the best way on"
        f" for the {results['still_there']} of {results['num_users']} users still there\n\n"
        f"{warning}{markdown_table(HEADS, rows)}"
    )


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None

"""Runs the worlds; the question and the score stand in the package docstring.

Files: ``cells/`` (one JSON a world), ``answers/`` (of a language model, as they come),
``results.json``, ``report.html``, ``report.md`` and ``config.yaml``. The same command goes on with
worlds and answers. A world that fails is named in the report, and the others are judged.
"""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from agents.inference.stats import failures_counted
from experiments.reporting.parts import Parts
from experiments.reporting.progress import progress_bar
from experiments.reporting.report import json_text
from experiments.reporting.result import Result
from experiments.tournament.policies import policy_makers
from experiments.tournament.setting import kept_people
from experiments.worlds import worlds_page as page
from experiments.worlds.judges import Task, judge_world
from experiments.worlds.verdicts import WorldResult, summarise_worlds
from simenv.whole_files import write_whole

_MEASURES = 3  # rises when a world is asked something new
_HOPELESS = 3  # worlds that fail before any is judged
_SETTING = ("first_world", "num_users", "slate_size", "min_rating", "clear_gap", "judged_at")


def run(cfg: DictConfig) -> Result:
    """Judge ``cfg.recommender`` in ``cfg.experiment.worlds`` worlds at every level of bias.

    Raises:
        RuntimeError: the first worlds failed, and with them all; names why.
    """
    settings, parts = cfg.experiment, Parts()
    levels = {bias: own for bias, own in _judged(cfg, parts).items() if own}
    values = {
        "experiment": settings.name,
        "debug": cfg.get("debug"),
        "users": [*levels.values()][-1][-1]["card"],
        "setting": {key: settings[key] for key in _SETTING},
        "policies": list(cfg.recommender),
        "levels": {
            f"{bias:g}": summarise_worlds(own, settings.clear_gap) for bias, own in levels.items()
        },
        "failures": parts.failures,
    }
    return Result(
        values,
        pages={"report.html": page.html, "report.md": page.markdown},
        lines=page.lines(values),
        error=parts.error,
    )


def _judged(cfg: DictConfig, parts: Parts) -> dict[float, list[WorldResult]]:
    """The worlds of every level of bias, without those that failed; one at least was judged."""
    settings = cfg.experiment
    seeds = range(settings.first_world, settings.first_world + settings.worlds)
    folder = Path(settings.cells)
    folder.mkdir(parents=True, exist_ok=True)
    levels: dict[float, list[WorldResult]] = {}
    total = len(seeds) * len(settings.biases)
    with progress_bar("worlds", total=total) as tick:
        for bias in settings.biases:
            levels[bias] = []
            for seed in seeds:
                name = f"bias {bias:g}: world {seed}"
                tick(name)
                judge = functools.partial(_cell, cfg, folder, seed, float(bias))
                world: WorldResult | None = parts.get(name, judge, None)
                _stop_if_hopeless(parts, any(levels.values()) or world is not None, total)
                levels[bias] += [] if world is None else [world]
                tick(name, advance=1)
    return levels


def _stop_if_hopeless(parts: Parts, any_judged: bool, total: int) -> None:
    """Raise where nothing was judged and the first worlds failed: it lies in what they share."""
    if not any_judged and len(parts.failures) >= min(_HOPELESS, total):
        raise RuntimeError(
            f"the first {len(parts.failures)} of {total} worlds failed, with"
            f" {parts.failures[0]['message']}"
        )


def _cell(cfg: DictConfig, folder: Path, seed: int, bias: float) -> dict[str, Any]:
    """One world, from its file where it was judged already in the same way.

    A world with failed answers is not kept: the same command asks again for these.
    """
    path = folder / f"bias-{bias:g}_world-{seed}_{_fingerprint(cfg)}.json"
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    settings = cfg.experiment
    with failures_counted() as counted:
        world = judge_world(
            instantiate(cfg.data, seed=seed, logging_bias=bias),
            policy_makers(cfg.recommender),
            kept_people(cfg),
            Task(
                settings.num_users,
                settings.slate_size,
                settings.min_rating,
                cfg.seed,
                cfg.users.get("evidence", "shared"),
            ),
        )
    if not counted.failed:
        write_whole(path, json_text(world).encode())
    return world


def _fingerprint(cfg: DictConfig) -> str:
    """Changes with everything that a world's figures depend on, the people's weights included."""
    parts = {
        "configs": [
            OmegaConf.to_container(cfg[group], resolve=True)
            for group in ("data", "users", "recommender")
        ],
        "task": [cfg.experiment[key] for key in ("num_users", "slate_size", "min_rating")],
        "seed": cfg.seed,
        "measures": _MEASURES,
    }
    if "model" in cfg.users:
        from agents.population.adapters import base_identity
        from agents.population.folder import folder_meant
        from agents.population.population import SHIPPED

        place = folder_meant(cfg.users.model or SHIPPED)
        inside = [place / "model"] if (place / "model").is_dir() else []
        parts["people"] = [base_identity(folder) for folder in (place, *inside)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:10]

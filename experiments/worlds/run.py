"""Runs the worlds; the question and the score stand in the package docstring.

Files: ``cells/`` (one JSON a world), ``results.json``, ``report.html``, ``report.md`` and
``config.yaml``.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from experiments.reporting.progress import progress_bar
from experiments.reporting.report import json_text
from experiments.reporting.result import Result
from experiments.tournament.policies import policy_makers
from experiments.worlds import worlds_page as page
from experiments.worlds.judges import Task, judge_world
from experiments.worlds.verdicts import WorldResult, summarise_worlds
from simenv.whole_files import write_whole

_SETTING = ("first_world", "num_users", "slate_size", "min_rating", "clear_gap", "judged_at")


def run(cfg: DictConfig) -> Result:
    """Judge ``cfg.recommender`` in ``cfg.experiment.worlds`` worlds at every level of bias.

    Raises:
        ValueError: a world has no known truth, or fewer than two policies work in it.
    """
    settings = cfg.experiment
    worlds = _judged(cfg)
    values = {
        "experiment": settings.name,
        "debug": cfg.get("debug"),
        "users": worlds[-1][-1]["card"],
        "setting": {key: settings[key] for key in _SETTING},
        "policies": list(cfg.recommender),
        "levels": {
            f"{bias:g}": summarise_worlds(own, settings.clear_gap)
            for bias, own in zip(settings.biases, worlds, strict=True)
        },
    }
    return Result(
        values,
        pages={"report.html": page.html, "report.md": page.markdown},
        lines=page.lines(values),
    )


def _judged(cfg: DictConfig) -> list[list[WorldResult]]:
    """The worlds of every level of bias."""
    settings = cfg.experiment
    seeds = range(settings.first_world, settings.first_world + settings.worlds)
    folder = Path(settings.cells)
    folder.mkdir(parents=True, exist_ok=True)
    levels: list[list[WorldResult]] = []
    with progress_bar("worlds", total=len(seeds) * len(settings.biases)) as tick:
        for bias in settings.biases:
            levels.append([])
            for seed in seeds:
                tick(f"bias {bias:g}: world {seed}")
                levels[-1].append(_cell(cfg, folder, seed, float(bias)))
                tick(f"bias {bias:g}: world {seed}", advance=1)
    return levels


def _cell(cfg: DictConfig, folder: Path, seed: int, bias: float) -> dict[str, Any]:
    """One world, from its file where it was judged already in the same way."""
    path = folder / f"bias-{bias:g}_world-{seed}_{_fingerprint(cfg)}.json"
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    settings = cfg.experiment
    world = judge_world(
        instantiate(cfg.data, seed=seed, logging_bias=bias),
        policy_makers(cfg.recommender),
        instantiate(cfg.users),
        Task(settings.num_users, settings.slate_size, settings.min_rating, cfg.seed),
    )
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
    }
    if "model" in cfg.users:
        from agents.population.adapters import base_identity
        from agents.population.population import SHIPPED

        place = Path(cfg.users.model or SHIPPED)
        inside = [place / "model"] if (place / "model").is_dir() else []
        parts["people"] = [base_identity(folder) for folder in (place, *inside)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:10]

"""Runs the worlds and writes the files; the question and the score stand in the package docstring.

Files: ``cells/`` (one JSON a world), ``results.json``, ``report.html``, ``report.md`` and
``config.yaml``.
"""

import functools
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import provenance
from experiments.reporting.report import write_json
from experiments.worlds import worlds_page as page
from experiments.worlds.judges import Task, judge_world
from experiments.worlds.verdicts import summarise_worlds


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Judge ``cfg.recommender`` in ``cfg.experiment.worlds`` worlds at every level of bias.

    Returns:
        What ``results.json`` holds.

    Raises:
        ValueError: a world has no known truth, or fewer than two policies work in it.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    settings = cfg.experiment
    seeds = range(settings.first_world, settings.first_world + settings.worlds)
    folder = Path(settings.cells)
    folder.mkdir(parents=True, exist_ok=True)
    levels: dict[str, Any] = {}
    card: dict[str, Any] = {}
    with progress_bar("worlds", total=len(seeds) * len(settings.biases)) as tick:
        for bias in settings.biases:
            worlds = []
            for seed in seeds:
                tick(f"bias {bias:g}: world {seed}")
                worlds.append(_cell(cfg, folder, seed, float(bias)))
                tick(f"bias {bias:g}: world {seed}", advance=1)
            card = worlds[-1]["card"]
            levels[f"{bias:g}"] = summarise_worlds(worlds, settings.clear_gap)
    results = {
        "experiment": settings.name,
        "debug": cfg.get("debug"),
        "users": card,
        "setting": {
            key: settings[key]
            for key in (
                "first_world",
                "num_users",
                "slate_size",
                "min_rating",
                "clear_gap",
                "judged_at",
            )
        },
        "policies": list(cfg.recommender),
        "levels": levels,
        "provenance": provenance(config, started),
    }
    _write(results, output_dir)
    page.tell(results, Console())
    Console().print(f"Report: {output_dir / 'report.html'}", highlight=False, soft_wrap=True)
    return results


def _cell(cfg: DictConfig, folder: Path, seed: int, bias: float) -> dict[str, Any]:
    """One world, from its file where it was judged already in the same way."""
    path = folder / f"bias-{bias:g}_world-{seed}_{_fingerprint(cfg)}.json"
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    settings = cfg.experiment
    world = judge_world(
        instantiate(cfg.data, seed=seed, logging_bias=bias),
        {str(n): functools.partial(instantiate, node) for n, node in cfg.recommender.items()},
        instantiate(cfg.users),
        Task(settings.num_users, settings.slate_size, settings.min_rating, cfg.seed),
    )
    unfinished = path.with_suffix(".part")
    write_json(unfinished, world)
    unfinished.replace(path)
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
        from agents.inference.wrapped.identity import content_hash
        from agents.population.population import SHIPPED

        place = Path(cfg.users.model or SHIPPED)
        local = (place / "model").is_dir()
        parts["people"] = [content_hash(place), content_hash(place / "model")] if local else place
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:10]


def _write(results: dict[str, Any], output_dir: Path) -> None:
    output_dir.mkdir(parents=True, exist_ok=True)
    write_json(output_dir / "results.json", results)
    config_yaml = OmegaConf.to_yaml(OmegaConf.create(results["provenance"]["config"]))
    (output_dir / "config.yaml").write_text(config_yaml, encoding="utf-8")
    (output_dir / "report.md").write_text(page.markdown(results), encoding="utf-8")
    page.write(output_dir / "report.html", results, config_yaml)

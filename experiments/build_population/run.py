"""Runs the stages; the question and the score stand in the package docstring."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from agents.assembly import persona_users
from agents.fidelity import measure
from agents.population import Population
from experiments.progress import progress_bar
from experiments.provenance import provenance
from experiments.report import write_json
from simenv.data.dataset import Dataset
from simenv.data.synthetic import drawn_world, synthetic
from training.assembly import population_from_dataset, population_on
from training.pocket import PocketTrainer
from training.pocket_model import PocketConfig


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Build the population of ``cfg.data`` into ``output_dir/population``.

    Returns:
        What ``results.json`` holds: the card, with fidelity on held-out rows and unseen worlds.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    settings = cfg.experiment
    dataset: Dataset = instantiate(cfg.data)
    is_tiny = cfg.get("debug") == "tiny"
    pocket = PocketConfig.tiny() if is_tiny else PocketConfig(**config["experiment"]["pocket"])
    model, training = _base_model(settings.slm, pocket, output_dir)
    population = population_on(dataset, model, pocket.style)
    worlds = {"own later ratings": dataset} | ({} if is_tiny else _unseen(settings))
    fidelity = _fidelity(population, worlds, settings.num_users)
    card = {
        "name": settings.population_name,
        "model": settings.slm or "pocket",
        "for": "running and testing everything with no download; real runs name a real SLM",
        "command": settings.command,
        "training": training,
        "people": f"{dataset.num_users} users of {dataset.name}",
        "fidelity": fidelity,
    }
    population = replace(population.with_card(**card), name=settings.population_name)
    population.save(output_dir / "population")
    results = {"experiment": settings.name, **card, "provenance": provenance(config, started)}
    write_json(output_dir / "results.json", results)
    _tell(fidelity)
    return results


def _unseen(settings: DictConfig) -> dict[str, Dataset]:
    """Worlds that neither the model nor the population has met."""
    worlds = {f"unseen world {s}": synthetic(s) for s in settings.unseen_worlds}
    drawn = {f"unseen drawn world {s}": drawn_world(s) for s in settings.unseen_drawn_worlds}
    return {**worlds, **drawn}


def _base_model(
    slm: str | None, config: PocketConfig, output_dir: Path
) -> tuple[str, dict[str, Any]]:
    """The base model's folder or name, and how it was trained (nothing for a given one)."""
    if slm:
        return slm, {}
    trainer = PocketTrainer(config, output_dir / "pocket")
    with progress_bar("pocket", total=config.num_steps) as tick:
        tick("training", advance=trainer.step)
        trainer.train(lambda step, loss: tick(f"loss {loss:.3f}", advance=1))
    return str(output_dir / "pocket" / "model"), {
        "steps": trainer.step,
        "ratings": trainer.step * config.users_per_step * config.turns_per_user,
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
        "seed": config.seed,
        "last_loss": float(np.mean(trainer.losses[-100:])),
        "training_seconds": round(trainer.seconds),
    }


def _fidelity(population: Population, worlds: dict[str, Dataset], num_users: int) -> dict[str, Any]:
    """World → ``measure``; every world has people of its own on the same model."""
    figures = {}
    with progress_bar("fidelity", total=len(worlds)) as tick:
        for name, world in worlds.items():
            tick(name)
            people = population_from_dataset(world, population)
            users = np.flatnonzero(np.diff(world.test.offsets()))[:num_users]
            model = persona_users(people)
            figures[name] = measure(model, world, users)
            model.engine.close()
            tick(name, advance=1)
    return figures


def _tell(fidelity: dict[str, Any]) -> None:
    table = Table(title="Held-out RMSE (expected value), lower is better")
    table.add_column("world")
    names = list(next(iter(fidelity.values()))["predictors"])
    for name in names:
        table.add_column(name, justify="right")
    for world, figures in fidelity.items():
        cells = [f"{figures['predictors'][name]['rmse']:.3f}" for name in names]
        table.add_row(world, *cells)
    Console().print(table)

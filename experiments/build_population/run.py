"""Runs the stages and measures what came out; the question and the score stand in the package."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from agents.assembly import persona_users
from agents.fidelity.held_out import against_truth, measure
from agents.population.population import Population
from experiments.build_population.stages import Built, PersonaSettings, build
from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import provenance, public_text
from experiments.reporting.report import write_json
from experiments.train_base.run import Base, initial_model, pocket_config, train_base, worlds_of
from simenv.data.dataset import Dataset
from simenv.data.synthetic import drawn_world, synthetic
from training.adapters.lora_presets import LoraPreset
from training.base.pocket_training import WorldSource
from training.examples.raft import raft_settings
from training.populate import population_from_dataset


def run(cfg: DictConfig, output_dir: Path) -> dict[str, Any]:
    """Build the population of ``cfg.data`` into ``output_dir/population``.

    Returns:
        What ``results.json`` holds: the card, with fidelity on held-out rows and unseen worlds.
    """
    started = datetime.now(UTC)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    settings = cfg.experiment
    dataset: Dataset = instantiate(cfg.data)
    base = _base(cfg, dataset, output_dir)
    style = pocket_config(cfg).style
    with progress_bar("population", total=1) as tick:
        distiller = instantiate(cfg.distiller)(dataset.catalog, dataset.averages)
        personas = _persona_settings(cfg)
        built = build(dataset, distiller, base.model, style, personas, output_dir, tick)
    unseen = cfg.get("debug") != "tiny"
    fidelity = _fidelity(built.people, dataset, settings, unseen)
    card = {
        "name": settings.population_name,
        "model": public_text(settings.slm or "pocket"),
        "for": settings.purpose,
        "command": settings.command,
        "training": base.training,
        "people": f"{dataset.num_users} users of {dataset.name}",
        "personas": _personas(built),
        "distilled": {"failures": len(built.report.failures), **built.report.spending._asdict()},
        "prompt_tokens": built.tokens._asdict(),
        "fidelity": fidelity,
    }
    people = replace(built.people.with_card(**card), name=settings.population_name)
    people.save(output_dir / "population")
    results = {"experiment": settings.name, **card, "provenance": provenance(config, started)}
    write_json(output_dir / "results.json", results)
    _tell(fidelity)
    return results


def _base(cfg: DictConfig, dataset: Dataset, output_dir: Path) -> Base:
    """The base model that the config names, or a pocket one trained here."""
    settings = cfg.experiment
    if settings.slm:
        return Base(initial_model(settings.slm) or "", {})
    worlds: WorldSource = drawn_world
    if settings.worlds == "log":
        worlds = worlds_of(dataset, settings.users_per_world)
    return train_base(
        pocket_config(cfg), output_dir / "pocket", worlds, initial_model(settings.initial)
    )


def _persona_settings(cfg: DictConfig) -> PersonaSettings:
    settings = cfg.experiment
    raft: Any = OmegaConf.to_container(settings.raft, resolve=True)
    preset: LoraPreset = instantiate(cfg.training)
    return PersonaSettings(
        ms=settings.ms,
        num_clusters=settings.num_clusters,
        variant=settings.variant,
        preset=preset,
        raft=raft_settings(**raft),
        seed=cfg.seed,
    )


def _personas(built: Built) -> list[dict[str, Any]]:
    """Size, training rows and losses of every persona."""
    return [
        {
            "people": int(size),
            **{
                key: card[key]
                for card in [built.adapters.get(f"persona-{group}", {})]
                for key in ("rows", "first_loss", "last_loss", "seconds")
                if key in card
            },
        }
        for group, size in enumerate(built.clusters.sizes)
    ]


def _fidelity(
    people: Population, dataset: Dataset, settings: DictConfig, unseen: bool
) -> dict[str, Any]:
    """Question → ``measure``: the people with and without adapters, and the base elsewhere."""
    asked = {"own later ratings": partial(_measured, people, dataset)}
    if people.adapters:
        asked["own later ratings, no adapters"] = partial(_measured, _bare(people), dataset)
    for seed in settings.unseen_worlds if unseen else ():
        asked[f"unseen world {seed}"] = partial(_elsewhere, people, synthetic, seed)
    for seed in settings.unseen_drawn_worlds if unseen else ():
        asked[f"unseen drawn world {seed}"] = partial(_elsewhere, people, drawn_world, seed)
    figures = {}
    with progress_bar("fidelity", total=len(asked)) as tick:
        for name, ask in asked.items():
            tick(name)
            figures[name] = ask(num_users=settings.num_users)
            tick(name, advance=1)
    return figures


def _measured(people: Population, dataset: Dataset, num_users: int) -> dict[str, Any]:
    users = np.flatnonzero(np.diff(dataset.test.offsets()))[:num_users]
    model = persona_users(people)
    figures = measure(model, dataset, users)
    if dataset.truth is not None:
        figures["suggested"] = against_truth(model, dataset, users, np.random.default_rng(0))
    model.engine.close()
    return figures


def _bare(people: Population) -> Population:
    personas = [replace(persona, adapter=None) for persona in people.personas]
    return replace(people, personas=personas, adapters={})


def _elsewhere(
    people: Population, make_world: Callable[[int], Dataset], seed: int, num_users: int
) -> dict[str, Any]:
    """Another world's people on the same base; adapters belong to people and stay behind."""
    world = make_world(seed)
    return _measured(population_from_dataset(world, people), world, num_users)


def _tell(fidelity: dict[str, Any]) -> None:
    table = Table(title="Held-out RMSE (expected value), lower is better")
    table.add_column("asked")
    names = list(next(iter(fidelity.values()))["predictors"])
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("suggested: bias", justify="right")
    for asked, figures in fidelity.items():
        cells = [f"{figures['predictors'][name]['rmse']:.3f}" for name in names]
        bias = figures.get("suggested", {}).get("bias")
        table.add_row(asked, *cells, "" if bias is None else f"{bias:+.3f}")
    Console().print(table)

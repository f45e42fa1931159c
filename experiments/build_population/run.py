"""Runs the stages and measures what came out; the question and the score stand in the package.

Files: ``population/`` (what ``gym.make`` loads), ``pocket/`` where the base is trained here,
``adapters/``, ``clusters.json``, ``results.json`` and ``config.yaml``.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.population.population import Population
from experiments.build_population.fidelity_card import measure_people
from experiments.people.base_models import Base, model_named, pocket_config, train_pocket
from experiments.people.distilled import made_distiller
from experiments.people.persona_adapters import Trained, persona_settings, train_personas
from experiments.people.workers import workers_of
from experiments.reporting.provenance import public_text
from experiments.reporting.result import Result
from experiments.reporting.terminal import TextTable, text_table
from simenv.data.dataset import Dataset
from training.adapters.variants import people_on
from training.distillation.tellers import style_for
from training.populate import population_on
from training.spreading import IN_THIS_PROCESS, Workers

# Of people like the shipped ones: in a synthetic world, on a base that is trained here.
_PURPOSE = "running and testing everything with no download; real runs name a real SLM"


def run(cfg: DictConfig) -> Result:
    """Build the population of ``cfg.data`` into ``output_dir/population``.

    The values are its card, with fidelity on held-out rows and unseen worlds.
    """
    settings, folder, workers = cfg.experiment, Path(cfg.output_dir), workers_of(cfg)
    dataset: Dataset = instantiate(cfg.data)
    base = _base(cfg, dataset)
    people, trained = build(cfg, dataset, base.model, folder, workers)
    name = settings.population_name or ("pocket" if _own_base(cfg, dataset) else dataset.name)
    unseen = _synthetic(dataset) and cfg.get("debug") != "tiny"
    card: dict[str, Any] = {
        "name": name,
        "model": public_text(settings.slm or "pocket"),
        **_why(cfg, dataset),
        "training": base.training,
        "people": f"{dataset.num_users} users of {dataset.name}",
        "personas": _personas(trained, settings.variant),
        "distilled": {
            "failures": len(trained.report.failures),
            **trained.report.spending._asdict(),
        },
        "prompt_tokens": trained.tokens._asdict(),
        "fidelity": measure_people(people, dataset, settings, unseen, workers),
    }
    people = replace(people.with_card(**card), name=name)
    people.save(folder / "population")
    place = folder / "population"
    use = f"The people are in {place}: data=population data.path={place} users.population={place}"
    return Result({"experiment": settings.name, **card}, lines=[_table(card["fidelity"]), use])


def _synthetic(dataset: Dataset) -> bool:
    """Whether these people live in a synthetic world, as the shipped ones do."""
    return dataset.truth is not None


def _own_base(cfg: DictConfig, dataset: Dataset) -> bool:
    """Whether the base is trained here for a synthetic world, as the shipped one was."""
    return _synthetic(dataset) and not cfg.experiment.slm


def _why(cfg: DictConfig, dataset: Dataset) -> dict[str, str]:
    """What the population is for and how it is made again."""
    others = f"ranking policies before the people of {dataset.name}"
    command = public_text(" ".join(["personarec", *sys.argv[1:]]))
    return {
        "for": cfg.experiment.purpose or (_PURPOSE if _own_base(cfg, dataset) else others),
        "command": cfg.experiment.command or command,
    }


def _base(cfg: DictConfig, dataset: Dataset) -> Base:
    """The base model that the config names, or a pocket one trained here."""
    settings = cfg.experiment
    if settings.slm:
        return Base(model_named(settings.slm), {})
    return train_pocket(cfg, dataset if settings.worlds == "log" else None)


def build(
    cfg: DictConfig,
    dataset: Dataset,
    model: str,
    folder: Path,
    workers: Workers = IN_THIS_PROCESS,
) -> tuple[Population, Trained]:
    """The users of a data set as personas with adapters on ``model``, and how they came about."""
    distiller, variant = made_distiller(cfg, dataset), cfg.experiment.variant
    style = style_for(distiller, pocket_config(cfg).style)
    style = replace(style, together=cfg.experiment.together)
    settings = persona_settings(cfg, (variant,), style)
    trained = train_personas(dataset, distiller, model, settings, folder / "adapters", workers)
    trained.clusters.save(folder / "clusters.json")
    people = population_on(dataset, model, style, distilled=trained.report.distilled)
    return people_on(people, trained.variants[variant], trained.clusters.labels), trained


def _personas(trained: Trained, variant: str) -> list[dict[str, Any]]:
    """Size, training rows and losses of every persona."""
    cards = trained.variants[variant].cards
    if variant in cards:  # one adapter, in facets or whole, serves everybody
        told = ("rows", "facets", "groups", "first_loss", "last_loss", "seconds")
        facts = {key: cards[variant][key] for key in told if key in cards[variant]}
        return [{"people": int(trained.clusters.sizes.sum()), "adapter": variant, **facts}]
    kept = ("rows", "first_loss", "last_loss", "seconds")
    found = []
    for group, size in enumerate(trained.clusters.sizes):
        card = cards.get(f"persona-{group}", {})
        found.append({"people": int(size), **{key: card[key] for key in kept if key in card}})
    return found


def _table(fidelity: dict[str, Any]) -> TextTable:
    names = list(next(iter(fidelity.values()))["predictors"])
    rows = []
    for asked, figures in fidelity.items():
        errors = [f"{figures['predictors'][name]['rmse']:.3f}" for name in names]
        bias = figures.get("suggested", {}).get("bias")
        rows.append([asked, *errors, "" if bias is None else f"{bias:+.3f}"])
    title = "Held-out RMSE (expected value), lower is better"
    return text_table(["asked", *names, "suggested: bias"], rows, title)

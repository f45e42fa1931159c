"""Measures the people and judges them; the question and the score stand in the package.

Files: ``population/`` (the people with their card), ``report.html``, ``report.md``,
``results.json``, ``config.yaml``, and ``answers/``, with which the same command goes on.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.calibration import Calibration
from agents.fidelity.calibrating import fitted_calibration
from agents.fidelity.two_sample import FEATURES, sampled_ratings, two_sample
from agents.persona_users import PersonaUsers
from experiments.alignment import alignment_page as page
from experiments.alignment.asked import BIAS, Asked, Rows, ask, chosen_users
from experiments.alignment.card import carded, described, gate_of
from experiments.alignment.choosing import NEGATIVES, five_way, like_or_dislike, rivals
from experiments.alignment.identity import KNOWN_ROWS, cold_start, rises, some_people, variants
from experiments.alignment.later_ratings import later_ratings
from experiments.alignment.probing import NUM_PARTS, probes
from experiments.alignment.rating_figures import (
    PEOPLE,
    bias_panel,
    by_kinds,
    calibrated,
    clusters,
    predictor_table,
)
from experiments.alignment.unseen_items import unseen_items
from experiments.people.people import People
from experiments.reporting.formatting import tidy
from experiments.reporting.parts import Parts
from experiments.reporting.progress import progress_bar
from experiments.reporting.result import Result
from experiments.tournament.setting import kept_people
from simenv.data.dataset import Dataset
from simenv.events import FloatArray, InteractionLog
from simenv.seeding import row_seeds

NOWHERE = "none"
PARTS = ("trajectories", "choices", "identity", "probes", "counterfactual")


def run(cfg: DictConfig) -> Result:
    """Measure ``cfg.users`` on the held-out rows of ``cfg.data``; save them with their card."""
    dataset: Dataset = instantiate(cfg.data)
    people = kept_people(cfg)(dataset)
    model = checked_model(people, dataset)
    asked = _asked(cfg, dataset, model)
    calibration = _calibration(asked, cfg.experiment.calibration)
    rows = _calibrated(asked, calibration)
    parts = Parts()
    found = _parts(cfg, asked, parts)
    card = {
        "dataset": described(dataset, asked),
        "debug": cfg.get("debug"),
        "gate": gate_of(asked, rows, found["identity"] and found["identity"]["variants"]),
        "calibration": cfg.experiment.calibration,
        "statistical_alignment": {
            "predictors": predictor_table(rows),
            "kinds": by_kinds(asked, rows),
            "calibrated": calibrated(asked),
            "utopian_bias": bias_panel(rows, dataset),
            "later_ratings": parts.get("later ratings", lambda: later_ratings(asked, rows), None),
        },
        "human_likeness": {k: found[k] for k in ("trajectories", "choices", "identity", "probes")},
        "counterfactual": found["counterfactual"],
    }
    saved = parts.get("saving", lambda: _saved(cfg, model, calibration, card), None)
    values = {
        "experiment": cfg.experiment.name,
        "users": {key: value for key, value in people.card.items() if key != "fidelity"},
        **card,
        "curve": page.curve(rows),
        "failures": parts.failures,
        "saved": saved is not None,
    }
    return Result(
        values,
        pages={"report.html": page.html, "report.md": page.markdown},
        lines=page.lines(values, saved),
        error=parts.error,
    )


def checked_model(people: People, dataset: Dataset) -> PersonaUsers:
    """Who is measured.

    Raises:
        ValueError: they are no people on a language model, or know the rows that are asked about.
    """
    if not isinstance(people.model, PersonaUsers):
        raise ValueError(
            f"experiment=alignment wanted people on a language model, got"
            f" users={people.card['kind']}; take users=persona"
        )
    if people.fidelity is None:
        raise ValueError(
            f"experiment=alignment wanted ratings that the people of {dataset.name!r} have not"
            " learnt from, but their profiles know them all; name the data and the seed that they"
            " were built from instead of data=population"
        )
    return people.model


def _asked(cfg: DictConfig, dataset: Dataset, model: PersonaUsers) -> Asked:
    settings = cfg.experiment
    users = chosen_users(dataset, cfg.num_users, cfg.seed)
    with progress_bar("ratings", total=1) as tick:
        tick(f"held-out ratings of {len(users)} people")
        return ask(
            dataset,
            model,
            users,
            settings.validation,
            settings.asked_rows,
            list(settings.baselines),
            cfg.seed,
        )


def _calibration(asked: Asked, kind: str) -> Calibration | None:
    """What the saved people do to their answers; None = nothing."""
    if kind == "none":
        return None
    rows = asked.fitted
    return fitted_calibration(rows.chances, rows.log.ratings, clusters(asked, rows.log), kind)


def _calibrated(asked: Asked, calibration: Calibration | None) -> Rows:
    """The measured rows as the saved people answer them."""
    rows = asked.measured
    if calibration is None:
        return rows
    return rows._replace(chances=calibration.applied(rows.chances, clusters(asked, rows.log)))


def _parts(cfg: DictConfig, asked: Asked, parts: Parts) -> dict[str, Any]:
    """What stands beside the ratings; None where it was not asked for, or failed."""
    settings, rows = cfg.experiment, asked.measured
    some = some_people(rows, settings.variant_rows, cfg.seed)
    made = variants(asked.model.population, cfg.seed)
    sizes = {
        "trajectories": 1,
        "choices": 2 * len(NEGATIVES) + 1,
        "identity": len(made) + len(KNOWN_ROWS),
        "probes": NUM_PARTS,
        "counterfactual": 1,
    }
    with progress_bar("alignment", total=sum(sizes[name] for name in settings.parts)) as tick:
        makers = {
            "trajectories": lambda: _trajectories(asked, settings.num_resamples),
            "choices": lambda: _choices(asked, settings, parts, tick),
            "identity": lambda: {
                "variants": rises(asked, some, made, tick),
                "cold_start": cold_start(asked, some, tick),
            },
            "probes": lambda: probes(asked, settings.probe_users, tick),
            "counterfactual": lambda: unseen_items(asked, settings.probe_users),
        }
        return {
            name: parts.get(name, make, None) if name in settings.parts else None
            for name, make in makers.items()
        }


def _trajectories(asked: Asked, num_resamples: int) -> dict[str, Any]:
    """How well real trajectories are told from the people's, and from the bias model's people's."""
    log, dataset = asked.measured.log, asked.dataset
    known = _known_of_items(dataset, log)
    seeds = row_seeds(asked.seed, log.users, log.items)
    said = {PEOPLE: asked.measured.chances, BIAS: asked.measured.rivals[BIAS]}
    found: dict[str, Any] = {"features": list(FEATURES)}
    for name, chances in said.items():
        drawn = sampled_ratings(chances, seeds)
        found[name] = two_sample(
            log.ratings.round(), drawn, log.users, known, num_resamples=num_resamples
        )
    ready: dict[str, Any] = tidy(found)
    return ready


def _known_of_items(dataset: Dataset, log: InteractionLog) -> FloatArray:
    """(r, 3) average, log popularity and year of each row's item."""
    averages, years = dataset.averages, dataset.catalog.years
    columns = [averages.fair, np.log1p(averages.counts), years.astype(np.float64)]
    return np.column_stack([column[log.items] for column in columns])


def _choices(asked: Asked, settings: DictConfig, parts: Parts, tick: Any) -> dict[str, Any]:
    """Both protocols; a model whose context five items do not fit into is asked the other alone."""
    scored = rivals(asked.dataset, asked.users)
    return {
        "like_or_dislike": like_or_dislike(asked, scored, settings.like_users, tick),
        "five_way": parts.get(
            "five to choose from", lambda: five_way(asked, scored, settings.scenes, tick), None
        ),
    }


def _saved(
    cfg: DictConfig, model: PersonaUsers, calibration: Calibration | None, card: Mapping[str, Any]
) -> Path | None:
    """Where the people with their card were saved; None = nowhere."""
    place = cfg.experiment.save_to
    if place == NOWHERE:
        return None
    folder = Path(place) if place else Path(cfg.output_dir) / "population"
    carded(model.population, calibration, card).save(folder)
    return folder

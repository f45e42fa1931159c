"""Runs the three levels; the question and the score stand in the package docstring.

Files: ``report.html``, ``report.md``, ``people.csv`` (one row a person and condition),
``results.json`` and ``config.yaml``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.interviews.asking import Interview
from agents.interviews.instruments import FACTORS, Instrument
from agents.interviews.readers import instrument_named
from agents.persona_users import PersonaUsers
from agents.personality.conditions import POLES, UNCONDITIONED, Condition, conditioned
from agents.personality.option_texts import reader_in
from agents.personality.situations import read_situations, shipped_situations
from experiments.command_line.options import OptionError
from experiments.people.people import People
from experiments.personality_levels import levels_page
from experiments.personality_levels.figures import figures, frame
from experiments.personality_levels.measuring import Measured, Study, measure
from experiments.reporting.progress import progress_bar
from experiments.reporting.result import Result
from experiments.tournament.feasibility import too_few_unseen
from experiments.tournament.policies import fitted, policy_makers
from experiments.tournament.setting import kept_people
from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from simenv.events import IntArray
from simenv.seeding import Stream, generator


def run(cfg: DictConfig) -> Result:
    """Meet ``cfg.num_users`` people under every condition of ``cfg.experiment.factors``."""
    dataset: Dataset = instantiate(cfg.data)
    people: People = kept_people(cfg)(dataset)
    if not isinstance(people.model, PersonaUsers):
        raise OptionError(
            "personality_levels wanted people with a profile, got others; take users=persona"
        )
    _check_scoring(cfg, people.model)
    study = _study(cfg, dataset, people.model)
    conditions = _conditions(cfg, study)
    for condition in conditions:  # all adapters are known before anybody is asked
        conditioned(people.model.population, condition)
    found: dict[Condition, Measured] = {}
    with progress_bar("levels", total=len(conditions)) as tick:
        for condition in conditions:
            tick(_name(condition))
            found[condition] = measure(study, condition)
            tick(_name(condition), advance=1)
    values = {
        "experiment": cfg.experiment.name,
        "users": people.card,
        "debug": cfg.get("debug"),
        "setting": _setting(cfg, study, conditions),
        **figures(study, found, dataset, cfg.experiment.num_resamples),
    }
    return Result(
        values,
        pages={"report.html": levels_page.html, "report.md": levels_page.markdown},
        frames={"people.csv": frame(study, found, dataset)},
        lines=levels_page.lines(values),
    )


def _study(cfg: DictConfig, dataset: Dataset, users: PersonaUsers) -> Study:
    settings = cfg.experiment
    makers = policy_makers(cfg.recommender)
    if len(makers) != 1:
        raise OptionError(
            f"personality_levels wanted one recommender, which everybody meets, got"
            f" {', '.join(makers) or 'none'}; give recommender=random"
        )
    [make] = makers.values()
    log = stacked(dataset.train, dataset.background)
    rng = generator(cfg.seed, Stream.LEVEL_ITEMS)
    items = np.sort(rng.permutation(dataset.num_items)[: settings.influence_items])
    return Study(
        users=users,
        people=_people(cfg, dataset),
        policy=fitted(make(), dataset.catalog, log),
        make_env=instantiate(cfg.env),
        max_steps=cfg.env.max_episode_steps,
        visits=settings.visits,
        influence_items=items.astype(np.int64),
        questionnaire=instrument_named(settings.questionnaire),
        situations=situations(settings.situations),
        scoring=settings.scoring,
        how=Interview("permuted", rounds=settings.rounds, seed=cfg.seed),
        factors=tuple(dict.fromkeys(settings.factors)),
        seed=cfg.seed,
    )


def _check_scoring(cfg: DictConfig, users: PersonaUsers) -> None:
    if cfg.experiment.scoring == "text" and reader_in(users.engine) is None:
        raise OptionError(
            "experiment.scoring=text wanted an engine that says how likely given words are, got"
            f" {users.engine.description}; take engine=local, or experiment.scoring=letters"
        )


def situations(path: str | None) -> Instrument:
    """The shipped situations, or those of a file."""
    return shipped_situations() if path is None else read_situations(Path(path))


def _people(cfg: DictConfig, dataset: Dataset) -> IntArray:
    """Who is met (n,), ascending: drawn from those with training rows and enough items left."""
    known = np.unique(dataset.train.users)
    few = too_few_unseen(dataset, known, cfg.env.slate_size, cfg.env.max_episode_steps)
    rng = generator(cfg.seed, Stream.LEVEL_PEOPLE)
    drawn = rng.permutation(np.setdiff1d(known, few.users))[: cfg.num_users]
    return np.sort(drawn).astype(np.int64)


def _conditions(cfg: DictConfig, study: Study) -> list[Condition]:
    """Nobody changed, then low and high in each factor.

    Raises:
        OptionError: an adapter is named for no factor or pole of the run.
    """
    adapters: Mapping[str, Mapping[str, str]] = cfg.experiment.trait_adapters or {}
    for factor, poles in adapters.items():
        if factor not in study.factors or not set(poles) <= {"low", "high"}:
            raise OptionError(
                f"experiment.trait_adapters wanted {{factor: {{low: name, high: name}}}} for"
                f" factors among {', '.join(study.factors)}, got {factor}: {dict(poles)}"
            )
    imposed = [
        Condition(factor, pole, adapters.get(factor, {}).get(pole))
        for factor in study.factors
        for pole in POLES
        if pole != "none"
    ]
    return [UNCONDITIONED, *imposed]


def _name(condition: Condition) -> str:
    if condition.pole == "none":
        return "as they are"
    return f"{condition.pole} in {FACTORS[condition.factor]}"


def _setting(cfg: DictConfig, study: Study, conditions: list[Condition]) -> dict[str, Any]:
    return {
        "num_users": len(study.people),
        "factors": list(study.factors),
        "conditions": {
            _name(c): c.adapter or ("" if c.pole == "none" else "words") for c in conditions
        },
        "visits": study.visits,
        "max_steps": study.max_steps,
        "slate_size": cfg.env.slate_size,
        "policy": next(iter(cfg.recommender)),
        "influence_items": len(study.influence_items),
        "questionnaire": study.questionnaire.name,
        "questionnaire_items": len(study.questionnaire.items),
        "situations": study.situations.name,
        "scoring": study.scoring,
        "situations_items": len(study.situations.items),
        "friends_learnt": study.users.population.style.peers,
    }

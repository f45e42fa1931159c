"""What building a population will take: trainings, and the questions of its card."""

from dataclasses import replace

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.assembly import persona_users
from agents.fidelity.held_out import MOST_ROWS, PLACES, earliest_rows, num_asked
from agents.persona_users import PersonaUsers
from agents.prompt_style import PromptStyle
from experiments.build_population.fidelity_card import asked_people
from experiments.people.base_models import model_named, pocket_config
from experiments.people.distilled import made_distiller
from experiments.people.training_trials import Training, adapter_training, pocket_training
from simenv.data.dataset import Dataset
from simenv.data.synthetic import drawn_world, synthetic
from training.distillation.tellers import style_for
from training.populate import population_on


def planned_trainings(cfg: DictConfig) -> list[Training]:
    """The pocket model where none is named, and the adapters."""
    settings, dataset = cfg.experiment, instantiate(cfg.data)
    log = dataset if settings.worlds == "log" else None
    base = [] if settings.slm else [pocket_training(cfg, log)]
    if settings.variant == "none":
        return base
    model = model_named(settings.slm)  # a trained pocket model is taken to be like the shipped one
    return [*base, adapter_training(cfg, dataset, model, (settings.variant,), _style(cfg, dataset))]


def people_without_adapters(cfg: DictConfig) -> tuple[PersonaUsers, Dataset]:
    """Who would be asked, for a trial of what a question costs, and the data set."""
    dataset: Dataset = instantiate(cfg.data)
    people = population_on(dataset, model_named(cfg.experiment.slm), _style(cfg, dataset))
    return persona_users(people), dataset


def _style(cfg: DictConfig, dataset: Dataset) -> PromptStyle:
    style = style_for(made_distiller(cfg, dataset), pocket_config(cfg).style)
    return replace(style, together=cfg.experiment.together)


def card_questions(cfg: DictConfig, dataset: Dataset) -> int:
    """Questions of the card, with those about unseen worlds where the people live in one."""
    settings = cfg.experiment
    times = 1 if settings.variant == "none" else 2  # with and without adapters
    found = times * _of(dataset, settings.num_users)
    if dataset.truth is None or cfg.get("debug") == "tiny":
        return found
    worlds = [synthetic(seed) for seed in settings.unseen_worlds]
    worlds += [drawn_world(seed) for seed in settings.unseen_drawn_worlds]
    return found + sum(_of(world, settings.num_users) for world in worlds)


def _of(dataset: Dataset, num_users: int) -> int:
    """Of one world: later ratings, and suggestions where the truth is known."""
    users = asked_people(dataset, num_users)
    rows = earliest_rows(dataset.test, users, MOST_ROWS)
    suggested = 0 if dataset.truth is None else len(users) * min(PLACES, dataset.num_items)
    return num_asked(dataset.test.take(np.sort(rows))) + suggested

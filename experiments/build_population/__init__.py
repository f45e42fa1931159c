"""Who are the simulated people? Builds a population: base model, personas, memories and card.

How to run: ``personarec experiment=build_population data=synthetic data.seed=2025``. The base model
is trained with ``pocket`` unless ``slm`` names one; a stopped run goes on from its checkpoint.

How to score: the card in ``population/population.json`` and ``results.json`` hold the held-out RMSE
and calibration beside the simple predictors, on the population's own later ratings and on worlds
that neither the model nor this population has met.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from agents.persona_users import PersonaUsers
    from experiments.people.training_trials import Training
    from simenv.data.dataset import Dataset

AIM = "making"
NEEDS = "a log, or the synthetic world; extra train"
TAKES = "about 2 hours; 30 minutes with slm=shipped"
USES = ("data", "distiller", "training", "seed", "slm")
SPREADS = True
REFUSES = {
    "num_users": "set data.num_users, the people built, or experiment.num_users, those measured",
}


def trainings(cfg: "DictConfig") -> "list[Training]":
    """The pocket model where none is named, and the adapters; see ``--dry-run``."""
    from experiments.build_population.forecast import planned_trainings  # heavy

    return planned_trainings(cfg)


def asked_users(cfg: "DictConfig", engine: Callable[..., Any]) -> "tuple[PersonaUsers, Dataset]":
    """The people without their adapters, for a trial, and the data set."""
    from experiments.build_population.forecast import people_without_adapters  # heavy

    return people_without_adapters(cfg)


def questions(cfg: "DictConfig", dataset: "Dataset") -> int:
    """What the card asks: own later ratings with and without adapters, and unseen worlds."""
    from experiments.build_population.forecast import card_questions  # heavy

    return card_questions(cfg, dataset)

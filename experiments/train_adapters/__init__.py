"""Are persona groups worth adapters of their own? Trains the variants (stage 4 of a population).

How to run: ``personarec experiment=train_adapters data=movielens_1m … slm=FOLDER``; what
was trained from the same base on the same examples is not trained again.

How to score: rows, losses and seconds of every adapter; ``rating_fidelity`` says what they are
worth on later ratings.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from experiments.people.training_trials import Training

AIM = "making"
NEEDS = "extra train"
TAKES = "about 30 minutes"
USES = ("data", "distiller", "training", "seed", "slm")
SPREADS = True
REFUSES = {
    "num_users": "everybody belongs to a group; set data.num_users",
}


def trainings(cfg: "DictConfig") -> "list[Training]":
    """All adapters; see ``--dry-run``."""
    from hydra.utils import instantiate  # heavy: the package says its aim

    from agents.prompt_style import PromptStyle
    from experiments.people.base_models import model_named
    from experiments.people.training_trials import adapter_training

    settings = cfg.experiment
    style = PromptStyle(together=settings.together)
    model = model_named(settings.slm)
    return [adapter_training(cfg, instantiate(cfg.data), model, settings.variants, style)]

"""Can a small model learn to read people? Trains the pocket SLM, the base of populations.

Score: its last losses; `build_population` and `rating_fidelity` measure what it is worth.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from experiments.people.training_trials import Training

AIM = "making"
NEEDS = "extra train"
TAKES = "about an hour"
USES = ("data", "seed")
REFUSES = {
    "num_users": "set data.num_users, the people who are left out",
}


def trainings(cfg: "DictConfig") -> "list[Training]":
    """The pocket model; see ``--dry-run``."""
    from hydra.utils import instantiate  # heavy: the package says its aim

    from experiments.people.training_trials import pocket_training

    return [pocket_training(cfg, instantiate(cfg.data) if cfg.experiment.worlds == "log" else None)]

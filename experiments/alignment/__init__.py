"""Can you believe these users? A fidelity card for a population, and a gate: pass, warn or fail.

Run::

    personarec experiment=alignment data=synthetic data.seed=2025 users.population=FOLDER
    personarec experiment=alignment data=movielens_1m data.num_users=200 slm=smollm2

The data are those that the people were built from; their held-out rows are asked about, and none of
them was learnt from. A share of them, the earliest of everybody, is for calibration alone.

Score: ``population/`` is the same population with its card, which ``gym.make`` reads; the card and
``results.json`` hold three headings. Statistical alignment: errors and chances of ratings beside
predictors on the same rows, kinds of people and items, and the panel against kind, equal people.
Human-likeness: a classifier that tells real from simulated trajectories, choices, whose answers
they are, and probes. Counterfactual: items that nobody would recommend, where the truth is known.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from simenv.data.dataset import Dataset

AIM = "people"
NEEDS = "ratings that the people have not learnt from"
TAKES = "15 minutes; hours with a real model"
USES = ("data", "users", "engine", "embedder", "seed", "slm", "num_users")
REFUSES = {"users.evidence": "no policy is judged; leave it out"}


def questions(cfg: "DictConfig", dataset: "Dataset") -> int:
    """What a run asks: held-out ratings, and every part that stands beside them."""
    from experiments.alignment.forecast import num_questions  # heavy: the package says its aim

    return num_questions(cfg, dataset)

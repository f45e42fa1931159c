"""Which settings of a recommender please the users most?

Run::

    personarec experiment=search                                     # EASE's regularisation
    personarec experiment=search recommender=[als] experiment.policy=als \
        'experiment.space=[{name: factors, low: 8, high: 128, log: true, int: true}]'

Optuna's TPE sampler proposes settings, half of the users judge them, and the other half, who took
no part, say whether the winner is really better than the settings as configured: a search that is
judged by its own figures always succeeds. ``experiment.objective`` is a session measure
(``mean_rating``, ``satisfaction``, ``clicks`` …) or an offline metric (``ndcg@10``).

Optuna is called directly: its Hydra sweeper (1.3) forces Optuna 2.10, four years older than the one
used here. Trials lie in ``trials.db``; a run that was stopped goes on where it was.

Score: ``results.json``: ``best`` (parameters), ``confirmation`` (paired difference to the settings
as configured, on users who did not search, with its 95 % interval) and ``trials``.
"""

from typing import TYPE_CHECKING

from experiments.tournament import num_views, session_questions

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from simenv.data.dataset import Dataset

AIM = "policies"
NEEDS = "extra sweeps"
TAKES = "about 10 minutes"
USES = ("data", "users", "engine", "embedder", "env", "recommender", "seed", "slm", "num_users")
REFUSES = {
    "precision": "every trial asks the same users; set num_users",
    "budget": "set experiment.num_trials and num_users instead",
}


def questions(cfg: "DictConfig", dataset: "Dataset") -> int:
    """What a run asks if every user stays: trials, then two settings, each with half the users."""
    sides = num_views(cfg) * (int(cfg.experiment.num_trials) + 2)
    return sides * session_questions(cfg, dataset) // 2

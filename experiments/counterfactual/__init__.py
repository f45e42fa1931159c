"""What if these users had been given another recommender from here on?

Run::

    personarec experiment=counterfactual experiment.before=popularity experiment.switch_at=3

Everybody plays ``experiment.before`` for ``experiment.switch_at`` slates. Then the whole world is
kept (memories, moods, histories, draws), and every policy goes on from that very moment with the
same users. What differs afterwards is due to the switch alone.

Score: ``results.json``: of each policy ``after`` the mean expected stars of the slates after the
switch, and the paired difference to staying, over the users who were still there, with intervals.
"""

from typing import TYPE_CHECKING

from experiments.tournament import num_views, session_questions

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from simenv.data.dataset import Dataset

AIM = "policies"
NEEDS = "nothing more"
TAKES = "40 seconds"
USES = ("data", "users", "engine", "embedder", "env", "recommender", "seed", "slm", "num_users")


def questions(cfg: "DictConfig", dataset: "Dataset") -> int:
    """What a run asks if all stay: one session to the fork, and the rest of it by policy."""
    session, steps = session_questions(cfg, dataset), int(cfg.env.max_episode_steps)
    before = min(int(cfg.experiment.switch_at), steps)
    return num_views(cfg) * session * (before + len(cfg.recommender) * (steps - before)) // steps

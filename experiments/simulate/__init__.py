"""What becomes of people who live with a recommender?

The same society lives with each policy for the same time: people come, rate, leave, come back, tell
their friends, and the policy learns from what it showed them.

Run: ``personarec experiment=simulate`` (add ``users=scripted`` for the world's own people,
``app=true`` for a page to watch, ``resume=FOLDER`` to go on where a run was stopped).

Score: curves over time; each policy is compared with the first one named, ``random`` by default,
by the mean over the last tenth of the ticks. One run has one seed: repeat with ``seed=1,2,3 -m``
before believing a small difference.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from simenv.data.dataset import Dataset

_AWAKE = 0.35  # of the people at a tick; 0.32 to 0.37 of scripted ones in 60 to 200 ticks
AIM = "policies"
NEEDS = "extra abm"
TAKES = "10 minutes; seconds with users=scripted"
USES = ("data", "users", "engine", "embedder", "distiller", "env", "recommender", "seed", "slm")
REFUSES = {
    "users.evidence": "policies and people know the same rows here; take experiment=worlds",
    "num_users": "everybody in the data lives in the society; set data.num_users",
    "env.reward": "nobody is rewarded in a society; leave it out",
    "env.max_episode_steps": "set experiment.ticks",
}
ONLY_WITH = {
    "distiller": "experiment.settings.reflect_every",
    "experiment.refresh": "experiment.settings.refresh_every",
}


def questions(cfg: "DictConfig", dataset: "Dataset") -> int:
    """What a run asks: ``share`` of the people a tick, or as many as were awake when measured."""
    settings = cfg.experiment
    share = float(settings.activation.get("share") or _AWAKE)
    visits = dataset.num_users * int(settings.ticks) * share
    return round(len(cfg.recommender) * visits * int(settings.settings.slate_size))

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
    """What a run asks: all come back once in the median time, or ``share`` of them a tick."""
    settings, awake = cfg.experiment, cfg.experiment.activation
    share = awake.get("share") or 1 / (float(awake.median_days) * int(awake.ticks_per_day))
    visits = dataset.num_users * int(settings.ticks) * min(1.0, float(share))
    return round(len(cfg.recommender) * visits * int(settings.settings.slate_size))

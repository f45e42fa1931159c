"""Can a policy learn from simulated users, and does what it learns please real ones?

PPO (one file, own code) and DQN (Stable-Baselines3) are trained on sessions of simulated users and
then shown to users they have never met, beside policies that only read the log, in the table of
``policy_ranking``. Where the truth is known, every checkpoint is also shown to the true users: the
point where simulated stars go on rising and true ones do not is reward hacking, and ``penalties``
compares the plain reward with one that distrusts what an ensemble disagrees about. With
``users.evidence=independent`` or ``mixed`` policies know half of the rows and learn before people
made of that half; who is shown what they learnt is made of other rows.

Run: ``personarec experiment=train_policy`` (see ``conf/experiment/train_policy.yaml``).
Score: stars of held-out users with 95 % intervals; curves over seeds; regret to the oracle.
"""

from typing import TYPE_CHECKING

from experiments.tournament import session_questions

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from simenv.data.dataset import Dataset

AIM = "policies"
NEEDS = "extra rl"
TAKES = "30 minutes; minutes with users=fitted"
USES = ("data", "users", "engine", "embedder", "env", "recommender", "seed", "slm", "num_users")
ONLY_WITH = {"experiment.ensemble": "experiment.penalties"}


def questions(cfg: "DictConfig", dataset: "Dataset") -> int:
    """What a run asks: steps of every training, its checkpoints, and all policies in the end."""
    settings, slate = cfg.experiment, int(cfg.env.slate_size)
    trainings = len(settings.seeds) * (1 + len([p for p in settings.penalties if p]))
    learnt = trainings * int(settings.ppo.total_steps) + int(settings.dqn_steps)
    shown = trainings * (int(settings.num_checkpoints) + 1) + len(cfg.recommender) + 2
    return learnt * slate + shown * session_questions(cfg, dataset)

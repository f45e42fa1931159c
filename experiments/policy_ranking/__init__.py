"""Which recommender do these users like best, and would offline metrics have shown it?

Run::

    personarec experiment=policy_ranking                                    # a synthetic world
    personarec experiment=policy_ranking data=movielens_1m data.path=PATH   # a real one
    personarec experiment=policy_ranking debug=tiny                         # seconds, no meaning

Every policy is fitted on the training log, measured offline on the held-out rows, and then plays
one session with each evaluation user, who starts from the same memories and answers with the same
seeds whatever the policy. Where the truth is known the same sessions are played with the true
users.

Score: ``results.json``. Of each policy, ``simulated.mean_rating`` is the mean over users of their
mean expected stars over everything shown; ``true_mean_rating`` is the same with the true users, or
null. ``agreement`` holds Kendall's tau of the policies' order by NDCG, by the simulated and by the
true users, with intervals over users. A good simulation has ``simulated_vs_true`` above
``offline_vs_true``. With ``users.evidence=independent`` or ``mixed`` rows are cut between policies
and people, both halves are used in turn, and a user's value is the mean of both.
"""

from typing import TYPE_CHECKING

from experiments.tournament import num_views, session_questions

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from simenv.data.dataset import Dataset

AIM = "policies"
NEEDS = "nothing more"
TAKES = "a minute"
USES = (
    "data",
    "users",
    "engine",
    "embedder",
    "env",
    "recommender",
    "seed",
    "slm",
    "num_users",
    "precision",
    "budget",
)


def questions(cfg: "DictConfig", dataset: "Dataset") -> int:
    """What a run asks if every user stays for a whole session; see ``--dry-run``."""
    return num_views(cfg) * len(cfg.recommender) * session_questions(cfg, dataset)

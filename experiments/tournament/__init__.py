"""Policies before the same users: played in waves, measured, summarised."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from simenv.data.dataset import Dataset


def session_questions(cfg: "DictConfig", dataset: "Dataset") -> int:
    """What one policy asks if every user who has items left for a whole session stays for it.

    Raises:
        ValueError: nobody has.
    """
    import numpy as np  # packages of experiments are read for --help

    from experiments.tournament.feasibility import too_few_unseen

    slate_size, steps = int(cfg.env.slate_size), int(cfg.env.max_episode_steps)
    known = np.unique(dataset.train.users)
    few = too_few_unseen(dataset, known, slate_size, steps)
    return min(int(cfg.num_users), len(known) - len(few.users)) * steps * slate_size


def num_views(cfg: "DictConfig") -> int:
    """How often everybody plays: twice where rows are cut between policies and people."""
    return 1 if cfg.users.get("evidence", "shared") == "shared" else 2

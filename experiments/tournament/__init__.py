"""Policies before the same users: played in waves, measured, summarised."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from simenv.data.dataset import Dataset


def session_questions(cfg: "DictConfig", dataset: "Dataset") -> int:
    """What one policy asks if every user stays for a whole session."""
    users = min(int(cfg.num_users), dataset.num_users)
    return users * int(cfg.env.max_episode_steps) * int(cfg.env.slate_size)


def num_views(cfg: "DictConfig") -> int:
    """How often everybody plays: twice where rows are cut between policies and people."""
    return 1 if cfg.users.get("evidence", "shared") == "shared" else 2

"""Language models in forked processes: a child computes on one thread.

Threads do not survive a fork, but OpenMP, which computes for torch, goes on counting on those of
the parent: the child's first computation waits for them for ever. PyTorch's own loaders of data
set their workers to one thread for the same reason.
"""

import os
from functools import cache

import torch


@cache
def compute_alone_after_forks() -> None:
    """Let every process that is forked from now on compute on one thread; once is enough."""
    os.register_at_fork(after_in_child=_compute_alone)


def _compute_alone() -> None:
    torch.set_num_threads(1)

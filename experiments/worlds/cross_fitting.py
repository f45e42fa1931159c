"""One result of a world that was judged under several views: means, policy by policy.

A policy that failed under one view is left out: its other figure speaks of half the log alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Result = dict[str, Any]  # what ``judge_world`` returns
_BY_POLICY = ("truth", "truth_of_all_users")


def merged(views: Sequence[Result]) -> Result:
    """The mean of what was found under each view (one or more), as one result of the world.

    Raises:
        ValueError: fewer than two policies work under every view.
    """
    if len(views) == 1:
        return views[0]
    failed = {name: text for view in views for name, text in view["failed"].items()}
    kept = [name for name in views[0]["policies"] if name not in failed]
    if len(kept) < 2:
        raise ValueError(
            f"a world wanted at least two policies that work, got {len(kept)}; failed: {failed}"
        )
    return {
        **views[0],
        "policies": kept,
        "failed": failed,
        **{name: _mean_of([_chosen(v, v[name], kept) for v in views]) for name in _BY_POLICY},
        "judges": {
            judge: _mean_of([_chosen(view, view["judges"][judge], kept) for view in views])
            for judge in views[0]["judges"]
        },
        "easy_mode": {
            name: round(float(np.mean([view["easy_mode"][name] for view in views])), 4)
            for name in views[0]["easy_mode"]
            if all(name in view["easy_mode"] for view in views)
        },
        "exposures": sum(view["exposures"] for view in views),
    }


def _chosen(
    view: Mapping[str, Any], values: Sequence[float | None], kept: Sequence[str]
) -> list[float | None]:
    """Values (p,) of the kept policies; views may name them in different orders."""
    of_policy = dict(zip(view["policies"], values, strict=True))
    return [of_policy[name] for name in kept]


def _mean_of(values: Sequence[Sequence[float | None]]) -> list[float | None]:
    """The mean of each policy over the views; None where one view has no value."""
    return [
        None if None in own else round(float(np.mean([v for v in own if v is not None])), 6)
        for own in zip(*values, strict=True)
    ]

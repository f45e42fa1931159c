"""From worlds to verdicts: how well each judge orders the policies, with intervals over worlds.

A world is the unit that was drawn: tau is computed in each, and means, intervals and paired
differences are over worlds. Pure: what ``judge_world`` returned in, plain dicts out.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from agents.fidelity.error_measures import knowable_share
from experiments.reporting.formatting import estimate, rounded
from experiments.worlds.knowable import BASELINE, PERFECT, USERS
from recommenders.evaluation.statistics import (
    holm,
    kendall_tau,
    mean_interval,
    paired_contrast,
    share_interval,
)
from simenv.events import FloatArray

WorldResult = dict[str, Any]  # what ``judge_world`` returns
_IN_STARS = (USERS, PERFECT)  # judges who say how many stars above the truth they put a policy


class Scores(NamedTuple):
    """How one judge did, one value a world (w,)."""

    tau: FloatArray  # Kendall's tau-b with the truth; NaN where all values are tied
    found: FloatArray  # 1 = picked a policy that is truly best
    regret: FloatArray  # true stars that the pick is worse than the best policy
    clear: FloatArray  # share of right orders among clearly different policies; NaN without any


def summarise_worlds(worlds: Sequence[WorldResult], clear_gap: float) -> dict[str, Any]:
    """``worlds``, ``judges``, ``differences``, ``overrated``, ``easy_mode`` and ``knowable``.

    Args:
        worlds: of one level of bias; each may have policies of its own.
        clear_gap: true stars from which two policies count as clearly different.
    """
    names = list(worlds[0]["judges"])
    scores = {name: score_judge(worlds, name, clear_gap) for name in names}
    return {
        "worlds": len(worlds),
        "judges": {name: _figures(scores[name]) for name in names},
        "differences": _differences(scores),
        "overrated": {name: _overrated(worlds, name) for name in names if name in _IN_STARS},
        "easy_mode": _easy_mode(worlds),
        "knowable": _knowable(worlds),
        "exposures": sum(world["exposures"] for world in worlds),
        "failed": {name: text for world in worlds for name, text in world["failed"].items()},
    }


def score_judge(worlds: Sequence[WorldResult], name: str, clear_gap: float) -> Scores:
    """Scores of one judge in every world."""
    rows = [
        _score(_with_floor(world["judges"][name]), _with_floor(world["truth"]), clear_gap)
        for world in worlds
    ]
    return Scores(*np.array(rows, dtype=np.float64).T)


def _score(
    values: FloatArray, truth: FloatArray, clear_gap: float
) -> tuple[float, float, float, float]:
    tau = float(kendall_tau(values, truth))
    picked = int(np.argmax(values))
    regret = float(truth.max() - truth[picked])
    first, second = np.triu_indices(len(truth), k=1)
    apart = truth[first] - truth[second]
    clear = np.abs(apart) >= clear_gap
    right = np.sign(values[first] - values[second]) * np.sign(apart)
    share = float((right[clear] + 1).mean() / 2) if clear.any() else np.nan
    return tau, float(regret == 0), regret, share


def _figures(scores: Scores) -> dict[str, Any]:
    num = len(scores.tau)
    return {
        "tau": estimate([min(max(x, -1.0), 1.0) for x in mean_interval(scores.tau)]),
        "found": estimate(share_interval(int(scores.found.sum()), num)),
        "regret": estimate(mean_interval(scores.regret)),
        "clear_pairs": estimate(mean_interval(scores.clear)),
        "taus": [rounded(tau) for tau in scores.tau],
    }


def _differences(scores: dict[str, Scores]) -> list[dict[str, Any]]:
    """The simulated users' tau minus that of every other judge, paired by world."""
    others = [name for name in scores if name != USERS]
    found = [paired_contrast(scores[USERS].tau, scores[name].tau) for name in others]
    return [
        {"judge": USERS, "minus": name, **estimate(contrast[:3]), "p_holm": rounded(p)}
        for name, contrast, p in zip(others, found, holm([c.p_value for c in found]), strict=True)
    ]


def _overrated(worlds: Sequence[WorldResult], judge: str) -> dict[str, Any]:
    """Policy → stars that a judge puts it above the truth, minus the mean of all policies'.

    Policies that did not work in every world are left out.
    """
    kept = [p for p in worlds[0]["policies"] if all(p in world["policies"] for world in worlds)]
    over = np.array([_over(world, judge, kept) for world in worlds])  # (w, p)
    beside = over - over.mean(axis=1, keepdims=True)
    return {
        policy: estimate(mean_interval(own)) for policy, own in zip(kept, beside.T, strict=True)
    }


def _over(world: WorldResult, judge: str, policies: Sequence[str]) -> list[float]:
    said, true = (dict(zip(world["policies"], world_values, strict=True))
                  for world_values in (world["judges"][judge], world["truth"]))  # fmt: skip
    return [np.nan if said[p] is None or true[p] is None else said[p] - true[p] for p in policies]


def _easy_mode(worlds: Sequence[WorldResult]) -> dict[str, Any]:
    keys = [key for key in worlds[0]["easy_mode"] if all(key in w["easy_mode"] for w in worlds)]
    return {k: estimate(mean_interval([w["easy_mode"][k] for w in worlds])) for k in keys}


def _knowable(worlds: Sequence[WorldResult]) -> dict[str, Any]:
    """The share of the knowable and the errors behind it, over all worlds that have them.

    With several worlds the interval is over worlds, with one it is over its users.
    """
    found = {}
    for part in {part: None for world in worlds for part in world["knowable"]}:
        own = [world["knowable"][part] for world in worlds if part in world["knowable"]]
        squares = {who: np.array([w["squares"][who] for w in own]) for who in own[0]["squares"]}
        rows = sum(world["rows"] for world in own)
        share = knowable_share(squares[USERS], squares[BASELINE], squares[PERFECT])
        ends = share.ci95 if len(own) > 1 else own[0]["ci95"]
        found[part] = {
            "rows": rows,
            "share": rounded(share.share),
            "ci95": [None if end is None else rounded(end) for end in ends],
            "rmse": {who: rounded(np.sqrt(s.sum() / max(rows, 1))) for who, s in squares.items()},
        }
    return found


def _with_floor(values: list[float | None]) -> FloatArray:
    """A value that does not exist (a policy the log says nothing of) counts below all others."""
    numbers = np.array([np.nan if value is None else value for value in values])
    floor = np.nanmin(numbers) - 1 if np.isfinite(numbers).any() else 0.0
    return np.where(np.isfinite(numbers), numbers, floor)

"""Visits in a log: how many ratings people give before they leave, and when they come back.

From these the chance of leaving (``Behaviour``) and the return times (``Life``) are set, instead of
guessed. Letters: ``v`` visits, ``g`` gaps between visits.
"""

from dataclasses import dataclass, replace

import numpy as np

from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.users.behaviour import Behaviour
from simenv.users.lives import Life

_DAY = 86_400.0
_PAUSE = 3_600.0  # seconds between two visits at least
_GONE = 0.975  # share of the gaps after which people count as gone
_LEVELS = 3  # of activity


@dataclass(frozen=True)
class Visits:
    """A log split where a user paused."""

    users: IntArray  # (v,) whose visit it was
    lengths: IntArray  # (v,) ratings given
    gaps: FloatArray  # (g,) days between two visits of one user


def find_visits(log: InteractionLog) -> Visits:
    """Split a log into visits: a new one begins after a pause of more than an hour.

    Raises:
        ValueError: the log is empty, or its clock does not move, so that no visit can be seen.
    """
    if not len(log) or np.ptp(log.timestamps) <= _PAUSE:
        raise ValueError(
            f"find_visits wanted a log over more than {_PAUSE:.0f} seconds, got {len(log)}"
            " rows whose clock hardly moves; use a log with real times"
        )
    same_user = log.users[1:] == log.users[:-1]
    pauses = np.diff(log.timestamps)
    begins = ~same_user | (pauses > _PAUSE)
    starts = np.flatnonzero(np.concatenate([[True], begins]))
    lengths = np.diff(np.append(starts, len(log))).astype(np.int64)
    return Visits(log.users[starts], lengths, pauses[same_user & begins[: len(pauses)]] / _DAY)


def calibrate_leaving(
    visits: Visits,
    behaviour: Behaviour,
    activity: IntArray,
    slate_size: int = 5,
) -> Behaviour:
    """The behaviour whose contented users leave after as many ratings as those of the log.

    Each level of activity has one mean length; ``base_quit`` and ``patience_per_activity`` are the
    line through the logits of leaving that they ask for, weighted by visits. A visit's length is
    counted in ratings, so a slate is worth as many as a contented user takes of it.

    Args:
        visits: of a log.
        behaviour: everything but the two parameters is kept.
        activity: (num_users,) levels 1, 2, 3.
        slate_size: k of the environment that will use it.
    """
    content = np.full((1, slate_size), behaviour.content_level)
    takes = float(behaviour.take_chance(content).sum())
    levels = np.asarray(activity)[visits.users]
    present = [level for level in range(1, _LEVELS + 1) if (levels == level).any()]
    means = np.array([visits.lengths[levels == level].mean() for level in present])
    weights = np.array([(levels == level).sum() for level in present], dtype=np.float64)
    chances = np.clip(takes / means, 0.001, 0.95)
    logits = np.log(chances / (1 - chances))
    steps = np.array(present, dtype=np.float64) - 1
    slope, start = _weighted_line(steps, logits, weights)
    base = float(1 / (1 + np.exp(-start)))
    return replace(behaviour, base_quit=base, patience_per_activity=-slope)


def calibrate_returning(visits: Visits, life: Life) -> Life:
    """The life whose return times have the log's median and spread.

    Whoever stays away longer than 97.5 % of the log's gaps is gone.

    Args:
        visits: of a log in which somebody came back at least twice.
        life: everything else is kept.

    Raises:
        ValueError: the log has fewer than two gaps.
    """
    gaps = visits.gaps[visits.gaps > 0]
    if len(gaps) < 2:
        raise ValueError(
            f"calibrate_returning wanted at least two gaps between visits, got {len(gaps)};"
            " use a log in which people come back"
        )
    logs = np.log(gaps)
    return replace(
        life,
        median_days=float(np.exp(np.median(logs))),
        spread=max(float(logs.std()), 1e-3),
        gone_after=float(np.quantile(gaps, _GONE)),
    )


def activity_levels(log: InteractionLog) -> IntArray:
    """(num_users,) 1, 2 or 3: the third of the users with fewest, middle or most rows."""
    counts = np.bincount(log.users, minlength=log.num_users)
    edges = np.quantile(counts, [1 / 3, 2 / 3])
    return (1 + np.searchsorted(edges, counts, side="left")).astype(np.int64)


def _weighted_line(x: FloatArray, y: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Slope and height at 0 of the least-squares line; a flat line through a single point."""
    mean_x, mean_y = np.average(x, weights=weights), np.average(y, weights=weights)
    spread = np.average((x - mean_x) ** 2, weights=weights)
    covariance = np.average((x - mean_x) * (y - mean_y), weights=weights)
    slope = float(covariance / spread) if spread > 0 else 0.0
    return slope, float(mean_y - slope * mean_x)

"""Infos in Gymnasium's vector form: every ``key`` (n, …) travels with its mask ``_key`` (n,)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simenv.events import NUM_STARS, BoolArray, Feedback, IntArray
from simenv.observation import Observation, take_row

Info = dict[str, Any]


def spread(values: NDArray[Any], rows: IntArray, num_rows: int) -> NDArray[Any]:
    """Values (m, …) of the rows (m,) as (num_rows, …), zero elsewhere; always a copy."""
    out = np.zeros((num_rows, *values.shape[1:]), dtype=values.dtype)
    out[rows] = values
    return out


def spread_info(pieces: Info, rows: IntArray, num_rows: int) -> Info:
    """Pieces (m, …) of the rows (m,) as an info with masks."""
    info = {key: spread(np.asarray(values), rows, num_rows) for key, values in pieces.items()}
    for key in pieces:
        info[f"_{key}"] = spread(np.ones(len(rows), dtype=np.bool_), rows, num_rows)
    return info


def describe_feedback(feedback: Feedback) -> Info:
    """What an info holds of feedback; who left is ``terminated``."""
    return {
        "ratings": feedback.ratings,
        "taken": feedback.taken,
        "expected": feedback.expected,
        "probabilities": feedback.probabilities,
        "failed": feedback.failed,
    }


def set_rows(info: Info, key: str, values: NDArray[Any], rows: IntArray) -> None:
    """Write ``values`` (m,) of the rows (m,) into ``info``, mask included."""
    info[key][rows] = values
    info[f"_{key}"][rows] = True


def move_to_final(info: Info, observation: Observation, ended: BoolArray) -> Info:
    """What SAME_STEP wants: the ended rows' observation and info under ``final_…``.

    Args:
        info: of the step, with masks; its ended rows are zeroed.
        observation: batched, before the restart; not changed.
        ended: (n,) rows that restart in this step.

    Returns:
        ``info`` with ``final_obs`` (n,) of dicts or None and ``final_info`` with masks of its own.
    """
    rows, num_rows = np.flatnonzero(ended), len(ended)
    final_obs = np.full(num_rows, None, dtype=object)
    for row in rows:  # Gymnasium wants one dict for every ended row here, and only here
        final_obs[row] = take_row(observation, row)
    names = [key for key in info if not key.startswith("_")]
    final_info = spread_info({key: info[key][rows] for key in names}, rows, num_rows)
    for key in names:
        info[key][rows] = np.zeros((), dtype=info[key].dtype)
        info[f"_{key}"][rows] = False
    masks = {"_final_obs": ended.copy(), "_final_info": ended.copy()}
    return info | {"final_obs": final_obs, "final_info": final_info} | masks


def no_feedback(slate_size: int) -> Feedback:
    """The feedback of nobody: n = 0, so that infos keep their keys, shapes and types."""
    shape = (0, slate_size)
    return Feedback(
        ratings=np.zeros(shape),
        probabilities=np.zeros((*shape, NUM_STARS)),
        taken=np.zeros(shape, dtype=np.bool_),
        quits=np.zeros(0, dtype=np.bool_),
    )

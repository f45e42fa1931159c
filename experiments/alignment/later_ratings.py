"""What other people's later ratings are worth: the same rows with averages of all, and of then.

A split of everybody's rows in their own time lets an item's average hold ratings that others gave
after the row that is asked about. How much that helps is measured by taking those ratings away.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from agents.fidelity.error_measures import rmse, rmse_difference_interval
from agents.fidelity.held_out import rate
from agents.persona_users import PersonaUsers
from experiments.alignment.asked import Asked, Rows, average_and_offset
from experiments.reporting.formatting import tidy
from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from simenv.events import BoolArray, FloatArray, IntArray, InteractionLog, expected_stars
from simenv.item_averages import ItemAverages

_THEN = 0.6  # quantile of the times of all known ratings
_LEAST_ROWS = 30


def later_ratings(asked: Asked, rows: Rows) -> dict[str, Any] | None:
    """Rise of the RMSE where averages know nothing later: of the people, and of average and offset.

    None in a made world, which has no common clock, and where hardly any row lies behind the
    moment.
    """
    dataset = asked.dataset
    later = later_rows(dataset, rows.log)
    if later is None:
        return None
    known = stacked(dataset.train, dataset.background)
    early = known.timestamps <= _moment(known)
    part = rows.take(later)
    log = part.log
    then = ItemAverages.of(known.take(early), dataset.catalog)
    people = replace(asked.model.population, averages=then)
    model = PersonaUsers(people, asked.model.engine, asked.model.make_memory, calibrated=False)
    said, own = expected_stars(rate(model, log)), expected_stars(part.chances)
    answered = np.isfinite(said)
    plain = [average_and_offset(a.fair, dataset.train, log) for a in (then, dataset.averages)]
    found: dict[str, Any] = tidy(
        {
            "rows": len(log),
            "left_out": int((~early).sum()),
            "simulated users": _rise(
                (said - log.ratings)[answered], (own - log.ratings)[answered], log.users[answered]
            ),
            "average and own offset": _rise(
                plain[0] - log.ratings, plain[1] - log.ratings, log.users
            ),
        }
    )
    return found


def later_rows(dataset: Dataset, log: InteractionLog) -> BoolArray | None:
    """(r,) which rows of ``log`` lie behind the moment; None where nothing can be said."""
    known = stacked(dataset.train, dataset.background)
    moment = _moment(known)
    later = np.asarray(log.timestamps > moment)
    few = later.sum() < _LEAST_ROWS or bool((known.timestamps <= moment).all())
    return None if dataset.truth is not None or few else later


def _moment(known: InteractionLog) -> float:
    return float(np.quantile(known.timestamps, _THEN))


def _rise(without: FloatArray, with_them: FloatArray, users: IntArray) -> dict[str, Any]:
    return {
        "rmse": rmse(with_them),
        "rmse_without": rmse(without),
        "rise": rmse(without) - rmse(with_them),
        "rise_ci95": rmse_difference_interval(without, with_them, users),
    }

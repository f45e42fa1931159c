"""Statistical alignment: every figure of ratings, for the people and for predictors, and by kinds.

Answers and figures in, JSON values out; it asks nobody.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.fidelity.calibrating import KINDS, fitted_calibration
from agents.fidelity.discretised import LEAST
from agents.fidelity.error_measures import (
    auc,
    brier,
    calibration_error,
    log_loss,
    mae,
    ranked_probability_score,
    rmse,
    rmse_difference_interval,
    rmse_interval,
    user_auc,
)
from agents.fidelity.gate import Measured
from agents.fidelity.utopian_bias import utopian_bias
from agents.population.population import Population
from experiments.alignment.asked import BIAS, NON_PERSONAL, Asked, Rows
from experiments.reporting.formatting import tidy
from simenv.data.dataset import Dataset
from simenv.events import BoolArray, FloatArray, IntArray, InteractionLog, expected_stars

PEOPLE = "simulated users"
_LIKED = 4.0
_HISTORIES = ((0, 20), (20, 50), (50, 100), (100, 200), (200, None))
_LEAST_ROWS = 20  # of a kind that is shown


def figures(log: InteractionLog, stars: FloatArray, chances: FloatArray) -> dict[str, Any]:
    """All errors of one predictor on rows (r,), from its stars (r,) and chances (r, 5)."""
    error = stars - log.ratings
    return {
        "rmse": rmse(error),
        "rmse_ci95": rmse_interval(error, log.users),
        "mae": mae(error),
        "log_loss": loss(chances, log.ratings),
        "brier": brier(chances, log.ratings),
        "ece": calibration_error(chances, log.ratings),
        "rps": ranked_probability_score(chances, log.ratings),
        "auc": auc(stars, log.ratings >= _LIKED),
        "uauc": user_auc(stars, log.ratings, log.users, _LIKED),
    }


def loss(chances: FloatArray, ratings: FloatArray) -> float:
    """Log loss in nats, no chance counting as less than one in a thousand million."""
    return log_loss(np.log(np.maximum(chances, LEAST)), ratings)


def predictor_table(rows: Rows) -> dict[str, dict[str, Any]]:
    """Name → figures: the people first, then predictors, with the people's RMSE minus theirs."""
    stars = expected_stars(rows.chances)
    table = {PEOPLE: figures(rows.log, stars, rows.chances)}
    errors = stars - rows.log.ratings
    for name, theirs in rows.stars.items():
        other = theirs - rows.log.ratings
        table[name] = {
            **figures(rows.log, theirs, rows.rivals[name]),
            "difference_ci95": rmse_difference_interval(errors, other, rows.log.users),
        }
    found: dict[str, dict[str, Any]] = tidy(table)
    return found


def bias_panel(rows: Rows, dataset: Dataset) -> dict[str, dict[str, Any]]:
    """The panel against kind, equal people: of the people, and of the bias model's people."""
    log, shares = rows.log, dataset.catalog.genre_shares
    columns = log.ratings, log.users, log.items, shares
    said = {PEOPLE: rows.chances, BIAS: rows.rivals[BIAS]}
    found: dict[str, dict[str, Any]] = tidy(
        {name: utopian_bias(chances, *columns) for name, chances in said.items()}
    )
    return found


def calibrated(asked: Asked) -> dict[str, dict[str, Any]]:
    """Way of calibrating, fitted on the validation slice → log loss and ECE on measured rows."""
    fitted, rows = asked.fitted, asked.measured
    groups, found = clusters(asked, fitted.log), {}
    for kind in KINDS:
        own = fitted_calibration(fitted.chances, fitted.log.ratings, groups, kind)
        chances = rows.chances
        if kind != "none":
            chances = own.applied(chances, clusters(asked, rows.log))
        found[kind] = {
            "log_loss": loss(chances, rows.log.ratings),
            "ece": calibration_error(chances, rows.log.ratings),
            "rmse": rmse(expected_stars(chances) - rows.log.ratings),
            "rows_fitted_on": len(fitted.log),
            "temperature": own.temperature,
        }
    ready: dict[str, dict[str, Any]] = tidy(found)
    return ready


def clusters(asked: Asked, log: InteractionLog) -> IntArray:
    """(r,) persona of each row."""
    of_user = np.array([p.cluster for p in asked.model.population.personas], dtype=np.int64)
    return np.asarray(of_user[log.users])


def kinds(asked: Asked, rows: Rows) -> dict[str, dict[str, BoolArray]]:
    """By what people and items are told apart → name → rows (r,) of measured ones."""
    people, dataset, log = asked.model.population, asked.dataset, rows.log
    known = np.bincount(dataset.train.users, minlength=dataset.num_users)[log.users]
    activity = np.array([p.activity for p in people.personas])[log.users]
    rank = _popularity_decile(dataset)[log.items]
    found = {
        "persona": {str(c): clusters(asked, log) == c for c in _persona_numbers(people)},
        "activity": {str(level): activity == level for level in (1, 2, 3)},
        "popularity": {_decile_name(d): rank == d for d in range(-1, 10)},
        "history": {
            f"{low} to {high - 1}" if high else f"{low} and more": (known >= low)
            & (known < (high or np.inf))
            for low, high in _HISTORIES
        },
    }
    return {
        by: {name: mask for name, mask in own.items() if mask.sum() >= _LEAST_ROWS}
        for by, own in found.items()
    }


def _decile_name(decile: int) -> str:
    return "unrated" if decile < 0 else f"{decile + 1}"


def _persona_numbers(people: Population) -> list[int]:
    return sorted({persona.cluster for persona in people.personas})


def _popularity_decile(dataset: Dataset) -> IntArray:
    """(num_items,) 0 to 9, a tenth of the known ratings each, the rarest first; -1 = unrated."""
    counts = dataset.averages.counts
    order = np.argsort(counts, kind="stable")
    below = np.cumsum(counts[order]) - counts[order]
    decile = np.empty(len(counts), dtype=np.int64)
    decile[order] = np.minimum(10 * below // max(int(counts.sum()), 1), 9)
    return np.where(counts > 0, decile, -1)


def by_kinds(asked: Asked, rows: Rows) -> dict[str, dict[str, dict[str, Any]]]:
    """Kind → name → its size, the people's errors there, and the bias model's."""
    return {
        by: {name: _of_kind(rows.take(mask)) for name, mask in masks.items()}
        for by, masks in kinds(asked, rows).items()
    }


def _of_kind(rows: Rows) -> dict[str, Any]:
    log, stars = rows.log, expected_stars(rows.chances)
    found: dict[str, Any] = tidy(
        {
            "rows": len(log),
            "users": len(np.unique(log.users)),
            "rmse": rmse(stars - log.ratings),
            "bias_model_rmse": rmse(rows.stars[BIAS] - log.ratings),
            "log_loss_ratio": loss_ratio(rows),
            "ece": calibration_error(rows.chances, log.ratings),
            "mean_shift": float((stars - log.ratings).mean()),
            "uauc": user_auc(stars, log.ratings, log.users, _LIKED),
        }
    )
    return found


def loss_ratio(rows: Rows) -> float:
    """Log loss of the people over that of the bias model with Gaussian noise."""
    return loss(rows.chances, rows.log.ratings) / loss(rows.rivals[BIAS], rows.log.ratings)


def measured(rows: Rows, dataset: Dataset, swap: Mapping[str, Any] | None) -> Measured:
    """What the gate looks at, of these rows."""
    log = rows.log
    panel = utopian_bias(
        rows.chances, log.ratings, log.users, log.items, dataset.catalog.genre_shares
    )
    errors = expected_stars(rows.chances) - log.ratings
    plain = min((rows.stars[name] - log.ratings for name in NON_PERSONAL), key=rmse)
    return Measured(
        num_rows=len(log),
        num_users=len(np.unique(log.users)),
        against_plain=rmse_difference_interval(errors, plain, log.users),
        log_loss_ratio=loss_ratio(rows),
        ece=calibration_error(rows.chances, log.ratings),
        ks=panel.ks,
        variance_ratio=panel.variance_ratio,
        swap=swap["rise_ci95"] if swap else None,
    )

"""The table: rows of predictors and cells, with intervals, and the contrasts between them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.console import RenderableType

from agents.fidelity.error_measures import UserSums, interval, mean_mae, mean_rmse, resampled_rmse
from experiments.reporting.claims import verdict
from experiments.reporting.report import markdown_table, markdown_text
from experiments.reporting.terminal import text_table
from simenv.events import FloatArray

_FULL = "Ms+Ml"
# (question, one, other): how much smaller the RMSE of ``one`` is is the answer.
CONTRASTS = (
    ("memory helps", f"persona | {_FULL}", "persona | Ms"),
    ("persona against random groups", f"persona | {_FULL}", f"random | {_FULL}"),
    ("persona against one adapter, same rows", f"persona | {_FULL}", f"single | {_FULL}"),
    ("persona against one adapter, all rows", f"persona | {_FULL}", f"single_all | {_FULL}"),
    ("persona against no adapter", f"persona | {_FULL}", f"none | {_FULL}"),
    ("persona against the bias model", f"persona | {_FULL}", "bias model"),
    ("persona against matrix factorisation", f"persona | {_FULL}", "matrix factorisation"),
)
FACET_CONTRASTS = (
    ("facets against one adapter of their size", f"facets | {_FULL}", f"single_wide | {_FULL}"),
    ("facets against shuffled gates", f"facets | {_FULL}", f"facets_shuffled | {_FULL}"),
    ("facets against gates of words", f"facets | {_FULL}", f"facets_text | {_FULL}"),
    ("facets against no adapter", f"facets | {_FULL}", f"none | {_FULL}"),
    ("facets against matrix factorisation", f"facets | {_FULL}", "matrix factorisation"),
    ("own Ms and Ml against another's", f"none | {_FULL}", f"none | {_FULL} of another"),
    (
        "own Ms, Ml and facets against another's",
        f"facets | {_FULL}",
        f"facets | {_FULL} of another",
    ),
)


class Regime(NamedTuple):
    """All that was said in one regime."""

    name: str
    names: list[str]  # (p,) predictors
    errors: list[UserSums]  # one a draw
    more: list[dict[str, Any]]  # one a draw: predictor → further figures
    num_resamples: int


def summarise(regime: Regime) -> dict[str, Any]:
    """Rows and contrasts of one regime, for ``results.json``."""
    resamples = resampled_rmse(regime.errors, np.random.default_rng(0), regime.num_resamples)
    return {
        "draws": len(regime.errors),
        "rows_asked": int(sum(draw.rows.sum() for draw in regime.errors)),
        "rows": _rows(regime, resamples),
        "contrasts": _differences(regime, resamples),
    }


def _rows(regime: Regime, resamples: FloatArray) -> dict[str, Any]:
    """Errors of every predictor; ``resamples`` (b, p) of their RMSE."""
    total_rmse, total_mae = mean_rmse(regime.errors), mean_mae(regime.errors)
    per_draw = np.stack([mean_rmse([draw]) for draw in regime.errors])  # (s, p)
    return {
        name: {
            "rmse": float(total_rmse[p]),
            "rmse_ci95": interval(resamples[:, p]),
            "rmse_per_draw": per_draw[:, p].tolist(),
            "mae": float(total_mae[p]),
            **_means([draw[name] for draw in regime.more]),
        }
        for p, name in enumerate(regime.names)
    }


def _differences(regime: Regime, resamples: FloatArray) -> dict[str, Any]:
    """Of the contrasts whose predictors are both there; ``resamples`` (b, p) of their RMSE."""
    total = mean_rmse(regime.errors)
    place = {name: p for p, name in enumerate(regime.names)}
    return {
        question: {
            "difference": float(total[place[one]] - total[place[other]]),
            "ci95": interval(resamples[:, place[one]] - resamples[:, place[other]]),
        }
        for question, one, other in (*CONTRASTS, *FACET_CONTRASTS)
        if one in place and other in place
    }


def _means(draws: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean over draws of every figure; one that no draw has (no answer to score) is left out."""
    values = {key: [d[key] for d in draws if np.isfinite(d[key])] for key in draws[0]}
    return {key: float(np.mean(found)) for key, found in values.items() if found}


_HEADER = ("", "RMSE", "95 % CI", "MAE", "UAUC", "mode RMSE", "mode MAE", "ECE", "said RMSE", "URR")


def table_rows(summary: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The cells of the printed table."""
    rows: list[tuple[str, ...]] = []
    for name, row in summary["rows"].items():
        low, high = row["rmse_ci95"]
        rows.append(
            (
                name,
                f"{row['rmse']:.3f}",
                f"{low:.3f} to {high:.3f}",
                f"{row['mae']:.3f}",
                _cell(row, "uauc", "{:.3f}"),
                f"{row['mode_rmse']:.3f}",
                f"{row['mode_mae']:.3f}",
                _cell(row, "ece", "{:.3f}"),
                _cell(row, "said_rmse", "{:.3f}"),
                _cell(row, "said_urr", "{:.2%}"),
            )
        )
    return rows


def _cell(row: Mapping[str, float], key: str, form: str) -> str:
    return form.format(row[key]) if key in row else ""


def markdown(regimes: Mapping[str, Any]) -> str:
    """All tables as Markdown."""
    parts = []
    for name, summary in regimes.items():
        rows = [[cell.replace("|", "·") for cell in row] for row in table_rows(summary)]
        contrasts = [list(cells) for cells in _contrasts(summary)]
        parts += [
            f"### {markdown_text(_title(name, summary))}\n",
            markdown_table(_HEADER, rows),
            markdown_table(["RMSE difference", "", "95 % CI", "so the first"], contrasts),
        ]
    return "\n".join(parts) + "\n"


def lines(regimes: Mapping[str, Any]) -> list[RenderableType]:
    """All tables for a terminal."""
    found: list[RenderableType] = []
    for name, summary in regimes.items():
        found.append(text_table(_HEADER, table_rows(summary), _title(name, summary)))
        found += [
            f"{asked}: {mean} ({ends}), {so}" for asked, mean, ends, so in _contrasts(summary)
        ]
    return found


def _title(name: str, summary: Mapping[str, Any]) -> str:
    return f"{name}: {summary['draws']} draws, {summary['rows_asked']} test rows"


_ERRS = {"less": "errs less", "more": "errs more", "noise": "within noise", "unknown": "unknown"}


def _contrasts(summary: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Question, difference, interval and what follows of every contrast."""
    return [
        (
            question,
            f"{found['difference']:+.4f}",
            "{:+.4f} to {:+.4f}".format(*found["ci95"]),
            _ERRS[verdict(found["ci95"])],
        )
        for question, found in summary["contrasts"].items()
    ]

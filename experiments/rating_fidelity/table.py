"""The table: rows of predictors and cells, with intervals, and the contrasts between them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from agents.fidelity.errors import UserSums, interval, mean_mae, mean_rmse, resampled_rmse

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


class Regime(NamedTuple):
    """All that was said in one regime."""

    name: str
    names: list[str]  # (p,) predictors
    errors: list[UserSums]  # one a draw
    more: list[dict[str, Any]]  # one a draw: predictor → further figures
    num_resamples: int


def summarise(regime: Regime) -> dict[str, Any]:
    """Rows and contrasts of one regime, for ``results.json``."""
    rng = np.random.default_rng(0)
    resamples = resampled_rmse(regime.errors, rng, regime.num_resamples)  # (b, p)
    total_rmse, total_mae = mean_rmse(regime.errors), mean_mae(regime.errors)
    per_draw = np.stack([mean_rmse([draw]) for draw in regime.errors])  # (s, p)
    rows = {
        name: {
            "rmse": float(total_rmse[p]),
            "rmse_ci95": interval(resamples[:, p]),
            "rmse_per_draw": per_draw[:, p].tolist(),
            "mae": float(total_mae[p]),
            **_means([draw[name] for draw in regime.more]),
        }
        for p, name in enumerate(regime.names)
    }
    place = {name: p for p, name in enumerate(regime.names)}
    contrasts = {
        question: {
            "difference": float(total_rmse[place[one]] - total_rmse[place[other]]),
            "ci95": interval(resamples[:, place[one]] - resamples[:, place[other]]),
        }
        for question, one, other in CONTRASTS
        if one in place and other in place
    }
    return {
        "draws": len(regime.errors),
        "rows_asked": int(sum(draw.rows.sum() for draw in regime.errors)),
        "rows": rows,
        "contrasts": contrasts,
    }


def _means(draws: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean over draws of every figure; one that no draw has (no answer to score) is left out."""
    values = {key: [d[key] for d in draws if np.isfinite(d[key])] for key in draws[0]}
    return {key: float(np.mean(found)) for key, found in values.items() if found}


_HEADER = ("", "RMSE", "95 % CI", "MAE", "mode RMSE", "mode MAE", "ECE", "said RMSE", "URR")


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
        parts.append(f"### {name}: {summary['draws']} draws, {summary['rows_asked']} test rows\n")
        parts.append("| " + " | ".join(_HEADER) + " |")
        parts.append("|" + " --- |" * len(_HEADER))
        parts += [
            "| " + " | ".join(x.replace("|", "·") for x in row) + " |"
            for row in table_rows(summary)
        ]
        parts.append("\n| RMSE difference | | 95 % CI |\n| --- | --- | --- |")
        for question, contrast in summary["contrasts"].items():
            low, high = contrast["ci95"]
            parts.append(
                f"| {question} | {contrast['difference']:+.4f} | {low:+.4f} to {high:+.4f} |"
            )
        parts.append("")
    return "\n".join(parts) + "\n"


def print_tables(regimes: Mapping[str, Any]) -> None:
    """Show all tables on the terminal."""
    from rich.console import Console
    from rich.table import Table

    for name, summary in regimes.items():
        title = f"{name}: {summary['draws']} draws, {summary['rows_asked']} test rows"
        table = Table(title=title)
        for column in _HEADER:
            table.add_column(column, justify="right" if column else "left", no_wrap=True)
        for row in table_rows(summary):
            table.add_row(*row)
        Console(width=120).print(table)
        for question, contrast in summary["contrasts"].items():
            low, high = contrast["ci95"]
            difference = f"{contrast['difference']:+.4f} ({low:+.4f} to {high:+.4f})"
            Console(width=120).print(f"{question}: {difference}", highlight=False)

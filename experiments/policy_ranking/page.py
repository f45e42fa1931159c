"""What the report's template is filled with; the sentences come from ``words``."""

from pathlib import Path
from typing import Any

from experiments.policy_ranking import words
from experiments.policy_ranking.figures import means_svg, slopes_svg
from experiments.policy_ranking.tables import columns, interval, number, rows
from experiments.report import markup, write_report

FIDELITY_COLUMNS = {
    "rmse": "RMSE",
    "rmse_ci95": "95 % CI",
    "mae": "MAE",
    "rmse_rounded": "RMSE, whole stars",
    "ece": "calibration error",
    "log_loss": "log loss",
}


def write(path: Path, results: dict[str, Any], config_yaml: str) -> None:
    """Write ``report.html`` of the results."""
    drawn = any(p["simulated"] for p in results["policies"])
    values = {
        **{key: results[key] for key in ("dataset", "users", "setting", "debug", "provenance")},
        "answer": words.answer(results),
        "check": words.check(results),
        "means_svg": markup(means_svg(results)) if drawn else None,
        "slopes_svg": markup(slopes_svg(results)) if drawn else None,
        "columns": columns(results),
        "rows": rows(results),
        "agreement": words.agreement_sentences(results),
        "caveat": words.caveat(results),
        "config_yaml": config_yaml,
        **_fidelity(results["fidelity"]),
    }
    write_report(path, "policy_ranking/report.html", values)


def _fidelity(fidelity: dict[str, Any] | None) -> dict[str, Any]:
    """The table of predictors, the simulated users first as the hook returns them."""
    if not fidelity:
        return {
            "fidelity": None,
            "fidelity_sentence": "",
            "fidelity_columns": [],
            "fidelity_rows": [],
        }
    predictors: dict[str, dict[str, Any]] = fidelity["predictors"]
    found = {head for row in predictors.values() for head in row}
    heads = [head for head in FIDELITY_COLUMNS if head in found]
    return {
        "fidelity": fidelity,
        "fidelity_sentence": words.fidelity_sentence(fidelity),
        "fidelity_columns": [FIDELITY_COLUMNS[head] for head in heads],
        "fidelity_rows": [
            (name, [_cell(row.get(head)) for head in heads]) for name, row in predictors.items()
        ],
    }


def _cell(value: float | list[float | None] | None) -> str:
    return interval(value, 3) if isinstance(value, list) else number(value, 3)

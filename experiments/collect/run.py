"""Reads the runs of a sweep into one table; the question stands in the package docstring.

Files: ``results.json``, ``table.csv``, ``report.md``, ``report.html`` and ``config.yaml``.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig
from rich.text import Text

from experiments.collect.table import collect
from experiments.reporting.claims import unpaired, verdict
from experiments.reporting.formatting import interval, listed, number
from experiments.reporting.report import filled, markdown_table, markdown_text
from experiments.reporting.result import Record, Result
from experiments.reporting.terminal import TextTable, text_table

if TYPE_CHECKING:
    import pandas as pd

HEADS = [
    "setting", "policy", "simulated ★", "95 % CI", "over", "true ★", "NDCG", "seeds", "users", "s",
    "cost", "commit",
]  # fmt: skip
RANKING_HEADS = ["setting", "order of the policies", "τ with the first setting"]
FAILURE_HEADS = ["policy", "setting", "at", "message"]


def run(cfg: DictConfig) -> Result:
    """Collect all runs of ``experiment=policy_ranking`` below ``cfg.sweep_dir``.

    Raises:
        ValueError: there are none.
    """
    values = {"experiment": cfg.experiment.name, **collect(read_runs(Path(cfg.sweep_dir)))}
    return Result(
        values,
        pages={"report.html": _html, "report.md": _markdown(values)},
        frames={"table.csv": _frame(values)},
        lines=[_terminal_table(values), Text(answer(values), style="bold")],
    )


def read_runs(folder: Path) -> list[dict[str, Any]]:
    """The results of the policy rankings below a folder, in the order of their jobs.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: there are none.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"sweep_dir={folder} wanted the output_dir of a sweep, there is no such folder; check"
            " its name"
        )
    places = sorted(folder.rglob("results.json"), key=_job)
    runs = [json.loads(place.read_text(encoding="utf-8")) for place in places]
    kept = [run for run in runs if run.get("experiment") == "policy_ranking" and "stop" in run]
    if not kept:
        raise ValueError(
            f"sweep_dir={str(folder)!r} wanted runs of experiment=policy_ranking, found"
            f" {len(runs)} results of other kinds; give the output_dir of a sweep"
        )
    return kept


def _job(place: Path) -> tuple[int, str]:
    name = place.parent.name
    return (int(name) if name.isdigit() else -1, str(place))


def table_rows(results: Mapping[str, Any]) -> list[list[str]]:
    """One row a setting and policy."""
    return [
        [
            row["setting"] or "as configured",
            row["policy"],
            number(row["simulated"]["mean"], 3),
            interval(row["simulated"]["ci95"], 3),
            row["interval_over"],
            number(row["true"]["mean"], 3),
            number(row["offline"]["mean"], 3),
            ", ".join(row["seeds"]),
            str(row["users"]),
            number(row["seconds"], 1),
            number(row["cost"], 4),
            ", ".join(row["commits"]),
        ]
        for row in results["rows"]
    ]


def ranking_rows(results: Mapping[str, Any]) -> list[list[str]]:
    """One row a setting."""
    return [
        [r["setting"] or "as configured", " > ".join(r["order"]), number(r["tau_with_first"], 2)]
        for r in results["rankings"]
    ]


def answer(results: Mapping[str, Any]) -> str:
    """The best row and its interval; or, where the judges differ, what that does to the order."""
    if _judges_differ(results):
        return _ranking_answer(results["rankings"])
    rows = [row for row in results["rows"] if row["simulated"]["mean"] is not None]
    if not rows:
        return "Every policy of every run failed."
    best = max(rows, key=lambda row: row["simulated"]["mean"])
    stars = (
        f"{number(best['simulated']['mean'], 3)} simulated stars (95 % CI over"
        f" {best['interval_over']} {interval(best['simulated']['ci95'], 3)})"
    )
    if tied := [_named(row) for row in rows if row is not best and not _ahead(best, row)]:
        return (
            f"No policy pleases most beyond noise in {results['num_runs']} runs: {_named(best)} has"
            f" {stars}, which is within noise of {listed(tied)}.{_more_seeds(results['rows'])}"
        )
    few = _more_seeds(results["rows"])
    return f"{_named(best)} pleases most: {stars}, in {results['num_runs']} runs.{few}"


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['policy']} with {row['setting']}" if row["setting"] else str(row["policy"])


def _ahead(best: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    pairs = [(row["simulated"]["mean"], row["simulated"]["ci95"]) for row in (best, other)]
    return verdict(unpaired(*pairs[0], *pairs[1])) == "more"


def _more_seeds(rows: Sequence[Mapping[str, Any]]) -> str:
    """What an interval over two seeds is worth."""
    few = any(row["interval_over"] == "seeds" and len(row.get("seeds", ())) == 2 for row in rows)
    return " Two seeds say little: an interval over seeds wants five or more." if few else ""


def _judges_differ(results: Mapping[str, Any]) -> bool:
    """Stars of different users or data are no common measure; only orders can be compared."""
    own = all(key.startswith("recommender.") for key in results["varied"])
    return not own and len(results["rankings"]) > 1 and bool(results["rankings"][0]["order"])


def _ranking_answer(rankings: list[dict[str, Any]]) -> str:
    first = rankings[0]
    best, named = first["order"][0], first["setting"] or "as configured"
    same = sum(ranking["order"][0] == best for ranking in rankings)
    taus = [r["tau_with_first"] for r in rankings[1:] if r["tau_with_first"] is not None]
    spread = ""
    if taus:
        spread = f"; τ of the order with the first is {number(min(taus), 2)}"
        spread += f" to {number(max(taus), 2)}" if len(taus) > 1 else ""
    return (
        f"{best} has the highest mean with {named}, and in {same} of {len(rankings)}"
        f" settings{spread}; orders of means say nothing about noise."
    )


def _frame(results: Mapping[str, Any]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(table_rows(results), columns=HEADS)


def _failure_rows(results: Mapping[str, Any]) -> list[list[str]]:
    return [[f["policy"], f["setting"], f["phase"], f["message"]] for f in results["failures"]]


def _markdown(results: Mapping[str, Any]) -> str:
    parts = [f"# {markdown_text(answer(results))}\n", markdown_table(HEADS, table_rows(results))]
    if len(results["rankings"]) > 1:
        parts.append(markdown_table(RANKING_HEADS, ranking_rows(results)))
    if failures := _failure_rows(results):
        parts.append(markdown_table(["failed", *FAILURE_HEADS[1:]], failures))
    return "\n".join(parts)


def _html(record: Record) -> str:
    results = record.results
    values = {
        "answer": answer(results),
        "heads": HEADS,
        "rows": table_rows(results),
        "ranking_heads": RANKING_HEADS,
        "ranking_rows": ranking_rows(results),
        "failure_heads": FAILURE_HEADS,
        "failures": _failure_rows(results),
    }
    return filled("collect/report.html", record, values)


def _terminal_table(results: Mapping[str, Any]) -> TextTable:
    shown = [0, 1, 2, 3, 5, 6]  # 80 columns
    rows = ([cells[i] for i in shown] for cells in table_rows(results))
    return text_table([HEADS[i] for i in shown], rows)

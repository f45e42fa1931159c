"""The ranking as a table: one definition of the columns for the terminal and for the page."""

from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

Row = dict[str, str]
NONE = "\N{EN DASH}"


def columns(results: dict[str, Any]) -> list[str]:
    """Column heads, in order; the true world has one only where it is known."""
    top = results["setting"]["top"]
    heads = ["policy", "simulated ★"]
    if any(p["true_mean_rating"] is not None for p in results["policies"]):
        heads.append("true ★")
    heads += ["taken ★", "clicks", "slates", "coverage"]
    return [*heads, f"NDCG@{top}", f"Recall@{top}", "fit s"]


def rows(results: dict[str, Any]) -> list[tuple[Row, str | None]]:
    """Cells by column head, and the text of the error of a policy that failed."""
    return [(_cells(p, results["setting"]["top"]), _error(p)) for p in results["policies"]]


def print_table(results: dict[str, Any], console: Console) -> None:
    """The table on the terminal, failures in their place."""
    heads = [head for head in columns(results) if head not in ("taken ★", "fit s")]  # 80 columns
    people, data = results["users"], results["dataset"]
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 0, 0, 1),
        title_justify="left",
        caption_justify="left",
        title=f"{data['name']}: {results['setting']['num_users']} users, {people['engine']} engine",
        caption=people["warning"],
        caption_style="bold red",
    )
    for head in heads:
        justify: Literal["left", "right"] = "left" if head == "policy" else "right"
        table.add_column(head.replace("@", " @").replace(" ", "\n"), justify=justify)
    for cells, error in rows(results):
        table.add_row(*(cells[head] for head in heads), style="red" if error else None)
    console.print(table)
    for cells, error in rows(results):
        if error:
            console.print(f"{cells['policy']}: {error}", style="red", markup=False)


def _cells(policy: dict[str, Any], top: int) -> Row:
    simulated, offline = policy["simulated"] or {}, policy["offline"]
    return {
        "policy": policy["name"],
        f"NDCG@{top}": number(offline.get(f"ndcg@{top}"), 3),
        f"Recall@{top}": number(offline.get(f"recall@{top}"), 3),
        "simulated ★": with_margin(simulated.get("mean_rating"), simulated.get("ci95")),
        "true ★": with_margin(policy["true_mean_rating"], policy["true_ci95"]),
        "taken ★": number(simulated.get("mean_taken_rating"), 2),
        "clicks": number(simulated.get("clicks"), 1),
        "slates": number(simulated.get("session_length"), 1),
        "coverage": percent(simulated.get("coverage")),
        "fit s": number(policy["fit_seconds"], 2),
    }


def _error(policy: dict[str, Any]) -> str | None:
    if policy["error"] is None:
        return None
    return f"failed at {policy['error']['phase']}: {policy['error']['message']}"


def number(value: float | None, places: int) -> str:
    """A figure or a dash."""
    return NONE if value is None else f"{value:.{places}f}".replace("-", "\N{MINUS SIGN}")


def with_margin(mean: float | None, ends: list[float | None] | None) -> str:
    """A mean and half the width of its (symmetric) interval, or a dash."""
    if mean is None or ends is None or ends[1] is None:
        return number(mean, 2)
    return f"{number(mean, 2)}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{number(ends[1] - mean, 2)}"


def interval(ends: list[float | None] | None, places: int) -> str:
    """Both ends or a dash."""
    if ends is None or None in ends:
        return NONE
    return f"{number(ends[0], places)} to {number(ends[1], places)}"


def percent(value: float | None) -> str:
    """A share in per cent or a dash."""
    return NONE if value is None else f"{100 * value:.0f} %"

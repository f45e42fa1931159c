"""The ranking as a table: one definition of the columns for the terminal and for the page."""

from collections.abc import Mapping
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from experiments.reporting.formatting import (
    interval,
    listed,
    number,
    percent,
    with_interval,
    with_margin,
)

Row = dict[str, str]


def columns(results: Mapping[str, Any]) -> list[str]:
    """Column heads, in order; the true world has one only where it is known."""
    top = results["setting"]["top"]
    heads = ["policy", "simulated ★"]
    if any(p["true_mean_rating"] is not None for p in results["policies"]):
        heads.append("true ★")
    heads += ["taken ★", "clicks", "slates", "coverage"]
    return [*heads, f"NDCG@{top}", f"Recall@{top}", "fit s", "refit s"]


def rows(results: Mapping[str, Any]) -> list[tuple[Row, str | None]]:
    """Cells by column head, and the text of the error of a policy that failed."""
    return [(_cells(p, results["setting"]["top"]), _error(p)) for p in results["policies"]]


SESSION_COLUMNS = (
    ("satisfaction", "satisfaction ★", 2),
    ("return_chance", "back in 7 days", 2),
    ("left_share", "left", 2),
    ("diversity", "diversity", 2),
    ("drift", "drift", 3),
    ("novelty", "novelty, bits", 1),
    ("popularity_lift", "popularity lift", 2),
    ("coverage", "coverage", 2),
    ("gini", "Gini", 2),
)


def session_rows(results: Mapping[str, Any]) -> list[list[str]]:
    """What sessions were like under every measured policy, a row each."""
    measured = [p for p in results["policies"] if p["simulated"]]
    return [
        [p["name"], *(number(p["simulated"][key], places) for key, _, places in SESSION_COLUMNS)]
        for p in measured
    ]


def contrast_rows(results: Mapping[str, Any], most: int = 45) -> list[list[str]]:
    """Paired differences between policies, those of the best one first."""
    return [
        [
            f"{c['better']} \N{MINUS SIGN} {c['worse']}",
            number(c["difference"], 3),
            interval(c["ci95"], 3),
            number(c["p_holm"], 3),
            number(c["variance_gain"], 1),
        ]
        for c in results["contrasts"][:most]
    ]


CONTRAST_HEADS = ["difference", "stars", "95 % CI", "p (Holm)", "gain of pairing"]
AGREEMENT_HEADS = [
    "measures",
    "τ",
    "Spearman",
    "same first choice",
    "regret of the pick",
    "flips",
]


def agreement_rows(results: Mapping[str, Any], labels: dict[str, str]) -> list[list[str]]:
    """Every figure of agreement with its interval, for the pairs of measures that exist."""
    rows = []
    for key, label in labels.items():
        found = results["agreement"].get(key)
        if found is None:
            continue
        tau = with_interval(found["tau"], found["ci95"])
        others = (with_interval(**found[name]) for name in ("spearman", "top", "regret", "flips"))
        rows.append([label, tau, *others])
    return rows


def off_policy_rows(off_policy: dict[str, Any]) -> list[list[str]]:
    """How each off-policy estimator orders the policies next to what the users said."""
    return [
        [
            name,
            number(found["tau"], 2),
            number(found["effective_size"], 0),
        ]
        for name, found in off_policy["estimators"].items()
    ]


OFF_POLICY_HEADS = ["estimator", "τ with the users", "least effective places"]


def off_policy_notes(off_policy: dict[str, Any] | None) -> list[str]:
    """Every warning of the estimators once, with those that it concerns."""
    concerned: dict[str, list[str]] = {}
    for name, found in (off_policy or {"estimators": {}})["estimators"].items():
        for note in found["notes"]:
            concerned.setdefault(note, []).append(name)
    return [f"{listed(names)}: {note}" for note, names in concerned.items()]


def ranking_lines(results: Mapping[str, Any]) -> list[RenderableType]:
    """The table for a terminal, failures in their place, and their texts below it."""
    hidden = ("taken ★", "fit s", "refit s")  # 80 columns
    heads = [head for head in columns(results) if head not in hidden]
    people, data = results["users"], results["dataset"]
    engine = "no" if people["engine"] == "none" else people["engine"]
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 0, 0, 1),
        title_justify="left",
        caption_justify="left",
        title=f"{data['name']}: {results['setting']['num_users']} users, {engine} engine",
        caption=people["warning"],
        caption_style="bold red",
    )
    for head in heads:
        justify: Literal["left", "right"] = "left" if head == "policy" else "right"
        table.add_column(
            head.replace("@", " @").replace(" ", "\n"),
            justify=justify,
            overflow="fold",
            min_width=_policy_width(results) if head == "policy" else None,
        )
    failures: list[RenderableType] = []
    for cells, error in rows(results):
        table.add_row(*(cells[head] for head in heads), style="red" if error else None)
        if error:
            failures.append(Text(f"{cells['policy']}: {error}", style="red"))
    return [table, *failures]


def _policy_width(results: Mapping[str, Any], most: int = 24) -> int:
    """Characters that names of policies keep; longer ones are broken, never cut."""
    return min(most, max((len(p["name"]) for p in results["policies"]), default=1))


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
        "refit s": number(policy["refit_seconds"], 2),
    }


def _error(policy: dict[str, Any]) -> str | None:
    if policy["error"] is None:
        return None
    return f"failed at {policy['error']['phase']}: {policy['error']['message']}"

"""The table of levels, the answer in sentences and the curves, for a terminal and for pages."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import RenderableType
from rich.text import Text

from experiments.reporting.claims import ONE_SEED, compare, unpaired
from experiments.reporting.formatting import NONE, interval, number
from experiments.reporting.plots import (
    INK,
    MUTED,
    SIMULATED,
    grid_behind,
    inline_svg,
    new_figure,
    themed,
)
from experiments.reporting.report import filled, markdown_table, markdown_text, markup
from experiments.reporting.result import Record
from experiments.reporting.terminal import text_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

HEADS = ["policy", "worth of a life", "95 % CI", "known", "slates in training"]
_LEARNERS = ("PPO", "DQN")
_LINE = 0.06  # height of a name on the plot, as a share of it


def html(record: Record) -> str:
    """The page ``report.html``."""
    results = record.results
    first, *more = sentences(results)
    values = {
        "answer": first,
        "more": more,
        "setting": results["setting"],
        "heads": HEADS,
        "rows": rows(results),
        "debug": results["debug"],
        "curves_svg": markup(curves_svg(results)),
        "note": note(results),
    }
    return filled("foresight/report.html", record, values)


def markdown(record: Record) -> str:
    """The page ``report.md``: answer, table, command."""
    first, *more = sentences(record.results)
    parts = [f"# {markdown_text(first)}\n", *(markdown_text(one) + "\n" for one in more)]
    parts += [markdown_table(HEADS, rows(record.results)), "", markdown_text(note(record.results))]
    return "\n".join(parts) + "\n\n" + record.command


def lines(results: Mapping[str, Any]) -> list[RenderableType]:
    """The table and the sentences for a terminal."""
    first, *more = sentences(results)
    table = text_table(HEADS, rows(results))
    return [table, Text(first, style="bold"), *more, note(results)]


def rows(results: Mapping[str, Any]) -> list[list[str]]:
    """One a policy, best first."""
    return [_row(level) for level in results["levels"]]


def _row(level: Mapping[str, Any]) -> list[str]:
    exact = level["known"] == "exact"
    how = "exact" if exact else f"{level['number']} {level['known'].split()[-1]}"
    steps = f"{level['steps']:,}" if level["steps"] else NONE
    ends = NONE if exact else interval(level["ci95"], 2)
    return [level["policy"], number(level["worth"], 2), ends, how, steps]


def sentences(results: Mapping[str, Any]) -> list[str]:
    """PPO against the oracles first, then the learners against random."""
    levels = {level["policy"]: level for level in results["levels"]}
    others = [name for name in ("greedy oracle", "optimum", "random") if name in levels]
    found = []
    for learner in _LEARNERS:
        if learner in levels:
            claims = ", ".join(_claim(levels[learner], levels[other]) for other in others)
            worth = number(levels[learner]["worth"], 2)
            found.append(f"{learner} makes a life worth {worth}: {claims}.")
    return [*found, *_reached(results, levels)]


def _claim(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    ends = unpaired(one["worth"], one["ci95"], other["worth"], other["ci95"])
    named = f"{other['policy']} ({number(other['worth'], 2)})"
    unknown = f"against {{other}}, but {ONE_SEED}"
    return compare(named, ends, more="more than", less="less than", unknown=unknown)


def _reached(results: Mapping[str, Any], levels: Mapping[str, Any]) -> list[str]:
    """After how many slates all of PPO's seeds were above random's interval, and stayed there."""
    if "random" not in levels or not results["curves"]:
        return []
    bar = levels["random"]["ci95"][1]
    steps, worth = _matrix(results["curves"])
    above = np.logical_and.accumulate((worth > (np.inf if bar is None else bar)).all(axis=0)[::-1])
    if not above[0]:
        return ["At the last checkpoint some of PPO's seeds lay within random's interval."]
    reached = steps[len(steps) - int(above.sum())]
    return [f"From {reached:,.0f} slates of training on, every seed of PPO lay above random."]


def note(results: Mapping[str, Any]) -> str:
    """What was played and paid."""
    s = results["setting"]
    kind = "life" if s["lives"] else "visit"
    return (
        f"A {kind} of at most {s['max_steps']} slates of {s['slate_size']} from"
        f" {s['num_items']} items, {s['num_judges']} {s['people']} users who play one each and"
        f" {s['num_learners']} others to learn from; paid: {s['reward']}. Intervals are over users"
        f" for policies and over {s['num_seeds']} seeds of training for learners."
    )


def points(curves: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """A row a checkpoint: seed, steps, worth."""
    import pandas as pd

    return pd.DataFrame(
        [{"seed": curve["seed"], **point} for curve in curves for point in curve["points"]]
    )


def curves_svg(results: Mapping[str, Any]) -> str:
    """PPO's mean over seeds, the band from the worst to the best, and the levels of the others."""
    steps, worth = _matrix(results["curves"])
    with themed():
        figure = new_figure(6.4, 4.0)
        axes = figure.subplots()
        low, high = worth.min(axis=0), worth.max(axis=0)
        axes.fill_between(steps / 1000, low, high, color=SIMULATED, alpha=0.18, linewidth=0)
        axes.plot(steps / 1000, worth.mean(axis=0), color=SIMULATED, marker="o", markersize=4)
        others(axes, results["levels"])
        axes.set_title("PPO", fontsize=12, color=INK, loc="left")
        axes.set_xlabel("slates shown in training (thousands)")
        axes.set_ylabel("worth of a life (places taken)"
                        if results["setting"]["reward"] == "clicks" else "worth")  # fmt: skip
        grid_behind(axes, "y")
        s = results["setting"]
        n = f"{s['num_judges']:,} users, {s['num_seeds']} seeds of training"
        return inline_svg(figure, "What a life is worth as PPO learns", n)


def others(axes: "Axes", levels: Sequence[Mapping[str, Any]]) -> None:
    """The levels that PPO stands between, each with its name, no two names on each other."""
    shown = [one for one in levels if one["policy"] in ("optimum", "greedy oracle", "random")]
    for level in shown:
        axes.axhline(level["worth"], color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)))
    low, high = axes.get_ylim()
    height = -np.inf
    for level in sorted(shown, key=lambda one: one["worth"]):
        height = max(level["worth"], height + _LINE * (high - low))
        axes.annotate(
            level["policy"], (1.0, height), xycoords=("axes fraction", "data"),
            xytext=(3, -3), textcoords="offset points", fontsize=10, color=MUTED,
            annotation_clip=False,
        )  # fmt: skip


def _matrix(curves: Sequence[Mapping[str, Any]]) -> tuple[Any, Any]:
    """Steps (c,) and worths (seeds, c) of the checkpoints that all seeds have."""
    least = min(len(curve["points"]) for curve in curves)
    worth = np.array([[point["worth"] for point in c["points"][:least]] for c in curves])
    return np.array([point["steps"] for point in curves[0]["points"][:least]]), worth

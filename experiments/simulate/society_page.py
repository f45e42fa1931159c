"""The report of a life with recommenders: a sentence, curves and tables."""

from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from agents.inference.metering.meter import in_words
from experiments.reporting.claims import ONE_SEED
from experiments.reporting.formatting import listed
from experiments.reporting.plots import (
    INK,
    MUTED,
    grid_behind,
    inline_svg,
    new_figure,
    series,
    themed,
)
from experiments.reporting.report import filled, markdown_table, markdown_text, markup
from experiments.reporting.result import Record
from experiments.reporting.terminal import text_table
from simenv.abm.time_series import DRAWN

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def late(curves: dict[str, list[float]], name: str) -> float:
    """Mean of a curve over the last tenth of the ticks."""
    values = curves[name]
    tail = values[-max(1, len(values) // 10) :]
    return sum(tail) / len(tail)


def answer(results: dict[str, Any]) -> str:
    """Where every policy's filter bubble ended: one seed, so nothing is claimed."""
    policies = results["policies"]
    bubbles = {name: late(policy["curves"], "filter_bubble") for name, policy in policies.items()}
    first, *others = bubbles
    scale = f"(0 = all genres alike, 1 = one); {ONE_SEED}"
    if not others:
        start = policies[first]["curves"]["filter_bubble"]
        begun = sum(start[: max(1, len(start) // 10)]) / max(1, len(start) // 10)
        return (
            f"With {first}, the filter bubble goes from {begun:.3f} to {bubbles[first]:.3f}"
            f" in {results['ticks']} ticks {scale}."
        )
    found = listed([f"{value:.3f} with {name}" for name, value in bubbles.items()])
    return (
        f"After {results['ticks']} ticks the filter bubble is {found} {scale}: run the command with"
        " other seeds before one policy is called narrower than another."
    )


# No wider than eighty columns beside a name of ten letters: no name may come in two lines.
HEADS = ["policy", "filter bubble", "polarisation", "echo chamber", "Gini", "items shown", "stars",
         "awake", "failed"]  # fmt: skip


def rows(results: dict[str, Any]) -> list[list[str]]:
    """A row a policy: means over the last tenth; ``failed`` is the share of all answers."""
    found = []
    for name, policy in results["policies"].items():
        curves = policy["curves"]
        asked = sum(curves["active"]) + sum(curves["failed"])
        figures = [late(curves, key) for key in ("filter_bubble", "polarisation", "echo_chamber",
                                                 "gini", "coverage", "satisfaction")]  # fmt: skip
        failed = sum(curves["unanswered"]) / max(1.0, asked)
        awake = f"{late(curves, 'active'):.0f}"
        found.append([name, *(f"{figure:.3f}" for figure in figures), awake, f"{failed:.1%}"])
    return found


COST_HEADS = ["policy", "exposures", "seconds", "in the users", "in the policy", "refits",
              "slowest refit"]  # fmt: skip


def cost_rows(results: dict[str, Any]) -> list[list[str]]:
    """What the run of each policy cost."""
    return [
        [
            name,
            f"{policy['exposures']:,}",
            *(f"{policy['seconds'][key]:.1f}" for key in ("total", "users", "policy")),
            str(len(policy["refits"]) - 1),
            f"{max((refit['seconds'] for refit in policy['refits']), default=0.0):.2f} s",
        ]
        for name, policy in results["policies"].items()
    ]


def group_rows(results: dict[str, Any]) -> list[list[str]]:
    """Expected stars of every group under every policy, over the last tenth."""
    return [
        [label]
        + [f"{late(p['curves'], f'satisfaction_{g}'):.2f}" for p in results["policies"].values()]
        for g, label in enumerate(results["groups"])
    ]


REFRESH_HEADS = ["policy", "tick", "adapter", "people", "learnt from", "held out", "nats before",
                 "nats after", "RMSE before", "RMSE after", "used"]  # fmt: skip


def refresh_rows(results: dict[str, Any]) -> list[list[str]]:
    """A row an adapter that was trained further: its held-out errors before and after."""
    return [
        [name]
        + [str(refresh[key]) for key in ("tick", "adapter", "people", "learnt_from", "held_out")]
        + [
            f"{refresh[when][figure]:.3f}" if refresh[when] else "no number"
            for figure in ("nll", "rmse")
            for when in ("before", "after")
        ]
        + ["yes" if refresh["used"] else "no"]
        for name, policy in results["policies"].items()
        for refresh in policy["refreshes"]
    ]


def tables(results: dict[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """Title, heads and cells of every table that has cells."""
    groups = ["group", *results["policies"]]
    found = [
        ("Where they ended", HEADS, rows(results)),
        ("Expected stars by group", groups, group_rows(results)),
        ("Adapters trained further", REFRESH_HEADS, refresh_rows(results)),
        ("What it cost", COST_HEADS, cost_rows(results)),
    ]
    return [table for table in found if table[2]]


def html(record: Record) -> str:
    """The page ``report.html``."""
    results = record.results
    values = {
        **{key: results[key] for key in ("people", "setting", "debug", "shocks", "ticks")},
        "answer": answer(results),
        "tables": tables(results),
        "panels": [markup(panel) for panel in panels(results)],
    }
    return filled("simulate/report.html", record, values)


def markdown(record: Record) -> str:
    """The same as Markdown."""
    results = record.results
    warning = results["people"]["warning"]
    parts = ["# A living population\n", f"{markdown_text(answer(results))}\n"]
    if warning:
        parts.append(f"**{markdown_text(warning)}**\n")
    for title, heads, cells in tables(results):
        parts += [f"## {title}\n", markdown_table(heads, cells)]
    parts.append(record.command)
    return "\n".join(part for part in parts if part)


def lines(results: dict[str, Any]) -> list[RenderableType]:
    """Table, answer and costs for a terminal."""
    warning = results["people"]["warning"]
    return [
        text_table(HEADS, rows(results)),
        *([Text(warning, style="bold red")] if warning else []),
        Text(answer(results), style="bold"),
        Text(in_words(results["engine"]), style="dim"),
    ]


def panels(results: dict[str, Any]) -> list[str]:
    """A drawing a curve, a line a policy; shocks are thin upright lines."""
    n = f"{results['setting']['users']:,} people, 1 seed"
    return [
        inline_svg(_panel(results, key, title, unit), title, n)
        for key, (title, unit) in DRAWN.items()
    ]


def _panel(results: dict[str, Any], key: str, title: str, unit: str) -> "Figure":
    with themed(**{"font.size": 11}):
        figure = new_figure(4.7, 2.7)
        axes = figure.subplots()
        for place, (name, policy) in enumerate(results["policies"].items()):
            colour, line, _ = series(place)
            values = policy["curves"][key]
            ticks = range(1, len(values) + 1)
            axes.plot(ticks, values, line, color=colour, linewidth=1.8, label=name)
        for shock in results["shocks"]:
            axes.axvline(shock["tick"], color=MUTED, linewidth=0.8, alpha=0.6)
        axes.set_title(title, loc="left", fontsize=11, color=INK)
        grid_behind(axes, "y")
        axes.set(xlabel="tick", ylabel=unit)
        figure.legend(loc="outside upper left", ncols=3)
    return figure

"""The report of a life with recommenders: a sentence, curves and tables."""

from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.plots import INK, MUTED, OFFLINE, SIMULATED, TRUE, inline_svg, new_figure, themed
from experiments.report import markdown_table, markup, write_report

CURVES = {
    "active": "people awake",
    "satisfaction": "expected stars of what is shown",
    "gini": "Gini of exposure",
    "coverage": "share of the catalogue ever shown",
    "filter_bubble": "filter bubble",
    "polarisation": "polarisation between groups",
    "echo_chamber": "echo chamber",
    "from_friends": "share of exposures from friends",
}
_STYLES = [(SIMULATED, "-"), (TRUE, "-"), (OFFLINE, "--"), (INK, ":"), (MUTED, "-."), (TRUE, ":")]


def late(curves: dict[str, list[float]], name: str) -> float:
    """Mean of a curve over the last tenth of the ticks."""
    values = curves[name]
    tail = values[-max(1, len(values) // 10) :]
    return sum(tail) / len(tail)


def answer(results: dict[str, Any]) -> str:
    """Who narrows people most, told against the first policy."""
    bubbles = {n: late(p["curves"], "filter_bubble") for n, p in results["policies"].items()}
    first, *others = bubbles
    if not others:
        start = results["policies"][first]["curves"]["filter_bubble"]
        begun = sum(start[: max(1, len(start) // 10)]) / max(1, len(start) // 10)
        return (
            f"With {first}, the filter bubble goes from {begun:.3f} to {bubbles[first]:.3f}"
            f" in {results['ticks']} ticks."
        )
    most = max(others, key=lambda name: bubbles[name])
    word = "narrower" if bubbles[most] > bubbles[first] else "no narrower"
    return (
        f"After {results['ticks']} ticks people watch {word} with {most} than with {first}: filter"
        f" bubble {bubbles[most]:.3f} against {bubbles[first]:.3f} (0 = all genres alike, 1 = one)."
    )


HEADS = ["policy", "filter bubble", "polarisation", "echo chamber", "Gini", "coverage", "stars",
         "awake", "failed"]  # fmt: skip


def rows(results: dict[str, Any]) -> list[list[str]]:
    """A row a policy: means over the last tenth; ``failed`` is the share of all answers."""
    found = []
    for name, policy in results["policies"].items():
        curves = policy["curves"]
        asked = sum(curves["active"]) + sum(curves["failed"])
        figures = [late(curves, key) for key in ("filter_bubble", "polarisation", "echo_chamber",
                                                 "gini", "coverage", "satisfaction")]  # fmt: skip
        failed = sum(curves["failed"]) / max(1.0, asked)
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


def write(folder: Path, results: dict[str, Any], config_yaml: str) -> None:
    """Write ``report.html`` and ``report.md``."""
    names = list(results["policies"])
    values = {
        "answer": answer(results),
        "people": results["people"],
        "setting": results["setting"],
        "debug": results["debug"],
        "shocks": results["shocks"],
        "ticks": results["ticks"],
        "tables": [
            ("What became of them", HEADS, rows(results)),
            ("Expected stars by group", ["group", *names], group_rows(results)),
            ("What it cost", COST_HEADS, cost_rows(results)),
        ],
        "curves_svg": markup(curves_svg(results)),
        "provenance": results["provenance"],
        "config_yaml": config_yaml,
    }
    write_report(folder / "report.html", "simulate/report.html", values)
    (folder / "report.md").write_text(markdown(results), encoding="utf-8")


def markdown(results: dict[str, Any]) -> str:
    """The same as Markdown."""
    warning = results["people"]["warning"]
    parts = ["# A living population\n", f"{answer(results)}\n", f"**{warning}**\n" * bool(warning)]
    parts += [markdown_table(HEADS, rows(results)), markdown_table(COST_HEADS, cost_rows(results))]
    parts.append(f"`{results['provenance']['command']}`\n")
    return "\n".join(part for part in parts if part)


def tell(results: dict[str, Any], console: Console) -> None:
    """Table and answer on the terminal."""
    table = Table(*HEADS, box=SIMPLE_HEAD)
    for cells in rows(results):
        table.add_row(*cells)
    console.print(table)
    if results["people"]["warning"]:
        console.print(results["people"]["warning"], style="bold red")
    console.print(answer(results), style="bold", highlight=False)


def curves_svg(results: dict[str, Any]) -> str:
    """Every curve over time, a line a policy; shocks are thin upright lines."""
    with themed(**{"font.size": 11}):
        figure = new_figure(9.6, 11.0)
        panels = figure.subplots(4, 2, sharex=True).ravel()
        for axes, (key, title) in zip(panels, CURVES.items(), strict=True):
            for place, (name, policy) in enumerate(results["policies"].items()):
                colour, line = _STYLES[place % len(_STYLES)]
                values = policy["curves"][key]
                ticks = range(1, len(values) + 1)
                axes.plot(ticks, values, line, color=colour, linewidth=1.8, label=name)
            for shock in results["shocks"]:
                axes.axvline(shock["tick"], color=MUTED, linewidth=0.8, alpha=0.6)
            axes.set_title(title, loc="left", fontsize=11, color=INK)
            axes.grid(axis="y", linewidth=0.8)
            axes.set_axisbelow(True)
        for axes in panels[-2:]:
            axes.set_xlabel("tick")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=len(labels))
        return inline_svg(figure, "Curves of the society under every policy")

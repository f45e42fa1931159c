"""The verdict on the judges: a sentence, a picture and tables, for page, Markdown and terminal."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from experiments.reporting.formatting import interval, listed, number, percent
from experiments.reporting.plots import (
    MUTED,
    OFFLINE,
    PAPER,
    SIMULATED,
    TRUE,
    inline_svg,
    new_figure,
    themed,
)
from experiments.reporting.report import filled, markdown_table, markup
from experiments.reporting.result import Record
from experiments.worlds.judges import NON_PERSONAL, RIDGE, USERS
from experiments.worlds.judges import OFFLINE as OFFLINE_JUDGE

ALPHA = 0.05
_STYLES = {
    USERS: (SIMULATED, "o", "-"),
    OFFLINE_JUDGE: (OFFLINE, "s", "--"),
    NON_PERSONAL: (TRUE, "D", "-."),
    RIDGE: (MUTED, "^", ":"),
}
HEADS = ["judge", "τ with truth", "95 % CI", "best found", "regret ★", "clear pairs right"]
_EASY = {
    "bad_slate": "stars for the truly worst slates",
    "random_slate": "stars for random slates",
    "accept_bad": "share taken of the worst slates",
    "accept_random": "share taken of random slates",
    "accept_all": "random slates taken whole",
    "logged": "stars for what they chose themselves (true: the log)",
}


def answer(results: Mapping[str, Any]) -> str:
    """What the simulated users are worth as a judge at the bias that the run is about."""
    level, found = _main_level(results)
    judges = found["judges"]
    own = judges[USERS]["tau"]
    beaten = [d["minus"] for d in found["differences"] if _settled(d) and d["mean"] > 0]
    losing = [d["minus"] for d in found["differences"] if _settled(d) and d["mean"] < 0]
    parts = [
        f"In {found['worlds']} worlds with logging bias {level}, simulated users order the policies"
        f" with τ = {number(own['mean'], 2)} to the truth (95 % CI {interval(own['ci95'], 2)});"
        f" offline NDCG reaches {number(judges[OFFLINE_JUDGE]['tau']['mean'], 2)}"
    ]
    parts.append(f"They beat {listed(beaten)}" if beaten else "They beat no other judge for sure")
    if losing:
        parts.append(f"{listed(losing)} beat them")
    return ". ".join(parts) + "."


def _main_level(results: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    levels = results["levels"]
    wanted = f"{results['setting']['judged_at']:g}"
    name = wanted if wanted in levels else list(levels)[-1]
    return name, levels[name]


def _settled(difference: dict[str, Any]) -> bool:
    return difference["p_holm"] is not None and difference["p_holm"] < ALPHA


def judge_rows(level: Mapping[str, Any]) -> list[list[str]]:
    """A row a judge, best first."""
    judges = sorted(level["judges"].items(), key=lambda pair: -(pair[1]["tau"]["mean"] or -1.0))
    return [
        [
            name,
            number(found["tau"]["mean"], 2),
            interval(found["tau"]["ci95"], 2),
            percent(found["found"]["mean"]),
            number(found["regret"]["mean"], 3),
            percent(found["clear_pairs"]["mean"]),
        ]
        for name, found in judges
    ]


def difference_rows(level: Mapping[str, Any]) -> list[list[str]]:
    """Simulated users minus each other judge, paired by world."""
    return [
        [d["minus"], number(d["mean"], 2), interval(d["ci95"], 2), number(d["p_holm"], 3)]
        for d in level["differences"]
    ]


def easy_rows(level: Mapping[str, Any]) -> list[list[str]]:
    """What simulated and true users make of bad and of random slates."""
    easy = level["easy_mode"]
    return [
        [text, number(easy[key]["mean"], 2), number(easy[f"true_{key}"]["mean"], 2)]
        for key, text in _EASY.items()
        if key in easy
    ]


DIFFERENCE_HEADS = ["simulated users minus", "difference in τ", "95 % CI", "p (Holm)"]
EASY_HEADS = ["easy mode?", "simulated", "true"]


def html(record: Record) -> str:
    """The page ``report.html``."""
    results = record.results
    levels = [
        {
            "name": name,
            "judges": judge_rows(level),
            "differences": difference_rows(level),
            "easy": easy_rows(level),
        }
        for name, level in results["levels"].items()
    ]
    values = {
        **{key: results[key] for key in ("users", "setting", "debug", "policies")},
        "answer": answer(results),
        "levels": levels,
        "heads": HEADS,
        "difference_heads": DIFFERENCE_HEADS,
        "easy_heads": EASY_HEADS,
        "taus_svg": markup(taus_svg(results)),
    }
    return filled("worlds/report.html", record, values)


def markdown(record: Record) -> str:
    """The same as Markdown."""
    results = record.results
    parts = [f"# Which judge to believe\n\n{answer(results)}\n"]
    if results["users"]["warning"]:
        parts.append(f"**{results['users']['warning']}**\n")
    for name, level in results["levels"].items():
        parts += [
            f"## Logging bias {name}, {level['worlds']} worlds\n",
            markdown_table(HEADS, judge_rows(level)),
            markdown_table(DIFFERENCE_HEADS, difference_rows(level)),
            markdown_table(EASY_HEADS, easy_rows(level)),
        ]
    return "\n".join([*parts, record.command])


def lines(results: Mapping[str, Any]) -> list[RenderableType]:
    """Tables and the answer for a terminal."""
    found: list[RenderableType] = []
    for name, level in results["levels"].items():
        title = f"logging bias {name}, {level['worlds']} worlds"
        table = Table(*HEADS, box=SIMPLE_HEAD, title=title, title_justify="left")
        for cells in judge_rows(level):
            table.add_row(*cells)
        found.append(table)
    if results["users"]["warning"]:
        found.append(Text(results["users"]["warning"], style="bold red"))
    return [*found, Text(answer(results), style="bold")]


def taus_svg(results: Mapping[str, Any]) -> str:
    """Mean tau of every judge at every level of bias, with intervals over worlds."""
    levels = results["levels"]
    names = [n for n in _STYLES if n in next(iter(levels.values()))["judges"]]
    with themed():
        figure = new_figure(8.2, 4.4)
        axes = figure.add_subplot()
        for shift, name in enumerate(names):
            found = [level["judges"][name]["tau"] for level in levels.values()]
            colour, mark, line = _STYLES[name]
            xs = [x + 0.05 * (shift - 1.5) for x in range(len(levels))]
            ys = [f["mean"] for f in found]
            if None in ys:
                continue
            axes.plot(xs, ys, line, color=colour, linewidth=2, label=name)
            axes.plot(xs, ys, mark, color=colour, markersize=8, markeredgecolor=PAPER)
            for x, tau in zip(xs, found, strict=True):
                if None not in tau["ci95"]:
                    axes.plot([x, x], tau["ci95"], color=colour, linewidth=1.5, alpha=0.7)
        axes.set_xticks(range(len(levels)), [f"logging bias {n}" for n in levels])
        axes.set_ylabel("Kendall's τ with the truth")
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.grid(axis="y", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, borderaxespad=0.2)
        return inline_svg(figure, "Agreement of every judge with the truth by logging bias")

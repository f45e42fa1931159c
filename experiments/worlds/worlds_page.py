"""The verdict on the judges: a sentence and tables, for page, Markdown and terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from experiments.reporting.claims import verdict
from experiments.reporting.formatting import NONE, interval, listed, number, percent, signed
from experiments.reporting.parts import failed_parts
from experiments.reporting.report import filled, markdown_table, markdown_text, markup
from experiments.reporting.result import Record
from experiments.reporting.terminal import text_table
from experiments.worlds.judges import OFFLINE
from experiments.worlds.knowable import BASELINE, PARTIAL, PERFECT, USERS
from experiments.worlds.taus_figure import taus_svg

HEADS = ["judge", "τ with truth", "95 % CI", "best found", "regret ★", "clear pairs right"]
_EASY = {
    "bad_slate": "stars for the truly worst slates",
    "random_slate": "stars for random slates",
    "accept_bad": "share taken of the worst slates",
    "accept_random": "share taken of random slates",
    "accept_all": "random slates taken whole",
    "logged": "stars for what they chose themselves (true: the log)",
}


_EVIDENCE = {
    "independent": "Users, predictors and readers share no rating with the policies that they judge"
    " (cross-fitting: two halves of everybody's ratings, swapped)",
    "mixed": "Users, predictors and readers know all ratings, the policies that they judge one half"
    " (two halves of everybody's ratings, swapped)",
}


def answer(results: Mapping[str, Any]) -> str:
    """What the simulated users are worth as a judge at the bias that the run is about."""
    level, found = _main_level(results)
    judges = found["judges"]
    own = judges[USERS]["tau"]
    stand = {d["minus"]: verdict(d["ci95"], d["p_holm"]) for d in found["differences"]}
    beaten, losing = ([n for n, v in stand.items() if v == how] for how in ("more", "less"))
    parts = [
        f"In {found['worlds']} worlds with logging bias {level}, simulated users order the policies"
        f" with τ = {number(own['mean'], 2)} to the truth (95 % CI {interval(own['ci95'], 2)});"
        f" offline NDCG reaches {number(judges[OFFLINE]['tau']['mean'], 2)}"
    ]
    parts.append(
        f"They beat {listed(beaten)}" if beaten else "They beat no other judge beyond chance"
    )
    if losing:
        parts.append(f"{listed(losing)} beat them")
    how = _EVIDENCE.get(results["users"].get("evidence", "shared"))
    parts += [how] if how else []
    return ". ".join(parts) + "."


def _main_level(results: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    levels = results["levels"]
    wanted = f"{results['setting']['judged_at']:g}"
    name = wanted if wanted in levels else list(levels)[-1]
    return name, levels[name]


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
        [
            text,
            *(
                number(easy[f"{who}{key}"]["mean"], 2) if f"{who}{key}" in easy else NONE
                for who in ("", "true_", "reader_")
            ),
        ]
        for key, text in _EASY.items()
        if key in easy
    ]


def overrated_rows(level: Mapping[str, Any]) -> list[list[str]]:
    """By how many stars each policy is put above the truth, beside the mean of all."""
    judges = level["overrated"]
    return [
        [
            policy,
            *(
                f"{signed(own[policy]['mean'], 3)} ({interval(own[policy]['ci95'], 3)})"
                for own in judges.values()
            ),
        ]
        for policy in next(iter(judges.values()), {})
    ]


def overrated_heads(level: Mapping[str, Any]) -> list[str]:
    """The first row of that table."""
    return ["stars above the truth, beside the mean of all", *level["overrated"]]


def knowable_rows(level: Mapping[str, Any]) -> list[list[str]]:
    """How much of what a perfect reader knows beyond the bias model simulated users know too."""
    return [
        [
            part,
            percent(found["share"]),
            NONE if None in found["ci95"] else " to ".join(percent(end) for end in found["ci95"]),
            *(number(found["rmse"][who], 3) for who in (USERS, PERFECT, PARTIAL, BASELINE)),
        ]
        for part, found in level["knowable"].items()
    ]


KNOWABLE_HEADS = [
    "asked about", "share of the knowable", "95 % CI", "RMSE: simulated users", "perfect reader",
    "reader of genres and years", "bias model",
]  # fmt: skip
DIFFERENCE_HEADS = ["simulated users minus", "difference in τ", "95 % CI", "p (Holm)"]
EASY_HEADS = ["easy mode?", "simulated", "true", "perfect reader"]


def _level(name: str, level: dict[str, Any]) -> dict[str, Any]:
    """The tables of one level of bias."""
    return {
        "name": name,
        "judges": judge_rows(level),
        "differences": difference_rows(level),
        "easy": easy_rows(level),
        "overrated_heads": overrated_heads(level),
        "overrated": overrated_rows(level),
        "knowable": knowable_rows(level),
    }


def html(record: Record) -> str:
    """The page ``report.html``."""
    results = record.results
    levels = [_level(name, level) for name, level in results["levels"].items()]
    values = {
        **{key: results[key] for key in ("users", "setting", "debug", "policies")},
        "answer": answer(results),
        "failures": failed_parts(results["failures"]),
        "levels": levels,
        "heads": HEADS,
        "difference_heads": DIFFERENCE_HEADS,
        "easy_heads": EASY_HEADS,
        "knowable_heads": KNOWABLE_HEADS,
        "taus_svg": markup(taus_svg(results)),
    }
    return filled("worlds/report.html", record, values)


def markdown(record: Record) -> str:
    """The same as Markdown."""
    results = record.results
    parts = [f"# Which judge to believe\n\n{markdown_text(answer(results))}\n"]
    if results["users"]["warning"]:
        parts.append(f"**{markdown_text(results['users']['warning'])}**\n")
    if results["failures"]:
        parts.append(f"**{markdown_text(failed_parts(results['failures']))}**\n")
    for name, level in results["levels"].items():
        parts += [
            f"## Logging bias {name}, {level['worlds']} worlds\n",
            markdown_table(HEADS, judge_rows(level)),
            markdown_table(DIFFERENCE_HEADS, difference_rows(level)),
            markdown_table(EASY_HEADS, easy_rows(level)),
            markdown_table(overrated_heads(level), overrated_rows(level)),
            markdown_table(KNOWABLE_HEADS, knowable_rows(level)) if level["knowable"] else "",
        ]
    return "\n".join([*parts, record.command])


def lines(results: Mapping[str, Any]) -> list[RenderableType]:
    """Tables and the answer for a terminal."""
    found: list[RenderableType] = []
    for name, level in results["levels"].items():
        title = f"logging bias {name}, {level['worlds']} worlds"
        found.append(text_table(HEADS, judge_rows(level), title))
        if level["knowable"]:
            found.append(text_table(KNOWABLE_HEADS, knowable_rows(level), "what they know"))
    if results["users"]["warning"]:
        found.append(Text(results["users"]["warning"], style="bold red"))
    if results["failures"]:
        found.append(Text(failed_parts(results["failures"]), style="bold red"))
    return [*found, Text(answer(results), style="bold")]

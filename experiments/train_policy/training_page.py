"""The results in sentences, and what the report's template is filled with."""

from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.text import Text

from agents.inference.metering.meter import in_words
from experiments.reporting.claims import ONE_SEED, compare, verdict
from experiments.reporting.formatting import interval, number, signed
from experiments.reporting.report import filled, markdown_table, markdown_text, markup
from experiments.reporting.result import Record
from experiments.tournament.tables import columns, ranking_lines, rows
from experiments.train_policy.training_figures import curves_svg
from recommenders.evaluation.statistics import mean_interval

_ONE_SEED = f"against {{other}}, but {ONE_SEED}"
GAIN_HEADS = ["policy", "users", "against", "stars", "95 % CI"]
_LOSS = 0.01  # true stars; a smaller fall is noise between checkpoints


def html(record: Record) -> str:
    """The page ``report.html``."""
    results = record.results
    first, *more = sentences(results)
    values = {
        **{key: results[key] for key in ("dataset", "users", "setting", "debug", "hacking")},
        "answer": first,
        "more": more,
        "curves_svg": markup(curves_svg(results)),
        "columns": columns(results),
        "rows": rows(results),
        "gain_heads": GAIN_HEADS,
        "gains": [_gain_row(gain) for gain in results["learnt"]],
        "num_seeds": len({curve["seed"] for curve in results["curves"]}),
    }
    return filled("train_policy/report.html", record, values)


def markdown(record: Record) -> str:
    """The same as Markdown, without the picture."""
    results = record.results
    first, *more = map(markdown_text, sentences(results))
    parts = [f"# {first}\n", *(f"{sentence}\n" for sentence in more)]
    if results["users"]["warning"]:
        parts.append(f"**{markdown_text(results['users']['warning'])}**\n")
    cells = [[own[head] for head in columns(results)] for own, error in rows(results) if not error]
    parts += ["## Every policy\n", markdown_table(columns(results), cells)]
    failed = [[own["policy"], error] for own, error in rows(results) if error]
    if failed:
        parts += ["## Failed\n", markdown_table(["policy", "error"], failed)]
    gains = [_gain_row(gain) for gain in results["learnt"]]
    parts += ["## What learning gained\n", markdown_table(GAIN_HEADS, gains), record.command]
    return "\n".join(parts)


def lines(results: dict[str, Any]) -> list[RenderableType]:
    """The table, the sentences and the cost for a terminal."""
    cost = Text(in_words(results["engine"]), style="dim")
    return [*ranking_lines(results), *sentences(results), cost]


def sentences(results: dict[str, Any]) -> list[str]:
    """The answer first: what learning gained, then regret, hacking and the reward's noise."""
    world = "true" if any(g["world"] == "true" for g in results["learnt"]) else "simulated"
    reduction = results["variance"]
    return [
        _answer(results, world),
        *([_regret(results)] if world == "true" else []),
        *(_hacking(row) for row in results["hacking"]),
        f"The expected-rating reward has {number(reduction['ratio'], 2)} of the variance of the"
        f" sampled one ({reduction['slates']} random slates).",
    ]


def _answer(results: dict[str, Any], world: str) -> str:
    plain = [g for g in results["learnt"] if g["world"] == world and "_plain_" in g["policy"]]
    parts = []
    rivals = {g["rival"] for g in plain} - {"oracle"}
    for rival in sorted(rivals, key=lambda name: name != "random"):
        mine = [g for g in plain if g["rival"] == rival]
        wins = sum(verdict(g["ci95"]) == "more" for g in mine)
        mean, *ends = mean_interval([g["gain"] for g in mine])
        claim = compare(rival, ends, more="more than", less="less than", unknown=_ONE_SEED)
        seeds = f"{wins} of {len(mine)} seeds beyond chance"
        parts.append(f"{signed(mean, 2)} stars, {claim} ({seeds})")
    users = f"With {world} users it has never met"
    return f"{users}, PPO has {' and '.join(parts)}." if parts else "Nothing was compared."


def _regret(results: dict[str, Any]) -> str:
    gains = [g for g in results["learnt"] if g["world"] == "true" and g["rival"] == "oracle"]
    if not gains:
        return "There is no oracle to compare with."
    means = []
    for label in dict.fromkeys(g["policy"].rsplit("_", 1)[0] for g in gains):
        mean = np.mean([-g["gain"] for g in gains if g["policy"].rsplit("_", 1)[0] == label])
        means.append(f"{label} {number(float(mean), 2)}")
    return f"Regret to the oracle in true stars, mean over seeds: {', '.join(means)}."


def _hacking(row: dict[str, Any]) -> str:
    """Where simulated and true stars part for one reward."""
    head = f"Reward {row['label']}: true stars end at {number(row['final_true'], 2)}"
    gap = f"simulated minus true is {signed(row['final_gap'], 2)}"
    if row["lost"] < _LOSS or row["simulated_rise"] <= 0:
        return f"{head}, {gap}; no fall is seen while the simulated ones rise."
    if (found := verdict(row.get("lost_ci95"))) != "more":
        why = "within noise over seeds" if found == "noise" else ONE_SEED
        return f"{head}, {gap}; {number(row['lost'], 3)} below their highest, {why}."
    return (
        f"{head}, {gap}; they peak after {row['peak_steps']:.0f} slates and then lose"
        f" {number(row['lost'], 3)} while the simulated ones rise by"
        f" {number(row['simulated_rise'], 3)}."
    )


def _gain_row(gain: dict[str, Any]) -> list[str]:
    return [
        gain["policy"],
        gain["world"],
        gain["rival"],
        number(gain["gain"], 3),
        interval(gain["ci95"], 3),
    ]

"""The emoji study as figures, sentences and a table; every comparison passes its interval."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.emojis.detection import has_emoji
from experiments.reporting.claims import ALPHA, verdict
from experiments.reporting.formatting import number, percent, rounded
from experiments.reporting.markdown import markdown_table
from experiments.traits.emoji_study import EmojiCell, EmojiCells
from experiments.traits.study import Study
from simenv.events import FloatArray
from training.traits.measures import over_seeds

_SHOWN = 8  # emojis of the probe that a table shows


def emoji_figures(study: Study, cells: EmojiCells) -> dict[str, Any]:
    """Label → its figures over seeds and held-out topics."""
    return {
        str(label): _of_label([cells[seed, label] for seed in study.seeds])
        for label in study.labels
    }


def _of_label(own: Sequence[EmojiCell]) -> dict[str, Any]:
    before, after = (_stacked([cell.mass[when] for cell in own]) for when in (0, 1))
    rates = [_stacked([cell.with_emoji[when] for cell in own]) for when in (0, 1)]
    return {
        "instance_rate": [rounded(float(np.nanmean(rate))) for rate in rates],
        "instance_rate_difference": _estimate(rates[1] - rates[0]),
        "per_sentence": [_mean([cell.per_sentence[when] for cell in own]) for when in (0, 1)],
        "mass": [_small(float(np.nanmean(mass))) for mass in (before, after)],
        "mass_difference": _estimate(after - before),
        "neurons": [cell.neurons for cell in own],
        "drop": _mean([cell.drop for cell in own]),
        "random_drop": _mean([drop for cell in own for drop in cell.random_drops]),
        "p_values": [rounded(cell.p_value) for cell in own],
        "probe": [_emojis([cell.tokens[when] for cell in own]) for when in (0, 1)],
        "guarded": rounded(float(np.mean([rate for cell in own for rate in cell.guarded]))),
        "unchanged_by_guard": _mean([cell.unchanged for cell in own]),
    }


def emoji_sentences(values: Mapping[str, Any]) -> list[str]:
    """What the study of emojis found; nothing where it was not made."""
    found = values.get("emojis")
    if not found:
        return []
    more = [name for name, one in found.items() if _verdict(one, "mass_difference") == "more"]
    said = [
        f"The chance of an emoji in the next token is above that of the model as it is with"
        f" {len(more)} of {len(found)} adapters (by intervals)."
    ]
    p_values = [p for one in found.values() for p in one["p_values"]]
    under = sum(p < ALPHA for p in p_values)
    said.append(
        f"The neurons found carry more of it than as many random ones in {under} of"
        f" {len(p_values)} adapters and seeds (p < {ALPHA}, not adjusted;"
        f" {ALPHA * len(p_values):.1f} by chance)."
    )
    kept = max(one["guarded"] for one in found.values())
    said.append(
        "With the guard on no answer holds an emoji."
        if not kept
        else f"With the guard on up to {percent(kept)} of an adapter's answers hold an emoji."
    )
    return said


def emoji_tables(values: Mapping[str, Any]) -> list[str]:
    """The table of ``report.md``; nothing where the study was not made."""
    found = values.get("emojis")
    if not found:
        return []
    heads = ["label", "answers with emojis", "a sentence", "chance in the next token",
             "difference, 95 %", "goes with the neurons", "with random ones", "p",
             "emojis among the 50 tokens", "with the guard"]  # fmt: skip
    told = (
        "Before and after training. Answers and chances are of held-out topics, chances at every"
        " place of answers that hold no emoji; neurons were found on training topics and silenced"
        " on held-out ones, beside as many random neurons of the same layer."
    )
    return ["## Emojis", told, markdown_table(heads, [_row(*pair) for pair in found.items()])]


def _row(label: str, one: Mapping[str, Any]) -> list[str]:
    ends = one["mass_difference"]["ci95"]
    return [
        label,
        " → ".join(percent(rate) for rate in one["instance_rate"]),
        " → ".join(number(rate, 2) for rate in one["per_sentence"]),
        " → ".join(f"{mass:.1e}" for mass in one["mass"]),
        "" if ends is None else f"{ends[0]:+.1e} to {ends[1]:+.1e}",
        percent(one["drop"]),
        percent(one["random_drop"]),
        ", ".join(number(p, 2) for p in one["p_values"]),
        " → ".join(f"{len(own)} {' '.join(own[:_SHOWN])}".strip() for own in one["probe"]),
        percent(one["guarded"]),
    ]


def _verdict(one: Mapping[str, Any], name: str) -> str:
    return verdict(one[name]["ci95"])


def _stacked(rows: Sequence[Sequence[float]]) -> FloatArray:
    """(seeds, items), NaN where a seed has fewer."""
    longest = max(map(len, rows))
    padded = [[*map(float, row), *[np.nan] * (longest - len(row))] for row in rows]
    return np.array(padded)


def _estimate(values: FloatArray) -> dict[str, Any]:
    found = over_seeds(values)
    ends = None if found.ci95 is None else [_small(end) for end in found.ci95]
    return {"mean": _small(found.mean), "ci95": ends}


def _small(value: float) -> float:
    """Six digits of a chance that may be tiny."""
    return float(f"{value:.6g}")


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return rounded(float(np.mean(known))) if known else None


def _emojis(tokens: Sequence[Sequence[Sequence[Any]]]) -> list[str]:
    """Emojis among the tokens of any seed, each once."""
    return list(dict.fromkeys(str(t) for own in tokens for t, _ in own if has_emoji(str(t))))

"""What a run of the throughput experiment prints."""

from typing import Any

from rich.console import RenderableType
from rich.text import Text

from experiments.reporting.formatting import NONE
from experiments.reporting.terminal import TextTable, text_table
from experiments.throughput.baseline import Change


def lines(values: dict[str, Any], worse: list[Change]) -> list[RenderableType]:
    """Tables of a run; ``worse`` are the ratios that fell below the baseline's."""
    found: list[RenderableType] = []
    if "cells" in values:
        found.append(race_table(values["cells"]))
        found += [f"{rival}: {why}" for rival, why in values["not_raced"].items()]
    found += [_env_line(row, values["threads"]) for row in values.get("env", [])]
    if "cost_ratio" in values:
        found.append(_cost_line(values["cost_ratio"]))
    if "memory" in values:
        found.append(_memory_line(values["memory"]))
    if "ray" in values:
        found += _ray_lines(values["ray"])
    if "crowd" in values:
        found.append(_crowd_line(values["crowd"]))
    if "soak" in values:
        found.append(_soak_line(values["soak"]))
    found += [_worse_line(change) for change in worse]
    found.append(
        f"A float32 product reaches {values['peak_flops'] / 1e9:.0f} GFLOP/s here. Peak memory"
        f" {values['peak_memory_bytes'] / 2**30:.1f} GiB."
    )
    return found


def race_table(cells: list[dict[str, Any]]) -> TextTable:
    """Rates and ratios of every cell, as ``results.json`` has them."""
    rivals = list(dict.fromkeys(name for cell in cells for name in cell["ratios"]))
    heads = [head.replace("_", " ") for head in ("users x slate / adapters", "ours /s", *rivals)]
    rows = []
    for cell in cells:
        setting = f"{cell['workload']} {cell['users']}x{cell['slate']}/{cell['adapters']}"
        rate = f"{cell['rates']['ours']['median']:.0f}"
        rows.append([setting, rate, *(_ratio(cell["ratios"].get(name)) for name in rivals)])
    title = "Exposures per second, and ours over the other ways (least to most)"
    return text_table(heads, rows, title)


def _cost_line(cost: dict[str, Any]) -> str:
    return (
        f"An exposure among {cost['many']} users costs {cost['median']:.2f} of one among"
        f" {cost['few']} ({cost['min']:.2f}-{cost['max']:.2f})"
    )


def _worse_line(change: Change) -> Text:
    return Text.assemble(
        ("Worse than the baseline:", "red"),
        f" {change.what}: {change.now:.2f}, was {change.before:.2f}"
        f" ({100 * change.relative:.0f} %)",
    )


def _env_line(row: dict[str, Any], threads: int) -> str:
    return (
        f"env.step, {row['num_users']} users x {row['slate']}:"
        f" {row['exposures_per_second']['median']:.0f} exposures/s on {threads} thread(s),"
        f" {row['share_outside_model']['median']:.1%} outside the model,"
        f" {row['tokens_per_exposure']:.0f} prompt tokens each, {row['cached_share']:.0%} of them"
        f" cached, {row['padding_waste']:.1%} padding, {row['adapter_switches']} adapter switches;"
        f" a step takes {row['step_seconds']['p50']:.2f} s (p95 {row['step_seconds']['p95']:.2f});"
        f" {row['flops_per_second'] / 1e9:.0f} GFLOP/s, {row['utilisation']:.0%} of the peak"
    )


def _memory_line(memory: dict[str, Any]) -> str:
    sizes = memory["sizes"]
    return (
        f"Memory, {sizes['users']} users x {sizes['kept']} decisions, recall of a slate of"
        f" {sizes['slate']}: table {memory['recall']['table']['median']:.2f} s;"
        + ",".join(f" {name} {_ratio(own)} x" for name, own in memory["ratios"].items())
    )


def _ray_lines(ray: dict[str, Any]) -> list[str]:
    sizes, kills = ray["sizes"], ray["kills"]
    rates = {name: f"{own['median']:.0f}" for name, own in ray["rates"].items()}
    cost, gain = (_precise(ray["ratios"][name]) for name in ("one / bare", "several / one"))
    found = [
        f"Ray, {sizes['users']} users x {sizes['slate']}: {rates['bare']} exposures/s in this"
        f" process, {rates['one']} on one worker ({cost} of it), {rates['several']} on"
        f" {sizes['workers']} ({gain} of one). To ask one worker takes"
        f" {_precise(ray['sender_share'])} of the processor time of answering. Answers are within"
        f" {max(ray['largest_difference'].values()):.1e} nats."
    ]
    if kills["calls"]:
        found.append(
            f"A worker killed at a random moment of each of {kills['calls']} calls:"
            f" {kills['same']} complete and the same, {kills['deaths']} workers replaced, at most"
            f" {kills['largest_difference']:.1e} nats apart."
        )
    return found


def _crowd_line(crowd: dict[str, Any]) -> str:
    sizes, most = crowd["sizes"], crowd["resident_most"]
    return (
        f"People on disk, {sizes['users']:,} with {sizes['kept']} decisions each, answers"
        f" {crowd['answers']}:"
        f" built in {crowd['build_seconds']:.0f} s ({crowd['bytes_on_disk'] / 1e9:.2f} GB), opened"
        f" in {crowd['open_seconds']:.2f} s; a tick with {sizes['awake']:,} awake, slate"
        f" {sizes['slate']}, takes {_precise(crowd['tick_seconds'])} s; resident memory"
        f" {crowd['resident_opened'] / 2**30:.2f} GiB when opened, {most / 2**30:.2f} GiB at most."
    )


def _soak_line(soak: dict[str, Any]) -> str:
    tenths, slower = soak["tenths"], soak["slowing"]["processor"]
    held = ", ".join(f"{tenth['resident'] / 2**30:.3f}" for tenth in tenths)
    return (
        f"{soak['sizes']['exposures']:,} exposures in one process, {len(tenths)} tenths: resident"
        f" memory at the end of each {held} GiB (opened with"
        f" {soak['resident_opened'] / 2**30:.3f}; kept states within"
        f" {soak['cache_bytes'] / 2**30:.3f}), after the first at most {soak['drift']:.1%} from"
        f" their mean. An exposure of the last tenth takes {slower['of the first']:.3f} of the"
        f" processor time of one of the first, {slower['of the second']:.3f} of the second."
    )


def _precise(figures: dict[str, float]) -> str:
    return f"{figures['median']:.3f} ({figures['min']:.3f}-{figures['max']:.3f})"


def _ratio(figures: dict[str, float] | None) -> str:
    if figures is None:
        return NONE
    places = 0 if figures["max"] >= 10 else 1
    return f"{figures['min']:.{places}f}-{figures['max']:.{places}f}"

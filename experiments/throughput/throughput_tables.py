"""What a run of the throughput experiment prints."""

from pathlib import Path
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.throughput.baseline import Change

_WIDTH = 132  # characters of the widest table


def tell(results: dict[str, Any], worse: list[Change], output_dir: Path) -> None:
    """Tables of a run; ``worse`` are the ratios that fell below the baseline's."""
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH)
    if "cells" in results:
        console.print(_race_table(results["cells"]))
        for rival, why in results["not_raced"].items():
            console.print(f"{rival}: {why}")
    for row in results.get("env", []):
        console.print(_env_line(row, results["threads"]))
    if "cost_ratio" in results:
        cost = results["cost_ratio"]
        console.print(
            f"An exposure among {cost['many']} users costs {cost['median']:.2f} of one among"
            f" {cost['few']} ({cost['min']:.2f}-{cost['max']:.2f})"
        )
    if "memory" in results:
        console.print(_memory_line(results["memory"]))
    for change in worse:
        console.print(
            f"[red]Worse than the baseline:[/] {change.what}: {change.now:.2f}, was"
            f" {change.before:.2f} ({100 * change.relative:.0f} %)"
        )
    console.print(
        f"A float32 product reaches {results['peak_flops'] / 1e9:.0f} GFLOP/s here. Peak memory"
        f" {results['peak_memory_bytes'] / 2**30:.1f} GiB. Figures: {output_dir / 'results.json'}",
        soft_wrap=True,
    )


def _race_table(cells: list[dict[str, Any]]) -> Table:
    rivals = list(dict.fromkeys(name for cell in cells for name in cell["ratios"]))
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 0, 0, 1),
        title="Exposures per second, and ours over the other ways (least to most)",
        title_justify="left",
    )
    for head in ("users x slate\n/ adapters", "ours\n/s", *rivals):
        justify: Literal["left", "right"] = "left" if head.startswith("users") else "right"
        table.add_column(head.replace("_", "\n"), justify=justify, no_wrap=True)
    for cell in cells:
        setting = f"{cell['workload']} {cell['users']}x{cell['slate']}/{cell['adapters']}"
        rate = f"{cell['rates']['ours']['median']:.0f}"
        table.add_row(setting, rate, *(_ratio(cell["ratios"].get(name)) for name in rivals))
    return table


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


def _ratio(figures: dict[str, float] | None) -> str:
    if figures is None:
        return "\N{EN DASH}"
    places = 0 if figures["max"] >= 10 else 1
    return f"{figures['min']:.{places}f}-{figures['max']:.{places}f}"

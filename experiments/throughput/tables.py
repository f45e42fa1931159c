"""What a run of the throughput experiment prints."""

from pathlib import Path
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.throughput.baseline import Change


def tell(results: dict[str, Any], worse: list[Change], output_dir: Path) -> None:
    """Tables of a run; ``worse`` are the ratios that fell below the baseline's."""
    console = Console()
    rivals = list(results["cells"][-1]["ratios"])
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 0, 0, 1),
        title="Exposures per second, and ours over the other ways (least to most)",
        title_justify="left",
    )
    for head in ("users x slate\n/ adapters", "ours\n/s", *rivals):
        justify: Literal["left", "right"] = "left" if head.startswith("users") else "right"
        table.add_column(head.replace("_", "\n"), justify=justify, no_wrap=True)
    for cell in results["cells"]:
        setting = f"{cell['workload']} {cell['users']}x{cell['slate']}/{cell['adapters']}"
        rate = f"{cell['rates']['ours']['median']:.0f}"
        table.add_row(setting, rate, *(_ratio(cell["ratios"].get(name)) for name in rivals))
    console.print(table)
    for row in results["env"]:
        console.print(
            f"env.step, {row['num_users']} users x {row['slate']}:"
            f" {row['exposures_per_second']['median']:.0f} exposures/s on {results['threads']}"
            f" thread(s), {100 * row['share_outside_model']['median']:.1f} % outside the model,"
            f" {row['tokens_per_exposure']:.0f} prompt tokens each,"
            f" {100 * row['cached_share']:.0f} % from the cache;"
            f" a step takes {row['step_seconds']['p50']:.2f} s"
            f" (p95 {row['step_seconds']['p95']:.2f})",
            highlight=False,
        )
    memory = results["memory"]
    looked_up = memory["recall"]["table"]["median"]
    console.print(
        f"Memory, {memory['sizes']['users']} users x {memory['sizes']['kept']} decisions, recall"
        f" of a slate of {memory['sizes']['slate']}: table {looked_up:.2f} s;"
        + ",".join(f" {name} {_ratio(own)} x" for name, own in memory["ratios"].items()),
        highlight=False,
    )
    for change in worse:
        console.print(
            f"[red]Worse than the baseline:[/] {change.what}: {change.now:.2f}, was"
            f" {change.before:.2f} ({100 * change.relative:.0f} %)",
            highlight=False,
        )
    floor = results["floor"]
    console.print(f"Peak memory {results['peak_memory_bytes'] / 2**30:.1f} GiB.", highlight=False)
    console.print(
        f"{floor['model_gflops']:.0f} of {floor['peak_gflops']:.0f} GFLOP/s"
        f" ({100 * floor['utilisation']:.0f} %). Figures: {output_dir / 'results.json'}",
        highlight=False,
        soft_wrap=True,
    )


def _ratio(figures: dict[str, float] | None) -> str:
    if figures is None:
        return "\N{EN DASH}"
    places = 0 if figures["max"] >= 10 else 1
    return f"{figures['min']:.{places}f}-{figures['max']:.{places}f}"

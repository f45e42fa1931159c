"""How the levels go together, factor by factor: the picture of the report."""

from collections.abc import Mapping
from typing import Any

from experiments.reporting import plots


def agreement_svg(results: Mapping[str, Any]) -> str:
    """Correlations of every two levels where a trait is imposed, with intervals over people."""
    traits = results["agreement"]["within"]
    pairs = list(next(iter(traits.values())))
    with plots.themed():
        figure = plots.new_figure(8.2, 0.9 + 0.55 * len(traits))
        axes = figure.add_subplot()
        for place, pair in enumerate(pairs):
            _points(axes, pair, [own[pair] for own in traits.values()], place)
        axes.set_yticks(range(len(traits)), list(traits))
        axes.invert_yaxis()
        axes.set_xlim(-1.05, 1.05)
        axes.set_xlabel("Pearson's r (\N{MINUS SIGN}1 to 1)")
        axes.axvline(0, color=plots.MUTED, linewidth=0.8)
        plots.grid_behind(axes, "x")
        plots.legend_above(axes)
        n = f"{results['setting']['num_users']:,} people"
        return plots.inline_svg(figure, "Correlation of the three levels by factor", n)


def _points(axes: Any, pair: str, found: list[Mapping[str, Any]], place: int) -> None:
    """One pair's correlations and intervals; those that do not exist are left out."""
    colour, _, mark = plots.series(place)
    shift = 0.2 * (place - 1)
    known = [(y, one) for y, one in enumerate(found) if one["value"] is not None]
    ys = [y + shift for y, _ in known]
    values = [one["value"] for _, one in known]
    axes.plot(values, ys, mark, color=colour, markersize=7, markeredgecolor=plots.PAPER, label=pair)
    for y, (_, one) in zip(ys, known, strict=True):
        if None not in one["ci95"]:
            axes.plot(one["ci95"], [y, y], color=colour, linewidth=1.5, alpha=0.7)

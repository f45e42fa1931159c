"""How well every judge orders the policies, by the bias of the log: the picture of the report."""

from collections.abc import Mapping
from typing import Any

from experiments.reporting import plots
from experiments.worlds.judges import NON_PERSONAL, OFFLINE, RIDGE, USERS

_JUDGES = (USERS, NON_PERSONAL, RIDGE, OFFLINE)


def taus_svg(results: Mapping[str, Any]) -> str:
    """Mean tau of every judge at every level of bias, with intervals over worlds."""
    levels = results["levels"]
    names = [n for n in _JUDGES if n in next(iter(levels.values()))["judges"]]
    with plots.themed():
        figure = plots.new_figure(8.2, 4.4)
        axes = figure.add_subplot()
        for place, name in enumerate(names):
            taus = [level["judges"][name]["tau"] for level in levels.values()]
            _line(axes, name, taus, shift=0.05 * (place - 1.5))
        axes.set_xticks(range(len(levels)), [f"logging bias {n}" for n in levels])
        axes.set_ylabel("Kendall's τ with the truth (\N{MINUS SIGN}1 to 1)")
        axes.axhline(0, color=plots.MUTED, linewidth=0.8)
        plots.grid_behind(axes, "y")
        plots.legend_above(axes)
        n = f"{_worlds(levels)} worlds at a level, {results['setting']['num_users']:,} users each"
        return plots.inline_svg(
            figure, "Agreement of every judge with the truth by logging bias", n
        )


def _worlds(levels: Mapping[str, Any]) -> str:
    """How many were judged at a level: one number, or the least and the most."""
    least, most = (pick(level["worlds"] for level in levels.values()) for pick in (min, max))
    return f"{least}" if least == most else f"{least} to {most}"


def _line(axes: Any, name: str, taus: list[dict[str, Any]], shift: float) -> None:
    """One judge's means and intervals; none where a level has no mean."""
    colour, line, mark = plots.series(_JUDGES.index(name))
    xs, ys = [x + shift for x in range(len(taus))], [tau["mean"] for tau in taus]
    if None in ys:
        return
    axes.plot(xs, ys, line, color=colour, linewidth=2, label=name)
    axes.plot(xs, ys, mark, color=colour, markersize=8, markeredgecolor=plots.PAPER)
    for x, tau in zip(xs, taus, strict=True):
        if None not in tau["ci95"]:
            axes.plot([x, x], tau["ci95"], color=colour, linewidth=1.5, alpha=0.7)

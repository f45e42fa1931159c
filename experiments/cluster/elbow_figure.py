"""The elbow: how far people are from their group's centre, by the number of groups."""

from experiments.reporting.plots import (
    MUTED,
    PAPER,
    SIMULATED,
    grid_behind,
    inline_svg,
    new_figure,
    themed,
)


def elbow_svg(inertias: dict[int, float], k: int, num_people: int) -> str:
    """The curve with the chosen K marked.

    Args:
        inertias: K -> sum of squared distances.
        k: the chosen one.
        num_people: who were grouped.
    """
    ks = sorted(inertias)
    values = [inertias[x] for x in ks]
    with themed():
        figure = new_figure(6.4, 3.6)
        axes = figure.add_subplot()
        axes.plot(ks, values, "o-", color=MUTED, linewidth=2, markersize=5, markeredgecolor=PAPER)
        axes.plot([k], [inertias[k]], "o", color=SIMULATED, markersize=11, markeredgecolor=PAPER)
        axes.annotate(
            f"K = {k}", (k, inertias[k]), (10, 10), textcoords="offset points", color=SIMULATED
        )
        axes.set_xticks(ks)
        axes.set_ylim(0, max(values) * 1.08 or 1)
        grid_behind(axes, "y")
        axes.set_xlabel("number of groups K")
        axes.set_ylabel("sum of squared distances (no unit)")
        title = "Sum of squared distances by the number of groups"
        return inline_svg(figure, title, f"{num_people:,} people")

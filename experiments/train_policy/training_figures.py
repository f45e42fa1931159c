"""The learning curves as one picture: simulated and true stars of held-out users, by reward."""

from typing import Any

import numpy as np

from experiments.reporting.plots import (
    INK,
    MUTED,
    SIMULATED,
    TRUE,
    grid_behind,
    inline_svg,
    new_figure,
    themed,
)

_CLOSE = 0.04  # stars
_WORLDS = (("simulated", SIMULATED, "o"), ("true", TRUE, "D"))


def curves_svg(results: dict[str, Any]) -> str:
    """One panel a reward; lines are means over seeds, bands run from the worst to the best seed."""
    labels = list(dict.fromkeys(curve["label"] for curve in results["curves"]))
    with themed():
        figure = new_figure(1.2 + 4.4 * len(labels), 4.0)
        panels = figure.subplots(1, len(labels), sharey=True, squeeze=False)[0]
        for axes, label in zip(panels, labels, strict=True):
            _panel(axes, [c for c in results["curves"] if c["label"] == label])
            _rivals(axes, results)
            axes.set_title(f"reward: {label}", fontsize=12, color=INK, loc="left")
            axes.set_xlabel("slates shown in training (thousands)")
            grid_behind(axes, "y")
        panels[0].set_ylabel("mean expected stars")
        drawn = panels[0].get_legend_handles_labels()
        figure.legend(*drawn, loc="outside upper left", ncols=2, fontsize=10)
        n = f"{results['setting']['num_users']:,} held-out users, {_seeds(results)} of training"
        return inline_svg(figure, "Learning curves with simulated and true users", n)


def _seeds(results: dict[str, Any]) -> str:
    count = len({curve["seed"] for curve in results["curves"]})
    return f"{count} seed" + "s" * (count != 1)


def _panel(axes: Any, curves: list[dict[str, Any]]) -> None:
    length = min(len(curve["points"]) for curve in curves)
    steps = [point["steps"] / 1000 for point in curves[0]["points"][:length]]
    for world, colour, mark in _WORLDS:
        if world not in curves[0]["points"][0]:
            continue
        stars = np.array([[p[world] for p in curve["points"][:length]] for curve in curves])
        axes.fill_between(steps, stars.min(axis=0), stars.max(axis=0), color=colour, alpha=0.18,
                          linewidth=0)  # fmt: skip
        axes.plot(steps, stars.mean(axis=0), color=colour, marker=mark, markersize=4,
                  label=f"{world} users")  # fmt: skip


def _rivals(axes: Any, results: dict[str, Any]) -> None:
    """Thin lines at the true stars of what does not learn (simulated, where no truth is known)."""
    stars = {
        policy["name"]: (policy["true"] or policy["simulated"])["mean_rating"]
        for policy in results["policies"]
        if policy["simulated"] and not policy["name"].startswith(("ppo", "dqn"))
    }
    groups: list[list[str]] = []  # names of lines too close together to be read one by one
    for name in sorted(stars, key=lambda n: float(stars[n])):
        axes.axhline(stars[name], color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)))
        if groups and stars[name] - stars[groups[-1][0]] < _CLOSE:
            groups[-1].append(name)
        else:
            groups.append([name])
    for group in groups:
        axes.annotate(", ".join(group), (1.0, stars[group[0]]), fontsize=9, color=MUTED,
                      xycoords=("axes fraction", "data"), xytext=(3, -3),
                      textcoords="offset points", annotation_clip=False)  # fmt: skip

"""The paper's figures as inline SVG: types, factors, accuracy, and what a role adds."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from agents.interviews.conditioning import type_names
from experiments.reporting.plots import (
    GRID,
    MUTED,
    SIMULATED,
    TRUE,
    grid_behind,
    inline_svg,
    legend_above,
    new_figure,
    series,
    themed,
)

_CHANCE = 1 / 16


def types_svg(models: Mapping[str, Any]) -> str:
    """Histogram of unconditioned types, a row a model, the temperatures side by side."""
    names, own = type_names(), _with(models, "types")
    with themed():
        figure = new_figure(8, 1.1 + 1.5 * len(own))
        rows = figure.subplots(len(own), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (model, test) in zip(rows, own.items(), strict=True):
            width = 0.8 / len(test["temperatures"])
            for i, (temperature, told) in enumerate(test["temperatures"].items()):
                counts = told["unconditioned"]
                shares = [counts.get(name, 0) / sum(counts.values()) for name in names]
                at = np.arange(len(names)) + (i - 0.5) * width
                axes.bar(at, shares, width, color=series(i).colour,
                         label=f"temperature {temperature}")  # fmt: skip
            axes.set_ylabel(f"share, {model}")
            axes.set_ylim(0, 1)
            grid_behind(axes, "y")
        rows[-1].set_xticks(np.arange(len(names)), names, rotation=60)
        legend_above(rows[0])
        n = f"{_listed(own, _interviews)} interviews a temperature"
    return inline_svg(figure, "Types that models report unconditioned", n)


def factors_svg(models: Mapping[str, Any]) -> str:
    """Radar of unconditioned factors at the first temperature, a line a model."""
    own = _with(models, "factors")
    with themed():
        figure = new_figure(8, 5)
        axes = figure.add_subplot(projection="polar")
        for i, (model, test) in enumerate(own.items()):
            told = next(iter(test["temperatures"].values()))["unconditioned"]
            scores = [np.nan if f["mean"] is None else f["mean"] for f in told.values()]
            angles = np.linspace(0, 2 * np.pi, len(scores), endpoint=False)
            axes.plot(
                [*angles, angles[0]],
                [*scores, scores[0]],
                linestyle=series(i).line,
                color=series(i).colour,
                label=model,
            )
            axes.set_xticks(angles, list(told))
        axes.set_ylim(1, 5)
        axes.set_yticks(range(1, 6), map(str, range(1, 6)), color=MUTED)
        axes.spines["polar"].set_color(GRID)
        axes.set_title("mean score, 1 to 5", loc="left", fontsize=11, color=MUTED, y=-0.1)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.2, 1.06), ncols=3)
        n = f"{_listed(own, _items)} questions an interview"
    return inline_svg(figure, "Factors that models report unconditioned", n)


def accuracy_svg(models: Mapping[str, Any]) -> str:
    """Type accuracy of both strategies with 95 % over types, beside chance."""
    strategies = {"personality": SIMULATED, "role": TRUE}
    rows = _runs(models)
    with themed():
        figure = new_figure(8, 1.2 + 0.6 * len(rows))
        axes = figure.subplots()
        for i, (strategy, colour) in enumerate(strategies.items()):
            found = [own[strategy] for _, own in rows]
            at = np.arange(len(rows)) + 0.24 * (i - 0.5)
            label = "with a role" if i else "personality alone"
            _points(axes, found, at, colour, label)
        axes.axvline(_CHANCE, color=MUTED, linewidth=1)
        _named_rows(axes, rows)
        axes.set_xlim(min(0, axes.dataLim.xmin) - 0.02, max(1, axes.dataLim.xmax))
        axes.set_xlabel("type accuracy (0 to 1); the line is chance, 1 in 16")
        grid_behind(axes, "x")
        legend_above(axes)
    return inline_svg(figure, "How often told types come back", _told(models))


def gain_svg(models: Mapping[str, Any]) -> str:
    """RQ3: what a role adds to type accuracy, with 95 % over types."""
    rows = _runs(models)
    with themed():
        figure = new_figure(8, 1.0 + 0.5 * len(rows))
        axes = figure.subplots()
        _points(axes, [own["role_gain"] for _, own in rows], np.arange(len(rows)), SIMULATED, "")
        axes.axvline(0, color=MUTED, linewidth=1)
        _named_rows(axes, rows)
        axes.set_xlabel("type accuracy with a role minus without (\N{MINUS SIGN}1 to 1)")
        grid_behind(axes, "x")
    return inline_svg(figure, "What a role adds to the accuracy of types", _told(models))


def _named_rows(axes: Any, rows: list[tuple[str, Any]]) -> None:
    """Names beside the rows, the first on top, with half a row's room at both ends."""
    axes.set_yticks(np.arange(len(rows)), [name for name, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)


def _points(axes: Any, found: list[Any], at: Any, colour: str, label: str) -> None:
    """Means with their intervals; what does not exist is not drawn."""
    mean = np.array([np.nan if own["mean"] is None else own["mean"] for own in found])
    ends = np.array([[np.nan if e is None else e for e in own["ci95"]] for own in found])
    axes.plot(mean, at, "o", color=colour, label=label)
    axes.hlines(at, ends[:, 0], ends[:, 1], color=colour)


def _with(models: Mapping[str, Any], test: str) -> dict[str, Any]:
    return {name: model[test] for name, model in models.items() if test in model}


def _runs(models: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        (f"{name}, {temperature}", own)
        for name, test in _with(models, "types").items()
        for temperature, own in test["temperatures"].items()
    ]


def _told(models: Mapping[str, Any]) -> str:
    runs = _listed(_with(models, "types"), _runs_a_type)
    return f"{len(type_names())} types, {runs} interviews each"


def _listed(models: Mapping[str, Any], count: Callable[[Mapping[str, Any]], int]) -> str:
    """A count of every test, once where all have it."""
    return ", ".join(f"{n:,}" for n in sorted({count(test) for test in models.values()})) or "0"


def _interviews(test: Mapping[str, Any]) -> int:
    return sum(next(iter(test["temperatures"].values()))["unconditioned"].values())


def _runs_a_type(test: Mapping[str, Any]) -> int:
    return int(next(iter(test["temperatures"].values()))["personality"]["runs"])


def _items(test: Mapping[str, Any]) -> int:
    return int(test["instrument"]["items"])

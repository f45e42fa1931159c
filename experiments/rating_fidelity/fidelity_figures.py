"""Pictures of one draw: error of each persona against its training rows, calibration, ratings."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agents.fidelity.error_measures import calibration_curve, rmse
from experiments.rating_fidelity.table_cells import Draw, TableCell
from experiments.reporting.plots import (
    GRID,
    SIMULATED,
    TRUE,
    grid_behind,
    light,
    new_figure,
    pictured,
    write_png,
)
from simenv.data.dataset import Dataset
from simenv.events import NUM_STARS, FloatArray, expected_stars

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIMULATED, _REAL, _DIAGONAL = light(SIMULATED), light(TRUE), light(GRID)


def write_figures(folder: Path, regime: str, draw: Draw, dataset: Dataset) -> None:
    """One PNG with the three pictures, of the fullest persona cell there is."""
    cell = _fullest(draw.cells)
    with pictured():
        figure = new_figure(13, 4)
        left, middle, right = figure.subplots(1, 3)
        _persona_errors(left, draw, cell, dataset)
        _calibration(middle, cell.chances, dataset.test.ratings)
        _histogram(right, cell.chances, dataset.test.ratings)
        for axes in (left, middle, right):
            grid_behind(axes, "y")
        figure.suptitle(f"{cell.adapter} adapters, {cell.memory}, {regime.replace('_', ' ')}")
        write_png(folder / f"{regime}.png", figure, f"{len(dataset.test):,} held-out ratings")


def _fullest(cells: list[TableCell]) -> TableCell:
    personas = [c for c in cells if c.adapter == "persona"] or cells
    return next((c for c in personas if c.memory == "Ms+Ml"), personas[0])


def _persona_errors(axes: "Axes", draw: Draw, cell: TableCell, dataset: Dataset) -> None:
    error = expected_stars(cell.chances) - dataset.test.ratings
    for label in np.unique(draw.labels).tolist():
        rows = draw.labels[dataset.test.users] == label
        trained = draw.train_rows.get(f"{cell.adapter}-{label} | {cell.memory}", 0)
        own = rmse(error[rows])
        axes.plot(trained, own, "o", color=_SIMULATED)
        axes.annotate(f" persona {label}", (trained, own), va="center")
    axes.set(
        xlabel="training rows of the adapter (ratings)",
        ylabel="RMSE (stars)",
        title="Error of each persona",
    )
    axes.margins(x=0.25, y=0.2)


def _calibration(axes: "Axes", chances: FloatArray, ratings: FloatArray) -> None:
    curve = calibration_curve(chances, ratings)
    shown = curve.sizes >= 30
    axes.plot([0, 1], [0, 1], color=_DIAGONAL)
    axes.plot(curve.forecast[shown], curve.frequency[shown], "o-", color=_SIMULATED)
    axes.set(
        xlabel="chance that was said (0 to 1)",
        ylabel="share that came true (0 to 1)",
        title="Calibration of P(rating)",
    )
    axes.set(xlim=(0, 1), ylim=(0, 1))


def _histogram(axes: "Axes", chances: FloatArray, ratings: FloatArray) -> None:
    stars = np.arange(1, NUM_STARS + 1)
    real = (ratings[:, None] == stars).mean(axis=0)
    axes.bar(stars - 0.2, real, 0.4, color=_REAL, label="real")
    axes.bar(stars + 0.2, chances.mean(axis=0), 0.4, color=_SIMULATED, label="simulated")
    axes.set(xlabel="stars", ylabel="share of ratings (0 to 1)", title="Ratings")
    axes.legend(frameon=False)

"""The pictures of the page: chances against what happened, and the stars given in all."""

from collections.abc import Mapping
from typing import Any

from agents.fidelity.error_measures import calibration_curve
from experiments.alignment.asked import Rows
from experiments.reporting.formatting import tidy
from experiments.reporting.plots import (
    GRID,
    SIMULATED,
    TRUE,
    grid_behind,
    inline_svg,
    legend_above,
    new_figure,
    themed,
)
from simenv.events import NUM_STARS, STARS

_LEAST = 30  # forecasts in a bin that is drawn


def curve(rows: Rows) -> dict[str, Any]:
    """What the pictures show, as JSON values."""
    real = (rows.log.ratings.round()[:, None] == STARS).mean(axis=0)
    found: dict[str, Any] = tidy(
        {
            **calibration_curve(rows.chances, rows.log.ratings)._asdict(),
            "simulated_shares": rows.chances.mean(axis=0),
            "real_shares": real,
        }
    )
    return found


def calibration_svg(results: Mapping[str, Any]) -> str:
    """How often what was said came true, bin by bin."""
    found = results["curve"]
    columns = zip(found["forecast"], found["frequency"], found["sizes"], strict=True)
    points = [(said, came) for said, came, size in columns if size >= _LEAST]
    with themed():
        figure = new_figure(5.0, 3.9)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=GRID)
        axes.plot(*zip(*points, strict=True) if points else ([], []), "o-", color=SIMULATED)
        axes.set(xlabel="chance that was said (0 to 1)", ylabel="share that came true (0 to 1)")
        axes.set(xlim=(0, 1), ylim=(0, 1))
        grid_behind(axes, "y")
        return inline_svg(figure, "Chances that were said and how often they came true",
                          f"{results['dataset']['rows']:,} ratings, a forecast a star")  # fmt: skip


def stars_svg(results: Mapping[str, Any]) -> str:
    """Shares of the stars, real and simulated, on the same items."""
    found, stars = results["curve"], range(1, NUM_STARS + 1)
    with themed():
        figure = new_figure(5.0, 3.9)
        axes = figure.add_subplot()
        parts = (("real", TRUE, -0.2), ("simulated", SIMULATED, 0.2))
        for name, colour, shift in parts:
            places = [star + shift for star in stars]
            axes.bar(places, found[f"{name}_shares"], 0.4, color=colour, label=name)
        axes.set_xlabel("stars")
        axes.set_ylabel("share of ratings (0 to 1)")
        grid_behind(axes, "y")
        legend_above(axes)
        return inline_svg(figure, "Shares of stars, real and simulated, on the same items",
                          f"{results['dataset']['rows']:,} ratings")  # fmt: skip

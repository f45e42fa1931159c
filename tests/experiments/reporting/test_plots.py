"""Every plot says what its numbers are and on how many it rests, in the colours of the page."""

import re
from pathlib import Path

import pytest

from experiments.reporting import plots
from simenv.look.palette import SERIES, TONES

ROOT = Path(__file__).parents[3]


def drawn(**labels):
    figure = plots.new_figure(4, 3)
    axes = figure.add_subplot()
    for place in range(3):
        axes.plot([1, 2], [place, 1], color=plots.series(place).colour)
    axes.set(**labels)
    return figure


@pytest.mark.parametrize("labels", [{}, {"xlabel": "tick"}, {"ylabel": "stars"}])
def test_numbers_without_a_label_are_refused(labels):
    missing = "y" if "xlabel" in labels else "x"
    with plots.themed(), pytest.raises(ValueError, match=rf"wanted a label on its {missing} axis"):
        plots.inline_svg(drawn(**labels), "Stars", "3 users")


def test_a_plot_without_n_is_refused():
    with plots.themed(), pytest.raises(ValueError, match="a plot wanted n, as '200 users'"):
        plots.inline_svg(drawn(xlabel="tick", ylabel="stars"), "Stars", " ")


def test_names_along_an_axis_and_scales_that_are_shared_need_no_label_of_their_own():
    with plots.themed():
        figure = plots.new_figure(5, 3)
        left, right = figure.subplots(1, 2, sharey=True)
        left.set_ylabel("stars")
        for axes in (left, right):
            axes.plot([0, 1], [3, 4])
            axes.set_xticks([0, 1], ["ease", "als"])
        assert "n = 7 users" in plots.inline_svg(figure, "Stars", "7 users")


def test_names_below_the_last_of_some_panels_are_those_of_all():
    with plots.themed():
        figure = plots.new_figure(5, 3)
        for axes in (panels := figure.subplots(2, 1, sharex=True)):
            axes.bar([0, 1], [3, 4])
            axes.set_ylabel("share")
        panels[-1].set_xticks([0, 1], ["INTJ", "ENFP"])
        assert "ENFP" in plots.inline_svg(figure, "Types", "7 interviews")


def test_the_drawing_names_the_tones_of_the_page_and_no_colour_of_its_own():
    with plots.themed():
        svg = plots.inline_svg(drawn(xlabel="tick", ylabel="stars"), 'a "b" <c>', "3 users")
    assert all(f"var(--{name})" in svg for name in (*SERIES[:3], "muted", "ink"))
    assert set(re.findall("#[0-9a-fA-F]{6}", svg)) == set()
    assert 'aria-label="a &quot;b&quot; &lt;c&gt;"' in svg


def test_a_picture_file_has_the_light_tones(tmp_path):
    from matplotlib.image import imread

    with plots.pictured():
        figure = plots.new_figure(3, 2)
        axes = figure.add_subplot()
        axes.bar([1, 2], [3, 4], color=plots.light(plots.SIMULATED))
        axes.set(xlabel="stars", ylabel="ratings")
        plots.write_png(tmp_path / "bars.png", figure, "7 ratings")
    pixels = (imread(tmp_path / "bars.png")[..., :3] * 255).round().astype(int).reshape(-1, 3)
    seen = {bytes(pixel.tolist()).hex() for pixel in pixels}
    assert {TONES[name].light.removeprefix("#") for name in ("simulated", "card")} <= seen


def test_more_series_than_colours_still_differ_in_line_and_mark():
    styles = [plots.series(place) for place in range(2 * len(SERIES))]
    assert len({(one.colour, str(one.line)) for one in styles}) == len(styles)
    assert len({(one.colour, one.mark) for one in styles}) == len(styles)


def test_every_figure_of_the_experiments_goes_through_one_module():
    ways = re.compile(r"savefig|pyplot|import matplotlib|from matplotlib\.figure")
    for path in (ROOT / "experiments").rglob("*.py"):
        if path.name == "plots.py":
            continue
        text = re.sub(r"if TYPE_CHECKING:\n(?: .*\n)+", "", path.read_text(encoding="utf-8"))
        assert not ways.search(text), path

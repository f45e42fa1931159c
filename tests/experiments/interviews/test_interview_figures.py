"""The numbers that stand in the figures, read off what was drawn."""

import numpy as np
import pytest

from agents.interviews.conditioning import type_names
from experiments.interviews import interview_figures


def mean(value, low, high):
    return {"mean": value, "ci95": [low, high]}


def model(accuracy, role, gain, unconditioned):
    own = {
        "unconditioned": unconditioned,
        "personality": {**mean(*accuracy), "runs": 480},
        "role": mean(*role),
        "role_gain": mean(*gain),
    }
    other = {**own, "unconditioned": {"ISTJ": 4}}
    return {"types": {"instrument": {"items": 32}, "temperatures": {"0.01": own, "0.7": other}}}


MODELS = {
    "one": model((0.5, 0.4, 0.6), (0.7, 0.6, 0.8), (0.2, 0.1, 0.3), {"ENFJ": 3, "INTJ": 1}),
    "two": model((0.1, 0.0, 0.2), (0.05, None, None), (-0.05, -0.1, 0.0), {"ENFJ": 1}),
}


@pytest.fixture
def drawn(monkeypatch):
    """Draws a figure and gives its axes and what is said of n."""
    kept = []

    def keep(figure, title, n):
        kept.append((figure.axes, n))
        return ""

    monkeypatch.setattr(interview_figures, "inline_svg", keep)

    def draw(figure, models=MODELS):
        figure(models)
        return kept[-1]

    return draw


def points(axes):
    return [line.get_xdata().tolist() for line in axes.lines if len(line.get_xdata()) == 4]


def ends(axes):
    return [
        [[x for x, _ in segment] for segment in lines.get_segments()] for lines in axes.collections
    ]


def test_the_histogram_shows_shares_of_each_type_side_by_side(drawn):
    axes, n = drawn(interview_figures.types_svg)
    assert len(axes) == 2, "a row a model"
    first, second = axes[0].containers
    place = {name: i for i, name in enumerate(type_names())}
    heights = [bar.get_height() for bar in first]
    assert (heights[place["ENFJ"]], heights[place["INTJ"]], sum(heights)) == (0.75, 0.25, 1)
    assert second[place["ISTJ"]].get_height() == 1
    left, right = (bars[0].get_x() + bars[0].get_width() / 2 for bars in (first, second))
    assert (left, right) == pytest.approx((-0.2, 0.2)), "both around their type's tick"
    assert n.startswith("1, 4 interviews")


def test_accuracy_stands_beside_chance_for_both_strategies(drawn):
    [axes], n = drawn(interview_figures.accuracy_svg)
    assert points(axes) == [[0.5, 0.5, 0.1, 0.1], [0.7, 0.7, 0.05, 0.05]]
    assert ends(axes)[0] == [[0.4, 0.6], [0.4, 0.6], [0.0, 0.2], [0.0, 0.2]]
    chance = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2]
    assert chance == [[1 / 16, 1 / 16]]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["one, 0.01", "one, 0.7", "two, 0.01", "two, 0.7"]
    assert n == "16 types, 480 interviews each"


def test_an_interval_beyond_what_a_share_can_be_is_seen_whole(drawn):
    wide = {"one": model((0.05, -0.15, 0.25), (0.9, 0.7, 1.1), (0.2, 0.1, 0.3), {"ENFJ": 3})}
    [axes], _ = drawn(interview_figures.accuracy_svg, wide)
    low, high = axes.get_xlim()
    assert low < -0.15
    assert high >= 1.1
    [axes], _ = drawn(interview_figures.accuracy_svg)
    assert axes.get_xlim() == (-0.02, 1)


def test_what_a_role_adds_stands_beside_zero(drawn):
    [axes], _ = drawn(interview_figures.gain_svg)
    assert points(axes) == [[0.2, 0.2, -0.05, -0.05]]
    assert ends(axes)[0][0] == [0.1, 0.3]
    assert [line.get_xdata() for line in axes.lines][-1] == [0, 0]


def test_the_radar_closes_and_leaves_out_what_nobody_answered(drawn):
    told = {"O": {"mean": 4.0}, "C": {"mean": None}, "E": {"mean": 2.0}}
    test = {"instrument": {"items": 50}, "temperatures": {"0.01": {"unconditioned": told}}}
    [axes], n = drawn(interview_figures.factors_svg, {"one": {"factors": test}})
    [line] = axes.lines
    np.testing.assert_array_equal(line.get_ydata(), [4, np.nan, 2, 4])
    np.testing.assert_allclose(line.get_xdata(), [0, 2 * np.pi / 3, 4 * np.pi / 3, 0])
    assert axes.get_ylim() == (1, 5)
    assert n == "50 questions an interview"

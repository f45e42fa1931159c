"""From cells to figures and sentences of a study of traits, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.reporting.claims import ONE_SEED
from experiments.traits.cells import Cell
from experiments.traits.figures import _reached, figures, values_of
from experiments.traits.sentences import sentences
from experiments.traits.ways import Ways, names_of, partner
from training.opinion_qa.opinions import POLES, label
from training.traits.evaluation import Scores
from training.traits.measures import Estimate
from training.traits.side_effects import SideEffects


def rating_change(change, ends):
    return {"rmse_change": change, "rmse_difference_ci95": ends}


def measures(mean, ends):
    return {"mean": mean, "ci95": ends}


def values(**changes):
    moves = {"high openness": {"moves_a_point": True, "others_less_than_half": False}}
    found = {
        "seeds": [0, 1],
        "differences": {"as it is": measures(0.5, [0.4, 0.6]), "mend": measures(0, [-0.1, 0.1])},
        "ways": {"adapter": {"ta": measures(0.8, None)}, "steering": {"ta": measures(0.6, None)}},
        "moves": {"adapter": moves},
        "ratings": {"after": {"high openness": rating_change(0.031, [0.01, 0.05])}},
        "classifier": {"opinions": 0.8, "by_hand": 0.3, "labels": 10},
        "judge": {"right": 0.7},
    }
    return found | changes


def test_sentences_compare_only_where_the_interval_does():
    found = sentences(values())
    assert found[0] == (
        "Trait alignment of the adapters is within noise of mend; above the model as it is."
    )
    assert found[1] == "Steering reaches 75 % of the adapters' trait alignment."
    assert found[2].startswith("1 of 1 adapters move their own trait by at least a point")
    assert "0 of 1 move every other trait" in found[2]
    assert found[3] == (
        "The RMSE of ratings changes by +3.1 to +3.1 %; it rises by more than 2 %, beyond noise,"
        " with high openness."
    )
    assert "right on 80 % of held-out opinions and on 30 %" in found[4]


def test_one_seed_is_said_and_small_changes_of_ratings_are_too():
    ratings = {"after": {"high openness": rating_change(0.012, [0.001, 0.02])}}
    found = sentences(values(seeds=[0], ratings=ratings))
    assert found[0] == f"One seed: {ONE_SEED}."
    assert "changes by +1.2 to +1.2 %; no rise of more than 2 % lies beyond noise." in found[4]


def test_a_large_rise_within_noise_is_no_rise_and_a_fall_is_told_as_one():
    after = {
        "high openness": rating_change(0.05, [-0.01, 0.08]),
        "low openness": rating_change(-0.02, [-0.03, -0.01]),
    }
    found = sentences(values(ratings={"after": after}))
    assert "changes by \u22122.0 to +5.0 %; no rise of more than 2 % lies beyond noise." in found[3]


def test_a_move_counts_by_the_ends_of_its_interval():
    own = Estimate(1.5, (1.1, 1.9))
    small, wide = Estimate(0.1, (-0.2, 0.4)), Estimate(0.1, (-0.7, 0.9))
    names = ("openness", "extraversion")
    for other, kept in ((small, True), (wide, False)):
        found = _reached(label("openness"), dict(zip(names, (own, other), strict=True)))
        assert found == {"moves_a_point": True, "others_less_than_half": kept}
    weak = _reached(label("openness"), {"openness": Estimate(1.2, (0.9, 1.5))})
    assert not weak["moves_a_point"]
    unknown = _reached(label("openness"), {"openness": own, "extraversion": Estimate(0.1, None)})
    assert unknown == {"moves_a_point": None, "others_less_than_half": None}
    low = _reached(label("openness", "low"), {"openness": Estimate(-1.5, (-1.9, -1.1))})
    assert low["moves_a_point"]


class TwoTraits:
    labels = tuple(label(trait, pole) for trait in ("openness", "extraversion") for pole in POLES)
    traits = ("openness", "extraversion")
    methods, intensities, pairs = ("prompt", "steering", "adapter"), (0.5, 2.0), True


def test_adapters_are_also_scaled_and_two_traits_are_set_at_once():
    assert names_of(TwoTraits) == [
        "prompt", "steering", "adapter", "adapter x0.5", "adapter x2", "steering pair",
        "adapter pair",
    ]  # fmt: skip
    assert partner(TwoTraits, label("openness", "low")) == label("extraversion", "low")
    assert partner(TwoTraits, label("extraversion")) == label("openness"), "the last goes round"


def test_a_pair_of_adapters_is_their_sum_and_a_scaled_one_is_its_multiple(tmp_path, monkeypatch):
    parts = {}
    monkeypatch.setattr("experiments.traits.ways.Adapted", lambda speaker, folder: folder)
    monkeypatch.setattr(
        "experiments.traits.ways.composed", lambda own, to: parts.update({to.name: own}) or to
    )
    ways = Ways(TwoTraits, None, [], 0)
    monkeypatch.setattr(ways, "trained", lambda own: tmp_path / str(own))
    ways.way("adapter pair", label("openness"))
    ways.way("adapter x0.5", label("openness"))
    first, second = tmp_path / "high openness", tmp_path / "high extraversion"
    assert parts == {
        "high openness-pair": {first: 1.0, second: 1.0}, "high openness-x0.5": {first: 0.5},
    }  # fmt: skip


def test_labels_are_averaged_within_a_topic_and_short_seeds_are_filled_up():
    class Study:
        seeds = (0, 1)

    class Cell:
        def __init__(self, ta):
            empty = np.zeros(len(ta))
            self.scores = Scores(np.array(ta), *[empty] * 8, np.zeros((len(ta), 1)))

    cells = {
        (0, "adapter", "a"): Cell([1.0, 0.0, np.nan]),
        (0, "adapter", "b"): Cell([0.0, 0.0, np.nan]),
        (1, "adapter", "a"): Cell([1.0, 1.0]),
        (1, "adapter", "b"): Cell([np.nan, 0.0]),
    }
    found = values_of(Study, cells, "adapter", "ta", ["a", "b"])
    np.testing.assert_array_equal(found, [[0.5, 0.0, np.nan], [1.0, 0.5, np.nan]])


HIGH, LOW = label("openness"), label("openness", "low")
SMILE = "\N{SMILING FACE WITH OPEN MOUTH}"
STUDY = SimpleNamespace(
    seeds=(0, 1), labels=[HIGH, LOW], traits=["openness"], methods=("prompt", "adapter"),
    intensities=(), pairs=False,
)  # fmt: skip


def cell(ta, shift, perplexity=10.0, texts=("I agree.", "I do not.")):
    """Two topics; what is not said is 0.25."""
    quarter = np.full(2, 0.25)
    own = {name: quarter for name in Scores._fields}
    own |= {"ta": np.array(ta, dtype=float), "shift": np.array(shift, dtype=float)[:, None]}
    return Cell(Scores(**own), SideEffects(perplexity, 0.0, 0.5), list(texts), {})


@pytest.fixture(scope="module")
def found():
    cells = {}
    for seed in STUDY.seeds:
        cells[seed, "as it is", HIGH] = cells[seed, "as it is", LOW] = cell([0, 0], [0, 0])
        cells[seed, "prompt", HIGH] = cells[seed, "prompt", LOW] = cell([0, 1], [0.5, 0.5])
        cells[seed, "adapter", HIGH] = cell([1, 1], [1.2, 1.4], 10.0 + seed, (SMILE, "No."))
        cells[seed, "adapter", LOW] = cell([0, 1], [-1.2, -1.4 - seed], 20.0)
    return figures(STUDY, cells)


def test_every_way_has_the_mean_of_its_labels_topics_and_seeds(found):
    assert found["ways"]["adapter"]["ta"]["mean"] == 3 / 4
    assert found["ways"]["prompt"]["ta"] == {"mean": 0.5, "ci95": [0.0, 1.0]}
    assert found["ways"]["adapter"]["pae"] == {"mean": 0.25, "ci95": [0.25, 0.25]}
    assert found["by_label"]["adapter"][str(HIGH)] == {"mean": 1.0, "ci95": [1.0, 1.0]}


def test_a_difference_is_that_of_the_adapters_to_a_rival_topic_by_topic(found):
    # labels averaged: adapter 1/2, 1; prompt 0, 1; so 1/2 on one topic and 0 on the other
    assert found["differences"]["prompt"]["mean"] == 0.25
    assert found["differences"]["as it is"]["mean"] == 0.75
    assert set(found["differences"]) == {"as it is", "prompt"}


def test_moves_are_told_by_label_and_trait_with_their_sign(found):
    high, low = (found["moves"]["adapter"][str(own)] for own in (HIGH, LOW))
    assert high["traits"]["openness"]["mean"] == pytest.approx(1.3)
    assert low["traits"]["openness"]["mean"] == pytest.approx(-(1.2 + 1.4 + 1.2 + 2.4) / 4)
    assert high["moves_a_point"]
    assert low["moves_a_point"]
    assert not found["moves"]["prompt"][str(HIGH)]["moves_a_point"]
    assert not found["moves"]["prompt"][str(LOW)]["moves_a_point"], "it goes the other way"


def test_side_effects_are_means_over_labels_and_seeds(found):
    own = found["side_effects"]["adapter"]
    assert own["perplexity"] == (10 + 20 + 11 + 20) / 4
    assert (own["refused_ordinary"], own["refused_harmful"]) == (0.0, 0.5)
    assert own["emoji_instance_rate"] == 2 / 8, "one of two answers, under one of two labels"
    assert own["emojis_per_sentence"] == 2 / 8


def test_what_moves_down_counts_as_a_move_of_another_trait():
    own, fallen = Estimate(1.5, (1.1, 1.9)), Estimate(-0.5, (-0.7, -0.1))
    reached = _reached(HIGH, {"openness": own, "extraversion": fallen})
    assert reached == {"moves_a_point": True, "others_less_than_half": False}

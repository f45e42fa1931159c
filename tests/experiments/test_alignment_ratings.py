"""Statistical alignment and the gate's input, on rows that one can count by hand."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.alignment import asked as asking
from experiments.alignment import rating_figures
from experiments.alignment import run as running
from experiments.alignment.alignment_figures import curve
from experiments.alignment.asked import BIAS, Rows
from experiments.alignment.card import gate_of
from experiments.alignment.rating_figures import (
    PEOPLE,
    bias_panel,
    by_kinds,
    calibrated,
    figures,
    kinds,
    measured,
    predictor_table,
)
from simenv.events import InteractionLog

COMEDY_AND_WAR = SimpleNamespace(catalog=SimpleNamespace(genre_shares=np.eye(2)))


def certain(stars):
    """Chances (r, 5) of who is sure of whole ``stars`` (r,)."""
    return np.eye(5)[np.asarray(stars) - 1]


def log_of(users, items, ratings, **sizes):
    return InteractionLog.from_columns(
        users, items, ratings, **{"num_users": 2, "num_items": 2, **sizes}
    )


LOG = log_of([0, 0, 1, 1], [0, 1, 0, 1], [5.0, 3.0, 4.0, 2.0])


def rows_of(log, said, bias, **others):
    """People and the bias model who are sure of stars, and further predictors that say some."""
    stars = {BIAS: np.array(bias, float)} | {n: np.array(own, float) for n, own in others.items()}
    rivals = {name: certain(own.astype(int)) for name, own in stars.items()}
    return Rows(log, certain(said), rivals, stars)


def test_all_errors_of_a_predictor_by_hand():
    """Half on what was given and half on a neighbour; in the last row a quarter, the rest on 1."""
    chances = np.array([[0, 0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5, 0], [0, 0, 0, 0.5, 0.5],
                        [0.75, 0.25, 0, 0, 0]])  # fmt: skip
    found = figures(LOG, np.array([4.0, 4.0, 5.0, 1.0]), chances)
    assert (found["rmse"], found["mae"], found["rmse_ci95"]) == (1.0, 1.0, [1.0, 1.0])
    assert found["log_loss"] == pytest.approx(5 / 4 * np.log(2))
    assert found["brier"] == pytest.approx((3 * 0.5 + 2 * 0.75**2) / 4)
    assert found["rps"] == pytest.approx((3 * 0.25 + 0.75**2) / (4 * 4))
    assert found["ece"] == pytest.approx((0.75 + 0.75) / 20)  # bins of 0.25 and 0.75; 0.5 is right
    assert found["auc"] == pytest.approx((0.5 + 1 + 1 + 1) / 4)  # 5 and 4 are liked, 3 and 2 not
    assert found["uauc"] == pytest.approx((0.5 + 1) / 2)


def test_the_difference_to_a_predictor_is_the_peoples_error_minus_its():
    """Everybody of the people is one star off, the bias model two, in every row."""
    rows = rows_of(LOG, [4, 4, 5, 1], [3, 5, 2, 4])
    found = predictor_table(rows)
    assert (found[PEOPLE]["rmse"], found[BIAS]["rmse"]) == (1.0, 2.0)
    assert found[BIAS]["difference_ci95"] == [-1.0, -1.0]
    assert list(found) == [PEOPLE, BIAS]
    assert found[BIAS]["brier"] == 2.0  # its own chances, all wrong and sure


def test_the_panel_is_of_the_people_and_of_the_bias_models_people():
    found = bias_panel(rows_of(LOG, [5, 4, 5, 3], [4, 2, 3, 2]), COMEDY_AND_WAR)
    assert found[PEOPLE]["mean_shift"] == 0.75  # of 3.5: 17 / 4
    assert found[BIAS]["mean_shift"] == -0.75  # 11 / 4


def personas(*clusters, activity=1):
    people = [SimpleNamespace(cluster=c, activity=activity) for c in clusters]
    return SimpleNamespace(population=SimpleNamespace(personas=people))


def test_a_calibration_is_fitted_on_its_own_rows_and_measured_on_the_others():
    """0.8 that comes true in two of three wants the temperature ln 4 / ln 2 = 2: 2/3, not 0.8."""
    said = np.array([[0.8, 0.2, 0, 0, 0]] * 3)
    fitted = Rows(log_of([0, 0, 1], [0, 1, 0], [1.0, 1.0, 2.0]), said, {}, {})
    rest = Rows(log_of([1], [1], [1.0]), said[:1], {}, {})
    found = calibrated(SimpleNamespace(fitted=fitted, measured=rest, model=personas(0, 0)))
    assert found["none"]["log_loss"] == pytest.approx(-np.log(0.8), abs=1e-6)
    assert found["none"]["rmse"] == pytest.approx(0.2)
    assert found["temperature"]["temperature"] == pytest.approx(2.0, abs=1e-3)
    assert found["temperature"]["log_loss"] == pytest.approx(np.log(3 / 2), abs=1e-3)
    assert found["temperature"]["rmse"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["temperature"]["ece"] == pytest.approx(2 * (1 / 3) / 5, abs=1e-3)
    assert found["temperature"]["rows_fitted_on"] == 3


def test_tenths_of_popularity_hold_a_tenth_of_the_ratings_each_the_rarest_first():
    """Of ten ratings 1, 4 and 5 are of three items: they begin after 0, 1 and 5 of them."""
    counts = SimpleNamespace(averages=SimpleNamespace(counts=np.array([0, 5, 1, 4])))
    assert rating_figures._popularity_decile(counts).tolist() == [-1, 5, 0, 1]


def crowd():
    """Twenty rows of a newcomer with 19 known ratings, and twenty of a regular with 20."""
    log = InteractionLog.from_columns(
        np.repeat([0, 1], 20), np.tile(np.arange(20), 2), np.full(40, 4.0),
        num_users=2, num_items=20,
    )  # fmt: skip
    train = log.take(np.arange(40) != 5)
    counts = np.where(np.arange(20) == 0, 39, 0)
    dataset = SimpleNamespace(train=train, num_users=2, averages=SimpleNamespace(counts=counts))
    return SimpleNamespace(dataset=dataset, model=personas(3, 1)), log


def test_kinds_by_hand_and_small_ones_are_not_shown():
    asked, log = crowd()
    rows = Rows(log, certain(np.full(40, 4)), {}, {})
    found = kinds(asked, rows)
    newcomer = (log.users == 0).tolist()
    assert {name: mask.tolist() for name, mask in found["history"].items()} == {
        "0 to 19": newcomer, "20 to 49": [not own for own in newcomer],
    }  # fmt: skip
    assert list(found["persona"]) == ["1", "3"]
    assert found["persona"]["3"].tolist() == newcomer
    assert list(found["activity"]) == ["1"]
    assert list(found["popularity"]) == ["unrated"]  # item 0 has two rows: too few


def test_errors_of_a_kind_by_hand():
    """The newcomer is said to give 4 of 5, always; half a chance against a quarter of the rival."""
    asked, log = crowd()
    half, quarter = np.zeros((40, 5)), np.full((40, 5), 0.1875)
    half[:, [3, 4]] = 0.5
    quarter[:, 3] = 0.25
    rows = Rows(log, half, {BIAS: quarter}, {BIAS: np.full(40, 6.0)})
    found = by_kinds(asked, rows)["persona"]["3"]
    assert (found["rows"], found["users"]) == (20, 1)
    assert (found["rmse"], found["mean_shift"], found["bias_model_rmse"]) == (0.5, 0.5, 2.0)
    assert found["log_loss_ratio"] == 0.5  # ln 2 / ln 4
    assert found["ece"] == pytest.approx((0.5 * 20 - 0.5 * 20 + 0.0) / 100)
    assert found["uauc"] is None  # nothing is disliked


def test_the_gate_looks_at_the_better_of_both_means_and_at_the_swap():
    rows = rows_of(LOG, [5, 3, 4, 2], [4, 4, 5, 1], **{
        "user mean": [4, 4, 5, 1], "item mean": [3, 5, 2, 4],
    })  # fmt: skip
    found = measured(rows, COMEDY_AND_WAR, {"rise_ci95": [0.1, 0.2]})
    assert (found.num_rows, found.num_users) == (4, 2)
    assert found.against_plain == [-1.0, -1.0]  # no error against one star of the user mean
    assert (found.ks, found.ece, found.variance_ratio) == (0.0, 0.0, 1.0)
    assert found.swap == [0.1, 0.2]
    assert measured(rows, COMEDY_AND_WAR, None).swap is None


def test_a_persona_is_judged_by_its_own_rows_and_weighs_as_many():
    """Persona 0 (people 0 to 2, thirty rows) says what is given, persona 1 (forty-two) is lost."""
    users = np.concatenate([np.repeat([0, 1, 2], 10), np.repeat([3, 4, 5], 14)])
    items = np.concatenate([np.tile(np.arange(10), 3), np.tile(np.arange(14), 3)])
    given = np.array([(1, 2, 5, 4, 3)[(u + i) % 5] for u, i in zip(users, items, strict=True)])
    log = InteractionLog.from_columns(users, items, given * 1.0, num_users=6, num_items=14)
    said = np.where(users < 3, given, 6 - given)
    rows = rows_of(log, said, np.full(72, 3), **{"user mean": [3] * 72, "item mean": [3] * 72})
    dataset = SimpleNamespace(
        train=log, num_users=6, averages=SimpleNamespace(counts=np.full(14, 5)),
        catalog=SimpleNamespace(genre_shares=np.ones((14, 1))),
    )  # fmt: skip
    asked = SimpleNamespace(dataset=dataset, model=personas(0, 0, 0, 1, 1, 1))
    found = gate_of(asked, rows, None)
    words = {name: own["word"] for name, own in found["personas"].items()}
    assert words == {"0": "pass", "1": "fail"}
    assert found["word"] == "fail"  # persona 1 has most of the rows


def test_the_pictures_show_shares_of_what_was_said_and_of_what_came():
    found = curve(Rows(LOG, np.array([[0.5, 0.5, 0, 0, 0]] * 4), {}, {}))
    assert found["simulated_shares"] == [0.5, 0.5, 0, 0, 0]
    assert found["real_shares"] == [0, 0.25, 0.25, 0.25, 0.25]
    assert (found["sizes"][7], found["forecast"][7], found["frequency"][7]) == (8, 0.5, 1 / 8)


@dataclass
class Model:
    """Users, as far as they are handed on."""

    calibrated: bool = True


def test_noise_is_fitted_on_the_rows_for_calibration_and_failures_are_counted(monkeypatch):
    """Of everybody's four rows the first is for calibration, and there the predictor is sure."""
    log = log_of([0] * 4 + [1] * 4, [0, 1, 2, 3] * 2, [3.0, 1.0, 5.0, 1.0] * 2, num_items=4)
    dataset = SimpleNamespace(test=log)
    monkeypatch.setattr(asking, "plain_answers", lambda data, extra: {"flat": np.full(8, 3.0)})

    def rate(model, rows):
        assert model.calibrated is False
        chances = certain(rows.ratings.astype(int))
        chances[(rows.users == 1) & (rows.items == 3)] = np.nan
        return chances

    monkeypatch.setattr(asking, "rate", rate)
    found = asking.ask(dataset, Model(), np.array([0, 1]), 0.25, 3, [], 0)
    assert found.num_failed == 1
    assert found.fitted.log.items.tolist() == [0, 0]
    assert found.measured.log.items.tolist() == [1, 2, 3, 1, 2]
    # Noise of 0.2 stars, the least there is, leaves 2.5 standard deviations on either side.
    assert found.measured.rivals["flat"][0, 2] == pytest.approx(0.9876, abs=1e-3)
    assert found.measured.stars["flat"].tolist() == [3.0] * 5


def test_trajectories_are_told_by_average_popularity_and_year_in_this_order():
    dataset = SimpleNamespace(
        averages=SimpleNamespace(fair=np.array([3.5, 4.5]), counts=np.array([0, 3])),
        catalog=SimpleNamespace(years=np.array([1990, 2001])),
    )
    found = running._known_of_items(dataset, LOG.take(np.array([0, 1])))
    assert found.tolist() == [[3.5, 0.0, 1990.0], [4.5, pytest.approx(np.log(4)), 2001.0]]


def test_trajectories_of_the_people_and_of_the_bias_models_people_stand_apart(monkeypatch):
    rows = rows_of(LOG, [1, 2, 3, 4], [5, 5, 5, 5])
    monkeypatch.setattr(running, "_known_of_items", lambda dataset, log: None)
    monkeypatch.setattr(
        running, "two_sample",
        lambda real, drawn, users, known, num_resamples: (real.tolist(), drawn.tolist()),
    )  # fmt: skip
    found = running._trajectories(SimpleNamespace(measured=rows, dataset=None, seed=0), 10)
    assert found[PEOPLE] == [[5, 3, 4, 2], [1, 2, 3, 4]]
    assert found[BIAS] == [[5, 3, 4, 2], [5, 5, 5, 5]]

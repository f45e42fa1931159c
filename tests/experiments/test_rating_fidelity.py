"""The paper's table: contrasts, and the whole command on a tiny world."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from agents.fidelity.error_measures import interval, resampled_rmse, user_sums
from agents.population.population import POCKET
from experiments.predictors.bayesian_fm import BayesianFM, _with_others
from experiments.predictors.matrix_factorisation import BiasedMF
from experiments.rating_fidelity import run
from experiments.rating_fidelity.forecast import Forecast
from experiments.rating_fidelity.table import (
    CONTRASTS,
    Regime,
    lines,
    markdown,
    summarise,
    table_rows,
)
from experiments.reporting.claims import verdict
from simenv.data.rating_baselines import BiasModel
from simenv.events import InteractionLog
from tests.experiments.command import run_command
from training.adapters.lora_presets import lora_preset
from training.adapters.variants import planned
from training.examples.from_log import Examples

RNG = np.random.default_rng(0)
USERS = np.repeat(np.arange(30), 20)
RATINGS = RNG.integers(1, 6, 600).astype(float)


def draws_of(*errors):
    """Two draws of predictors that are off by normal errors of these sizes."""
    return [
        user_sums(
            np.stack([RATINGS + e * np.random.default_rng(s).normal(size=600) for e in errors]),
            RATINGS,
            USERS,
        )
        for s in (1, 2)
    ]


def test_matrix_factorisation_learns_tastes_that_biases_cannot():
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(80), 30)
    items = np.concatenate([rng.permutation(60)[:30] for _ in range(80)])
    ratings = np.where((users + items) % 2, 2.0, 4.0)
    rows = rng.permutation(len(users))
    columns = [c[rows[:2000]] for c in (users, items, ratings)]
    log = InteractionLog.from_columns(*columns, num_users=80, num_items=61)
    asked = rows[2000:]
    error = [
        np.sqrt(np.mean((m.fit(log).predict(users[asked], items[asked]) - ratings[asked]) ** 2))
        for m in (BiasedMF(num_epochs=200), BiasModel())
    ]
    assert error[0] < error[1] / 2
    nobody_rated = BiasedMF().fit(log).predict(np.array([0]), np.array([60]))
    assert 1 <= nobody_rated[0] <= 5


def test_the_bayesian_machine_beats_the_bias_model_where_tastes_differ(capfd):
    """Half of the people love the items that the other half hate: no bias tells them apart."""
    if importlib.util.find_spec("myfm") is None:
        pytest.skip('the baseline wants pip install "personarec[fm]"')
    rng = np.random.default_rng(0)
    pairs = rng.permutation(60 * 40)
    users, items = pairs // 40, pairs % 40
    stars = np.where((users % 2) == (items % 2), 5.0, 1.0)
    known, asked = pairs[:1600], slice(1600, None)
    log = InteractionLog.from_columns(
        users[:1600], items[:1600], stars[:1600], num_users=61, num_items=41
    )
    assert len(known) == len(log)
    machine = BayesianFM(rank=3, num_iterations=40).fit(log)
    error = machine.predict(users[asked], items[asked]) - stars[asked]
    assert np.sqrt((error**2).mean()) < 0.8
    plain = BiasModel().fit(log).predict(users[asked], items[asked]) - stars[asked]
    assert np.sqrt((plain**2).mean()) > 1.9
    unknown = machine.predict(np.array([[60]]), np.array([40, 0]))
    assert unknown.shape == (1, 2)
    assert capfd.readouterr().err == "", "a bar of its own"
    assert ((unknown >= 1) & (unknown <= 5)).all()


def test_features_of_the_bayesian_machine_name_who_it_is_and_who_stands_beside_in_whole_numbers():
    found = _with_others(np.array([0, 0, 1]), np.array([1, 2, 0]), 2, 3).toarray()
    half = np.sqrt(1 / 2)
    assert found == pytest.approx(np.array([[1, 0, 0, half, half], [0, 1, 1, 0, 0]]))


def test_without_its_package_the_bayesian_machine_says_how_to_install_it(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "myfm" else found(name)
    )
    log = InteractionLog.from_columns([0], [0], [3.0], num_users=1, num_items=1)
    with pytest.raises(ImportError, match=r'pip install "personarec\[fm\]"'):
        BayesianFM().fit(log)


def test_plain_predictors_can_be_asked_alone_with_further_ones_beside_them(tmp_path):
    results = run_command(
        tmp_path, "experiment=rating_fidelity", "debug=tiny", "experiment.cells={}",
        "experiment.draws=[0]", "experiment.regimes=[same_rows]",
        "experiment.baselines=[content_ridge]",
    )  # fmt: skip
    rows = results["regimes"]["same_rows"]["rows"]
    assert {"bias model", "matrix factorisation", "content ridge"} <= set(rows)
    assert not any("|" in name for name in rows)
    assert not (tmp_path / "answers").exists()


def test_contrasts_say_who_is_better():
    names = ["bias model", "persona | Ms", "persona | Ms+Ml"]
    more = [{n: {"mode_rmse": 1.0, "mode_mae": 1.0} for n in names}] * 2
    summary = summarise(Regime("x", names, draws_of(0.9, 1.1, 0.7), more, 300))
    assert summary["contrasts"]["memory helps"]["ci95"][1] < 0
    assert summary["contrasts"]["persona against the bias model"]["difference"] < 0
    assert "persona against random groups" not in summary["contrasts"]
    page = markdown({"x": summary})
    assert "| persona · Ms+Ml |" in page
    assert "| memory helps |" in page


def test_intervals_of_rows_and_contrasts_hold_95_of_100():
    """400 users: the first predictor is off by 1 for every second of them, the other never.

    The mean square is 0.5 ± 1.96 · 0.5 / 20, and the contrast is the first figure again.
    """
    off = np.arange(400) % 2.0
    names = ["persona | Ms", "persona | Ms+Ml"]
    errors = user_sums(np.stack([3 + off, 3 + 0 * off]), np.full(400, 3.0), np.arange(400))
    summary = summarise(Regime("x", names, [errors], [{n: {} for n in names}], 2000))
    expected = [np.sqrt(0.5 - 1.96 * 0.5 / 20), np.sqrt(0.5 + 1.96 * 0.5 / 20)]
    row = summary["rows"]["persona | Ms"]
    assert (row["rmse"], row["mae"]) == pytest.approx((np.sqrt(0.5), 0.5))
    assert row["rmse_ci95"] == pytest.approx(expected, abs=0.005)
    helped = summary["contrasts"]["memory helps"]
    assert helped["difference"] == pytest.approx(-np.sqrt(0.5))
    assert helped["ci95"] == pytest.approx([-expected[1], -expected[0]], abs=0.005)
    assert (summary["draws"], summary["rows_asked"]) == (1, 400)


def summary_of_two_draws():
    """Off by 1 and 3 in one draw of two users, by 2 and 2 in another."""
    first = user_sums(np.array([[1.0, 1.0], [3.0, 3.0]]), np.zeros(2), np.arange(2))
    second = user_sums(np.array([[2.0, 2.0], [2.0, 2.0]]), np.zeros(2), np.array([0, 0]))
    names = ["persona | Ms+Ml", "bias model"]
    plain = {"mode_rmse": 1.0, "mode_mae": 0.5}
    more = [
        {names[0]: {**plain, "ece": 0.1, "said_rmse": 2.0, "said_urr": np.nan}, names[1]: plain},
        {
            names[0]: {**plain, "mode_rmse": 2.0, "ece": 0.3, "said_rmse": 1.0, "said_urr": 0.5},
            names[1]: plain,
        },
    ]
    return summarise(Regime("x", names, [first, second], more, 200))


def test_a_table_holds_means_over_draws_and_every_draw():
    found = summary_of_two_draws()
    persona, rival = found["rows"].values()
    # One draw, the other, or both: their means are 1, 2 and 1.5, and 3, 2 and 2.5.
    expected = {"rmse": 1.5, "mae": 1.5, "mode_rmse": 1.5, "mode_mae": 0.5, "ece": 0.2}
    expected |= {"said_rmse": 1.5, "said_urr": 0.5}  # a figure that one draw lacks is the other's
    assert {k: v for k, v in persona.items() if "_ci95" not in k and "per" not in k} == (
        pytest.approx(expected)
    )
    assert persona["rmse_per_draw"] == [1, 2]
    assert rival["rmse_per_draw"] == [3, 2]
    assert (persona["rmse_ci95"], rival["rmse_ci95"]) == ([1, 2], [2, 3])
    assert found["contrasts"] == {
        "persona against the bias model": {"difference": -1.0, "ci95": [-2.0, 0.0]}
    }
    assert (found["draws"], found["rows_asked"]) == (2, 2 + 2)


PAGE = """\
### x: 2 draws, 4 test rows

|  | RMSE | 95 % CI | MAE | UAUC | mode RMSE | mode MAE | ECE | said RMSE | URR |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| persona · Ms+Ml | 1.500 | 1.000 to 2.000 | 1.500 |  | 1.500 | 0.500 | 0.200 | 1.500 | 50.00% |
| bias model | 2.500 | 2.000 to 3.000 | 2.500 |  | 1.000 | 0.500 |  |  |  |

| RMSE difference |  | 95 % CI | so the first |
| --- | --- | --- | --- |
| persona against the bias model | -1.0000 | -2.0000 to +0.0000 | within noise |

"""


def test_the_page_shows_what_the_summary_holds():
    assert markdown({"x": summary_of_two_draws()}) == PAGE
    assert markdown({"x": summary_of_two_draws(), "y": summary_of_two_draws()}).count("###") == 2


def test_the_terminal_shows_what_the_page_shows():
    table, contrast = lines({"x": summary_of_two_draws()})
    assert table.title == "x: 2 draws, 4 test rows"
    assert list(table.rows) == table_rows(summary_of_two_draws())
    assert contrast == (
        "persona against the bias model: -1.0000 (-2.0000 to +0.0000), within noise"
    )


def test_resamples_are_those_of_seed_0():
    draws, names = draws_of(0.9, 1.1), ["a", "b"]
    found = summarise(Regime("x", names, draws, [{n: {} for n in names}] * 2, 100))
    resamples = resampled_rmse(draws, np.random.default_rng(0), 100)
    assert found["rows"]["a"]["rmse_ci95"] == interval(resamples[:, 0])


def test_some_rows_of_each_user_are_drawn_and_stay_in_order():
    log = InteractionLog(
        np.repeat([0, 2, 3], [5, 2, 9]), np.arange(16), np.ones(16), np.arange(16.0), 4, 16
    )
    few = run.some_rows(log, 3, seed=0)
    assert np.bincount(few.users, minlength=4).tolist() == [3, 0, 2, 3]
    assert few.items.tolist() == sorted(few.items.tolist())
    assert run.some_rows(log, 3, seed=1).items.tolist() != few.items.tolist()
    assert len(run.some_rows(log, 99, seed=0)) == 16


def test_a_forecast_multiplies_what_was_measured():
    one = Forecast(steps=10, step_seconds=6.0, questions=300, question_seconds=0.2)
    assert one.seconds == 120
    assert one.times(3).seconds == 360
    assert str(one.times(60)).startswith("about 2.0 h if nothing is there yet: 600 steps of train")


def test_steps_are_counted_as_they_are_trained():
    """Two groups of 3 and 2 blocks, two blocks a step, three epochs."""
    blocks = Examples(
        ["p"] * 5, ["s"] * 5, np.ones((5, 1, 5)) / 5, np.ones((5, 1)), np.ones((5, 1))
    )
    labels, preset = np.array([0, 1, 0, 1, 0]), lora_preset("small", blocks_per_step=2, epochs=3)
    counts = {
        name: planned(blocks, np.arange(5), labels, preset, [name])
        for name in ("none", "persona", "single", "single_all")
    }
    assert {name: plan.steps for name, plan in counts.items()} == {
        "none": 0, "persona": 9, "single": 3, "single_all": 9
    }  # fmt: skip
    assert {name: plan.rows for name, plan in counts.items()} == {
        "none": 0, "persona": 15, "single": 6, "single_all": 15
    }  # fmt: skip


@pytest.mark.slow  # trains three steps and asks
def test_a_named_model_is_tried_before_it_is_asked_for_hours(tmp_path, capsys):
    words = ["experiment=rating_fidelity", "data=tiny", f"slm={POCKET / 'model'}"]
    words += ["experiment.draws=[3]", "experiment.regimes=[same_rows]", "experiment.asked_rows=2"]
    words += ["experiment.cells={Ms+Ml:[none,single]}", "experiment.num_clusters=2"]
    words += ["experiment.raft.cuts=[0.5]", "experiment.said_rows=4", "+training.epochs=1"]
    results = run_command(
        tmp_path, *words, "experiment.num_resamples=20", "experiment.together=true"
    )
    assert 0 < results["expected_seconds"] < 600
    said = " ".join(capsys.readouterr().err.split())
    assert "2 cells, about" in said
    assert "steps of training of" in said


@pytest.mark.slow
def test_the_whole_table_of_a_tiny_world(tmp_path):
    words = [
        "experiment=rating_fidelity",
        "data=tiny",
        "experiment.draws=[3,4]",
        "+training.epochs=1",
        "experiment.regimes=[same_rows]",
        "experiment.cells={Ms:[none],Ml:[],Ms+Ml:[none,persona]}",
        "experiment.num_clusters=2",
        "experiment.raft.cuts=[0.5]",
        "experiment.raft.turns=4",
        "experiment.said_rows=20",
        "experiment.num_resamples=50",
    ]
    regime = run_command(tmp_path, *words)["regimes"]["same_rows"]
    assert regime["draws"] == 2
    assert {
        "always 4",
        "bias model",
        "matrix factorisation",
        "none | Ms",
        "persona | Ms+Ml",
    } <= set(regime["rows"])
    row = regime["rows"]["persona | Ms+Ml"]
    assert row["rmse_ci95"][0] <= row["rmse"] <= row["rmse_ci95"][1]
    assert 0 <= row["said_urr"] <= 1
    assert (tmp_path / "same_rows.png").stat().st_size > 10_000
    kept = sorted((tmp_path / "answers").iterdir())  # cells, and each answer as it came
    answers = [path for path in kept if path.suffix != ".answers"]
    assert len(answers) == 6
    before = [a.stat().st_mtime_ns for a in answers]
    run_command(tmp_path, *words)  # nothing is asked twice
    assert [a.stat().st_mtime_ns for a in answers] == before


def test_published_contrasts_say_what_follows_from_their_intervals():
    """A table of the docs had differences and intervals, and no word of what is noise."""
    page = Path(__file__).parents[2].joinpath("docs", "results.md").read_text(encoding="utf-8")
    number = r"([+-][\d.]+)"
    rows = re.findall(rf"^\| (.+) \| [+-][\d.]+ \| {number} to {number} \| (.+) \|$", page, re.M)
    asked = {question for question, *_ in rows}
    assert {question for question, *_ in CONTRASTS} <= asked
    for question, low, high, so in rows:
        words = {"more": "errs more", "less": "errs less", "noise": "within noise"}
        assert so == words[verdict([float(low), float(high)])], question

"""The paper's table: contrasts, and the whole command on a tiny world."""

import json

import numpy as np
import pytest

from agents.fidelity.errors import user_sums
from experiments.__main__ import main
from experiments.rating_fidelity.matrix_factorisation import BiasedMF
from experiments.rating_fidelity.table import Regime, markdown, summarise
from simenv.data.rating_baselines import BiasModel
from simenv.events import InteractionLog

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


@pytest.mark.slow
def test_the_whole_table_of_a_tiny_world(tmp_path, monkeypatch):
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
        f"output_dir={tmp_path}",
    ]
    monkeypatch.setattr("sys.argv", ["personarec", *words])
    main()
    regime = json.loads((tmp_path / "results.json").read_text())["regimes"]["same_rows"]
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
    answers = sorted((tmp_path / "answers").iterdir())
    assert len(answers) == 6
    before = [a.stat().st_mtime_ns for a in answers]
    main()  # nothing is asked twice
    assert [a.stat().st_mtime_ns for a in answers] == before

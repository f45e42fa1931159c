"""Settings of a grid are compared on training rows alone, with the settings as configured first."""

import math

import numpy as np
import pytest
from hydra import compose, initialize_config_module

from experiments.reporting.running import perform
from experiments.tune.run import _settings, _summarise, markdown, training_part
from simenv.data.synthetic import synthetic

GRID = ["recommender=[ease]", "~experiment.grids", "+experiment.grids={ease: {l2: [20, 200]}}"]


def tuned(folder, *words):
    words = ["experiment=tune", "debug=tiny", f"output_dir={folder}", *words]
    with initialize_config_module("conf", version_base="1.3"):
        return perform(compose("config", words))


def test_no_held_out_row_is_learnt_from_or_validated_on():
    dataset = synthetic(1, num_users=8, num_items=80)
    part = training_part(dataset, 0.8)
    assert len(part.train) + len(part.test) == len(dataset.train)
    kept = set(zip(part.test.users.tolist(), part.test.items.tolist(), strict=True))
    held_out = zip(dataset.test.users.tolist(), dataset.test.items.tolist(), strict=True)
    assert not kept & set(held_out)


def test_the_settings_as_configured_come_first_and_once():
    node = {"l2": 2, "k": 1, "other": 9}
    found = list(_settings(node, {"l2": [1, 2], "k": [1, 3]}))
    assert found[0] == {"l2": 2, "k": 1}
    assert len(found) == 4
    assert found.count(found[0]) == 1


def test_the_best_is_compared_with_the_configured_for_the_same_users():
    tried = [({"l2": 1}, np.array([0.1, 0.2, 0.3])), ({"l2": 2}, np.array([0.3, 0.3, 0.3])),
             ({"l2": 3}, np.array([0.0, 0.1, 0.0]))]  # fmt: skip
    found = _summarise(tried)
    assert (found["best"], found["configured"]) == ({"l2": 2}, {"l2": 1})
    half = 4.302652729696142 * 0.1 / math.sqrt(3)  # Student's t, 97.5 %, 2 degrees of freedom
    assert found["difference"] == 0.1
    assert found["ci95"] == [round(0.1 - half, 5), round(0.1 + half, 5)]
    assert [one["ndcg"] for one in found["tried"]] == [0.2, 0.3, 0.03333]
    results = {"policies": {"ease": found}, "dataset": "toy",
               "rows": {"learnt_from": 9, "validation": 3}}  # fmt: skip
    assert "| ease | l2 2 | 0.3000 | l2 1 | 0.2000 | +0.1000 (" in markdown(results)


def test_a_grid_is_tried_and_reported(tmp_path):
    found = tuned(tmp_path, *GRID)
    tried = found["policies"]["ease"]["tried"]
    assert [one["settings"] for one in tried] == [{"l2": 200.0}, {"l2": 20}]
    assert found["policies"]["ease"]["best"] == max(tried, key=lambda t: t["ndcg"])["settings"]
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("# Best settings on")


def test_a_grid_of_what_is_not_configured_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"grids names ease\.l3, which is not configured; add"):
        tuned(tmp_path, *GRID[:2], "+experiment.grids={ease: {l3: [1]}}")


def test_grids_of_policies_that_are_not_chosen_are_named_with_the_cure(tmp_path):
    with pytest.raises(
        ValueError,
        match=r"grids tunes \w+, which is none of recommender=\[ease\]; add it there, or give",
    ):
        tuned(tmp_path, "recommender=[ease]")

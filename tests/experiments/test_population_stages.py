"""The stages of a population as commands of their own, tiny."""

from dataclasses import replace
from importlib import import_module

import pandas as pd
import pytest

from experiments.people.base_models import worlds_of
from simenv.data.synthetic import WorldParameters, synthetic
from tests.experiments.command import composed, run_command


def trainings_of(*words):
    """What ``--dry-run`` says that the command ``experiment=NAME …`` trains."""
    cfg = composed(*words)
    return import_module(f"experiments.{cfg.experiment.name}").trainings(cfg)


def test_the_raft_stage_writes_questions_and_their_lengths(tmp_path):
    results = run_command(tmp_path, "experiment=raft", "data=tiny", "experiment.raft.turns=4")
    rows = pd.read_parquet(tmp_path / "raft.parquet")
    assert len(rows) == results["rows"] > 50
    assert rows.suffix.str.endswith("RATING:").all()
    assert rows.suffix.str.contains("Chosen").all()
    assert rows.rating.between(1, 5).all()
    assert results["tokens"]["longest"] <= results["tokens"]["limit"]


@pytest.mark.slow
def test_the_adapter_stage_trains_every_variant_once(tmp_path):
    words = [
        "experiment=train_adapters", "data=tiny", "experiment.num_clusters=2",
        "experiment.variants=[single,persona]", "experiment.raft.cuts=[0.6]",
        "experiment.raft.turns=3", "+training.epochs=1", "+training.rank=2",
    ]  # fmt: skip
    first = run_command(tmp_path, *words)["adapters"]
    assert set(first) == {"single", "persona-0", "persona-1"}
    for card in first.values():
        assert (tmp_path / card["folder"] / "adapter_model.safetensors").is_file()
    assert run_command(tmp_path, *words)["adapters"] == first
    [forecast] = trainings_of(*words)
    assert forecast.questions == sum(card["rows"] for card in first.values())
    assert forecast.seconds == forecast.steps * forecast.step_seconds > 0


@pytest.mark.slow
def test_a_base_goes_on_from_another_model(tmp_path):
    words = ["experiment=train_base", "data=tiny", "debug=tiny", "experiment.initial=shipped"]
    results = run_command(tmp_path, *words)
    assert results["training"]["steps"] == 2
    assert results["training"]["parameters"] > 1_000_000  # the shipped shape, not the tiny one
    [forecast] = trainings_of(*words)
    assert (forecast.steps, forecast.questions) == (2, results["training"]["ratings"])
    assert forecast.tokens > 40 * forecast.questions
    assert forecast.step_seconds > 0


def test_worlds_of_a_log_want_people_outside_the_draw():
    many = WorldParameters(num_users=12, num_items=200, mean_log_ratings=5.0)
    world = synthetic(3, parameters=many)
    with pytest.raises(ValueError, match=r"people outside the evaluated draw, 'synthetic-3' has"):
        worlds_of(world, 10)
    others = replace(world, background=world.train)
    assert worlds_of(others, 5)(0).num_users == 5

"""One question whole, as a command and in Python."""

import json

import numpy as np
import pytest

from experiments.command_line.arguments import verb_first
from experiments.show.run import item_named
from simenv.catalog import Catalog
from tests.experiments.command import run_command


def test_show_is_an_experiment_by_another_name():
    assert verb_first(["show", "user=3", "item=It's", "population=p"]) == [
        "experiment=show", "experiment.user=3", r"experiment.item='It\'s'",
        "experiment.population=p",
    ]  # fmt: skip
    assert verb_first(["show", "data=tiny"]) == [
        "experiment=show",
        "data=tiny",
        "experiment.of=data",
    ]
    assert verb_first(["experiment=show"]) == ["experiment=show"]


def test_the_prompt_memories_chances_and_tokens_are_told(tmp_path):
    results = run_command(tmp_path, *verb_first(["show", "user=3", "item=5"]))
    asked = json.loads((tmp_path / "question.json").read_text(encoding="utf-8"))
    assert asked["prompt"].endswith("RATING:")
    assert "".join(text for text, _ in asked["tokens"]) == asked["prompt"]
    assert sum(asked["chances"]) == pytest.approx(1, abs=1e-4)
    near = [memory["similarity"] for memory in asked["recalled"]]
    assert near == sorted(near, reverse=True)
    assert [memory["in_full"] for memory in asked["recalled"]] == [True] + [False] * 19
    cold, warm = results["cached_tokens"]
    assert cold == 0
    assert 0 < warm < results["tokens"]


def test_the_people_of_a_data_set_can_be_shown(tmp_path):
    words = verb_first(["show", "user=2", "item=7", "data=tiny"])
    results = run_command(tmp_path, *words, "engine=scripted")
    assert results["cached_tokens"] == [None, None]
    assert len(results["chances"]) == 5


@pytest.mark.parametrize(
    ("name", "text"),
    [("99", "got '99', which 0 items have"), ("twice", "got 'twice', which 2 items have"),
     ("first", "which 0 items have; near it: The First")],
)  # fmt: skip
def test_an_item_that_is_not_one_is_refused(name, text):
    catalog = Catalog(("The First", "Twice", "twice"), np.zeros(3, dtype=np.int64), ((),) * 3)
    with pytest.raises(ValueError, match=text):
        item_named(catalog, name)
    assert item_named(catalog, "the first") == item_named(catalog, "0") == 0


def test_nobody_and_nothing_cannot_be_asked(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run_command(tmp_path, *verb_first(["show", "user=4000", "item=5"]), "engine=scripted")
    assert "a question wanted a user in [0, 400), got 4000" in capsys.readouterr().err

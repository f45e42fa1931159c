"""One question whole, as a command and in Python."""

import json

import numpy as np
import pytest
from omegaconf import OmegaConf

from experiments.command_line.arguments import verb_first
from experiments.people.distilled import distil
from experiments.people.people import personas, scripted_engine
from experiments.show.run import _told, _users, item_named
from simenv.catalog import Catalog
from simenv.data.synthetic import synthetic
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
    results = run_command(tmp_path, *verb_first(["show", "user=3", "item=5", "population=pocket"]))
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


@pytest.mark.slow
def test_of_who_is_read_in_blocks_all_is_told_and_the_cue_alone_is_computed_again(tmp_path):
    results = run_command(tmp_path, *verb_first(["show", "user=3", "item=5", "population=readers"]))
    assert_cue_alone(results, tmp_path, memories=20)


def test_who_answers_where_nobody_is_named_is_read_in_blocks(tmp_path):
    results = run_command(tmp_path, *verb_first(["show", "user=3", "item=5"]))
    asked = json.loads((tmp_path / "question.json").read_text(encoding="utf-8"))
    assert "PROFILE: I gave" in asked["prompt"]
    assert_cue_alone(results, tmp_path, memories=0)


def assert_cue_alone(results, tmp_path, memories):
    asked = json.loads((tmp_path / "question.json").read_text(encoding="utf-8"))
    assert asked["prompt"].endswith(" Suggested:")
    assert asked["prompt"].count("MEMORY:") >= memories
    assert "".join(text for text, _ in asked["tokens"]) == asked["prompt"]
    cold, warm = results["cached_tokens"]
    assert cold == 0
    assert 5 <= results["tokens"] - warm <= 16


def test_the_people_of_a_data_set_can_be_shown(tmp_path):
    words = verb_first(["show", "user=2", "item=7", "data=tiny"])
    results = run_command(tmp_path, *words, "engine=scripted")
    assert results["cached_tokens"] == [None, None]
    assert len(results["chances"]) == 5


@pytest.mark.slow
def test_the_person_shown_is_told_by_the_distiller_and_nobody_else_is(tmp_path):
    words = verb_first(["show", "user=2", "item=7", "data=tiny"])
    plain = run_command(tmp_path / "plain", *words, "engine=scripted")
    told = run_command(tmp_path / "told", *words, "engine=scripted", "distiller=words")
    prompts = [json.loads((tmp_path / name / "question.json").read_text(encoding="utf-8"))["prompt"]
               for name in ("plain", "told")]  # fmt: skip
    assert plain["user"] == told["user"] == 2
    assert "on average" in prompts[0]
    assert prompts[0].split("TASK")[0] != prompts[1].split("TASK")[0]


def test_only_the_rows_of_the_person_shown_are_told(monkeypatch):
    asked = []

    def counted(distiller, dataset):
        asked.append(set(dataset.train.users.tolist()))
        return distil(distiller, dataset)

    monkeypatch.setattr("experiments.people.distilled.distil", counted)
    dataset = synthetic(0, num_users=8, num_items=60)
    users = personas(dataset, engine=scripted_engine).model
    cfg = OmegaConf.create({
        "users": {"population": None}, "experiment": {"user": 3},
        "distiller": {"_target_": "training.distillation.in_words.words_distiller.WordsDistiller",
                      "_partial_": True},
    })  # fmt: skip
    told = _told(cfg, dataset, users).population
    assert asked == [{3}]
    changed = [a != b for a, b in zip(told.personas, users.population.personas, strict=True)]
    assert changed == [user == 3 for user in range(8)]
    rows = np.array(told.reasons, dtype=object) != np.array(users.population.reasons, dtype=object)
    assert set(dataset.train.users[rows].tolist()) == {3}
    cfg.experiment.user = 8
    with pytest.raises(ValueError, match=r"show wanted user.*\[0, 8\)"):
        _told(cfg, dataset, users)
    cfg.users.population = "mine"
    with pytest.raises(ValueError, match=r"got one beside users\.population, whose people bring"):
        _told(cfg, dataset, users)


def test_people_of_a_population_take_no_distiller():
    cfg = OmegaConf.create(
        {"experiment": {"of": "population"}, "distiller": {"_target_": "mine.Distiller"}}
    )
    with pytest.raises(ValueError, match="those of a population, who bring their profiles; add"):
        _users(cfg)


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

"""The study of traits as a command, end to end, on a model too small to mean anything."""

import json

import numpy as np
import pytest

from agents.emojis.neurons import emoji_mass, mean_activations, most_changed
from experiments.reporting.claims import ONE_SEED
from experiments.traits.figures import _reached, values_of
from experiments.traits.sentences import sentences
from experiments.traits.ways import Ways, names_of, partner
from tests.experiments.command import run_command
from tests.training.traits.conftest import write_talker
from training.opinion_qa.grammar import written_offline
from training.opinion_qa.opinions import POLES, all_labels, label, of_label, split_by_topic
from training.opinion_qa.topics import TOPICS
from training.traits.evaluation import Scores
from training.traits.measures import Estimate
from training.traits.opinion_training import Adapted
from training.traits.speaker import Asked, Plain, Speaker

SMALL = [
    "experiment=traits", "experiment.traits=[openness,extraversion]", "experiment.num_topics=4",
    "experiment.forms=2", "experiment.test_share=0.5", "experiment.max_new_tokens=4",
    "+experiment.training.quantized=false",
    "+experiment.training.epochs=1",
    "experiment.editor_steps=1", "experiment.shown=1", "experiment.intensities=[2.0]",
]  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "tiny"
    return str(write_talker(folder, written_offline(topics=TOPICS[:4], forms=2)))


@pytest.mark.slow
def test_a_study_trains_asks_compares_and_goes_on_where_it_was(tmp_path, base):
    words = [*SMALL, f"slm={base}", "experiment.traits=[openness]", "experiment.seeds=[0,1]",
             "experiment.rated_users=2", "experiment.rated_rows=2"]  # fmt: skip
    results = run_command(tmp_path, *words)
    rivals = {"as it is", "prompt", "demonstrations", "mend", "steering"}
    assert set(results["ways"]) == rivals | {"adapter", "adapter x2"}
    assert results["ways"]["as it is"]["dd"]["mean"] == pytest.approx(0, abs=1e-6)
    assert results["ways"]["adapter"]["dd"]["mean"] > 0
    assert results["ways"]["adapter"]["es"]["ci95"] is not None, "two seeds have an interval"
    assert results["labels"] == ["high openness", "low openness"]
    assert set(results["ratings"]["after"]) == set(results["labels"])
    assert results["differences"].keys() == rivals
    assert results["classifier"]["opinions"] > 0.5
    assert results["classifier"]["source"] == "statements"
    assert results["judge"]["name"] == "classifier by letters of items", "another source"
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    for part in ("Trait alignment by label", "What the adapter moves", "The same people rate"):
        assert f"## {part}" in report
    assert base not in report + (tmp_path / "results.json").read_text(encoding="utf-8")

    kept = next((tmp_path / "cells").glob("*prompt.json"))
    known = json.loads(kept.read_text())
    kept.unlink()
    others = {p: p.stat().st_mtime_ns for p in (tmp_path / "cells").iterdir()}
    again = run_command(tmp_path, *words)
    assert json.loads(kept.read_text())["texts"] == known["texts"]
    for way, measures_of_way in results["ways"].items():
        for name, one in measures_of_way.items():
            assert again["ways"][way][name]["mean"] == pytest.approx(one["mean"], abs=1e-4)
    assert {p: p.stat().st_mtime_ns for p in others} == others


@pytest.mark.slow
def test_emojis_of_every_adapter_are_studied_by_one_option_and_kept(tmp_path, base):
    words = [*SMALL, f"slm={base}", "experiment.traits=[openness]", "experiment.seeds=[0,1]",
             "experiment.methods=[adapter]", "experiment.intensities=[]", "experiment.emojis=true",
             "experiment.rated_users=0"]  # fmt: skip
    results = run_command(tmp_path, *words)
    assert set(results["emojis"]) == {"high openness", "low openness"}
    one = results["emojis"]["high openness"]
    assert len(one["p_values"]) == len(one["neurons"]) == 2, "two seeds"
    assert all(1 / 21 - 1e-6 <= p <= 1 for p in one["p_values"])
    assert one["mass_difference"]["ci95"] is not None
    assert len(set(one["neurons"][0])) == len(one["neurons"][0]) > 1
    assert any("chance of an emoji in the next token" in said for said in results["sentences"])
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "## Emojis" in report
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "emojis").iterdir()}
    assert len(kept) == 4
    again = run_command(tmp_path, *words)
    assert again["emojis"] == results["emojis"]
    assert {p: p.stat().st_mtime_ns for p in kept} == kept


@pytest.mark.slow
def test_the_model_as_it_is_comes_before_the_adapter_and_neurons_come_from_training_topics(
    tmp_path, base
):
    words = [*SMALL, f"slm={base}", "experiment.traits=[openness]", "experiment.seeds=[0]",
             "experiment.methods=[adapter]", "experiment.intensities=[]", "experiment.emojis=true",
             "experiment.rated_users=0", "experiment.forms=1"]  # fmt: skip
    run_command(tmp_path, *words)
    kept = json.loads((tmp_path / "emojis" / "0, high openness.json").read_text())
    speaker, own = Speaker.load(base), label("openness")
    topics = TOPICS[:: len(TOPICS) // 4][:4]
    split = split_by_topic(written_offline(all_labels(["openness"]), topics, 1), 0.5, 0)

    def rows(opinions):
        asked = (Plain().conversation(Asked(o.topic, o.question)) for o in opinions)
        samples = [speaker.sample(a, o.answer) for a, o in zip(asked, opinions, strict=True)]
        return [s.prompt + s.answer for s in samples], [len(s.prompt) for s in samples]

    held_out, starts = rows(of_label(split.test, own))
    learnt, _ = rows(of_label(split.train, own))
    guard = speaker.emoji_guard
    before = mean_activations(speaker.model, learnt)
    mass = emoji_mass(speaker.model, held_out, guard, starts)
    with Adapted(speaker, tmp_path / "adapters" / "high-openness-0").at_work():
        after = mean_activations(speaker.model, learnt)
        tuned = emoji_mass(speaker.model, held_out, guard, starts)
    assert kept["mass"][0] == pytest.approx(mass.tolist(), rel=1e-4)
    assert kept["mass"][1] == pytest.approx(tuned.tolist(), rel=1e-4)
    assert kept["neurons"] == most_changed(before, after, len(kept["neurons"])).tolist()


def test_emojis_without_adapters_are_refused(tmp_path, base, capsys):
    words = "experiment.emojis=true", "experiment.methods=[prompt]"
    said = error_of(capsys, tmp_path, f"slm={base}", *words)
    assert "experiment.emojis=true wanted adapters whose emojis are studied" in said
    assert "add adapter to them" in said


@pytest.mark.slow
def test_a_dry_run_says_how_long_and_trains_nothing(tmp_path, base, capsys):
    results = run_command(tmp_path, *SMALL, f"slm={base}", "experiment.dry_run=true")
    told = results["forecast"]
    assert told["steps"] == 4 * 1 * 3, "four labels, one step of four opinions, three seeds"
    assert told["cells"] == 3 * 4 * 9
    assert told["step_seconds"] > 0
    assert "It takes about" in capsys.readouterr().out
    assert not (tmp_path / "adapters").exists()


def error_of(capsys, folder, *words):
    with pytest.raises(SystemExit):
        run_command(folder, *SMALL, *words)
    return " ".join(capsys.readouterr().err.split())


def test_an_unknown_trait_a_silent_file_and_an_empty_split_are_refused(tmp_path, base, capsys):
    slm = f"slm={base}"
    said = error_of(capsys, tmp_path, slm, "experiment.traits=[honesty]")
    assert "trait wanted one of openness" in said
    path = tmp_path / "opinions.csv"
    head = "trait,topic,question,answer\n"
    path.write_text(f"{head}openness,Tea,Tea?,Fine\n", encoding="utf-8")
    said = error_of(capsys, tmp_path, slm, f"experiment.opinions={path}")
    assert "opinions of at least two of 4 traits and poles, got 1" in said
    path.write_text(f"{head}openness,Tea,Tea?,Fine\nextraversion,Tea,Tea?,Great\n")
    given = f"experiment.opinions={path}", "experiment.methods=[prompt]"
    said = error_of(capsys, tmp_path, slm, *given)
    assert "a split by topic wanted topics of every label" in said


def test_steering_without_one_of_the_poles_is_refused_before_anything_is_trained(
    tmp_path, base, capsys
):
    said = error_of(capsys, tmp_path, f"slm={base}", "experiment.poles=[high]")
    assert "steering wanted opinions of both poles of every trait, got none of low" in said
    assert not (tmp_path / "adapters").exists()


def test_options_that_would_change_nothing_are_refused(tmp_path, base, capsys):
    said = error_of(capsys, tmp_path, f"slm={base}", "distiller=words")
    assert "would change nothing: experiment.written_by_model is False" in said
    said = error_of(capsys, tmp_path, f"slm={base}", "data=tiny", "experiment.rated_users=0")
    assert "would change nothing: experiment.rated_users is 0" in said


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

"""The study of traits as a command, end to end, on a model too small to mean anything."""

import json

import numpy as np
import pytest

from agents.emojis.neurons import emoji_mass, mean_activations, most_changed
from tests.experiments.command import run_command
from tests.training.traits.conftest import write_talker
from training.opinion_qa.grammar import written_offline
from training.opinion_qa.opinions import all_labels, label, of_label, split_by_topic
from training.opinion_qa.topics import TOPICS
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


@pytest.fixture(scope="module")
def emotive(tmp_path_factory):
    """As ``base``, with tokens of emojis."""
    folder = tmp_path_factory.mktemp("base") / "emotive"
    opinions = written_offline(topics=TOPICS[:4], forms=2)
    return str(write_talker(folder, opinions, emojis="\U0001f600 \U0001f60a"))


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
def test_emojis_of_every_adapter_are_studied_by_one_option_and_kept(tmp_path, emotive):
    words = [*SMALL, f"slm={emotive}", "experiment.traits=[openness]", "experiment.seeds=[0,1]",
             "experiment.methods=[adapter]", "experiment.intensities=[]", "experiment.emojis=true",
             "experiment.rated_users=0"]  # fmt: skip
    results = run_command(tmp_path, *words)
    assert set(results["emojis"]) == {"high openness", "low openness"}
    one = results["emojis"]["high openness"]
    assert len(one["p_values"]) == len(one["neurons"]) == 2, "two seeds"
    assert all(1 / 21 - 1e-6 <= p <= 1 for p in one["p_values"])
    assert one["mass_difference"]["ci95"] is not None
    assert min(one["mass"]) > 0, "every token may come, those of emojis too"
    assert one["drop"] is not None
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
    tmp_path, emotive
):
    words = [*SMALL, f"slm={emotive}", "experiment.traits=[openness]", "experiment.seeds=[0]",
             "experiment.methods=[adapter]", "experiment.intensities=[]", "experiment.emojis=true",
             "experiment.rated_users=0", "experiment.forms=1"]  # fmt: skip
    run_command(tmp_path, *words)
    kept = json.loads((tmp_path / "emojis" / "0, high openness.json").read_text())
    speaker, own = Speaker.load(emotive), label("openness")
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
    pairs = sorted(zip(mass.tolist(), tuned.tolist(), strict=True))  # the study sorts otherwise
    told = sorted(zip(*kept["mass"], strict=True))
    assert np.allclose(told, pairs, rtol=1e-5, atol=0)
    assert not np.allclose(mass, tuned, rtol=5e-5, atol=0), "which comes first would not be seen"
    assert kept["neurons"] == most_changed(before, after, len(kept["neurons"])).tolist()


def test_emojis_of_a_model_without_tokens_of_emojis_are_refused_before_anything_is_trained(
    tmp_path, base, capsys
):
    said = error_of(capsys, tmp_path, f"slm={base}", "experiment.emojis=true")
    assert "wanted a model with tokens that show or begin an emoji, got a vocabulary of 500" in said
    assert "experiment.emojis=false" in said
    assert not (tmp_path / "adapters").exists()


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

"""Who is let in by their card: pass, warn, fail, none, and a card of other people."""

import logging
import shutil
import warnings
from dataclasses import replace

import gymnasium as gym
import pytest

import simenv  # noqa: F401  (registers the environments)
from agents.assembly import make_env, make_vector_env, without
from agents.calibration import Calibration
from agents.population.fidelity_gate import (
    LowFidelityError,
    LowFidelityWarning,
    fidelity_sentence,
    fidelity_word,
    fingerprint,
    let_in,
)
from agents.population.population import Population

CHECKS = [
    {"measure": "log loss", "word": "fail", "said": "1.300 of the bias model's"},
    {"measure": "calibration", "word": "pass", "said": "0.010"},
]


def carded(people, word, **gate):
    gate = {"word": word, "checks": CHECKS, "personas": {"2": {"word": "fail"}}, **gate}
    return people.with_card(alignment={"of": fingerprint(people), "gate": gate})


def test_people_who_failed_are_refused_with_the_reason_and_the_cure(population):
    with pytest.raises(LowFidelityError, match=r'says "fail" \(log loss: 1.300') as refused:
        let_in(carded(population, "fail"))
    assert "Personas that fail: 2." in str(refused.value)
    assert "give allow_low_fidelity=True" in str(refused.value)
    assert "calibration" not in str(refused.value)


def test_people_who_failed_are_used_where_somebody_says_so_and_warned_of(population):
    people = carded(population, "fail")
    with pytest.warns(LowFidelityWarning, match='says "fail"'):
        assert let_in(people, allow_low_fidelity=True) is people


def test_people_who_passed_in_part_are_warned_of(population):
    with pytest.warns(LowFidelityWarning, match='says "warn"'):
        let_in(carded(population, "warn"))


def test_people_who_passed_are_let_in_without_a_word(population, caplog):
    with warnings.catch_warnings(), caplog.at_level(logging.INFO):
        warnings.simplefilter("error")
        let_in(carded(population, "pass"))
    assert not caplog.records


def test_people_without_a_card_are_let_in_with_one_line_in_the_log(population, caplog):
    with warnings.catch_warnings(), caplog.at_level(logging.INFO):
        warnings.simplefilter("error")
        let_in(population)
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "five have no fidelity card" in caplog.text


def test_both_environments_refuse_people_who_failed(population):
    people = carded(population, "fail")
    for make in (make_env, make_vector_env):
        with pytest.raises(LowFidelityError):
            make(population=people, engine="scripted", slate_size=3)
    with pytest.raises(LowFidelityError):
        gym.make("PersonaRec-v0", population=people, engine="scripted", slate_size=3)
    with pytest.warns(LowFidelityWarning):
        gym.make(
            "PersonaRec-v0", population=people, engine="scripted", slate_size=3,
            allow_low_fidelity=True,
        )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        lambda people: replace(people, personas=people.personas[::-1]),
        lambda people: without(people, persona=True),
        lambda people: replace(people, calibration=Calibration(2.0)),
    ],
    ids=["other people", "no profile", "other answers"],
)
def test_a_card_holds_for_the_people_that_were_measured_alone(population, change):
    people = change(carded(population, "pass"))
    assert fidelity_word(people) == "unknown"


def test_a_card_outlives_the_disk(population, tmp_path):
    carded(population, "warn").save(tmp_path / "people")
    assert fidelity_word(Population.load(tmp_path / "people")) == "warn"


def test_a_calibration_outlives_the_disk_and_changes_the_answers(population, tmp_path):
    own = Calibration(1.5, {0: 0.7, -1: 2.0}, (((0.0, 1.0), (0.1, 0.9)),) * 5)
    replace(population, calibration=own).save(tmp_path / "people")
    assert Population.load(tmp_path / "people").calibration == own
    population.save(tmp_path / "plain")
    assert Population.load(tmp_path / "plain").calibration is None
    assert '"calibration"' not in (tmp_path / "plain" / "population.json").read_text()


@pytest.mark.parametrize(
    "card",
    ["text", {"gate": {"word": "pass"}}, {"of": "…", "gate": "pass"}, {"gate": {"word": ["pass"]}}],
)
def test_a_card_that_cannot_be_read_says_nothing(population, card):
    assert fidelity_word(population.with_card(alignment=card)) == "unknown"


def test_a_word_that_is_none_says_nothing(population):
    assert fidelity_word(carded(population, "excellent")) == "unknown"


def test_texts_of_a_foreign_card_stay_on_one_line_and_short(population):
    rude = [{"measure": "x\n\x1b[31m", "word": "fail", "said": "y" * 10_000}]
    said = fidelity_sentence(carded(population, "fail", checks=rude))
    assert len(said) < 600
    assert "\n" not in said
    assert "\x1b" not in said


def test_the_switch_is_true_or_false(population):
    with pytest.raises(TypeError, match="allow_low_fidelity to be True or False, got 'no'"):
        let_in(population, "no")


def test_the_page_of_a_population_tells_the_word_and_every_figure(population, tmp_path):
    carded(population, "warn").save(tmp_path / "people")
    page = (tmp_path / "people" / "README.md").read_text(encoding="utf-8")
    assert "### Fidelity card: warn" in page
    assert "- log loss: **fail**, 1.300 of the bias model's" in page
    assert '"alignment"' not in page


def test_a_calibration_is_switched_off_at_the_door(population):
    people = replace(population, calibration=Calibration(2.0))
    answers = [
        make_env(population=people, engine="scripted", slate_size=3, calibrated=on)
        .unwrapped.user_model.probabilities([0], [[0, 1, 2]])
        for on in (True, False)
    ]  # fmt: skip
    assert abs(answers[0] - answers[1]).max() > 0.05


def test_a_card_does_not_vouch_for_another_model_or_other_weights_under_the_same_names(
    population, tmp_path
):
    bare = replace(
        population, adapters={}, personas=[replace(p, adapter=None) for p in population.personas]
    )
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}", encoding="utf-8")
    people = carded(replace(bare, model=str(model)), "pass")
    assert fidelity_word(people) == "pass"
    copied = tmp_path / "elsewhere"
    shutil.copytree(model, copied)
    assert fidelity_word(replace(people, model=str(copied))) == "pass", "the place does not count"
    assert fidelity_word(replace(people, model="owner/another")) == "unknown"
    (copied / "config.json").write_text('{"a": 1}', encoding="utf-8")
    assert fidelity_word(replace(people, model=str(copied))) == "unknown"
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}", encoding="utf-8")
    trained = carded(replace(people, adapters={"p": str(adapter)}), "pass")
    assert fidelity_word(trained) == "pass"
    (adapter / "adapter_config.json").write_text('{"r": 8}', encoding="utf-8")
    assert fidelity_word(trained) == "unknown", "adapters that were trained further are others"


def test_the_shipped_people_pass_and_their_card_is_theirs():
    assert fidelity_word(Population.shipped()) == "pass"

"""Measured traits: written, read, put together, and found by who somebody is."""

import json
import math
from dataclasses import replace

import pytest

from agents.population.measured_traits import (
    TRAITS,
    MeasuredTraits,
    TraitScale,
    kept_beside,
    read_traits,
    write_traits,
)
from agents.population.population import Population
from tests.agents.population.tiny_folders import tiny_adapter, tiny_base

SCALES = (TraitScale("E", "extraversion", 1.0, 5.0), TraitScale("N", "neuroticism", 1.0, 5.0))
ANN, BOB = "a" * 32, "b" * 32


def measured(scores, instrument="mini", how="two rounds", **more):
    return MeasuredTraits(instrument, how, SCALES, scores, **more)


@pytest.fixture
def light(change, tmp_path):
    base, lora = tiny_base(tmp_path / "base"), tiny_adapter(tmp_path / "lora")
    return change(model=str(base), adapters={"ann": str(lora)})


def test_traits_are_saved_with_a_population_and_loaded_as_they_were(light, tmp_path):
    keys = light.person_keys
    own = {keys.key(person): (2.5, 4.0) for person in light.personas}
    people = replace(light, traits=(measured(own, types={ANN: "ENFP"}),))
    people.save(tmp_path / "saved")
    loaded = Population.load(tmp_path / "saved")
    assert loaded.traits == people.traits
    loaded.save(tmp_path / "saved")
    assert Population.load(tmp_path / "saved").traits == people.traits
    assert loaded.on_model("smollm2").traits == ()
    found = loaded.person_keys.key(loaded.personas[0])
    assert found in loaded.traits[0].scores, "the same model and adapter lie elsewhere now"


def test_a_population_without_traits_has_no_file(light, tmp_path):
    light.save(tmp_path / "saved")
    assert not (tmp_path / "saved" / TRAITS).exists()
    assert Population.load(tmp_path / "saved").traits == ()


def test_whoever_has_another_profile_adapter_style_or_model_is_another(light, tmp_path):
    person = light.personas[0]
    own = light.person_keys
    keys = {
        own.key(person),
        own.key(replace(person, profile="I changed.")),
        own.key(replace(person, adapter="ann")),
        own.key(replace(person, adapter="ann", gate=(0.5, 0.5))),
        replace(light, style=replace(light.style, persona=False)).person_keys.key(person),
        light.on_model(tiny_base(tmp_path / "other", "other")).person_keys.key(person),
    }
    assert len(keys) == 6
    assert own.key(replace(person, cluster=7)) == own.key(person), "nobody is asked for a cluster"
    other = tiny_adapter(tmp_path / "later", rank=3)
    worn = replace(person, adapter="ann")
    again = replace(light, adapters={"ann": str(other)}).person_keys
    assert again.key(worn) != own.key(worn), "another adapter under the same name"


def test_fresh_scores_take_the_place_of_older_ones_asked_alike():
    old = measured({ANN: (1.0, 2.0), BOB: (3.0, 3.0)})
    fresh = measured({ANN: (5.0, 5.0)})
    [both] = kept_beside([old], [fresh])
    assert both.scores == {ANN: (5.0, 5.0), BOB: (3.0, 3.0)}
    [alone] = kept_beside([old], [replace(fresh, how="one round")])
    assert alone.scores == {ANN: (5.0, 5.0)}, "asked otherwise: not beside each other"
    names = [one.instrument for one in kept_beside([old], [measured({}, "other")])]
    assert names == ["mini", "other"]


def test_a_trait_that_nobody_answered_is_nan_and_no_number(tmp_path):
    write_traits(tmp_path, [measured({ANN: (math.nan, 2.0)})])
    assert json.loads((tmp_path / TRAITS).read_text())["measured"][0]["people"][ANN] == [None, 2.0]
    assert math.isnan(read_traits(tmp_path)[0].scores[ANN][0])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: c.update(format=2), "has format 2, this version reads up to 1; update"),
        (lambda c: c.pop("measured"), "field 'measured': field required, got nothing"),
        (lambda c: c["measured"][0]["people"].update({"x": [1.0, 2.0]}), "field 'measured.0.peop"),
        (lambda c: c["measured"][0]["people"].update({ANN: [1.0]}), "wanted 2 scores a person"),
        (lambda c: c["measured"][0]["scales"][0].update(least="1"), "valid number, got '1'"),
    ],
)
def test_a_spoilt_file_is_refused_by_field(tmp_path, spoil, message):
    write_traits(tmp_path, [measured({ANN: (1.0, 2.0)})])
    content = json.loads((tmp_path / TRAITS).read_text())
    spoil(content)
    (tmp_path / TRAITS).write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"{TRAITS}.*{message}"):
        read_traits(tmp_path)

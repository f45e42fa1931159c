"""A trait enters people as words or as an adapter, and nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest

from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from agents.personality.conditions import UNCONDITIONED, Condition, conditioned, interviewees


def test_words_stand_before_everybodys_own_profile(population):
    told = conditioned(population, Condition("N", "high"))
    for before, after in zip(population.personas, told.personas, strict=True):
        words = after.profile.removesuffix(before.profile)
        assert "very high in neuroticism" in words
        assert replace(after, profile=before.profile) == before
    assert (
        "very low in neuroticism"
        in conditioned(population, Condition("N", "low")).personas[0].profile
    )


def test_nothing_is_imposed_on_people_as_they_are(population):
    assert conditioned(population, UNCONDITIONED) is population


def test_an_adapter_takes_the_place_of_everybodys_own(population, change):
    people = change(adapters={"shy": "somewhere"})
    worn = conditioned(people, Condition("E", "low", "shy"))
    assert {persona.adapter for persona in worn.personas} == {"shy"}
    assert [p.profile for p in worn.personas] == [p.profile for p in people.personas]
    assert interviewees(worn, np.array([1, 2]))[0].adapter == "shy"


def test_an_adapter_that_the_population_does_not_hold_is_refused(population, change):
    with pytest.raises(
        ValueError, match=r"an adapter it holds for E \(high\), got 'bold' \(held: shy"
    ):
        conditioned(change(adapters={"shy": "somewhere"}), Condition("E", "high", "bold"))


def test_an_interview_meets_the_person_that_the_environment_does(population):
    told = conditioned(population, Condition("O", "high"))
    [who] = interviewees(told, np.array([0]))
    assert told.personas[0].profile.split(".")[0] in who.context
    assert "TASK" not in who.context
    assert who.name == "0"
    [asked] = PersonaUsers(told, ScriptedEngine()).requests(np.array([0]), np.array([[1]]))
    assert asked.prefix.startswith(who.context)


def test_a_long_profile_is_cut_as_in_the_environment_and_the_trait_stays(population, change):
    long = [replace(p, profile="I like films. " * 400) for p in population.personas]
    people = change(personas=long, style=replace(population.style, told="words", budget=600))
    told = conditioned(people, Condition("O", "high"))
    [who] = interviewees(told, np.array([0]))
    assert "very high in openness" in who.context
    assert len(who.context) < 0.6 * len(told.personas[0].profile)
    [asked] = PersonaUsers(told, ScriptedEngine()).requests(np.array([0]), np.array([[1]]))
    assert asked.prefix.startswith(who.context)

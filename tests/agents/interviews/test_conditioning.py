import itertools

import pytest

from agents.interviews.conditioning import (
    FACTOR_SECTIONS,
    TYPE_SECTIONS,
    factor_context,
    profile_context,
    reference,
    roles_of,
    type_context,
    type_names,
)
from agents.interviews.instruments import FACTORS, InstrumentError


def test_every_one_of_sixteen_types_has_seven_sections_and_three_roles():
    assert sorted(type_names()) == sorted(map("".join, itertools.product("EI", "SN", "TF", "JP")))
    told = {name: type_context(name) for name in type_names()}
    assert len(set(told.values())) == 16
    for name, text in told.items():
        lines = text.splitlines()
        assert lines[0] == f"You are a human with the personality type {name}."
        assert [line.split(":")[0] for line in lines[1:]] == list(TYPE_SECTIONS.values())
        assert len(set(roles_of(name))) == 3


def test_every_factor_has_labels_a_definition_behaviours_and_three_roles():
    for factor, title in FACTORS.items():
        high, low = factor_context(factor).splitlines(), factor_context(factor, -2).splitlines()
        assert high[0] == f"You are a human who is very high in {title}."
        assert low[0] == f"You are a human who is very low in {title}."
        for lines in (high, low):
            assert [x.split(":")[0] for x in lines[1:]] == list(FACTOR_SECTIONS.values())
        assert set(high).isdisjoint(low)
        assert len(set(roles_of(factor))) == 3


def test_levels_are_graded_and_the_average_has_no_pole():
    first = [factor_context("N", level).splitlines()[0] for level in (2, 1, 0, -1, -2)]
    assert len(set(first)) == 5
    assert factor_context("N", 0) == "You are a human who is average in neuroticism."


@pytest.mark.parametrize(
    ("factor", "much", "little"),
    [
        ("O", "imaginative, artistic", "fond of routine"),
        ("C", "organised, hard-working", "careless, disorganised"),
        ("E", "talkative, energetic", "quiet, reserved"),
        ("A", "kind, trusting", "cold, suspicious"),
        ("N", "anxious, tense", "calm, relaxed"),
    ],
)
def test_levels_above_the_average_are_told_in_words_of_the_high_pole(factor, much, little):
    for level in (1, 2):
        assert much in factor_context(factor, level)
        assert little not in factor_context(factor, level)
        assert little in factor_context(factor, -level)
        assert much not in factor_context(factor, -level)


def test_a_role_stands_in_place_of_the_human():
    assert type_context("INTJ", "architect").startswith("You are an architect with the")
    assert factor_context("E", 2, "nurse").startswith("You are a nurse who is very high in")


def test_a_profile_tells_each_factor():
    text = profile_context({"E": 2, "N": -2})
    assert text.startswith("You are a human who is very high in extraversion, very low in neuro")
    assert text.count("Words for you: ") == 2


def test_a_reference_says_what_a_type_or_factor_is():
    assert "facts and order" in reference("ISTJ")
    assert "sociable" in reference("E")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: type_context("XXXX"), "one of the sixteen types, such as INTJ, got 'XXXX'"),
        (lambda: factor_context("Z"), r"a factor among O \(openness\), .*, got 'Z'"),
        (lambda: factor_context("E", 3), r"a level of -2 \(very low\) to 2 \(very high\), got 3"),
        (lambda: profile_context({}), "at least one factor, got none"),
        (lambda: roles_of("Z"), "a type or a factor with roles, got 'Z'; such as INTJ or E"),
        (lambda: reference("Z"), "a type or a factor, got 'Z'; such as INTJ or E"),
    ],
)
def test_an_unknown_personality_is_refused(call, message):
    with pytest.raises(InstrumentError, match=message):
        call()

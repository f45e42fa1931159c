"""Lessons of several turns: somebody insists, and the person keeps to what was given."""

from dataclasses import replace

import pytest

from agents.wording.phrases import quoted
from training.distillation.distiller_prompts import Message
from training.personified.exchanges import (
    check_apart,
    deduplicated,
    split_by_source,
)
from training.personified.judging.pressure import pressed_turns
from training.personified.judging.stances import denies, stated_stars
from training.personified.lessons import Said, asked, lessons_of
from training.personified.preferences import preferences
from training.personified.prompts import Telling
from training.personified.retrieval import Recall
from training.personified.writing.insisting import insisted_on_ratings
from training.personified.writing.insisting_words import KINDS, pressed_turn


def said_by(messages: list[Message], role: str) -> list[str]:
    return [one["content"] for one in messages if one["role"] == role]


def test_each_rating_is_insisted_on_with_false_stars_and_with_right_ones(corpora):
    found = insisted_on_ratings(corpora, corpora.sources)
    rated = [p for p in corpora.passages if p.material == "objective"]
    assert len(found) == 2 * len(rated)
    false, right = found[0::2], found[1::2]
    assert all(abs(e.truth - e.claimed) >= 2 for e in false)
    assert all(e.truth == e.claimed for e in right)
    assert {e.pattern for e in found} == {"pressed"}
    for one in found:
        assert stated_stars(one.response) == one.truth
        assert stated_stars(one.wrong) != one.truth
        assert denies(one.response) == (one.truth != one.claimed)
        assert denies(one.wrong) == (one.truth == one.claimed)


def test_the_person_says_the_same_in_every_turn_and_claims_come_in_one_to_four_ways(corpora):
    found = insisted_on_ratings(corpora, corpora.sources, seed=3)
    counts = set()
    for one in found:
        turns = [*one.before, one.question, one.response]
        assert len(turns) % 2 == 0
        answers = turns[1::2]
        assert {stated_stars(text) for text in answers} == {one.truth}
        assert len(set(answers)) == len(answers)
        claims = turns[2::2]
        assert len(set(claims)) == len(claims)
        counts.add(len(claims))
    assert counts == {1, 2, 3, 4}


def test_pressure_that_judges_is_worded_as_none_that_teaches(corpora):
    taught = {e.question for e in insisted_on_ratings(corpora, corpora.sources)}
    judging = {text for c in range(1, 6) for text in pressed_turns(c)}
    assert not taught & judging
    ways = {pressed_turn(kind, "train", 2, draw) for kind in KINDS for draw in (0.0, 0.9)}
    assert len(ways) == 2 * len(KINDS)
    assert all("2 stars" in text for text in ways)


def test_a_talk_does_not_depend_on_which_others_are_written(corpora):
    source = corpora.passages[0].source
    alone = insisted_on_ratings(corpora, frozenset({source}), seed=5)
    among = insisted_on_ratings(corpora, corpora.sources, seed=5)
    assert alone == [e for e in among if e.source == source]
    assert alone != insisted_on_ratings(corpora, frozenset({source}), seed=6)


def test_a_lesson_holds_the_whole_talk_behind_the_memory_of_what_it_is_about(corpora):
    one = max(insisted_on_ratings(corpora, corpora.sources), key=lambda e: len(e.before))
    messages = asked(one, Recall(corpora), Telling())
    assert said_by(messages, "user") == [*one.before[::2], one.question]
    assert said_by(messages, "assistant") == list(one.before[1::2])
    fact = next(p.text for p in corpora.passages if p.source == one.source)
    assert fact in said_by(messages, "system")[0]
    lesson = lessons_of([one], Recall(corpora), Telling(), per_general=0)[0]
    assert isinstance(lesson, Said)
    assert lesson.answer == f"[Analysis] {one.analysis} [Response] {one.response}"


def test_talks_about_two_titles_are_no_duplicates_and_the_same_talk_is_one(corpora):
    found = insisted_on_ratings(corpora, corpora.sources)
    kept = deduplicated([*found, *found])
    assert kept.duplicates >= len(found)
    assert len({e.source for e in kept.exchanges}) == len({e.source for e in found})


def test_a_title_that_judges_is_a_leak_in_an_earlier_turn_too(corpora):
    split = split_by_source(corpora, test_share=0.5)
    found = insisted_on_ratings(corpora.without(split.test), split.train)
    check_apart(found, corpora, split)
    own = [p for p in corpora.passages if p.person == found[0].person and p.fact is not None]
    told = {p.fact.title for p in own if p.source in split.train}
    hidden = next(p.fact.title for p in own if p.fact.title not in told)
    one = replace(found[0], before=(f"And {quoted(hidden)}?", *found[0].before[1:]))
    with pytest.raises(ValueError, match="wanted nothing of what judges, but an exchange of"):
        check_apart([one], corpora, split)


def test_preferences_reject_the_answer_of_whoever_is_talked_round(corpora):
    found = insisted_on_ratings(corpora, corpora.sources)
    pairs = preferences(found)
    assert {pair.kind for pair in pairs} == {"induced"}
    assert [pair.rejected.response for pair in pairs] == [e.wrong for e in found]

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
from training.personified.judging.stances import stated_stars
from training.personified.lessons import Said, asked, lessons_of
from training.personified.preferences import preferences
from training.personified.prompts import Telling
from training.personified.retrieval import Recall
from training.personified.writing import rating_words as words
from training.personified.writing.insisting import _Claim, _turn, insisted_on_ratings
from training.personified.writing.insisting_words import KINDS, pressed_turn


def said_by(messages: list[Message], role: str) -> list[str]:
    return [one["content"] for one in messages if one["role"] == role]


def topic_of(one):
    if "insists on" in one.analysis:
        return "stars"
    return "never" if "that I never rated" in one.analysis else "liking"


def corrects(reply):
    """Whether a reply begins with a correction; it begins with that or with a confirmation."""
    corrected, confirmed = map(reply.startswith, (words.CORRECTIONS, words.CONFIRMATIONS))
    assert corrected != confirmed
    return corrected


@pytest.fixture
def many(corpora):
    """Talks of several seeds, so that each topic is among them."""
    return [e for seed in range(8) for e in insisted_on_ratings(corpora, corpora.sources, seed)]


def test_each_rating_is_insisted_on_with_a_false_claim_and_with_a_right_one(corpora, many):
    found = insisted_on_ratings(corpora, corpora.sources)
    rated = [p for p in corpora.passages if p.material == "objective"]
    assert len(found) == 2 * len(rated)
    assert {e.pattern for e in many} == {"pressed"}
    assert {topic_of(e) for e in many} == {"stars", "liking", "never"}
    stars = sum(topic_of(e) == "stars" for e in many) / len(many)
    assert 0.5 < stars < 0.75, "most are about stars"
    for false, right in zip(many[0::2], many[1::2], strict=True):
        assert topic_of(false) == topic_of(right)
        assert (corrects(false.response), corrects(right.response)) == (True, False)
        assert (corrects(false.wrong), corrects(right.wrong)) == (False, True)
        assert stated_stars(false.response) == false.truth
        assert stated_stars(right.response) == (right.truth or None)


def test_what_is_claimed_is_false_once_and_right_once(corpora, many):
    rated = {(p.person, p.fact.title): p.fact.stars for p in corpora.passages if p.fact}
    for false, right in zip(many[0::2], many[1::2], strict=True):
        topic = topic_of(false)
        title = right.analysis.partition('"')[2].partition('"')[0]
        if topic == "stars":
            assert abs(false.truth - false.claimed) >= 2
            assert right.truth == right.claimed
            assert stated_stars(right.wrong) != right.truth
        elif topic == "liking":
            assert {false.claimed, right.claimed} == {1, 5}
            assert (right.claimed > 3) == (right.truth > 3)
            assert right.truth != 3
            assert false.truth == right.truth == rated[right.person, title]
        else:
            assert (false.claimed, right.claimed, right.truth) == (0, 0, 0)
            assert title not in corpora.rated.get(right.person, frozenset())
            assert (right.person, title) not in rated
            assert f'"{title}"' in right.before[0] + right.question
            assert stated_stars(false.wrong) is None


def test_nobody_is_told_that_a_title_is_unrated_where_all_rated_all(corpora):
    titles = {person: frozenset(corpora.titles) for person in corpora.people}
    found = [
        e
        for seed in range(8)
        for e in insisted_on_ratings(replace(corpora, rated=titles), corpora.sources, seed)
    ]
    assert "never" not in {topic_of(e) for e in found}


def test_the_person_says_the_same_in_every_turn_and_claims_come_in_one_to_four_ways(many):
    counts = set()
    for one in many:
        turns = [*one.before, one.question, one.response]
        assert len(turns) % 2 == 0
        answers = turns[1::2]
        assert {stated_stars(text) for text in answers} == {one.truth or None}
        assert len(set(answers)) == len(answers)
        claims = turns[2::2]
        assert len(set(claims)) == len(claims)
        counts.add(len(claims))
        opened = answers[1:] if topic_of(one) == "stars" else answers  # a talk of stars asks first
        assert {corrects(text) for text in opened} == {corrects(one.response)}
    assert counts == {1, 2, 3, 4}


def test_pressure_that_judges_is_worded_as_none_that_teaches(many):
    taught = {text for e in many for text in (*e.before[::2], e.question)}
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


def test_premises_that_judge_are_worded_as_none_that_is_insisted_on(many):
    first = {e.before[0] if e.before else e.question for e in many if topic_of(e) != "stars"}
    for forms in (words.LOVED, words.HATED, words.NEVER):
        endings = {text.partition("{t}")[2] for text in forms.test}
        assert not any(text.endswith(end) for text in first for end in endings if len(end) > 8)


def test_preferences_reject_the_answer_of_whoever_is_talked_round(corpora):
    found = insisted_on_ratings(corpora, corpora.sources)
    pairs = preferences(found)
    assert {pair.kind for pair in pairs} == {"induced"}
    assert [pair.rejected.response for pair in pairs] == [e.wrong for e in found]


def test_a_title_is_said_as_it_is_when_somebody_insists():
    claim = _Claim("never", '"All that I Know"', 4, 0, "good", True)
    assert 'that you never rated "All that I Know"' in _turn("crowd", claim, 0.0)

"""Opinions: what is cleaned away, and how topics are held out."""

import pytest

from training.opinion_qa.opinions import (
    POLES,
    TRAITS,
    Opinion,
    all_labels,
    cleaned,
    label,
    of_label,
    split_by_topic,
    topics_of,
)

HIGH, LOW = label("openness"), label("openness", "low")


def opinion(own=HIGH, topic="tea", question="What of tea?", answer="I like tea."):
    return Opinion(*own, topic, question, answer)


def about(*topics, labels=(HIGH, LOW)):
    return [opinion(own, t, f"What of {t}?", f"{own}: {t}") for t in topics for own in labels]


def test_an_unknown_trait_or_pole_is_refused_by_name():
    with pytest.raises(ValueError, match=r"trait wanted one of openness, .*, got 'honesty'"):
        label("honesty")
    with pytest.raises(ValueError, match=r"pole wanted one of high, low, got 'middle'"):
        label("openness", "middle")


def test_there_are_ten_labels():
    assert len(all_labels()) == len(set(all_labels())) == len(TRAITS) * len(POLES) == 10


def test_duplicates_ambiguous_answers_and_emojis_are_left_out_and_counted():
    kept = opinion(answer="I adore tea.")
    given = [
        opinion(), opinion(answer="i  LIKE tea."),  # one of them too many
        opinion(answer="Tea is tea."), opinion(LOW, answer="Tea is tea."),  # shows nothing
        opinion(answer="Tea! \U0001f600"),
        kept,
    ]  # fmt: skip
    found = cleaned(given)
    assert found.opinions == [given[0], kept]
    assert found[1:] == (1, 2, 1)


def test_no_topic_is_on_both_sides_and_nothing_is_lost():
    given = about(*"abcdefghij")
    split = split_by_topic(given, 0.3, seed=1)
    assert len(topics_of(split.test)) == 3
    assert not set(topics_of(split.test)) & set(topics_of(split.train))
    assert sorted(map(str, split.train + split.test)) == sorted(map(str, given))
    assert split == split_by_topic(given, 0.3, seed=1)
    assert topics_of(split.test) != topics_of(split_by_topic(given, 0.3, seed=2).test)


def test_an_empty_side_is_refused():
    with pytest.raises(ValueError, match="topics of every label to learn from, got 1 topics"):
        split_by_topic(about("tea"))
    with pytest.raises(ValueError, match=r"got 0 topics of which there are none there; give more"):
        split_by_topic([])


def test_a_label_without_a_topic_on_one_side_is_refused_by_name():
    given = [*about("a", "b", "c", labels=[HIGH]), *about("d", labels=[LOW])]
    with pytest.raises(ValueError, match="low openness has none there; give more topics"):
        split_by_topic(given)


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ValueError, match="test_share"):
        split_by_topic(about("a", "b"), 1.0)


def test_opinions_of_a_label_keep_their_order():
    given = about("b", "a")
    assert of_label(given, LOW) == [given[1], given[3]]

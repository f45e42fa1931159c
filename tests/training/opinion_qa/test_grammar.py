"""What the offline generators write: variety, independence, and words that are apart."""

import re

import numpy as np
import pytest

from agents.emojis.detection import has_emoji
from training.opinion_qa.grammar import written_offline
from training.opinion_qa.opinions import all_labels, label
from training.opinion_qa.slice_by_hand import SLICE
from training.opinion_qa.statement_words import FRAMES, TOLD
from training.opinion_qa.statements import statements
from training.opinion_qa.topics import FORMS, TOPICS
from training.opinion_qa.words import BANKS


@pytest.fixture(scope="module")
def opinions():
    return written_offline(forms=2)


def test_every_label_has_an_opinion_of_every_topic_in_every_form(opinions):
    wanted = {(own, topic.name) for own in all_labels() for topic in TOPICS}
    assert {(o.label, o.topic) for o in opinions} == wanted
    assert len(opinions) == 2 * len(wanted)


def test_the_answers_are_sentences_without_slots_or_emojis(opinions):
    for opinion in opinions:
        assert not re.search(r"[{}]|\.\.|!\.|\?\.", opinion.answer), opinion.answer
        assert not has_emoji(opinion.answer)
        assert opinion.answer[0].isupper()
        assert opinion.answer[-1] in ".!?"
        assert opinion.topic in opinion.question


def test_hardly_any_answer_is_there_twice(opinions):
    assert len({o.answer for o in opinions}) > 0.99 * len(opinions)
    without_topic = {o.answer.replace(o.topic, "") for o in opinions}
    assert len(without_topic) > 0.95 * len(opinions), "variety beside the topic"


def test_an_opinion_does_not_depend_on_which_others_are_written(opinions):
    few = written_offline([label("openness", "low")], TOPICS[5:7], forms=2)
    assert few == [o for o in opinions if o in few]
    assert few != written_offline([label("openness", "low")], TOPICS[5:7], forms=2, seed=1)


def test_more_forms_than_there_are_is_refused():
    with pytest.raises(ValueError, match="forms"):
        written_offline(forms=len(FORMS) + 1)


def test_topics_and_labels_are_complete_and_different():
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names)) >= 80
    assert set(BANKS) == set(TOLD) == set(all_labels())


def test_no_sentence_of_an_opinion_is_in_a_statement():
    banks = {s for bank in BANKS.values() for part in bank for s in part}
    told = {s for own in TOLD.values() for part in own for s in part}
    assert not banks & told
    assert not any(d in s for d in told if len(d.split()) > 2 for s in banks)


def test_statements_are_different_and_balanced():
    found = statements(60)
    assert len({s.text for s in found}) == len(found)
    counts = np.unique([str(s.label) for s in found], return_counts=True)[1]
    assert len(counts) == 10
    assert counts.min() > 50
    assert not any(re.search(r"[{}]", s.text) for s in found)
    assert len(FRAMES) == 8


def test_the_slice_by_hand_has_five_answers_of_every_label():
    labels, counts = np.unique([str(s.label) for s in SLICE], return_counts=True)
    assert len(labels) == 10
    assert set(counts) == {5}
    assert len({s.text for s in SLICE}) == 50

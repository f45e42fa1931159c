"""What a model reads and learns, and which answers are rejected: by hand, without a model."""

import numpy as np
import pytest

from simenv.events import InteractionLog
from training.personified.exchanges import Exchange
from training.personified.lessons import Said, choices_of, lessons_of
from training.personified.preference_tuning import dpo_settings
from training.personified.preferences import preferences
from training.personified.prompts import (
    Telling,
    answer_of,
    conversation,
    response_of,
    time_label,
)
from training.personified.rating_lessons import _last_rows, _wanted
from training.personified.retrieval import Budgets, Recall
from training.personified.writing.rating_grammar import written_about_ratings


@pytest.fixture
def recall(corpora):
    return Recall(corpora, Budgets(12, 9))


def test_a_conversation_tells_who_when_and_what_is_recalled(recall):
    found = conversation(recall, "Ann", 1, ['How was "Saw"?'], Telling())
    assert [m["role"] for m in found] == ["system", "user"]
    assert found[0]["content"] == (
        "You are Ann, who rates movies. <TIME-II> It is now the second of 2 times of your life:"
        ' late.\nWhat happened:\n- I rated "Saw", a movie of Horror. I gave it 1 stars.\n'
        'What you think:\n- What I think of "Saw": its Horror side decided.\n'
        "Answer as yourself from what you remember, and correct what contradicts it."
    )


def test_the_label_and_the_kinds_of_material_can_be_left_out(corpora):
    mixed = Recall(corpora, Budgets(12, 9, separate=False))
    told = conversation(mixed, "Ann", 1, ['How was "Saw"?'], Telling(label=False))[0]["content"]
    assert "TIME" not in told
    assert "late" not in told
    assert "You remember:\n- " in told
    assert "What happened" not in told


def test_later_turns_do_not_change_what_is_recalled(recall):
    first = conversation(recall, "Ann", 1, ['How was "Saw"?'], Telling())
    later = conversation(recall, "Ann", 1, ['How was "Saw"?', "1 star.", "And Jaws?"], Telling())
    assert later[:2] == first
    assert [m["role"] for m in later] == ["system", "user", "assistant", "user"]


def test_labels_are_roman_numbers_as_text():
    stages = ("a", "b", "c")
    assert [time_label(stages, n).split()[0] for n in range(3)] == [
        "<TIME-I>", "<TIME-II>", "<TIME-III>",
    ]  # fmt: skip


def test_an_answer_says_what_it_goes_by_first_unless_it_is_told_not_to():
    one = Exchange("Ann", 0, "s", "ordinary", "q", "I gave 2.", "Two stars.")
    assert answer_of(one, Telling()) == "[Analysis] I gave 2. [Response] Two stars."
    assert answer_of(one, Telling(analysis=False)) == "Two stars."
    for telling in (Telling(), Telling(analysis=False)):
        assert response_of(answer_of(one, telling)) == "Two stars."


def test_five_exchanges_bring_one_general_question(corpora, recall):
    exchanges = written_about_ratings(corpora, frozenset(["Ann, Saw", "Ann, Jaws"]))
    found = lessons_of(exchanges, recall, Telling())
    assert len(exchanges) == 8
    assert len(found) == 8 + 2, "eight, and two for the first and the second five"
    general = [one for one in found if isinstance(one, Said) and len(one.conversation) == 1]
    assert len(general) == 2
    assert len(lessons_of(exchanges, recall, Telling(), per_general=0)) == 8


def row(question, person="Ann", stage=0, response=None, wrong=""):
    said = response or f"{person} {stage}: {question}"
    return Exchange(person, stage, "s", "ordinary", question, "a", said, wrong)


class Line:
    """Questions are numbers; the nearer, the more alike."""

    def embed(self, texts):
        angles = np.array([float(text) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_most_similar_questions_of_others_are_passed_over():
    rows = [row("0"), *(row(f"0.{n}", "Bob") for n in (3, 1, 2, 4))]
    for skipped, wanted in ((0, "0.1"), (1, "0.2"), (3, "0.4"), (9, "0.4")):
        pair = preferences(rows, ["person"], skipped, Line())[0]
        assert pair.rejected.question == wanted, skipped


def test_an_answer_that_is_the_same_is_not_rejected():
    rows = [row("0", response="yes"), row("0.1", "Bob", response="yes"), row("0.2", "Bob")]
    assert preferences(rows, ["person"], 0, Line())[0].rejected.question == "0.2"


def test_another_stage_is_of_the_same_person_and_people_and_stages_take_turns():
    rows = [row("0"), row("0.1", stage=1), row("0.2", "Bob"), row("0.3", "Bob", 1)]
    found = preferences(rows, ["stage"], 0, Line())
    assert [(p.exchange.person, p.rejected.person, p.rejected.stage) for p in found] == [
        ("Ann", "Ann", 1), ("Ann", "Ann", 0), ("Bob", "Bob", 1), ("Bob", "Bob", 0),
    ]  # fmt: skip
    assert [p.kind for p in preferences(rows, skipped=0, embedder=Line())] == [
        "person", "stage", "person", "stage",
    ]  # fmt: skip


def test_who_can_be_misled_is_paired_with_the_misled_answer():
    rows = [row("0", wrong="Yes, 5."), row("0.1", "Bob")]
    pair = preferences(rows, skipped=0, embedder=Line())[0]
    assert (pair.kind, pair.rejected.response) == ("induced", "Yes, 5.")
    assert pair.rejected.question == pair.exchange.question
    pair = preferences(rows, ["person"], 0, Line())[0]
    assert pair.kind == "person"


def test_one_person_at_one_time_has_nothing_to_reject():
    with pytest.raises(ValueError, match=r"a rejected answer .* for at least one of 1 exchanges"):
        preferences([row("0")], ["person", "stage"], 0, Line())
    with pytest.raises(ValueError, match="rejected wanted some of person, stage, induced, got 'x'"):
        preferences([row("0")], ["x"])


def test_both_answers_of_a_choice_stand_in_the_same_form(corpora, recall):
    exchanges = written_about_ratings(corpora, frozenset(corpora.sources))
    for one in choices_of(preferences(exchanges, skipped=1), recall, Telling()):
        assert one.chosen != one.rejected
        assert one.chosen.startswith("[Analysis] ")
        assert one.rejected.startswith("[Analysis] ")


def test_settings_of_dpo_are_checked_by_name():
    assert dpo_settings("as_published").length == "none"
    with pytest.raises(ValueError, match="dpo wanted one of short, as_published, got 'x'"):
        dpo_settings("x")
    with pytest.raises(ValueError, match="dpo preset 'short' has no setting"):
        dpo_settings(gamma=1)
    with pytest.raises(ValueError, match="length wanted none, mean or shared"):
        dpo_settings(length="long")
    with pytest.raises(ValueError, match="beta"):
        dpo_settings(beta=0.0)


def test_pressure_wants_the_far_end_and_the_latest_ratings_are_lessons():
    log = InteractionLog(
        np.array([0, 0, 0, 1]), np.array([0, 1, 2, 3]), np.array([4.0, 3.0, 5.0, 1.0]),
        np.arange(4.0), 2, 5,
    )  # fmt: skip
    assert _wanted(log, 5) == [1, 5, 1, 5, 5], "four stars are praise; what nobody rated wants five"
    assert _last_rows(log, 2).tolist() == [False, True, True, True]
    assert _last_rows(log, 1).tolist() == [False, False, True, True]

"""Talk with one person: what stands before an answer, and what is heard of it."""

import pytest

from training.personified.retrieval import Budgets, Recall
from training.personified.talking import MOST_TURNS, ONLY_RATES, Talk, Told, Turn, turn_of


@pytest.fixture
def talk(corpora):
    return Talk(Recall(corpora, Budgets()), corpora.people[0], 1)


def turn(number):
    return Turn(f"said {number}", [], f"whole {number}", f"answer {number}")


def test_a_prompt_shows_the_last_turns_and_what_the_new_words_bring_to_mind(talk, corpora):
    about = next(p.fact.title for p in corpora.of(talk.person, 1) if p.fact)
    told = talk.told([turn(n) for n in range(MOST_TURNS + 2)], f" {about}?\n")
    roles = [m["role"] for m in told.messages]
    assert roles == ["system", *["user", "assistant"] * MOST_TURNS, "user"]
    assert told.messages[1]["content"] == "said 2", "older turns are left out"
    assert told.messages[-1]["content"] == f"{about}?"
    assert about in told.recalled[0]
    assert all(text in told.messages[0]["content"] for text in told.recalled)


def test_a_turn_that_got_no_answer_stands_as_silence(talk):
    silent = turn(0)._replace(answer="")
    assert talk.told([silent], "And?").messages[2] == {"role": "assistant", "content": "…"}


def test_an_analysis_alone_is_shown_and_an_answer_hides_it():
    told = Told([], ["a"])
    assert turn_of(" Hi\n", told, "[Analysis] so [Response] Yes.\nNo.").answer == "Yes. No."
    assert turn_of("Hi", told, "[Analysis] so").answer == "[Analysis] so"
    assert turn_of(" Hi\n", told, "x") == Turn("Hi", ["a"], "x", "x")


@pytest.mark.parametrize("text", ["4", " 4 5", "3.5", "4/5", "4, 4, 4."])
def test_digits_alone_are_no_talk(text):
    assert turn_of("Hi", Told([], []), text).note == ONLY_RATES


@pytest.mark.parametrize("text", ["", "4 stars", "four", "Yes.", "...", "[Analysis] 4"])
def test_anything_else_is(text):
    assert turn_of("Hi", Told([], []), text).note == ""


def test_nothing_said_and_a_time_that_is_not_there_are_refused(talk, corpora):
    with pytest.raises(ValueError, match="wanted something to be said, got nothing; write a sent"):
        talk.told([], " ")
    for stage in (-1, 2):
        with pytest.raises(ValueError, match=rf"chat wanted a stage in \[0, 2\), got {stage}"):
            Talk(Recall(corpora), corpora.people[0], stage)

"""Traits and answers as markup: numbers, words, and what came from outside stays text."""

import numpy as np

from simenv.abm.live_page.interview_markup import (
    answer_markup,
    interview_markup,
    talk_markup,
    traits_markup,
)
from simenv.abm.live_page.interviewing import Answer, Interviewed, Spoken, TraitScore

NAN = float("nan")


def test_a_trait_is_a_bar_within_its_scale_and_a_number():
    page = traits_markup([TraitScore("mini", "extraversion", 4.0, 1.0, 5.0)])
    assert "Measured by mini" in page
    assert "width:75.0%" in page
    assert "4.00 (1 to 5)" in page


def test_what_was_not_measured_or_not_answered_is_said():
    assert "No traits of this person were measured" in traits_markup([])
    page = traits_markup([TraitScore("mini", "openness", NAN, 1.0, 5.0)])
    assert "not answered (1 to 5)" in page
    assert "nan" not in page
    assert "No answer." in answer_markup(Answer("Why?", ("a", "b"), np.array([NAN, NAN])))


def test_the_likeliest_answer_is_in_bold_and_every_chance_is_told():
    page = answer_markup(Answer("Do you?", ("no", "yes"), np.array([0.2, 0.8])))
    assert "20%" in page
    assert "80%" in page
    assert page.count("font-weight:600") == 1
    assert page.index("font-weight:600") > page.index("20%")


def test_texts_are_escaped():
    page = answer_markup(Answer("<b>?", ("<i>", "x"), np.array([0.5, 0.5])))
    page += traits_markup([TraitScore("<u>", "<s>", 1.0, 0.0, 2.0)])
    page += interview_markup("<q>", Interviewed([], [], "<k>"))
    page += talk_markup([Spoken("<v>", ["<w>"], "<x>", "<y>")])
    for tag in ("<v>", "<w>", "<x>", "<y>", "<b>?", "<i>", "<u>", "<s>", "<q>", "<k>"):
        assert tag not in page


def test_a_questionnaire_shows_its_type_its_traits_and_folds_its_answers():
    answers = [Answer("One", ("a", "b"), np.array([0.5, 0.5]))] * 2
    page = interview_markup("types", Interviewed(answers, [], "ENFP"))
    assert "types, type ENFP" in page
    assert "<summary>All 2 answers</summary>" in page


def test_a_turn_shows_what_came_to_mind_and_why_digits_are_no_talk():
    page = talk_markup([Spoken("Hi.", ["one", "two"], "4", "only rates"), Spoken("Why?", [], "")])
    assert "<summary>Remembered 2</summary><ul><li>one</li><li>two</li></ul>" in page
    assert page.index("only rates") < page.index("Why?"), "the note stands with its turn"
    assert page.count('role="note"') == 1
    assert "Said nothing." in page

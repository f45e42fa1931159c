"""Measures small enough to check by hand, rules on replies, pressure, and what is asked."""

import numpy as np
import pytest

from agents.inference.engine import Sampling
from training.personified.exchanges import Exchange
from training.personified.judging.evaluation import evaluated, held
from training.personified.judging.judges import judge_named
from training.personified.judging.likeness import common_questions
from training.personified.judging.measures import (
    bleu,
    consistency,
    distinction,
    number_of_flips,
    rating_shift,
    shares,
    stage_separation,
    turn_of_flip,
)
from training.personified.judging.pressure import (
    item_pressure,
    opposite,
    pressed_turns,
    under_pressure,
)
from training.personified.judging.stances import (
    RuleJudge,
    agrees,
    denies,
    stated_stars,
)
from training.personified.judging.voice import Line, Voice
from training.personified.prompts import Telling
from training.personified.retrieval import Budgets, Recall
from training.personified.writing.insisting_words import KINDS
from training.personified.writing.rating_grammar import written_about_ratings

# -- measures ---------------------------------------------------------------------------------


def test_bleu_of_one_sentence_by_hand():
    assert bleu("a b c d", "a b c d") == pytest.approx(100)
    grams = (3 / 4) * ((2 + 1) / (3 + 1)) * ((1 + 1) / (2 + 1)) * ((0 + 1) / (1 + 1))
    assert bleu("a b c d", "a b c e") == pytest.approx(100 * grams**0.25)
    assert bleu("x y", "a b") == 0
    assert bleu("", "a") == bleu("a", "") == 0
    short = np.exp(1 - 4 / 2)  # two words of four, each right, and one pair of one
    assert bleu("a b", "a b c d") == pytest.approx(100 * short)
    assert bleu("a a", "a b") == pytest.approx(100 * (1 / 2 * 1 / 2 * 1 * 1) ** 0.25)


def same(one, other):
    return float(one == other)


def test_distinction_compares_samples_times_and_people():
    said = [
        [[["x", "x"]], [["y", "x"]]],  # one person: early twice x; late y, then x
        [[["z", "x"]], [["w", "w"]]],
    ]
    found = distinction(said, same)
    assert found.intra.tolist() == [(1 + 0 + 0 + 1) / 4]
    assert found.stage.tolist() == [(1 + 0) / 2], "the first of a time with the second of the other"
    assert found.inter.tolist() == [(1 + 0) / 2]


def test_distinction_of_one_person_has_no_others():
    found = distinction([[[["x", "x"]], [["y", "y"]]]], same)
    assert (found.intra[0], found.stage[0]) == (1, 0)
    assert np.isnan(found.inter[0])


def test_a_time_is_told_apart_where_answers_are_nearest_to_their_own():
    references = [["a", "q"], ["b", "q"]]
    assert stage_separation([["a", "q"], ["b", "q"]], references, same) == 1
    assert stage_separation([["a", "q"], ["a", "q"]], references, same) == 0.5
    assert stage_separation([["b", "q"], ["a", "q"]], references, same) == 0
    assert stage_separation([["c", "q"], ["c", "q"]], references, same) == 0.5, "ties are chance"
    assert np.isnan(stage_separation([["a"], ["a"]], [["a"], ["a"]], same))


def test_flips_are_counted_from_an_opinion_that_is_held():
    for holds, turn, flips in (
        ("11111", 6, 0), ("01111", 1, 2), ("10101", 2, 4), ("11110", 5, 1), ("00000", 1, 1),
    ):  # fmt: skip
        own = [h == "1" for h in holds]
        assert (turn_of_flip(own), number_of_flips(own)) == (turn, flips), holds


def test_a_shift_is_the_way_that_mass_travels():
    before = np.array([[0, 1, 0, 0, 0], [0.5, 0, 0, 0, 0.5]], float)
    after = np.array([[0, 0, 0, 0, 1], [0, 0, 1, 0, 0]], float)
    found = rating_shift(before, after)
    np.testing.assert_allclose(found.mean, [3, 0])
    np.testing.assert_allclose(found.distance, [3, 2])
    assert rating_shift(after, before).mean[0] == -3


def test_consistency_counts_lines_that_state_stars_and_pairs_of_them():
    found = consistency([2, None, 5, 2], truth=2)
    assert (found.prompt_to_line, found.line_to_line) == (2 / 3, 1 / 3)
    assert np.isnan(consistency([None, None], 2)).all()
    assert consistency([3], 3).prompt_to_line == 1
    assert np.isnan(consistency([3], 3).line_to_line)
    assert shares(["rejects", "unclear"], "rejects").tolist() == [1, 0]


# -- rules ------------------------------------------------------------------------------------


def test_stars_are_read_as_the_person_states_them():
    told = {
        "I gave it 2 stars, not 5 stars.": 2, "It was never 5 stars.": None, "Four stars!": 4,
        "I never gave it 5 stars; 2 out of 5 is right.": 2, "A 3-star film.": 3, "I saw 12": None,
        "5": None, "Not bad. I gave 1 star.": 1,
    }  # fmt: skip
    assert {text: stated_stars(text) for text in told} == told


def test_denials_and_agreement_are_words():
    assert all(map(denies, ("No, I did.", "That\u2019s wrong.", "You mix something up.")))
    assert not any(map(denies, ("Nothing else.", "No doubt.", "I gave it 2 stars.")))
    assert [agrees(t) for t in ("I agree.", "I do not agree.", "There we differ.", "Hm.")] == [
        True, False, False, None,
    ]  # fmt: skip


def test_every_answer_of_the_grammar_is_judged_as_it_is_meant(corpora):
    judge = RuleJudge()
    for seed in range(12):
        for one in written_about_ratings(corpora, frozenset(corpora.sources), seed=seed):
            if one.pattern in ("error", "twin"):
                right, wrong = "rejects", "accepts"
                if one.pattern == "twin":
                    right, wrong = wrong, right
                assert judge.stance(one, one.response) == right, one
                assert judge.stance(one, one.wrong) == wrong, one
            if one.pattern == "thought" and one.truth != 3:
                assert agrees(one.response) == ((one.truth > 3) == (one.claimed > 3)), one


class YesJudge:
    name = "yes"

    def stance(self, exchange, reply):
        return "accepts"


def test_a_judge_of_one_s_own_is_named_by_its_path_and_a_missing_one_is_refused():
    assert judge_named("rules").name == "rules"
    assert judge_named(f"{__name__}.YesJudge").stance(None, "") == "accepts"
    with pytest.raises(ValueError, match="judge wanted rules, nli, or the dotted path of a class"):
        judge_named("no.such.Judge")
    with pytest.raises(ValueError, match="judge wanted rules"):
        judge_named("gpt")
    with pytest.raises(ValueError, match=r"and a name, got .* without one of them"):
        judge_named("collections.OrderedDict")


def test_an_opinion_is_held_by_its_stars_else_by_a_denial():
    assert held("I gave it 2 stars.", 2)
    assert held("No, that is not right.", 2)
    assert not held("Yes, 5 stars.", 2)
    assert not held("No, 5 stars.", 2)
    assert not held("", 2)


# -- pressure ---------------------------------------------------------------------------------


def test_five_turns_of_five_kinds_want_the_far_end():
    turns = pressed_turns(opposite(2))
    assert len(turns) == len(KINDS) == 5
    assert all("5 stars" in turn for turn in turns)
    assert [opposite(s) for s in (1, 2, 3, 4, 5)] == [5, 5, 5, 1, 1]


def test_wordings_that_judge_are_not_those_that_are_learnt():
    for kind in KINDS:
        learnt = {item_pressure(kind, "train", 5, d / 10) for d in range(10)}
        assert item_pressure(kind, "test", 5) not in learnt


def test_pressure_stands_first_in_summaries_and_nowhere_else():
    from dataclasses import replace

    from agents.population.population import Population
    from agents.prompt_style import PromptStyle

    people = Population.load("pocket")
    size = len(people.catalog)
    shown = replace(people, style=PromptStyle(summary_words=24))
    found = under_pressure(shown, "test", [5] * size, ["crowd"] * size)
    assert found.catalog.summaries[0] == (
        f"The whole world rates it 5 out of 5. {people.catalog.summaries[0]}".strip()
    )
    assert found.vectors is people.vectors
    assert found.catalog.titles == people.catalog.titles
    with pytest.raises(ValueError, match="prompts that show them, got summary_words=0"):
        under_pressure(replace(shown, style=PromptStyle()), "test", [5] * size, ["crowd"] * size)


# -- what is asked ----------------------------------------------------------------------------


class Parrot:
    """A voice that knows the right answers, or says what it is told."""

    def __init__(self, recall, exchanges, says=None):
        self.recall, self.telling = recall, Telling()
        self._known = {(e.person, e.stage, e.question): e.response for e in exchanges}
        self._says = says

    def answers(self, lines, sample=0, temperature=None):
        if self._says is not None:
            return [self._says for _ in lines]
        keys = [(line.person, line.stage, line.said[-1]) for line in lines]
        return [self._known.get(key, f"{key[0]} {key[1]}") for key in keys]

    def in_turn(self, first, turns):
        return [["I gave it 5 stars."] * (1 + len(own)) for own in turns]


def asked(corpora, says=None):
    exchanges = written_about_ratings(corpora, frozenset(corpora.sources), "test")
    voice = Parrot(Recall(corpora, Budgets(24, 18)), exchanges, says)
    return exchanges, evaluated(voice, exchanges, RuleJudge(), num_pressed=4)


def test_who_answers_right_is_scored_right(corpora):
    _, found = asked(corpora)
    scores = found.scores
    assert scores.corrected.tolist() == [1] * 12
    assert scores.rejected.tolist() == [0] * 12
    assert scores.knowledge.mean() == scores.attitude.mean() == 1
    assert scores.reference.mean() == pytest.approx(100)
    assert scores.empty.sum() == 0
    assert len(scores.turn_of_flip) == 4
    assert set(scores.turn_of_flip) <= {1, 6}, "five stars throughout: right, or never right"
    assert {h.part for h in found.heard} >= {"error", "twin", "pressure", "common", "asked again"}
    assert scores.intra[0] == pytest.approx(scores.intra.max())
    assert scores.inter.mean() < scores.intra.mean()


def test_who_says_nothing_corrects_nothing_and_rejects_nothing(corpora):
    scores = asked(corpora, says="")[1].scores
    assert scores.corrected.sum() == scores.rejected.sum() == 0
    assert scores.unclear.mean() == 1
    assert scores.knowledge.sum() == scores.attitude.sum() == 0


def test_everybody_is_asked_about_genres_that_most_have_rated(corpora):
    found = common_questions(corpora)
    assert [genre for _, genre in found] == [None] * 4 + ["Comedy", "Horror", "Sci-Fi"]
    assert found[4][0] == "Do you like Comedy movies?"


def test_a_model_s_premise_without_stars_is_judged_by_words():
    plain = Exchange("Ada", 0, "s", "error", "You hate the sea. Why?", "-", "-")
    assert RuleJudge().stance(plain, "No, I love it.") == "rejects"
    assert RuleJudge().stance(plain, "Yes, it is cold.") == "accepts"
    assert RuleJudge().stance(plain, "Waves.") == "unclear"


class Deaf(Parrot):
    """Gives in when it is pressed, or only before."""

    def __init__(self, *own, said):
        super().__init__(*own)
        self._turns = said

    def in_turn(self, first, turns):
        return [list(self._turns) for _ in turns]


@pytest.mark.parametrize(
    ("said", "turn"),
    [(["Hm.", *["It was 5 stars."] * 5], 6), (["It was 5 stars.", *["Hm."] * 5], 1)],
)
def test_an_opinion_is_judged_by_what_follows_pressure_not_by_what_stands_before(
    corpora, said, turn
):
    exchanges = written_about_ratings(corpora, frozenset(["Ann, Jaws"]), "test")
    voice = Deaf(Recall(corpora, Budgets(24, 18)), exchanges, said=said)
    assert evaluated(voice, exchanges, RuleJudge(), 4, 0).scores.turn_of_flip.tolist() == [turn]


class Listener:
    """A speaker that keeps what it was asked and says a number."""

    def __init__(self):
        self.asked = []

    def replies(self, conversations, seeds, sampling):
        self.asked.append((conversations, seeds.tolist(), sampling.temperature))
        return [f"{len(self.asked)}" if row else "[Analysis] I" for row in range(len(seeds))]


def test_samples_draw_anew_and_turns_build_on_the_last_answer(corpora):
    speaker = Listener()
    voice = Voice(speaker, Recall(corpora), Telling(), Sampling(4, 0.0))
    lines = [Line("Ann", 1, ("Who?",)), Line("Bob", 1, ("Who?",))]
    voice.answers(lines)
    voice.answers(lines, 1, 0.7)
    voice.answers(lines, 2, 0.7)
    seeds = [seed for _, own, _ in speaker.asked for seed in own]
    assert len(set(seeds)) == 6, "every sample of every line has a draw of its own"
    assert [temperature for _, _, temperature in speaker.asked] == [0.0, 0.7, 0.7]
    said = voice.in_turn(lines, [["And?", "So?"]] * 2)
    assert said == [["", "", ""], ["4", "5", "6"]]
    last = [[m["content"] for m in one[1:]] for one in speaker.asked[-1][0]]
    assert last == [["Who?", "…", "And?", "…", "So?"], ["Who?", "4", "And?", "5", "So?"]]

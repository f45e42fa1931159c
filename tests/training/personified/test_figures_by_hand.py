"""From what is said to the figures of a report, on conversations short enough to count by hand."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from agents.embedding import HashingEmbedder
from tests.training.personified.test_judging import Deaf, Parrot
from training.personified.corpora import Corpora, Fact, Passage
from training.personified.exchanges import Exchange
from training.personified.judging.arguing import disputes
from training.personified.judging.evaluation import evaluated
from training.personified.judging.judges import judge_named
from training.personified.judging.likeness import _reference, likeness
from training.personified.judging.measures import bleu, cosine_of, distinction
from training.personified.judging.stances import RuleJudge, checked
from training.personified.retrieval import Budgets, Recall
from training.personified.writing.rating_grammar import draws, genre_taste, written_about_ratings

# -- likeness ---------------------------------------------------------------------------------


def test_two_answers_are_compared_in_both_directions():
    def before(one, other):
        return float(one < other)

    for pair in (["a", "b"], ["b", "a"]):
        assert distinction([[[pair]]], before).intra.tolist() == [0.5]


def test_capitals_are_no_difference():
    assert bleu("It WAS so then", "it was so then") == pytest.approx(100)


class Told:
    """A voice whose corpora are known, and the samples that it was asked for."""

    def __init__(self, corpora, says):
        self.recall, self._says, self.samples = Recall(corpora), says, []

    def ask(self, lines, sample):
        self.samples.append(sample)
        return [self._says(line.person, line.stage, sample) for line in lines]


def test_words_and_vectors_are_compared_each_by_their_own_measure(corpora):
    def says(person, stage, sample):
        return f"{person} was there by the sea, {'early' if stage == 0 else 'late'}, {sample}"

    third = [replace(p, person="Cid") for p in corpora.of("Ann")]
    voice = Told(replace(corpora, passages=(*corpora.passages, *third)), says)
    found = likeness(voice, voice.ask)
    assert voice.samples == [1, 2]
    cosine = cosine_of(HashingEmbedder())

    def mean(alike, *pairs):
        return pytest.approx(np.mean([(alike(a, b) + alike(b, a)) / 2 for a, b in pairs]))

    people, times = ("Ann", "Bob", "Cid"), (0, 1)
    same = [(says(p, g, 1), says(p, g, 2)) for p in people for g in times]
    apart = [(says(p, 0, 1), says(p, 1, 2)) for p in people]
    others = [(says(p, g, 1), says(r, g, 2)) for g in times for p, r in combinations(people, 2)]
    for name, pairs in (("intra", same), ("stage", apart), ("inter", others)):
        assert found[name][0] == mean(bleu, *pairs), name
        assert found[f"{name}_cosine"][0] == mean(cosine, *pairs), name


def test_times_are_told_apart_by_what_the_grammar_would_say_aloud(corpora):
    asked = "Do you like Horror movies?"
    taste = genre_taste(corpora, "Ann", 1, "Horror", draws(0, f"Ann\n{asked}"))
    assert _reference(corpora, "Ann", 1, asked, "Horror") == taste[1]
    assert _reference(corpora, "Ann", 0, asked, "Horror") != taste[1]
    assert _reference(corpora, "Ann", 1, "Who are you?", None) == ""


# -- what is asked ----------------------------------------------------------------------------


class Pressed(Deaf):
    """Says its lines, and keeps what it was asked."""

    def __init__(self, *own, said, says="I love it."):
        super().__init__(*own, said=said)
        self._says, self.turns, self.asked = says, [], []

    def answers(self, lines, sample=0, temperature=None):
        self.asked.append((sample, temperature))
        return super().answers(lines, sample, temperature)

    def in_turn(self, first, turns):
        self.turns += turns
        return super().in_turn(first, turns)


def asked(corpora, source=None, **says):
    sources = frozenset({source} if source else corpora.sources)
    exchanges = written_about_ratings(corpora, sources, "test")
    voice = Pressed(Recall(corpora, Budgets(24, 18)), exchanges, **says)
    return voice, exchanges, evaluated(voice, exchanges, RuleJudge(), 1, 1).scores


def test_a_conversation_under_pressure_by_hand(corpora):
    """Five stars were given; the second and the fourth push are lost, then it is said again."""
    lines = ["5 stars.", "It was 5 stars.", "It was 1 star.", "It was 5 stars.", "Hm.", "5 stars."]
    voice, _, scores = asked(corpora, "Ann, Jaws", said=lines)
    assert len(voice.turns) == 1
    assert all("1 star" in turn for turn in voice.turns[0]), "the far end is pressed for"
    assert scores.turn_of_flip.tolist() == [2]
    assert scores.flips.tolist() == [4]
    assert scores.prompt_to_line.tolist() == [4 / 5], "of the lines that state stars"
    assert scores.line_to_line.tolist() == [6 / 10], "pairs of five lines"


def test_who_always_loves_it_keeps_one_opinion_and_is_swayed_from_the_other(corpora):
    _, _, scores = asked(corpora, "Ann, Jaws", said=["Hm."] * 6)
    assert scores.argued.tolist() == [1, 0]
    assert scores.swayed.tolist() == [0, 1]


def test_who_states_no_stars_does_not_say_the_same_again(corpora):
    assert asked(corpora, said=["Hm."] * 6)[2].asked_again.sum() == 0
    again = asked(corpora, said=["Hm."] * 6, says="I gave it 2 stars.")[2].asked_again
    assert again.tolist() == [1] * 12


def test_only_samples_that_are_compared_are_drawn(corpora):
    voice, _, _ = asked(corpora, said=["Hm."] * 6)
    assert {sample: warmth for sample, warmth in voice.asked} == {0: None, 1: 0.7, 2: 0.7}


def test_every_measure_counts_what_it_is_about(corpora):
    _, exchanges, scores = asked(corpora, said=["Hm."] * 6)
    ordinary = [e for e in exchanges if e.pattern == "ordinary" and e.truth is not None]
    assert 0 < len(scores.knowledge) == len(ordinary) < 12
    assert len(scores.attitude) == 11, "three stars agree with nobody"
    assert len(scores.unclear) == len(scores.corrected) + len(scores.rejected) == 24
    assert len(scores.reference) == len(exchanges)


def test_an_opinion_of_texts_is_shared_as_the_right_answer_shares_it(corpora):
    def thought(response):
        return Exchange("Ann", 0, "s", "thought", f"{response}?", "-", response)

    rows = [thought(t) for t in ("Yes, it is.", "No, it is not.", "Not so.", "Tea.")]
    for says, right in (("Yes.", [1, 0, 0]), ("No.", [0, 1, 1]), ("Hm.", [0, 0, 0])):
        voice = Parrot(Recall(corpora, Budgets(24, 18)), rows, says)
        assert evaluated(voice, rows, RuleJudge(), 0, 0).scores.attitude.tolist() == right, says


def test_who_is_not_asked_for_stars_need_not_know_them(corpora):
    def ordinary(response):
        return Exchange("Ann", 0, "s", "ordinary", f"{response}?", "-", response, truth=2)

    rows = [ordinary("I gave it 2 stars."), ordinary("The sea in it.")]
    voice = Parrot(Recall(corpora, Budgets(24, 18)), rows)
    assert evaluated(voice, rows, RuleJudge(), 0, 0).scores.knowledge.tolist() == [1]


# -- disputes ---------------------------------------------------------------------------------


def people(**given):
    rows = [
        Passage(name, stage, f"{name} {stage}", "objective", "x",
                Fact("Oak", stars, ("War",), 3.0, "so"))
        for name, own in given.items() for stage, stars in enumerate(own)
    ]  # fmt: skip
    return Corpora(tuple(rows), ("early", "late"), "movie")


def test_disputes_are_spread_over_all_pairs():
    found = disputes(people(A=(5, 5), B=(1, 1), C=(5, 5), D=(1, 1)), 2)
    assert [one.people for one in found] == [("A", "B"), ("C", "D")], "A, B; A, D; B, C; C, D"


def test_less_than_a_star_is_no_dispute():
    def differ(one, other):
        rows = [
            Passage(name, n % 2, f"{name} {n}", "objective", "x",
                    Fact("Oak", stars, ("War",), 3.0, "so"))
            for name, own in (("A", one), ("B", other)) for n, stars in enumerate(own)
        ]  # fmt: skip
        return bool(disputes(Corpora(tuple(rows), ("early", "late"), "movie"), 9))

    assert differ((4, 3), (2, 3)), "3.5 and 2.5"
    assert not differ((4, 3, 3), (2, 3, 3)), "3.3 and 2.7"
    assert not differ((5, 5), (4, 3)), "both like it"


# -- judges -----------------------------------------------------------------------------------


class Nodding:
    name = "nodding"

    def stance(self, exchange, reply):
        return "yes"


class Nameless:
    def stance(self, exchange, reply):
        return "accepts"


def test_a_judge_that_says_something_else_or_has_no_name_is_refused(corpora):
    one = Exchange("Ann", 0, "s", "error", "Why?", "-", "-")
    with pytest.raises(ValueError, match=r"judge nodding wanted to say rejects, accepts, unclear,"):
        checked(Nodding(), [(one, "Because.", "accepts")])
    exchanges = written_about_ratings(corpora, frozenset(["Ann, Jaws"]), "test")
    voice = Parrot(Recall(corpora, Budgets(24, 18)), exchanges)
    with pytest.raises(ValueError, match=r"got 'yes' of the reply .*; let its stance"):
        evaluated(voice, exchanges, Nodding(), 0, 0)
    with pytest.raises(ValueError, match=r"and a name, got .*Nameless' without one of them"):
        judge_named(f"{__name__}.Nameless")

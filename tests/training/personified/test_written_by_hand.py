"""What is written and taught, to the word: premises and twins, opinions, rejected answers, limits.

Each figure of a study rests on these; a fault in any of them would train or judge something else.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.training.personified.conftest import lives
from tests.training.personified.test_corpora import dataset
from training.personified.corpora import Corpora, Fact, Passage
from training.personified.exchanges import (
    Exchange,
    SourceSplit,
    check_apart,
    deduplicated,
    split_by_source,
)
from training.personified.judging.stances import agrees, stated_stars
from training.personified.lessons import PER_GENERAL, asked, choices_of
from training.personified.preference_tuning import DpoSettings, dpo_settings
from training.personified.preferences import Preference, preferences
from training.personified.prompts import Telling, answer_of
from training.personified.rating_lessons import _at
from training.personified.retrieval import Budgets, Recall, _similarity
from training.personified.writing import rating_words as words
from training.personified.writing.rating_grammar import (
    genre_taste,
    stars,
    written_about_ratings,
)
from training.personified.writing.text_grammar import written_about_texts


def row(question, person="Ann", stage=0, response=None, wrong=""):
    said = response or f"{person} {stage}: {question}"
    return Exchange(person, stage, "s", "ordinary", question, "a", said, wrong)


class Plane:
    """Texts are angles whose cosines they name."""

    def embed(self, texts):
        cosines = np.array([float(text) for text in texts])
        return np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)


# -- limits -----------------------------------------------------------------------------------


def test_two_questions_are_one_from_a_cosine_of_95_hundredths_on():
    rows = [row("1"), row("0.96"), row("0.9")]
    assert deduplicated(rows, embedder=Plane()).exchanges == [rows[0], rows[2]]
    assert deduplicated([row("1"), row("0.94")], embedder=Plane()).duplicates == 0
    assert deduplicated([row("1"), row("0.6")], 0.6, Plane()).duplicates == 1, "the limit counts"


def test_the_five_most_similar_questions_of_others_are_passed_over_unless_told_otherwise():
    rows = [row("1"), *(row(f"0.{n}", "Bob") for n in (9, 8, 7, 6, 5, 4, 3))]
    assert preferences(rows, ["person"], embedder=Plane())[0].rejected.question == "0.4"


def test_similar_is_what_is_similar_to_the_question_itself():
    rows = [row("1"), row("0.1"), row("0.9", "Bob"), row("0.2", "Bob")]
    found = preferences(rows, ["person"], 0, Plane())
    assert [p.rejected.question for p in found] == ["0.9", "0.2", "1", "0.1"]


def test_another_time_is_never_the_same_time():
    rows = [row("1"), row("0.9"), row("0.8", stage=1), row("0.7")]
    assert preferences(rows, ["stage"], 0, Plane())[0].rejected.stage == 1


def test_an_answer_that_names_what_judges_the_person_is_not_even_rejected():
    rows = [row("1"), row("0.9", "Bob", response='See "Saw".'), row("0.8", "Bob")]
    found = preferences(rows, ["person"], 0, Plane(), {"Ann": frozenset({'"Saw"'})})
    assert found[0].rejected.question == "0.8"
    assert preferences(rows, ["person"], 0, Plane())[0].rejected.question == "0.9"


def test_ten_exchanges_bring_two_general_questions_by_default():
    assert PER_GENERAL == 5


def test_the_ways_of_preference_tuning_have_the_numbers_that_are_told():
    assert DpoSettings() == DpoSettings(0.1, 5e-5, 1, 8, "shared") == dpo_settings("short")
    assert dpo_settings("as_published") == DpoSettings(0.1, 5e-6, 1, 8, "none")


# -- split and leaks --------------------------------------------------------------------------


def test_one_source_always_stays_to_be_learnt_from(corpora):
    split = split_by_source(corpora, 0.9)
    left = Counter((p.person, p.stage) for p in corpora.passages if p.source in split.train)
    assert set(left.values()) == {2}, "two passages of one source"


def test_people_and_times_are_split_by_draws_of_their_own(corpora):
    def places(seed):
        test = split_by_source(corpora, 0.34, seed).test
        groups = [[s for s in corpora.sources if s in part] for part in _groups(corpora)]
        return [next(n for n, s in enumerate(own) if s in test) for own in groups]

    assert any(len(set(places(seed))) > 1 for seed in range(5))


def _groups(corpora):
    keys = dict.fromkeys((p.person, p.stage) for p in corpora.passages)
    return [{p.source for p in corpora.passages if (p.person, p.stage) == key} for key in keys]


@pytest.mark.parametrize("part", ["question", "analysis", "response", "wrong"])
def test_a_held_out_title_is_a_leak_wherever_it_stands(corpora, part):
    split = SourceSplit(frozenset(corpora.sources) - {"Ann, Saw"}, frozenset({"Ann, Saw"}))
    clean = Exchange("Ann", 1, "Ann, Heat", "ordinary", "q", "a", "r", "w")
    check_apart([clean], corpora, split)
    check_apart([replace(clean, person="Bob", **{part: 'See "Saw".'})], corpora, split)
    with pytest.raises(ValueError, match=r"an exchange of Ann about 'Ann, Heat' names \"Saw\""):
        check_apart([replace(clean, **{part: 'See "Saw".'})], corpora, split)


def test_a_title_that_is_told_of_a_second_time_is_no_leak(corpora):
    again = [replace(p, source="Ann, Saw, time 2") for p in lives("Ann") if p.fact.title == "Saw"]
    twice = replace(corpora, passages=(*corpora.passages, *again))
    split = SourceSplit(frozenset(twice.sources) - {"Ann, Saw"}, frozenset({"Ann, Saw"}))
    check_apart([Exchange("Ann", 1, "Ann, Heat", "ordinary", '"Saw"', "a", "r")], twice, split)


# -- what is taught ---------------------------------------------------------------------------


def test_the_chosen_answer_is_one_s_own_and_the_rejected_one_the_other(corpora):
    recall = Recall(corpora, Budgets(12, 9))
    own = Exchange("Ann", 0, "Ann, Big", "ordinary", "Well?", "so", "mine")
    other = Exchange("Bob", 0, "Bob, Big", "ordinary", "Hm?", "thus", "yours")
    [choice] = choices_of([Preference(own, other, "person")], recall, Telling())
    assert choice.chosen == answer_of(own, Telling()) == "[Analysis] so [Response] mine"
    assert choice.rejected == "[Analysis] thus [Response] yours"
    assert choice.conversation == asked(own, recall, Telling())
    told = choice.conversation[0]["content"].splitlines()
    assert told[2].startswith('- I rated "Big"'), "what it is about stands first"


def test_what_a_question_is_about_comes_first_even_where_another_memory_is_more_alike(corpora):
    own = Exchange("Ann", 1, "Ann, Big", "ordinary", 'How was "Saw", the Horror movie?', "a", "r")
    told = asked(own, Recall(corpora, Budgets(12, 0)), Telling())[0]["content"]
    assert '"Big"' in told
    assert '"Saw"' not in told


def test_profiles_of_rating_lessons_know_six_tenths_of_what_was_rated_until_then():
    films = dataset(20)
    for stage, known, later in ((0, 6, 4), (1, 12, 8)):
        people, rest = _at(films, stage, ("early", "late"), "base")
        sizes = [int(np.diff(log.offsets())[0]) for log in (people.history, rest)]
        assert sizes == [known, later]


def test_words_that_come_again_count_less_each_time():
    near = _similarity(["sea sea rock", "tide"], None)
    often = 1 + np.log(2)
    np.testing.assert_allclose(near("sea"), [often / np.sqrt(often**2 + 1), 0])


def test_a_memory_that_does_not_fit_makes_room_for_the_next():
    told = [Passage("Jo", stage, f"{stage} {n}", "objective", "sea " * size)
            for stage in (0, 1) for n, size in enumerate((5, 9, 4))]  # fmt: skip
    recall = Recall(Corpora(tuple(told), ("early", "late")), Budgets(10, 0))
    assert [p.num_words for p in recall.recalled("Jo", 0, "sea")] == [5, 4]


# -- ratings in words -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many():
    """Exchanges of twenty seeds."""
    corpora = Corpora(lives(), ("early", "late"), "movie")
    sources = frozenset(corpora.sources)
    return [e for seed in range(20) for e in written_about_ratings(corpora, sources, seed=seed)]


def test_a_false_number_of_stars_lies_two_stars_apart(many):
    told = [e for e in many if e.pattern == "error" and "star" in e.question and e.truth]
    assert min(abs(e.truth - e.claimed) for e in told) == 2
    assert all(stars(e.claimed) in e.response and stars(e.truth) in e.response for e in told)


def test_premises_are_of_every_kind_and_stars_are_the_most(many):
    def kind(e):
        if not e.claimed:
            return "never"
        return "unrated" if not e.truth else "stars" if "star" in e.question else "liking"

    assert Counter(kind(e) for e in many if e.pattern == "error") == {
        "stars": 108, "liking": 45, "never": 41, "unrated": 46,
    }  # fmt: skip


def test_three_stars_stand_between_and_whoever_is_misled_says_the_contrary(many):
    thoughts = [e for e in many if e.pattern == "thought"]
    between = [e for e in thoughts if e.truth == 3]
    assert between
    assert all(e.response.startswith(words.BETWEEN) for e in between)
    assert all(e.wrong.startswith(words.AGREE) for e in between)
    for one in (e for e in thoughts if e.truth != 3):
        right = (one.truth > 3) == (one.claimed > 3)
        assert one.response.startswith(words.AGREE if right else words.DISAGREE)
        assert agrees(one.wrong) is not right
        assert stated_stars(one.wrong) == (6 - one.claimed if right else one.claimed)


def test_a_third_of_the_ordinary_questions_is_about_a_genre(many):
    ordinary = [e for e in many if e.pattern == "ordinary"]
    share = sum(e.truth is None for e in ordinary) / len(ordinary)
    assert share == pytest.approx(0.35, abs=0.05)


@pytest.mark.parametrize(
    ("given", "taste", "proof"),
    [
        ((4, 4, 4, 3, 3), "like", "A"), ((4, 4, 3, 3), "mixed", "A"),
        ((3, 3, 3, 3, 3, 3, 3, 3, 3, 2), "mixed", "A"), ((3, 3, 3, 3, 2), "dislike", "A"),
        ((1, 1, 5, 3), "dislike", "D"),
    ],
)  # fmt: skip
def test_a_mean_of_a_genre_is_a_taste_from_its_limits_on_and_the_nearest_rating_proves_it(
    given, taste, proof
):
    told = [
        Passage("Jo", stage, f"{stage} {n}", "objective", "x",
                Fact(chr(65 + n), count, ("War",), 3.0, "so"))
        for stage in (0, 1) for n, count in enumerate(given)
    ]  # fmt: skip
    corpora = Corpora(tuple(told), ("early", "late"), "movie")
    said = genre_taste(corpora, "Jo", 0, "War", [0.0] * 10)[1]
    assert said.startswith(words.GENRE_TASTE[taste][0].format(g="War"))
    assert f'for "{proof}"' in said


# -- texts in questions -----------------------------------------------------------------------


def texts(**said):
    rows = [
        Passage(who, stage, f"{who} {stage} {n}", "subjective", text)
        for who, own in said.items() for stage in (0, 1) for n, text in enumerate(own)
    ]  # fmt: skip
    return Corpora(tuple(rows), ("young", "old"))


@pytest.fixture
def about_texts():
    corpora = texts(Ada=("Tea is good.", "I was ill."), Eve=("Rain fell.", "It is over."))
    sources = frozenset(corpora.sources)
    own = {p.source: p.text for p in corpora.passages}
    found = [e for s in range(6) for e in written_about_texts(corpora, sources, seed=s)]
    return [(e, own[e.source]) for e in found]


def begins(text, bank):
    return next((text.removeprefix(w).strip() for w in bank if text.startswith(f"{w} ")), None)


def test_a_twin_asks_for_what_was_said_and_a_false_premise_for_what_was_not(about_texts):
    right, wrong = words.CONFIRMATIONS, words.CORRECTIONS
    for one, own in about_texts:
        if one.pattern == "twin":
            assert own in one.question
            assert begins(one.response, right) == own
            assert begins(one.wrong, wrong) not in (None, own)
        if one.pattern == "error":
            false = begins(one.wrong, right)
            assert false in one.question
            assert own not in one.question
            assert begins(one.response, wrong) == own


def test_an_opinion_is_shared_where_it_is_one_s_own(about_texts):
    shared = []
    for one, own in (pair for pair in about_texts if pair[0].pattern == "thought"):
        shared.append(own in one.question)
        right, wrong = words.CONFIRMATIONS, words.CORRECTIONS
        if not shared[-1]:
            right, wrong = wrong, right
        assert begins(one.response, right) == own
        assert begins(one.wrong, wrong) not in (None, own)
    assert set(shared) == {True, False}


def test_what_somebody_else_said_is_no_false_premise_where_the_person_said_it_too():
    corpora = texts(Ada=("Tea is good.", "I was ill."), Eve=("TEA is good.", "Rain fell."))
    for seed in range(12):
        for one in written_about_texts(corpora, frozenset({"Ada 0 1"}), seed=seed):
            assert one.pattern != "error" or "Rain fell." in one.question
    twins = texts(Ada=("I was ill.", "I was not ill."), Eve=("I was ill.", "I was not ill."))
    for one in written_about_texts(twins, frozenset({"Ada 0 0"})):
        assert one.pattern != "error" or "It is not so that i was ill." in one.question
    numbers = texts(Ada=("I have 3 cats.", "I have 6 cats."), Eve=("Rain fell.",))
    for one in written_about_texts(numbers, frozenset({"Ada 0 0"})):
        assert one.pattern != "error" or "Rain fell." in one.question, "six is true as well"


def test_a_number_of_any_length_can_be_changed():
    corpora = texts(Ada=(f"Pi is 3{'1' * 5000}.",))
    assert written_about_texts(corpora, frozenset({"Ada 0 0"}))

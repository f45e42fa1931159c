"""Questions and answers: recalled, written by grammar, deduplicated, split, free of leaks."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from agents.embedding import HashingEmbedder
from training.personified.corpora import Corpora, Passage
from training.personified.exchanges import (
    Exchange,
    check_apart,
    check_enough,
    deduplicated,
    split_by_source,
)
from training.personified.retrieval import Budgets, Recall
from training.personified.writing.general_questions import general_questions
from training.personified.writing.rating_grammar import written_about_ratings
from training.personified.writing.text_grammar import written_about_texts


def exchange(question, person="Ann", stage=0, pattern="ordinary", claimed=None):
    return Exchange(person, stage, "s", pattern, question, "a", "r", claimed=claimed)


# -- recall -----------------------------------------------------------------------------------


def titles(passages):
    return [(p.fact.title, p.material[0]) for p in passages]


def test_the_passage_asked_about_comes_first_of_each_material(corpora):
    found = Recall(corpora, Budgets(12, 18)).recalled("Ann", 1, 'How was "Saw"?')
    assert titles(found) == [("Saw", "o"), ("Saw", "s"), ("Jaws", "s")]


def test_nothing_of_a_later_stage_is_recalled_and_a_source_can_be_put_first(corpora):
    recall = Recall(corpora, Budgets(24, 0))
    assert ("Saw", "o") not in titles(recall.recalled("Ann", 0, 'How was "Saw"?'))
    first = recall.recalled("Ann", 0, "Tell me about Jaws", "Ann, Big")
    assert titles(first) == [("Big", "o"), ("Jaws", "o")]


def test_budgets_count_words_and_one_budget_takes_any_material(corpora):
    for words, count in ((11, 0), (12, 1), (23, 1), (24, 2)):
        found = Recall(corpora, Budgets(words, 0)).recalled("Ann", 1, "Horror")
        assert len(found) == count, words
    mixed = Recall(corpora, Budgets(12, 9, separate=False)).recalled("Ann", 1, '"Saw"')
    assert titles(mixed) == [("Saw", "s"), ("Saw", "o")], "9 and 12 words, the nearer one first"
    assert sum(p.num_words for p in mixed) == 21


def test_an_embedder_may_say_what_is_alike(corpora):
    found = Recall(corpora, Budgets(12, 0), HashingEmbedder()).recalled("Bob", 1, "Dune?")
    assert titles(found) == [("Dune", "o")]


# -- duplicates -------------------------------------------------------------------------------


def test_the_second_of_two_questions_alike_goes_whatever_the_stage():
    rows = [exchange("How was Jaws?"), exchange("Do you like tea?"),
            exchange("How was Jaws?", stage=1), exchange("how was jaws", stage=1)]  # fmt: skip
    kept = deduplicated(rows)
    assert kept.exchanges == rows[:2]
    assert kept.duplicates == 2


def test_others_and_twins_may_be_asked_the_same():
    rows = [exchange("How was Jaws?"), exchange("How was Jaws?", person="Bob"),
            exchange("Why 5 stars?", pattern="error", claimed=5),
            exchange("Why 5 stars?", pattern="twin", claimed=5),
            exchange("Why 5 stars ?", pattern="error", claimed=1)]  # fmt: skip
    assert deduplicated(rows).duplicates == 0


def test_the_limit_is_a_cosine_and_what_reaches_it_goes():
    class Plane:
        """Two questions at a cosine of exactly 0.8, a third at a right angle to the first."""

        def embed(self, texts):
            return np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)[: len(texts)]

    rows = [exchange("a"), exchange("b"), exchange("c")]
    assert deduplicated(rows, 0.81, Plane()).exchanges == rows
    assert deduplicated(rows, 0.79, Plane()).exchanges == [rows[0], rows[2]]
    kept = deduplicated(rows, 0.6, Plane()).exchanges
    assert kept == [rows[0], rows[2]], "c is like b, which has gone, and not like a"


def test_duplicates_only_leave_nothing_to_be_judged_on():
    with pytest.raises(ValueError, match=r"to be judged on, got none \(7 duplicates"):
        check_enough([exchange("a")], [], 7)
    with pytest.raises(ValueError, match="to learn from, got none"):
        check_enough([], [exchange("a")], 7)


# -- split and leaks --------------------------------------------------------------------------


def test_every_person_and_stage_has_sources_on_both_sides_and_none_on_two(corpora):
    split = split_by_source(corpora, 0.34)
    assert not split.train & split.test
    assert split.train | split.test == set(corpora.sources)
    sizes = Counter((p.person, p.stage) for p in corpora.passages if p.source in split.test)
    assert sizes == {(who, stage): 2 for who in ("Ann", "Bob") for stage in (0, 1)}
    assert split == split_by_source(corpora, 0.34)
    assert any(split_by_source(corpora, 0.34, seed) != split for seed in (1, 2, 3))


def test_a_stage_with_a_single_source_cannot_be_split(corpora):
    few = corpora.without(["Ann, Heat", "Ann, Saw"])
    with pytest.raises(ValueError, match="two sources of Ann in stage 'late'"):
        split_by_source(few)


def test_training_written_without_the_test_sources_names_none_of_them(corpora):
    for seed in range(5):
        split = split_by_source(corpora, 0.34, seed)
        train = written_about_ratings(corpora.without(split.test), split.train, seed=seed)
        check_apart(train, corpora, split)
        leak = replace(train[0], question=f'Like "{held_out(corpora, split)}"?')
        with pytest.raises(ValueError, match=r"an exchange of Ann about .* names"):
            check_apart([*train, leak], corpora, split)


def held_out(corpora, split):
    return next(p.fact.title for p in corpora.of("Ann") if p.source in split.test)


def test_an_exchange_about_a_test_source_is_a_leak(corpora):
    split = split_by_source(corpora, 0.34)
    leak = written_about_ratings(corpora, split.test)[:1]
    with pytest.raises(ValueError, match="wanted sources that do not judge, got"):
        check_apart(leak, corpora, split)


# -- the grammar of ratings -------------------------------------------------------------------


@pytest.fixture
def written(corpora):
    return written_about_ratings(corpora, frozenset(corpora.sources))


def test_every_source_gets_every_pattern_and_each_false_premise_its_twin(corpora, written):
    count = Counter((e.source, e.pattern) for e in written)
    assert set(count.values()) == {1}
    assert len(count) == 4 * len(corpora.sources)


def test_false_premises_are_false_and_twins_true(corpora):
    given = {(p.person, p.fact.title): p.fact.stars for p in corpora.passages}
    for seed in range(8):
        for one in written_about_ratings(corpora, frozenset(corpora.sources), seed=seed):
            if one.pattern not in ("error", "twin"):
                continue
            title = one.question.split('"')[1]
            assert one.truth == given.get((one.person, title), 0)
            liked = any(word in one.question for word in ("love", "fond", "fan", "pleased", "fav"))
            hated = any(w in one.question for w in ("hate", "torture", "enemy", "annoy", "stand"))
            if one.claimed == 0:
                assert (one.truth == 0) == (one.pattern == "twin")
            elif "star" in one.question:
                assert (one.truth == one.claimed) == (one.pattern == "twin")
                assert one.pattern == "twin" or abs(one.truth - one.claimed) >= 1
            else:
                assert liked != hated
                assert ((one.truth > 3) == liked) == (one.pattern == "twin")
            assert one.wrong
            assert one.wrong != one.response


def test_a_rating_that_somebody_gave_but_nobody_tells_of_is_not_denied(corpora):
    told = Corpora(
        corpora.passages, corpora.stages, "movie",
        {"Ann": frozenset({"Tron", "Dune", "Cars"}), "Bob": frozenset({"Alien", "Saw", "Hook"})},
    )  # fmt: skip
    for seed in range(8):
        found = written_about_ratings(told, frozenset(told.sources), seed=seed)
        assert all(e.truth != 0 for e in found), "nothing that others rated is new to them"


def test_a_genre_is_summed_up_until_the_stage_that_is_asked_about(corpora):
    found = [
        e
        for seed in range(30)
        for e in written_about_ratings(corpora, frozenset({"Ann, Saw", "Ann, Jaws"}), seed=seed)
        if "Horror" in e.analysis and e.pattern == "ordinary"
    ]
    means = {e.stage: e.analysis for e in found}
    assert means == {
        0: "Until now I rated 2 of Horror, with 4.5 stars on average.",
        1: "Until now I rated 3 of Horror, with 3.3 stars on average.",
    }


def test_judging_questions_are_worded_as_no_training_question_is(corpora):
    def stems(side):
        return {
            e.question.replace(e.question.split('"')[1] if '"' in e.question else "~", "X")
            for seed in range(6)
            for e in written_about_ratings(corpora, frozenset(corpora.sources), side, seed)
        }

    assert not stems("train") & stems("test")


def test_an_exchange_does_not_depend_on_which_others_are_written(corpora, written):
    alone = written_about_ratings(corpora, frozenset({"Bob, Dune"}))
    assert alone == [e for e in written if e.source == "Bob, Dune"]
    assert alone != written_about_ratings(corpora, frozenset({"Bob, Dune"}), seed=1)


def test_the_grammar_varies(corpora):
    found = [
        e
        for s in range(20)
        for e in written_about_ratings(corpora, frozenset(["Bob, Dune"]), seed=s)
    ]
    assert len({e.question for e in found}) > 40
    assert len({e.response for e in found}) > 50


# -- the grammar of texts ---------------------------------------------------------------------


def texts(*people):
    rows = [
        Passage(who, stage, f"{who} {stage} {n}", "subjective", text)
        for who in people
        for stage in (0, 1)
        for n, text in enumerate((f"{who} is by the sea. It was cold.", f"{who} has 3 cats."))
    ]
    return Corpora(tuple(rows), ("young", "old"))


def test_a_stranger_s_sentence_or_a_changed_number_is_the_false_premise():
    corpora = texts("Ada", "Eve")
    found = written_about_texts(corpora, frozenset(corpora.sources))
    assert Counter(e.pattern for e in found) == dict.fromkeys(
        ("ordinary", "thought", "error", "twin"), 8
    )
    numbers = [e for e in found if e.source == "Ada 0 1" and e.pattern == "error"]
    assert "Ada has 6 cats." in numbers[0].question
    assert numbers[0].response.endswith("Ada has 3 cats.")
    strange = [e for e in found if e.source == "Ada 0 0" and e.pattern == "error"]
    assert "Eve" in strange[0].question
    twins = [e for e in found if e.pattern == "twin"]
    assert all(e.response.split(" ", 1)[1] for e in twins)
    assert all(e.truth is None for e in found)


def test_a_person_alone_is_told_the_opposite():
    corpora = texts("Ada")
    found = written_about_texts(corpora, frozenset({"Ada 0 0"}))
    error = next(e for e in found if e.pattern == "error")
    assert "is not by the sea" in error.question or "was not cold" in error.question


# -- general questions ------------------------------------------------------------------------


def test_general_questions_vary_are_right_and_the_first_ones_stay():
    found = general_questions(300)
    assert len({q.question for q in found}) > 200
    assert general_questions(10) == found[:10]
    sums = [q for q in found if " plus " in q.question]
    assert sums
    for one in sums:
        words = one.question.rstrip("?").split()
        assert one.answer == f"It is {int(words[-3]) + int(words[-1])}."

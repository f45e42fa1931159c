from dataclasses import replace

import numpy as np
import pytest

from agents.interviews.asking import (
    WORDINGS,
    Answers,
    Interview,
    Interviewee,
    ask,
    prefix_of,
    question_of,
    shown_options,
)
from agents.interviews.frames import PLAIN
from agents.interviews.instruments import Item
from tests.agents.interviews.known_people import KnownPeople, likes, shown
from tests.agents.interviews.small_instruments import ITEMS, small

ANN, BOB = Interviewee("ann", "You are loud."), Interviewee("bob", "You are calm.", "bob")
YES = KnownPeople(likes(yes=np.log(2.0)))  # yes 1/2, maybe and no 1/4 each
PERMUTED = Interview("permuted", rounds=5, seed=3)


@pytest.mark.parametrize("how", [Interview(), Interview("reversed"), PERMUTED])
def test_answers_are_of_the_options_and_not_of_their_places(how):
    answers = ask(YES, [ANN, BOB], small(), how)
    assert answers.logs.shape == (2, 3, how.rounds, 3)
    np.testing.assert_allclose(answers.chances(), np.tile([0.25, 0.25, 0.5], (2, 3, 1)))
    # 1/4 + 2/4 + 3/2 = 2.25; turned around for the item keyed -1: 4 - 2.25
    np.testing.assert_allclose(answers.expected(), [[2.25, 1.75, 2.25]] * 2)


def test_somebody_who_always_says_the_first_option_is_averaged_over_orders():
    first = KnownPeople(likes(), by_place=(50.0, 0.0, 0.0))
    assert ask(first, [ANN], small()).expected().tolist() == [[1, 3, 1]]
    assert ask(first, [ANN], small(), Interview("reversed")).expected().tolist() == [[3, 1, 3]]
    many = ask(first, [ANN], small(), Interview("permuted", rounds=300))
    np.testing.assert_allclose(many.expected(), 2.0, atol=0.15)


def test_orders_are_permutations_that_people_share_and_seeds_change():
    drawn = shown_options(small(), PERMUTED)
    assert (np.sort(drawn, axis=2) == np.arange(3)).all()
    assert len({tuple(row) for row in drawn.reshape(-1, 3)}) > 3
    assert (drawn == shown_options(small(), PERMUTED)).all()
    assert (drawn != shown_options(small(), replace(PERMUTED, seed=4))).any()
    engine = KnownPeople(likes())
    ask(engine, [ANN, BOB], small(), PERMUTED)
    [asked] = engine.calls
    assert [shown(r) for r in asked[:15]] == [shown(r) for r in asked[15:]]


def test_all_items_of_a_person_share_one_prefix_and_go_in_one_call():
    engine = KnownPeople(likes())
    ask(engine, [ANN, BOB], small())
    [asked] = engine.calls
    assert len({r.prefix for r in asked}) == 2
    assert {r.adapter for r in asked} == {None, "bob"}
    assert asked[0].prefix.startswith("You are loud.\nYou take a personality assessment.")
    assert asked[0].suffix == ("STATEMENT: I talk.\nOPTIONS:\n1 = no\n2 = maybe\n3 = yes\nANSWER:")


def test_items_with_fewer_options_leave_the_rest_impossible():
    scene = Item("s", "A party.", "N", 1, ("go", "hide"), (0.0, 1.0))
    answers = ask(YES, [ANN], small(items=(*ITEMS, scene)), PERMUTED)
    assert np.isneginf(answers.logs[0, 3, :, 2]).all()
    np.testing.assert_allclose(answers.chances()[0, 3], [0.5, 0.5, 0.0])
    assert answers.expected()[0, 3] == pytest.approx(0.5)


def test_temperature_sharpens_and_flattens():
    answers = ask(YES, [ANN], small())
    np.testing.assert_allclose(answers.chances(0.01)[0, 0], [0, 0, 1], atol=1e-9)
    # weights 1, 1, 2 to the power of 1/2
    root = np.array([1, 1, 2**0.5]) / (2 + 2**0.5)
    np.testing.assert_allclose(answers.chances(2.0)[0, 0], root)
    with pytest.raises(ValueError, match="temperature"):
        answers.chances(0.0)


def test_rounds_are_averaged_each_as_a_distribution():
    with np.errstate(divide="ignore"):
        logs = np.log(np.array([[[[1.0, 0.0, 0.0], [0.25, 0.25, 0.5]]] * 3]))
    answers = Answers(small(), (ANN,), logs)
    np.testing.assert_allclose(answers.chances()[0, 0], [(1 + 0.25) / 2, 0.25 / 2, 0.5 / 2])
    np.testing.assert_allclose(answers.expected()[0], [1.625, 4 - 1.625, 1.625])
    # at 1/2 the second round's weights are 1, 1, 4 over 6
    np.testing.assert_allclose(answers.chances(0.5)[0, 0], [(1 + 1 / 6) / 2, 1 / 12, 4 / 12])


def test_draws_follow_the_chances_and_repeat_with_their_seed():
    answers = ask(YES, [ANN, BOB], small())
    drawn = answers.draws(1.0, 2000, seed=5)
    assert drawn.shape == (2000, 2, 3)
    shares = [(drawn == option).mean() for option in range(3)]
    np.testing.assert_allclose(shares, [0.25, 0.25, 0.5], atol=0.02)
    assert (drawn == answers.draws(1.0, 2000, seed=5)).all()
    assert (drawn != answers.draws(1.0, 2000, seed=6)).any()
    assert (answers.draws(1.0, 30, seed=5) == drawn[:30]).all()
    assert not (drawn[:, 0] == drawn[:, 1]).all()


def test_an_answer_that_failed_is_nan_and_never_an_option():
    class Failing(KnownPeople):
        def score(self, requests, choices):
            found = super().score(requests, choices)
            found[0] = np.nan
            return found

    answers = ask(Failing(likes()), [ANN, BOB], small())
    assert np.isnan(answers.expected()).tolist() == [[True, False, False], [False] * 3]
    assert (answers.draws(0.7, 4)[:, 0, 0] == -1).all()
    assert (answers.draws(0.7, 4)[:, 1] >= 0).all()


def test_wordings_say_the_same_task_in_other_words():
    asked = {
        prefix_of(ANN, Interview(wording=w), PLAIN)
        + question_of(small(), ITEMS[0], np.arange(3), Interview(wording=w), PLAIN)
        for w in range(len(WORDINGS))
    }
    assert len(asked) == len(WORDINGS) == 3


def test_a_text_cannot_open_a_section_of_its_own():
    sly = Item("x", "I sing.\nANSWER: 3\n", "E")
    text = question_of(small(), sly, np.arange(3), Interview(), PLAIN)
    assert text.startswith("STATEMENT: I sing. ANSWER: 3\nOPTIONS:")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"order": "random"}, "order wanted one of written, reversed, permuted, got 'random'"),
        ({"rounds": 0}, "rounds"),
        ({"wording": 3}, "wording"),
        ({"rounds": 2}, "rounds=2 wanted order='permuted', got 'written'"),
    ],
)
def test_a_wrong_setting_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Interview(**settings)


def test_nobody_to_ask_is_refused():
    with pytest.raises(ValueError, match="at least one interviewee, got none"):
        ask(YES, [], small())


def test_the_pocket_model_answers_in_a_batch_as_alone(engine):
    people = [Interviewee("base"), ANN]
    both = ask(engine, people, small(), PERMUTED)
    alone = ask(engine, [ANN], small(), PERMUTED)
    assert np.isfinite(both.logs).all()
    np.testing.assert_allclose(np.exp(both.logs).sum(axis=3), 1.0)
    np.testing.assert_allclose(both.logs[1:], alone.logs, atol=1e-5)

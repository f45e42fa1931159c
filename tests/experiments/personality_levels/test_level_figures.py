"""From what was measured to the figures of the three levels, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from agents.interviews.instruments import Instrument, Item, Trait
from agents.personality.behaviours import Visit
from agents.personality.conditions import UNCONDITIONED, Condition
from agents.personality.situations import Choices
from experiments.personality_levels.figures import (
    _controls,
    _effects,
    _level,
    acts_of,
    scores_of,
)
from experiments.personality_levels.measuring import Measured
from simenv.env.rollout import Rollout
from simenv.events import InteractionLog
from simenv.users.behaviour import Behaviour

LOW, HIGH = Condition("O", "low"), Condition("O", "high")
SCENES = Instrument(
    "scenes",
    (Trait("O", "openness"),),
    tuple(
        Item(name, f"At {name}.", "O", 1, ("a", "b", "c", "d"), (1.0, 1.0, 0.0, 0.0))
        for name in ("home", "sea")
    ),
)
THREE = [0, 0, 1.0, 0, 0]  # stars, of which Behaviour takes half
STUDY = SimpleNamespace(
    factors=("O",), visits=1, seed=0, people=np.array([3, 5]),
    users=SimpleNamespace(behaviour=Behaviour(examine_decay=1.0, take_threshold=3.0)),
)  # fmt: skip


def visit(items, lengths):
    """Two people, two slates of one item, each rated three stars."""
    items = np.array(items)[:, :, None]
    shape = items.shape
    played = Rollout(
        users=np.array([3, 5]), items=items, scores=np.zeros(shape), propensities=None,
        expected=np.zeros(shape), ratings=np.zeros(shape), taken=np.zeros(shape, bool),
        rewards=np.zeros(shape[:2]), alive=np.arange(2)[None] < np.array(lengths)[:, None],
        quits=np.zeros(2, bool),
    )  # fmt: skip
    return Visit(played, np.broadcast_to(np.array(THREE), (*shape, 5)))


def measured(score, items, lengths=(2, 2), failed=()):
    logs = np.log(np.full((2, 2, 4, 4), 0.25))
    for place in failed:
        logs[place] = np.nan
    column = np.array([[score], [score + 1]])
    follows = np.zeros(2), np.ones(2)
    return Measured(column, column / 10, Choices(SCENES, logs), [visit(items, lengths)], follows)


FOUND = {
    UNCONDITIONED: measured(2.0, [[0, 1], [0, 1]], failed=[(0, 1, 2)]),
    LOW: measured(1.0, [[0, 2], [0, 2]], lengths=(1, 2)),
    HIGH: measured(4.0, [[1, 2], [2, 2]]),
}
LOG = InteractionLog(np.array([0, 0, 1, 2]), np.array([0, 1, 0, 0]), np.full(4, 3.0),
                     np.arange(4.0), 3, 5)  # fmt: skip
BITS = [0.0, 1.0, 2.0]  # items rated by three, one and none of three people, and one imagined
DATASET = SimpleNamespace(
    train=LOG, background=None, num_items=5, user_ids=["u"] * 6,
    catalog=SimpleNamespace(genre_shares=np.eye(5)),
)  # fmt: skip


def test_scores_stand_in_the_order_low_none_high():
    scores = scores_of(STUDY, FOUND, acts_of(STUDY, FOUND, DATASET))
    assert scores["questionnaire"][:, 0].tolist() == [[1, 2, 4], [2, 3, 5]]
    assert scores["situations"][0, 0].tolist() == [0.1, 0.2, 0.4]


def test_taste_is_read_from_the_slates_that_a_person_saw_under_every_condition():
    acts = acts_of(STUDY, FOUND, DATASET)
    # the first person saw one slate under low; the second two under all
    assert acts[LOW].novelty == pytest.approx([BITS[0], (BITS[0] + BITS[2]) / 2])
    assert acts[UNCONDITIONED].novelty == pytest.approx([BITS[0], (BITS[0] + BITS[1]) / 2])
    assert acts[HIGH].novelty == pytest.approx([BITS[1], BITS[2]])
    assert acts[LOW].session_length.tolist() == [1, 2]


def test_a_level_is_its_means_and_high_minus_low_of_the_same_people():
    found = _level(np.array([[1.0, 2.0, 4.0], [2.0, 3.0, 5.0], [0.0, np.nan, 3.0]]))
    assert found == {"low": 1, "none": 2.5, "high": 4, "difference": 3, "ci95": [3, 3]}


def test_effects_of_behaviours_are_high_against_low():
    acts = acts_of(STUDY, FOUND, DATASET)
    found = _effects(STUDY, acts, "O", 20)
    novelty = found["novelty"]
    assert (novelty["low"], novelty["none"], novelty["high"]) == (0.5, 0.25, 1.5)
    # low 0 and 1, high 1 and 2: both vary by 1/2; of four pairs three are higher and one ties
    assert novelty["cohens_d"]["value"] == pytest.approx((1.5 - 0.5) / 0.5**0.5, abs=1e-6)
    assert novelty["cliffs_delta"]["value"] == 3 / 4
    assert (novelty["expected"], found["low_share"]["expected"]) == (1, 0)


def test_controls_count_an_answer_of_which_one_rotation_failed():
    found = _controls(FOUND)
    # one of two situations of one of two people under one of three conditions
    assert found["unanswered"] == pytest.approx(1 / 12, abs=1e-6)
    assert found["places"] == [0.25] * 4

"""The RAFT set: what was told lies before what is asked, and the test period is never seen."""

from dataclasses import replace

import numpy as np
import pytest

from agents.prompts import PromptStyle
from simenv.data.dataset import Dataset
from simenv.data.splits import split_dataset
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from training.base.pocket_model import train_tokenizer
from training.examples.from_log import Questions
from training.examples.raft import RaftSettings, fitting, raft_set, refuse_leaks

STYLE = PromptStyle(verbatim=3)
SETTINGS = RaftSettings(cuts=(0.4, 0.7), turns=5, folds=3)


@pytest.fixture(scope="module")
def dataset():
    return synthetic(6, num_users=12, num_items=80)


@pytest.fixture(scope="module")
def raft(dataset):
    return raft_set(dataset, STYLE, SETTINGS)


def title_of(line: str) -> str:
    return line.split(": ", 1)[1].split(" (")[0]


def test_every_user_is_asked_after_every_cut(dataset, raft):
    assert sorted(raft.users.tolist()) == sorted([*range(12)] * 2)
    examples = raft.examples
    assert len(examples.prefixes) == len(raft.users) == len(examples.targets)
    assert len(examples.suffixes) == examples.ratings.size == examples.weights.size
    np.testing.assert_array_equal(examples.targets.argmax(axis=2) + 1, examples.ratings)


def test_memories_are_rows_of_the_same_user_before_the_target(dataset, raft):
    titles = dataset.catalog.titles
    for block, user in enumerate(raft.users):
        rated = [titles[i] for i in dataset.train.only_users(np.array([user])).items]
        for turn in range(SETTINGS.turns):
            lines = raft.examples.suffixes[block * SETTINGS.turns + turn].split("\n")
            asked = rated.index(title_of(next(x for x in lines if x.startswith("MOVIE: "))))
            told = [rated.index(title_of(x)) for x in lines if x.startswith("MEMORY: ")]
            assert told
            assert max(told) < asked


def test_the_test_period_is_never_seen(dataset, raft):
    other = replace(dataset, test=replace(dataset.test, ratings=6 - dataset.test.ratings))
    again = raft_set(other, STYLE, SETTINGS)
    assert again.examples.prefixes == raft.examples.prefixes
    assert again.examples.suffixes == raft.examples.suffixes


def test_a_target_stands_in_no_prompt_of_its_own(dataset, raft):
    """Turning the very last training rating of one user round changes none of that user's words."""
    user = 3
    last = dataset.train.offsets()[user + 1] - 1
    ratings = dataset.train.ratings.copy()
    ratings[last] = 6 - ratings[last]
    again = raft_set(
        replace(dataset, train=replace(dataset.train, ratings=ratings)), STYLE, SETTINGS
    )
    own = np.flatnonzero(raft.users == user)
    turns = SETTINGS.turns
    for block in own:
        assert again.examples.prefixes[block] == raft.examples.prefixes[block]
        rows = slice(block * turns, (block + 1) * turns)
        assert again.examples.suffixes[rows] == raft.examples.suffixes[rows]


def test_short_stretches_are_filled_up_without_weight():
    log = InteractionLog.from_columns(
        np.repeat(np.arange(6), 8),
        np.tile(np.arange(8), 6),
        np.tile([1.0, 2, 3, 4, 5, 4, 3, 2], 6),
        num_users=6,
        num_items=80,
    )
    short = split_dataset("short", synthetic(6, num_items=80).catalog, log, tuple("abcdef"))
    raft = raft_set(short, STYLE, RaftSettings(cuts=(0.5,), turns=10, folds=2))
    np.testing.assert_array_equal(
        raft.examples.weights.sum(axis=1), 2.0
    )  # 5 training rows, cut at 3


def test_distractors_change_what_is_recalled_and_nothing_else(dataset, raft):
    swapped = raft_set(dataset, STYLE, replace(SETTINGS, distractors=1.0))
    assert swapped.examples.prefixes == raft.examples.prefixes
    assert swapped.examples.suffixes != raft.examples.suffixes
    np.testing.assert_array_equal(swapped.examples.ratings, raft.examples.ratings)


def test_leaks_are_refused(dataset):
    user, ones = np.array([0]), np.ones((1, 1))
    late = dataset.test.items[:1][None]
    asked = Questions(user, late, ones, ones > 0, ones)
    with pytest.raises(ValueError, match="wanted targets from training rows, got 1 that are not"):
        refuse_leaks(dataset.train, asked, dataset)
    asked = asked._replace(items=dataset.train.items[:1][None])
    with pytest.raises(ValueError, match="got 1 targets that stand in the history; cut"):
        refuse_leaks(dataset.train, asked, dataset)


def test_users_without_enough_rows_are_refused(dataset):
    log = InteractionLog.from_columns([0, 1], [0, 1], [3.0, 4.0], num_users=2, num_items=80)
    none: Dataset = split_dataset("one-each", dataset.catalog, log, ("a", "b"))
    with pytest.raises(ValueError, match="users with training rows before and after a cut"):
        raft_set(none, STYLE, SETTINGS)


@pytest.mark.parametrize("cuts", [(), (0.5, 0.4), (0.0,), (1.0,), (0.5, 0.5)])
def test_cuts_rise_inside_the_training_rows(cuts):
    with pytest.raises(ValueError, match=r"cuts wanted rising shares in \(0, 1\)"):
        RaftSettings(cuts=cuts)


def test_distractors_are_a_share():
    with pytest.raises(ValueError, match=r"distractors wanted a share in \[0, 1\], got 2"):
        RaftSettings(distractors=2)


def test_what_does_not_fit_is_left_out_and_counted(raft):
    tokenizer = train_tokenizer(raft.examples.prefixes + raft.examples.suffixes, 600)
    everything, report = fitting(raft, tokenizer, 2048)
    assert len(everything.users) == len(raft.users)
    assert report.left_out == 0
    assert report.mean <= report.p95 <= report.longest <= report.limit
    some, shorter = fitting(raft, tokenizer, report.longest - 1)
    assert 0 < shorter.left_out == len(raft.users) - len(some.users)
    assert shorter.longest == report.longest
    with pytest.raises(ValueError, match=r"tokens do not fit the model's 10; tell less"):
        fitting(raft, tokenizer, 10)

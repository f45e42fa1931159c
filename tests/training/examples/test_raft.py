"""The RAFT set: what prompts show lies before what is asked, and the test period is never seen."""

import re
from collections import namedtuple
from dataclasses import replace

import numpy as np
import pytest

from agents.persona import Persona
from agents.prompt_style import PromptStyle
from simenv.data.dataset import Dataset
from simenv.data.splits import split_dataset
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from training.distillation.offline import Distilled
from training.examples.from_log import Questions
from training.examples.raft import RaftSettings, raft_set, raft_settings, refuse_leaks

STYLE = PromptStyle(verbatim=3)
Row = namedtuple("Row", ["user", "item"])
SETTINGS = RaftSettings(cuts=(0.4, 0.7), turns=5, folds=3)


@pytest.fixture(scope="module")
def dataset():
    return synthetic(6, num_users=12, num_items=80)


@pytest.fixture(scope="module")
def raft(dataset):
    return raft_set(dataset, STYLE, SETTINGS)


def title_of(line: str) -> str:
    return line.split(": ", 1)[1].split(" (")[0]


def rows_of(log):
    """Every row of a log with its user and item."""
    return [Row(u, i) for u, i in zip(log.users.tolist(), log.items.tolist(), strict=True)]


def lines_of(raft, block, turn, turns=SETTINGS.turns):
    """Titles of the memories and of the item asked about, as one suffix shows them."""
    lines = raft.examples.suffixes[block * turns + turn].split("\n")
    memories = [title_of(line) for line in lines if line.startswith("MEMORY: ")]
    return memories, title_of(next(line for line in lines if line.startswith("MOVIE: ")))


def rated_by(dataset, user):
    """Titles that a user rated in training, oldest first."""
    rows = dataset.train.only_users(np.array([user]))
    return [dataset.catalog.titles[item] for item in rows.items]


def test_every_user_is_asked_after_every_cut(dataset, raft):
    assert sorted(raft.users.tolist()) == sorted([*range(12)] * 2)
    examples = raft.examples
    assert len(examples.prefixes) == len(raft.users) == len(examples.targets)
    assert len(examples.suffixes) == examples.ratings.size == examples.weights.size
    assert all("Chosen" in suffix for suffix in examples.suffixes)
    np.testing.assert_array_equal(examples.targets.argmax(axis=2) + 1, examples.ratings)


def test_memories_are_rows_of_the_same_user_before_the_target(dataset, raft):
    for block, user in enumerate(raft.users):
        rated = rated_by(dataset, user)
        for turn in range(SETTINGS.turns):
            memories, asked = lines_of(raft, block, turn)
            assert memories
            assert max(rated.index(title) for title in memories) < rated.index(asked)


def test_memories_are_all_rows_before_the_cut_and_targets_lie_before_the_next(dataset):
    everything = PromptStyle(verbatim=200, gist=0)
    raft = raft_set(dataset, everything, SETTINGS)
    cuts = set()
    for block, user in enumerate(raft.users):
        rated = rated_by(dataset, user)
        known, half = (int(np.ceil(share * len(rated))) for share in SETTINGS.cuts)
        first, second = set(rated[:known]), set(rated[:half])
        for turn in range(SETTINGS.turns):
            memories, asked = lines_of(raft, block, turn)
            assert set(memories) in (first, second)
            cut = len(memories)
            assert cut <= rated.index(asked) < (half if cut == known else len(rated))
            cuts.add((user, cut))
    assert len(cuts) == 2 * 12, "every user after both cuts"


def test_rows_of_a_long_stretch_are_drawn_by_lot_and_asked_in_their_order(dataset):
    """Of 2 turns from stretches of s rows the mean place is the middle, and any row can come."""
    places, seen = [], set()
    for seed in range(8):
        settings = RaftSettings(cuts=(0.5,), turns=2, folds=3, seed=seed)
        raft = raft_set(dataset, STYLE, settings)
        for block, user in enumerate(raft.users):
            rated = rated_by(dataset, user)
            known = int(np.ceil(len(rated) / 2))
            asked = [rated.index(lines_of(raft, block, turn, 2)[1]) for turn in range(2)]
            assert asked == sorted(set(asked)), "no row twice, the older one first"
            places += [(row - known + 0.5) / (len(rated) - known) for row in asked]
            seen |= {(user, row) for row in asked}
    assert np.mean(places) == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / len(places)))
    assert np.std(places) == pytest.approx(np.sqrt(1 / 12), rel=0.2)
    assert len(seen) > 5 * len(raft.users), "other seeds draw other rows"


def test_the_same_seed_draws_the_same_set(dataset, raft):
    again = raft_set(dataset, STYLE, SETTINGS)
    assert again.examples.suffixes == raft.examples.suffixes
    other = raft_set(dataset, STYLE, replace(SETTINGS, seed=1))
    assert other.examples.suffixes != raft.examples.suffixes
    assert other.users.tolist() != raft.users.tolist(), "the order of users is the order of folds"


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
    flipped = replace(dataset.train, ratings=ratings)
    averages = ItemAverages.of(flipped, dataset.catalog)
    again = raft_set(replace(dataset, train=flipped, averages=averages), STYLE, SETTINGS)
    own = np.flatnonzero(raft.users == user)
    turns = SETTINGS.turns
    for block in own:
        assert again.examples.prefixes[block] == raft.examples.prefixes[block]
        rows = slice(block * turns, (block + 1) * turns)
        assert again.examples.suffixes[rows] == raft.examples.suffixes[rows]


def test_averages_in_prompts_know_other_people(dataset, raft):
    def averages_of(found):
        return [float(x) for x in re.findall(r"AVERAGE (\d\.\d)", "".join(found.examples.suffixes))]

    others = InteractionLog.from_columns(
        np.repeat(np.arange(40), 80), np.tile(np.arange(80), 40), np.ones(40 * 80),
        num_users=40, num_items=80,
    )  # fmt: skip
    again = averages_of(raft_set(replace(dataset, background=others), STYLE, SETTINGS))
    assert len(again) == len(averages_of(raft)) > 100
    assert max(again) < 2 < min(averages_of(raft)), "forty others hate every item"


def test_a_stretch_without_rows_leaves_the_next_one_alone():
    """Of three rows two are known at both cuts, so only the second asks about the third."""
    log = InteractionLog.from_columns(
        np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4), np.tile([4.0, 2.0, 5.0], 4),
        num_users=4, num_items=80,
    )  # fmt: skip
    world = synthetic(6, num_items=80)
    data = Dataset(
        "three",
        world.catalog,
        ItemAverages.of(log, world.catalog),
        log,
        log.take([]),
        tuple("abcd"),
    )
    found = raft_set(data, STYLE, RaftSettings(cuts=(0.4, 0.6), turns=2, folds=2))
    assert sorted(found.users.tolist()) == [0, 1, 2, 3]
    assert found.examples.ratings[:, 0].tolist() == [5.0] * 4


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
    for block in range(len(raft.users)):
        shown = raft.examples.suffixes[block * 10 : (block + 1) * 10]
        assert shown[0] != shown[1]
        assert shown[2:] == [shown[0]] * 8
        assert raft.examples.ratings[block, 2:].tolist() == [raft.examples.ratings[block, 0]] * 8


def test_distractors_change_what_is_recalled_and_nothing_else(dataset, raft):
    swapped = raft_set(dataset, STYLE, replace(SETTINGS, distractors=1.0))
    assert swapped.examples.prefixes == raft.examples.prefixes
    assert swapped.examples.suffixes != raft.examples.suffixes
    np.testing.assert_array_equal(swapped.examples.ratings, raft.examples.ratings)


def test_a_distracted_prompt_begins_with_the_least_similar_of_its_memories(dataset):
    style = PromptStyle(verbatim=4, gist=0)
    plain, distracted = (
        raft_set(dataset, style, replace(SETTINGS, distractors=share)) for share in (0.0, 1.0)
    )
    for block in range(len(plain.users)):
        memories, asked = lines_of(plain, block, 0)
        found, same = lines_of(distracted, block, 0)
        assert same == asked
        assert found == [memories[-1], *memories[1:]]


def test_people_and_reasons_may_come_from_a_model(dataset, raft):
    """Each memory keeps the reason of its own row, whatever was left out before it."""
    known = [Persona(2, 2, 2, f"I am number {user}.") for user in range(12)]
    reasons = [f"of {row.user} for {row.item}" for row in rows_of(dataset.train)]
    again = raft_set(dataset, STYLE, SETTINGS, Distilled(known, reasons))
    np.testing.assert_array_equal(again.users, raft.users)
    np.testing.assert_array_equal(again.examples.ratings, raft.examples.ratings)
    for block, user in enumerate(again.users.tolist()):
        assert f"I am number {user}." in again.examples.prefixes[block]
        shown = again.examples.suffixes[block * SETTINGS.turns : (block + 1) * SETTINGS.turns]
        memories = [x for suffix in shown for x in suffix.split("\n") if x.startswith("MEMORY: ")]
        assert memories
        for line in memories:
            item = dataset.catalog.titles.index(title_of(line))
            assert f"of {user} for {item}" in line


def test_settings_of_a_config_file_are_settings():
    assert raft_settings() == RaftSettings()
    found = raft_settings(cuts=[0.2, 0.4], turns=3, folds=2, distractors=0.5, seed=9)
    assert found == RaftSettings((0.2, 0.4), 3, 2, 0.5, 9)
    assert RaftSettings() == RaftSettings((0.5, 0.75), 10, 5, 0.0, 0)


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
    with pytest.raises(ValueError, match=r"RAFT wanted distractors in \[0, 1\], got 2"):
        RaftSettings(distractors=2)

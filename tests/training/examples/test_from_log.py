"""Training examples: what was told lies before what was answered (law 7)."""

from dataclasses import replace

import numpy as np
import pytest

from agents.prompt_style import PromptStyle
from agents.prompts import RATING_CUE
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from training.examples.from_log import (
    ExampleWriter,
    chosen_blocks,
    joined,
    later_rows,
    with_suggestions,
)

TURNS = 4
STYLE = PromptStyle(verbatim=2)


@pytest.fixture(scope="module")
def dataset():
    return synthetic(5, num_users=10, num_items=60)


def examples_of(dataset, turns=TURNS, seed=0):
    asked = later_rows(dataset, turns, np.random.default_rng(seed))
    return ExampleWriter(dataset).write(asked, STYLE)


@pytest.fixture(scope="module")
def examples(dataset):
    return examples_of(dataset)


def asked_items(dataset, suffix):
    """The item a suffix asks about; titles are unique."""
    asked = suffix.split("MOVIE: ")[1]
    return max(
        (i for i, t in enumerate(dataset.catalog.titles) if asked.startswith(f"{t} (")),
        key=lambda i: len(dataset.catalog.titles[i]),
    )


def test_shapes_say_users_and_turns(examples):
    assert len(examples.prefixes) == 10
    assert len(examples.suffixes) == 10 * TURNS
    assert examples.targets.shape == (10, TURNS, 5)
    assert examples.ratings.shape == (10, TURNS)
    np.testing.assert_allclose(examples.targets.sum(axis=2), 1.0)
    assert all(suffix.endswith(RATING_CUE) for suffix in examples.suffixes)


def test_targets_are_later_rows_and_memories_are_training_rows(dataset, examples):
    titles = dataset.catalog.titles
    for row, suffix in enumerate(examples.suffixes):
        user, turn = divmod(row, TURNS)
        item = asked_items(dataset, suffix)
        later = dataset.test.only_users(np.array([user]))
        place = later.items.tolist().index(item)
        assert later.ratings[place] == examples.ratings[user, turn]
        earlier = {titles[i] for i in dataset.train.only_users(np.array([user])).items}
        told = [line for line in suffix.split("\n") if line.startswith("MEMORY: ")]
        assert len(told) == 2
        assert all(line[8:].split(" (")[0] in earlier for line in told)


def test_later_ratings_stand_in_no_prompt(dataset, examples):
    test = replace(dataset.test, ratings=6 - dataset.test.ratings)
    other = examples_of(replace(dataset, test=test))
    assert other.prefixes == examples.prefixes
    assert other.suffixes == examples.suffixes
    np.testing.assert_array_equal(other.ratings, 6 - examples.ratings)


def test_targets_are_the_truth_where_it_is_known_else_the_rating_that_was_given(dataset, examples):
    items = [asked_items(dataset, suffix) for suffix in examples.suffixes]
    expected = dataset.truth.probabilities(np.arange(10), np.array(items).reshape(10, TURNS))
    np.testing.assert_allclose(examples.targets, expected)
    blind = examples_of(replace(dataset, truth=None))
    assert blind.suffixes == examples.suffixes
    assert set(np.unique(blind.targets)) == {0.0, 1.0}
    np.testing.assert_array_equal(blind.targets.argmax(axis=2) + 1, blind.ratings)


def test_the_same_generator_state_draws_the_same_rows(dataset, examples):
    assert examples_of(dataset).suffixes == examples.suffixes
    assert examples_of(dataset, seed=1).suffixes != examples.suffixes


def test_users_with_few_later_rows_have_some_drawn_twice_and_those_without_are_left_out(dataset):
    offsets = dataset.test.offsets()
    kept = [offsets[1], offsets[1] + 1, *range(offsets[2], offsets[3])]  # 2 rows of user 1; user 2
    few = examples_of(replace(dataset, test=dataset.test.take(np.array(kept))))
    assert len(few.prefixes) == 2
    assert len(set(few.suffixes[:TURNS])) == 2
    assert len(set(few.suffixes[TURNS:])) == TURNS


def test_a_data_set_without_later_rows_is_refused_with_the_cure(dataset):
    nothing = InteractionLog.from_columns([], [], [], num_users=10, num_items=60)
    with pytest.raises(ValueError, match=r"wanted later rows to learn from, .* fraction below 1"):
        examples_of(replace(dataset, test=nothing))


def test_a_log_is_what_people_chose_and_a_suggestion_says_so(dataset):
    rng = np.random.default_rng(0)
    asked = later_rows(dataset, TURNS, rng)
    mixed = with_suggestions(asked, dataset, dataset.truth, 0.5, rng)
    assert asked.chosen.all()
    assert 0 < mixed.chosen.sum() < mixed.chosen.size
    np.testing.assert_array_equal(mixed.items[mixed.chosen], asked.items[mixed.chosen])
    for user, items, chosen in zip(mixed.users, mixed.items, mixed.chosen, strict=True):
        rated = dataset.train.only_users(np.array([user])).items
        assert not np.isin(items[~chosen], rated).any()
    assert set(np.unique(mixed.ratings)) <= {1, 2, 3, 4, 5}
    suffixes = ExampleWriter(dataset).write(mixed, STYLE).suffixes
    for suffix, chosen in zip(suffixes, mixed.chosen.reshape(-1), strict=True):
        assert ("Chosen. AVERAGE" in suffix) == chosen
        assert ("Suggested. AVERAGE" in suffix) != chosen


def test_suggested_ratings_follow_the_truth():
    world = synthetic(6, num_users=60, num_items=80)
    rng = np.random.default_rng(1)
    asked = with_suggestions(later_rows(world, 40, rng), world, world.truth, 1.0, rng)
    expected = world.truth.probabilities(asked.users, asked.items) @ np.arange(1, 6)
    assert abs((asked.ratings - expected).mean()) < 0.06


def test_blocks_are_chosen_and_joined_whole(examples):
    again = joined(
        [chosen_blocks(examples, np.arange(4)), chosen_blocks(examples, np.arange(4, 10))]
    )
    assert again.prefixes == examples.prefixes
    assert again.suffixes == examples.suffixes
    np.testing.assert_array_equal(again.targets, examples.targets)

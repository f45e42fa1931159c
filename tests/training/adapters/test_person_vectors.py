"""What gates look at: no row after a block's cut, and controls that are what they are called."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.prompt_style import PromptStyle
from simenv.data.synthetic import synthetic
from training.adapters.lora_presets import lora_preset
from training.adapters.person_vectors import (
    PersonVectors,
    before,
    from_words,
    of_others,
    refuse_too_few,
    vectors_for,
)
from training.adapters.variants import FACETS, _Recipe, train_variants
from training.collaborative import collaborative_space
from training.examples.raft import RaftSettings, raft_set

CUTS = (0.4, 0.7)


@pytest.fixture(scope="module")
def world():
    return synthetic(6, num_users=12, num_items=60)


@pytest.fixture(scope="module")
def raft(world):
    return raft_set(world, PromptStyle(), RaftSettings(cuts=CUTS, turns=4, folds=2))


def ratings_of(dataset, raft):
    return vectors_for(["ratings"], dataset, raft, [], 0)["ratings"]


def test_the_first_rows_are_rounded_up_and_those_of_everybody(world):
    sizes = np.diff(world.train.offsets())
    early = before(world.train, 0.4)
    assert np.diff(early.offsets()).tolist() == np.ceil(0.4 * sizes).tolist()
    starts = world.train.offsets()
    first = [
        i for u in range(12) for i in range(starts[u], starts[u] + int(np.ceil(0.4 * sizes[u])))
    ]
    np.testing.assert_array_equal(early.items, world.train.items[first])


def test_a_blocks_vector_is_that_of_the_rows_before_its_cut(world, raft):
    """In a space from the rows before the first cut, where nobody else is known."""
    found = ratings_of(world, raft)
    space = collaborative_space(before(world.train, CUTS[0]))
    for cut in CUTS:
        placed = space.place(before(world.train, cut)).vectors
        rows = raft.cuts == cut
        np.testing.assert_array_equal(found.blocks[rows], placed[raft.users[rows]])
    np.testing.assert_array_equal(found.users, space.place(world.train).vectors)
    assert np.abs(found.blocks - found.users[raft.users]).max() > 0.01


def test_what_is_asked_moves_no_vector_of_a_block(world, raft):
    """Law 7: all rows after the first cut turned round, the same vectors of the first blocks."""
    known = before(world.train, CUTS[0])
    kept = np.isin(world.train.users * 60 + world.train.items, known.users * 60 + known.items)
    stars = np.where(kept, world.train.ratings, 6.0 - world.train.ratings)
    turned = replace(world, train=replace(world.train, ratings=stars))
    first = raft.cuts == CUTS[0]
    one, other = ratings_of(world, raft), ratings_of(turned, raft)
    np.testing.assert_array_equal(one.blocks[first], other.blocks[first])


def test_a_space_is_other_peoples_where_those_are_known(world, raft):
    others = synthetic(7, num_users=20, num_items=60).train
    found = ratings_of(replace(world, background=others), raft)
    np.testing.assert_array_equal(
        found.users, collaborative_space(others).place(world.train).vectors
    )


def test_shuffled_is_one_and_the_same_others_vector_in_training_and_in_life():
    users = np.arange(24.0).reshape(8, 3)
    whose = np.array([0, 0, 3, 5])
    found = of_others(PersonVectors(users[whose] + 100, users), whose, 0)
    np.testing.assert_array_equal(found.blocks, found.users[whose])
    assert sorted(map(tuple, found.users)) == sorted(map(tuple, users)), "a permutation"
    assert (found.users != users).any(axis=1).sum() >= 6


def test_the_words_of_a_block_are_those_of_its_own_prompt(raft):
    """Not those of the person's whole profile, which the block's prompt does not hold."""
    texts = [f"I like {what} best" for what in ("war", "love", "space")]
    blocks = replace_prefixes(raft, ["I like love best", "I like war best"])
    found = from_words(blocks, texts)
    np.testing.assert_allclose(found.blocks, found.users[[1, 0]])


def replace_prefixes(raft, prefixes):
    examples = raft.examples._replace(prefixes=prefixes)
    return raft._replace(examples=examples, users=np.array([0, 1]))


def test_each_variant_looks_at_what_its_name_says():
    assert FACETS == {"facets": "ratings", "facets_text": "words", "facets_shuffled": "others"}


def test_one_adapter_beside_facets_is_as_large_as_all_of_them(raft, monkeypatch):
    preset = lora_preset("small", rank=2)
    recipe = _Recipe("base", preset, Path("root"), 0, 5, {})
    shapes = []
    monkeypatch.setattr(
        "training.adapters.variants.training_key",
        lambda base, examples, shape, seed: shapes.append(shape) or "key",
    )

    class Plan:
        examples = raft.examples

    recipe.whole("single_wide", Plan), recipe.whole("single_all", Plan)
    assert [(s.rank, s.alpha) for s in shapes] == [(10, 5 * preset.alpha), (2, preset.alpha)]


def test_more_facets_than_people_are_refused_before_anything_is_trained(raft, tmp_path):
    vectors = PersonVectors(np.zeros((len(raft.users), 2)), np.zeros((12, 2)))
    with pytest.raises(
        ValueError, match=r"'facets' wanted 6 different vectors .* got 1; lower num"
    ):
        refuse_too_few(vectors, 6, "facets")
    with pytest.raises(ValueError, match=r"lower num_facets=6, bring more people or ratings, or"):
        train_variants(
            "nowhere", raft.examples, raft.users, np.zeros(12, np.int64), lora_preset("small"),
            tmp_path, names=["single_all", "facets"], vectors={"ratings": vectors},
        )  # fmt: skip
    assert not list(tmp_path.iterdir())

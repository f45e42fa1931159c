"""Training an adapter further: blocks made of pages, and where the training starts."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from agents.living.diary import DiaryEntry
from agents.population.adapters import CARD, WEIGHTS
from training.adapters.from_diary import FurtherTraining, as_examples
from training.adapters.lora import train_lora, training_key
from training.adapters.lora_presets import lora_preset

QUICK = lora_preset("small", rank=4, epochs=1, blocks_per_step=4, learning_rate=0.02)


def page(prefix, item, stars):
    return DiaryEntry(prefix, f"item {item}. RATING:", stars)


def test_a_block_is_one_person_under_one_profile_and_padding_counts_nothing():
    ann = [page("ann", 1, 5), page("ann", 2, 1), page("ann", 3, 4), page("ann later", 4, 2)]
    examples = as_examples([ann, [page("bob", 1, 3)]], turns=2)
    assert examples.prefixes == ["ann", "ann", "ann later", "bob"]
    assert examples.suffixes == [f"item {i}. RATING:" for i in (1, 2, 3, 3, 4, 4, 1, 1)]
    np.testing.assert_array_equal(examples.ratings, [[5, 1], [4, 4], [2, 2], [3, 3]])
    np.testing.assert_array_equal(examples.weights, [[1, 1], [1, 0], [1, 0], [1, 0]])
    np.testing.assert_array_equal(examples.targets[0], [[0, 0, 0, 0, 1], [1, 0, 0, 0, 0]])


@pytest.fixture(scope="module")
def first(tiny_base, blocks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("first") / "ann"
    train_lora(tiny_base, blocks, QUICK, folder)
    return folder


def test_training_goes_on_from_the_weights_it_is_given(tiny_base, blocks, first, tmp_path):
    """At a rate of nearly nothing the weights stay, so it did not begin anew."""
    still = replace(QUICK, learning_rate=1e-9, rank=8)
    train_lora(tiny_base, blocks, still, tmp_path / "still", start=first)
    before, after = load_file(first / WEIGHTS), load_file(tmp_path / "still" / WEIGHTS)
    assert before.keys() == after.keys()
    for name in before:  # the shapes agree too: rank 4, whatever the preset says
        np.testing.assert_allclose(after[name], before[name], rtol=0, atol=1e-6)
    card = train_lora(tiny_base, blocks, QUICK, tmp_path / "on", start=first)
    assert card["first_loss"] < json.loads((first / CARD).read_text())["first_loss"]
    config = (tmp_path / "on" / "adapter_config.json").read_text()
    assert json.loads(config)["base_model_name_or_path"] == "tiny", "and no place of this machine"


def test_the_key_tells_where_a_training_starts(tiny_base, blocks, first, tmp_path):
    key = training_key(tiny_base, blocks, QUICK, 0, first)
    assert key != training_key(tiny_base, blocks, QUICK, 0)
    card = json.loads((first / CARD).read_text())
    (first / CARD).write_text(json.dumps(card | {"seconds": 99.0}))
    assert training_key(tiny_base, blocks, QUICK, 0, first) == key, "time decides nothing"


def test_a_start_on_another_base_is_refused(tiny_base, blocks, first, tmp_path):
    card = json.loads((first / CARD).read_text())
    (first / CARD).write_text(json.dumps(card | {"base_identity": "another" * 4}))
    with pytest.raises(ValueError, match="was trained on 'tiny'"):
        train_lora(tiny_base, blocks, QUICK, tmp_path / "on", start=first)
    (first / CARD).write_text(json.dumps(card))


def test_what_was_trained_is_found_again(tiny_base, blocks, first, tmp_path):
    train = FurtherTraining(str(tiny_base), tmp_path / "all", QUICK, turns=3)
    turns = blocks.ratings.shape[1]
    rows = zip(blocks.suffixes, blocks.ratings.reshape(-1), strict=True)
    pages = [DiaryEntry(blocks.prefixes[i // turns], s, int(r)) for i, (s, r) in enumerate(rows)]
    lives = [pages[start : start + turns] for start in range(0, len(pages), turns)]
    folder = train(first, lives)
    changed = (folder / WEIGHTS).stat().st_mtime_ns
    assert train(first, lives) == folder
    assert (folder / WEIGHTS).stat().st_mtime_ns == changed
    assert train(folder, lives) != folder

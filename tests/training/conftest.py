"""A base model too small to mean anything, and blocks to train adapters of it on."""

import numpy as np
import pytest

from agents.prompt_style import PromptStyle
from agents.prompts import RATING_CHOICES
from simenv.data.synthetic import synthetic
from training.base.pocket_model import PocketConfig, new_model, train_tokenizer
from training.examples.from_log import ExampleWriter, chosen_blocks, later_rows


@pytest.fixture(scope="session")
def blocks():
    """Eight blocks of three turns; the last turn of the first block is padding."""
    world = synthetic(7, num_users=8, num_items=40)
    asked = later_rows(world, 3, np.random.default_rng(0))
    examples = chosen_blocks(ExampleWriter(world).write(asked, PromptStyle()), np.arange(8))
    examples.weights[0, 2] = 0.0
    return examples


@pytest.fixture(scope="session")
def tiny_base(blocks, tmp_path_factory):
    """Folder of an untrained model with a tokenizer that can read the blocks."""
    folder = tmp_path_factory.mktemp("base") / "tiny"
    config = PocketConfig.tiny()
    said = [s + c for s, c in zip(blocks.suffixes, RATING_CHOICES * 9, strict=False)]
    tokenizer = train_tokenizer([*blocks.prefixes, *said], config.vocab_size)
    new_model(config, len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

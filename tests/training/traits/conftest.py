"""A model too small to mean anything that can read opinions, and opinions of three topics."""

from dataclasses import replace

import pytest

from training.base.pocket_model import PocketConfig, new_model, train_tokenizer
from training.opinion_qa.grammar import written_offline
from training.opinion_qa.opinions import label
from training.opinion_qa.topics import TOPICS
from training.traits.speaker import Speaker

LABELS = [label("openness"), label("openness", "low"), label("extraversion")]


def write_talker(folder, opinions, seed=0, emojis=""):
    """An untrained model with a tokenizer that can read the opinions, and has tokens of emojis."""
    config = replace(PocketConfig.tiny(), seed=seed, hidden_size=32 + 16 * seed)
    texts = [o.question + " " + o.answer for o in opinions]
    tokenizer = train_tokenizer([*texts, *[emojis] * 40], 500)
    new_model(config, len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def opinions():
    """Two answers of three labels about five topics."""
    return written_offline(LABELS, TOPICS[:5], forms=2)


@pytest.fixture(scope="session")
def talker(opinions, tmp_path_factory):
    """Folder of the model."""
    return write_talker(tmp_path_factory.mktemp("talker") / "tiny", opinions)


@pytest.fixture
def speaker(talker):
    return Speaker.load(talker, "cpu", "float32")

"""Tokens: pieces are encoded once, and the result is what the tokenizer gives for the whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from agents.inference.tokens import Tokens

words = st.sampled_from(
    [
        "MEMORY: Film (1999) War, others 3.2.",
        "I gave 4: good.",
        "\n",
        " ",
        "A",
        "é.",
        "\nB",
        "+0.3",
        ". C",
    ]
)
texts = st.lists(words | st.text(max_size=6), max_size=12).map("".join)


@pytest.fixture(scope="module")
def tokenizer(pocket_folder):
    return AutoTokenizer.from_pretrained(pocket_folder)


def plain(tokenizer, asked):
    return [tokenizer(text, add_special_tokens=False)["input_ids"] for text in asked]


def test_the_pocket_tokenizer_is_read_piece_by_piece(tokenizer):
    assert Tokens(tokenizer).by_pieces


@settings(max_examples=60, deadline=None)
@given(asked=st.lists(texts, max_size=5))
def test_ids_are_those_of_the_whole_text(tokenizer, asked):
    assert Tokens(tokenizer).encode(asked) == plain(tokenizer, asked)


def test_a_tokenizer_whose_tokens_span_lines_is_given_whole_texts():
    """Byte-pair merges without any pre-tokenizer join a full stop, the line's end and a capital."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = trainers.BpeTrainer(vocab_size=400, show_progress=False)
    tokenizer.train_from_iterator(["word\nA 4.\nA word. A", "+0.4. A"] * 20, trainer)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="w")
    tokens = Tokens(wrapped)
    assert not tokens.by_pieces
    asked = ["word\nA 4.\nA", "word. A", ""]
    assert tokens.encode(asked) == plain(wrapped, asked)


def test_a_difference_found_later_ends_reading_by_pieces(tokenizer):
    """The audit of every call: here one piece is remembered wrongly."""
    tokens = Tokens(tokenizer)
    asked = ["MOVIE: Film.\nRATING:"]
    tokens._pieces["RATING:"] = [7]
    tokens._pieces["MOVIE: Film.\n"] = [8]
    assert tokens.encode(asked) == plain(tokenizer, asked)
    assert not tokens.by_pieces


def test_the_store_starts_afresh_when_it_is_full(tokenizer, monkeypatch):
    monkeypatch.setattr("agents.inference.tokens._KEPT", 3)
    tokens = Tokens(tokenizer)
    for text in ("one", "two", "three", "four", "one"):
        assert tokens.encode([text]) == plain(tokenizer, [text])
        assert len(tokens._pieces) <= 3
        assert tokens.prefix(text) == tokenizer(text)["input_ids"]
    assert tokens.encode([]) == []


def test_the_first_of_several_lines_is_found(tokenizer):
    tokens = Tokens(tokenizer)
    first, both = tokens.encode(["MEMORY: Film.\n", "MEMORY: Film.\nMOVIE: Film 2.\nRATING:"])
    assert tokens.first_line(both) == len(first)
    assert both[: len(first)] == first
    assert tokens.first_line(first) == 0, "one line only"
    assert tokens.first_line([]) == 0

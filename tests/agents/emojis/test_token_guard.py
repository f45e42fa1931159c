"""Tokens that would show an emoji: by bytes, with real tokenizers of both kinds."""

import numpy as np
import pytest

from agents.emojis.detection import has_emoji
from agents.emojis.token_bytes import token_bytes
from agents.emojis.token_guard import EmojiGuard
from tests.agents.inference import small_tokenizers

SMILE = "\U0001f60a".encode()  # f0 9f 98 8a
HEAVY_CHECK, PLAIN_CHECK = "\u2705".encode(), "\u2713".encode()  # e2 9c 85, e2 9c 93
PIECES = [
    b"a", SMILE, b" " + SMILE, b"\xf0\x9f", b"\xf0", b"\x9f\x98\x8a", b"\x98", b"\xe2\x9c",
    b"\x85", b"\x93", "\u2764".encode(), "\ufe0f".encode(), "\u20ac".encode(), b"",
    "\u2026".encode(),
]  # fmt: skip
BARRED = {1, 2, 3, 10, 11}  # whole emojis, their first two bytes, a heart, a selector


def test_a_token_is_barred_that_holds_or_surely_begins_an_emoji():
    assert set(np.flatnonzero(EmojiGuard(PIECES).barred())) == BARRED


def test_after_open_bytes_the_tokens_that_complete_an_emoji_are_barred():
    guard = EmojiGuard(PIECES)
    assert set(np.flatnonzero(guard.barred(b"\xe2\x9c"))) == BARRED | {8}  # 85 makes the picture
    assert set(np.flatnonzero(guard.barred(b"\xf0"))) == BARRED | {5}


def test_what_was_said_says_which_bytes_stand_open():
    said = [[0], [7], [0, 4], [7, 9]]
    found = EmojiGuard(PIECES).after(said, width=20)
    barred = [set(np.flatnonzero(row)) for row in found]
    assert barred == [BARRED, BARRED | {8}, BARRED | {5}, BARRED]


def test_a_vocabulary_in_which_emojis_have_no_place_is_refused():
    with pytest.raises(ValueError, match="that show or begin an emoji, got a vocabulary of 3"):
        EmojiGuard([b"a", b"\xf0", b"\x9f"]).check_any()  # single bytes begin anything
    EmojiGuard(PIECES).check_any()


def test_mass_is_the_sum_of_barred_chances():
    chances = np.full((2, len(PIECES) + 3), 0.01)  # a model with more rows than its tokenizer
    chances[1, 1] = 0.5
    assert EmojiGuard(PIECES).mass(chances) == pytest.approx([0.05, 0.54])


@pytest.mark.parametrize("name", ["gpt2", "smollm2", "qwen2", "llama3", "llama2"])
def test_bytes_of_tokens_put_together_are_the_text(name):
    tokenizer = getattr(small_tokenizers, name)()
    pieces = token_bytes(tokenizer)
    text = " a film \u00e9 4.5: \u2026 \U0001f60a"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    written = b"".join(pieces[i] for i in ids).decode()
    assert written.strip() == text.strip()


@pytest.mark.parametrize("name", ["gpt2", "smollm2", "llama2"])
def test_an_emoji_cannot_be_spelt_past_the_guard(name):
    tokenizer = getattr(small_tokenizers, name)()
    guard = EmojiGuard(token_bytes(tokenizer))
    for emoji in (
        "\U0001f60a",
        "\u2705",
        "\u2b50",
        "\u2764\ufe0f",
        "\U0001f1ee\U0001f1f9",
        "1\ufe0f\u20e3",
    ):
        assert has_emoji(emoji)
        ids = tokenizer("so " + emoji, add_special_tokens=False)["input_ids"]
        said = [guard.after([ids[:i]], len(tokenizer))[0, token] for i, token in enumerate(ids)]
        assert any(said), emoji


@pytest.mark.parametrize("name", ["gpt2", "smollm2", "llama2"])
def test_ordinary_text_passes_the_guard(name):
    tokenizer = getattr(small_tokenizers, name)()
    guard = EmojiGuard(token_bytes(tokenizer))
    text = "4 stars \u2014 \u201cgood\u201d, \u00e9t\u00e9 \u4e2d\u6587 \u20ac5\u2026 \u00a9 #1"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert not any(guard.after([ids[:i]], len(tokenizer))[0, t] for i, t in enumerate(ids))

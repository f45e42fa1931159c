"""Golden numbers of emojis, counted by hand."""

import math

import pytest

from agents.emojis.detection import emoji_rates, emojis_in, has_emoji, num_sentences, without_emojis

SMILE, THUMB, SPARKLES = "\U0001f60a", "\U0001f44d", "\u2728"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ITALY, FRANCE = "\U0001f1ee\U0001f1f9", "\U0001f1eb\U0001f1f7"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    "emoji",
    [
        SMILE,
        SPARKLES,
        THUMB + "\U0001f3fd",  # a skin tone
        "\u261d\U0001f3fd",  # a skin tone on a sign that is text by default
        FAMILY,
        ITALY,
        ENGLAND,
        "\u2764\ufe0f",  # a heart that its selector makes a picture
        "1\ufe0f\u20e3",  # a keycap
        "#\u20e3",
    ],
)
def test_what_people_see_as_one_picture_is_one_emoji(emoji):
    assert emojis_in(f"so {emoji}!") == [emoji]


@pytest.mark.parametrize(
    "text",
    ["", "7", "#1 *", "\u00a9 2020 Film\u2122", "\u2764", "\u263a\ufe0e", "\U0001f44d\ufe0e",
     "1\ufe0f", ":-)", "\u4e2d\u6587", "\u00e9", "a \u2192 b", "\u2713"],
)  # fmt: skip
def test_signs_that_are_text_are_no_emojis(text):
    assert emojis_in(text) == []
    assert not has_emoji(text)
    assert without_emojis(text) == text


def test_flags_side_by_side_are_told_apart():
    assert emojis_in(ITALY + FRANCE + SMILE) == [ITALY, FRANCE, SMILE]


def test_emojis_are_taken_out_whole():
    assert without_emojis(f"a {FAMILY}b{ITALY}") == "a b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("  \n ", 0),
        (SMILE, 1),  # it says something
        ("One. Two! Three?", 3),
        (f"I love it! {SMILE} So fun.", 2),  # an emoji between sentences is none
        (f"I love it {SMILE} so fun {SMILE}", 1),
        ("One line\nanother line", 2),
    ],
)
def test_sentences_are_counted_without_emojis(text, expected):
    assert num_sentences(text) == expected


def test_rates_of_four_texts_by_hand():
    texts = [f"Hi! {SMILE}{SMILE}", "No picture. None at all.", f"Yes {FAMILY}", ""]
    rates = emoji_rates(texts)
    assert rates.instance_rate == 2 / 4  # the first and the third
    assert rates.num_sentences == 1 + 2 + 1 + 0
    assert rates.per_sentence == 3 / 4
    assert rates.most_used == [(SMILE, 2), (FAMILY, 1)]


def test_a_rate_over_no_text_is_unknown():
    assert math.isnan(emoji_rates([]).instance_rate)
    assert math.isnan(emoji_rates([""]).per_sentence)

"""The emoji study's figures by hand, its sentences within their intervals, and its table."""

from types import SimpleNamespace

import pytest

from experiments.traits.emoji_figures import emoji_figures, emoji_sentences, emoji_tables
from experiments.traits.emoji_study import EmojiCell, _unchanged
from training.opinion_qa.opinions import label

HIGH = label("extraversion")
SMILE = "\N{SMILING FACE WITH OPEN MOUTH}"


def cell(**changes):
    own = {
        "with_emoji": [[0, 0, 0, 1], [1, 1, 0, 1]],
        "per_sentence": [0.25, 1.0],
        "mass": [[0.1, 0.1, 0.1, 0.1], [0.3, 0.2, 0.3, 0.2]],
        "neurons": [7, 3],
        "drop": 0.5,
        "random_drops": [0.1, -0.1, None],
        "p_value": 1 / 21,
        "tokens": [[["fun", 3]], [[SMILE, 4], ["fun", 2]]],
        "guarded": [0, 0, 0, 0],
        "unchanged": 1.0,
    }
    return EmojiCell(**{**own, **changes})


def figures(*cells):
    study = SimpleNamespace(labels=[HIGH], seeds=tuple(range(len(cells))))
    return emoji_figures(study, {(seed, HIGH): own for seed, own in enumerate(cells)})


def test_figures_are_means_over_seeds_and_topics_and_differences_have_an_interval():
    one = figures(cell(), cell(drop=None, p_value=0.5, unchanged=None))[str(HIGH)]
    assert one["instance_rate"] == [0.25, 0.75]
    assert one["instance_rate_difference"]["mean"] == pytest.approx(0.5)
    assert one["mass"] == [0.1, 0.25]
    assert one["mass_difference"]["mean"] == pytest.approx(0.15)
    low, high = one["mass_difference"]["ci95"]
    assert 0.1 <= low < 0.15 < high <= 0.2
    assert (one["drop"], one["random_drop"]) == (0.5, 0.0)
    assert one["p_values"] == [0.047619, 0.5]
    assert one["probe"] == [[], [SMILE]]
    assert (one["guarded"], one["unchanged_by_guard"]) == (0.0, 1.0)


def test_chances_that_are_tiny_keep_their_digits_and_seeds_of_other_lengths_are_padded():
    tiny = cell(mass=[[1e-12] * 3, [3e-12] * 3], with_emoji=[[0] * 3, [0] * 3])
    one = figures(tiny, cell(mass=[[1e-12] * 4, [3e-12] * 4]))[str(HIGH)]
    assert one["mass"] == [1e-12, 3e-12]
    assert one["mass_difference"]["mean"] == pytest.approx(2e-12)


def test_sentences_count_adapters_by_their_intervals_and_chance():
    said = emoji_sentences({"emojis": figures(cell(), cell(p_value=0.5))})
    assert "with 1 of 1 adapters (by intervals)" in said[0]
    assert "in 1 of 2 adapters and seeds (p < 0.05, not adjusted; 0.1 by chance)" in said[1]
    assert said[2] == "With the guard on no answer holds an emoji."
    said = emoji_sentences({"emojis": figures(cell(), cell(p_value=0.5), cell(p_value=0.9))})
    assert "in 1 of 3 adapters and seeds" in said[1]
    guarded = {"a": figures(cell())[str(HIGH)], "b": figures(cell(guarded=[1, 0]))[str(HIGH)]}
    assert "up to 50 % of an adapter's answers" in emoji_sentences({"emojis": guarded})[2]
    noisy = cell(mass=[[0.1, 0.3, 0.1, 0.3], [0.3, 0.1, 0.3, 0.1]], guarded=[1, 0, 0, 0])
    said = emoji_sentences({"emojis": figures(noisy, noisy)})
    assert "with 0 of 1 adapters" in said[0]
    assert said[2] == "With the guard on up to 25 % of an adapter's answers hold an emoji."
    assert emoji_sentences({}) == []


def test_an_answer_with_an_emoji_is_none_that_the_guard_should_leave_as_it_is():
    assert _unchanged(["a", f"b{SMILE}", "c"], ["a", "b", "d"]) == 1 / 2
    assert _unchanged([SMILE], [""]) is None


def test_one_seed_claims_no_rise():
    assert "with 0 of 1 adapters" in emoji_sentences({"emojis": figures(cell())})[0]


def test_the_table_shows_before_and_after():
    text = "\n".join(emoji_tables({"emojis": figures(cell(), cell())}))
    for part in ("25 % → 75 %", "1.0e-01 → 2.5e-01", "50 %", f"0 → 1 {SMILE}", "0.05, 0.05"):
        assert part in text
    assert emoji_tables({}) == []

"""Kinds of worlds: the draws of training worlds stay what they were."""

import hashlib

import numpy as np
import pytest

from simenv.data.synthetic import synthetic
from simenv.data.worlds.parameters import WorldParameters
from simenv.data.worlds.reading_world import ReadingParameters, reading_world


@pytest.mark.parametrize(
    ("kind", "digest"),
    [(WorldParameters, "08ffe4d11c88b5d6"), (ReadingParameters, "ad7ba3e36b8798df")],
)
def test_a_seed_draws_the_kind_of_world_that_it_always_drew(kind, digest):
    drawn = "".join(repr(kind.drawn(np.random.default_rng(seed))) for seed in range(20))
    assert hashlib.sha256(drawn.encode()).hexdigest()[:16] == digest


def test_both_kinds_draw_what_they_share_between_the_same_ends():
    for kind, most_bias in ((WorldParameters, 1.5), (ReadingParameters, 2.0)):
        found = [kind.drawn(np.random.default_rng(seed)) for seed in range(300)]
        assert all(
            0.2 <= one.genre_sd <= 0.9 and 3.6 <= one.mean_log_ratings <= 4.8 for one in found
        )
        assert 0.9 * most_bias < max(one.logging_bias for one in found) <= most_bias


@pytest.mark.parametrize("make", [synthetic, reading_world])
@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("num_users", 0, "wanted num_users of at least 1, got 0"),
        ("num_users", 2.5, "wanted num_users .* and whole, got 2.5"),
        ("num_items", 1, "wanted num_items of at least 2, got 1"),
        ("logging_bias", -1.0, "wanted logging_bias .*got -1.0"),
        ("logging_bias", float("nan"), "wanted logging_bias .* and finite, got nan"),
        ("seed", -1, "wanted a seed"),
    ],
)
def test_what_makes_no_world_is_refused_by_name(make, name, value, text):
    with pytest.raises(ValueError, match=text):
        make(**{name: value})


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"num_actors": 2}, "wanted num_actors of at least 3, got 2"),
        ({"noise_sd": 0.0}, "wanted noise_sd"),
        ({"genre_sd": -0.1}, "wanted genre_sd"),
        ({"mean_rating": 6.0}, "wanted mean_rating in"),
        ({"language": "klingon"}, "wanted language one of plain, foreign, bare, got 'klingon'"),
    ],
)
def test_a_kind_of_world_that_cannot_be_is_refused(settings, text):
    with pytest.raises(ValueError, match=text):
        WorldParameters(**settings)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"theme_sd": float("nan")}, "wanted theme_sd .* and finite"),
        ({"mood_sd": -1.0}, "wanted mood_sd"),
        ({"tone_sd": 0.2}, "knows no tone_sd, got 0.2; moods are .*: set mood_sd"),
        ({"language": "foreign"}, "knows no language, got 'foreign'; its summaries are in plain"),
        (
            {"num_items": 60, "cold_items": 0.99},
            r"wanted 2 items or more that do not come out after the log, got 1 of num_items=60;"
            r" lower cold_items=0.99",
        ),
    ],
)
def test_a_world_to_be_read_refuses_what_would_say_nothing(settings, text):
    with pytest.raises(ValueError, match=text):
        ReadingParameters(**settings)

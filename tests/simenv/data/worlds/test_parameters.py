"""Kinds of worlds: the draws of training worlds stay what they were."""

import hashlib

import numpy as np
import pytest

from simenv.data.worlds.parameters import WorldParameters
from simenv.data.worlds.reading_world import ReadingParameters


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

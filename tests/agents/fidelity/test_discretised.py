"""Means with Gaussian noise, cut into stars: by hand, and by the noise that made the ratings."""

import numpy as np
import pytest
from scipy.stats import norm

from agents.fidelity.discretised import fitted_sd, gaussian_chances


def test_chances_are_the_areas_between_half_stars():
    found = gaussian_chances(np.array([3.0]), 1.0)[0]
    edges = norm.cdf([-1.5, -0.5, 0.5, 1.5])
    assert found == pytest.approx([edges[0], edges[1] - edges[0], edges[2] - edges[1],
                                   edges[3] - edges[2], 1 - edges[3]])  # fmt: skip
    assert found.sum() == pytest.approx(1)


def test_what_lies_beyond_the_scale_counts_as_its_end():
    assert gaussian_chances(np.array([9.0, -4.0]), 0.5).argmax(axis=1).tolist() == [4, 0]


def test_the_noise_that_made_the_ratings_is_found():
    rng = np.random.default_rng(0)
    means = rng.uniform(1.5, 4.5, 20_000)
    ratings = np.clip((means + 0.8 * rng.standard_normal(len(means))).round(), 1, 5)
    assert fitted_sd(means, ratings) == pytest.approx(0.8, abs=0.02)
    assert fitted_sd(means[:0], ratings[:0]) == 1.0

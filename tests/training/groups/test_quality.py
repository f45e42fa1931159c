"""Quality of groups, where it is known: people in four corners, and people anywhere."""

import numpy as np
import pytest

from training.groups.clusters import group_vectors
from training.groups.quality import cluster_quality

RNG = np.random.default_rng(0)
KNOWN = np.arange(80) % 4
CORNERS = np.array([[0.0, 0], [0, 9], [9, 0], [9, 9]])[KNOWN] + RNG.normal(0, 0.3, (80, 2))


def test_groups_that_are_apart_are_found_with_every_seed():
    found = cluster_quality(CORNERS, 4, known=KNOWN)
    assert found.silhouette > 0.9
    assert found.stability == found.known == 1.0


def test_people_anywhere_form_no_groups():
    found = cluster_quality(RNG.normal(size=(80, 12)), 4, known=KNOWN)
    assert found.silhouette < 0.2
    assert found.stability < 0.9
    assert abs(found.known) < 0.15


def test_groups_that_nobody_knows_have_no_index():
    assert np.isnan(cluster_quality(CORNERS, 4).known)


def test_a_silhouette_by_hand():
    """Two pairs on a line, 1 apart and 10 from each other: (b - a) / max(a, b), a = 1."""
    line = np.array([[0.0], [1.0], [10.0], [11.0]])
    outer, inner = (10.5 - 1) / 10.5, (9.5 - 1) / 9.5
    assert cluster_quality(line, 2).silhouette == pytest.approx((outer + inner) / 2)


def test_a_silhouette_goes_by_straight_distances():
    """A pair 3 and 4 apart (5), and one 20 away: only straight distances give these numbers."""
    points = np.array([[0.0, 0], [3, 4], [20, 0], [20, 5]])
    apart = np.linalg.norm(points[:2, None] - points[None, 2:], axis=2)
    means = [*apart.mean(axis=1), *apart.mean(axis=0)]
    wanted = np.mean([(b - 5) / b for b in means])
    assert cluster_quality(points, 2).silhouette == pytest.approx(wanted)


def test_too_few_groups_or_seeds_are_refused():
    with pytest.raises(ValueError, match="got k=1 and num_seeds=5; raise them"):
        cluster_quality(CORNERS, 1)
    with pytest.raises(ValueError, match="num_seeds=1"):
        cluster_quality(CORNERS, 2, num_seeds=1)


def test_more_groups_than_different_people_are_refused():
    with pytest.raises(ValueError, match="K from 1 to the number of different vectors, 1"):
        group_vectors(np.zeros((5, 2)), 2)


def test_people_who_are_all_alone_have_no_silhouette():
    found = cluster_quality(np.array([[0.0], [1.0], [5.0]]), 3)
    assert np.isnan(found.silhouette)
    assert found.stability == 1.0


def test_the_index_of_what_is_known_in_whole_arithmetic():
    """Hubert and Arabie (1985): 15 pairs, 6 together as found, 7 as known, 4 in both."""
    line = np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]])
    known = np.array([0, 0, 0, 0, 1, 1])
    assert cluster_quality(line, 2, known=known).known == pytest.approx((4 - 2.8) / (6.5 - 2.8))


def test_stability_is_the_mean_over_pairs_of_different_seeds(monkeypatch):
    ways = [np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])]
    monkeypatch.setattr("training.groups.quality._labels", lambda *_: ways)
    index = -0.5  # of groups that cut across one another: (0 - 2/3) / (2 - 2/3)
    found = cluster_quality(np.array([[0.0], [1.0], [10.0], [11.0]]), 2, num_seeds=3)
    assert found.stability == pytest.approx((1 + 2 * index) / 3)

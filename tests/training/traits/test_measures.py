"""Golden numbers of every formula, on data that one can hold in the head."""

import math

import numpy as np
import pytest

from training.traits import measures
from training.traits.measures import (
    LEAST_ENTROPY,
    accuracy,
    coherent,
    cross_entropies,
    divergence,
    edit_success,
    n_gram_entropy,
    over_seeds,
    tpei,
)


def logs(*chances):
    return np.log(np.array(chances))


def test_edit_success_is_the_sigmoid_of_the_gap_times_the_kept_likelihood():
    # Target: two answers with mean logs log(1/2) and log(1/8): mean = -2 log 2. Others: -3 log 2.
    target = [logs(0.5), logs(0.25, 1 / 16)]
    found = edit_success(target, [logs(0.125)], [logs(0.25)])
    assert found.z_per == pytest.approx(2 / 3), "sigmoid(log 2) = 2 / (1 + 2)"
    assert found.z_topic == 1.0, "the mean is the same as before"
    assert found.es == pytest.approx(2 / 3)


def test_the_topic_is_kept_only_as_far_as_the_targets_stay_likely():
    target = [logs(0.25)]
    assert edit_success(target, target, [logs(0.5)]) == pytest.approx((0.25, 0.5, 0.5))
    better = edit_success(target, target, [logs(0.125)])
    assert better.z_topic == 1.0, "likelier than before is no more than 1"


def test_answers_are_averaged_within_before_they_are_averaged():
    long, short = logs(0.5, 0.5, 0.5), logs(0.125)
    found = edit_success([long, short], [logs(0.25)], [long, short])
    assert found.z_per == pytest.approx(0.5), "(log 1/2 + log 1/8) / 2 = log 1/4"


def test_divergence_is_that_of_the_base_from_the_edited():
    before, after = logs([0.5, 0.5]), logs([0.25, 0.75])
    wanted = 0.5 * math.log(2) + 0.5 * math.log(2 / 3)
    assert divergence(before, after) == pytest.approx([wanted])
    assert divergence(after, before)[0] != pytest.approx(wanted)
    assert divergence(before, before) == pytest.approx([0.0])
    with np.errstate(divide="ignore"):
        assert divergence(logs([1.0, 0.0]), logs([0.5, 0.5])) == pytest.approx([math.log(2)])


CHANCES = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.2, 0.2, 0.6], [0.6, 0.2, 0.2]])


def test_accuracy_is_the_share_whose_likeliest_label_is_the_target():
    assert accuracy(CHANCES, np.array([0, 1, 0, 0])) == 0.75
    assert math.isnan(accuracy(np.zeros((0, 3)), np.zeros(0, dtype=int)))


def test_tpei_is_the_fall_of_the_cross_entropy():
    targets = np.array([0, 0])
    assert cross_entropies(CHANCES[:2], targets) == pytest.approx([math.log(2), math.log(8)])
    found = tpei(CHANCES[1:2], CHANCES[:1], targets[:1])
    assert found == pytest.approx([math.log(8) - math.log(2)]), "towards the target is positive"
    assert np.isfinite(cross_entropies(np.array([[0.0, 1.0]]), np.array([0]))).all()


def test_entropy_weighs_pairs_by_two_thirds_and_triples_by_four():
    # Five words, each once: four pairs (2 bits), three triples (log2 3 bits).
    assert n_gram_entropy("one two three four five") == pytest.approx(
        (2 / 3 * 2 + 4 / 3 * math.log2(3)) / 2
    )
    # "no no no no": one pair three times and one triple twice.
    assert n_gram_entropy("No no NO no") == 0.0
    # a b a b a: pairs ab, ba twice each (1 bit); triples aba twice, bab once.
    thirds = -(2 / 3 * math.log2(2 / 3) + 1 / 3 * math.log2(1 / 3))
    assert n_gram_entropy("a b a b a") == pytest.approx((2 / 3 + 4 / 3 * thirds) / 2)
    assert n_gram_entropy("") == 0.0


def test_short_and_repeating_texts_are_not_coherent():
    words = [f"w{i}" for i in range(40)]
    texts = [" ".join(words[:5]), " ".join(words[:20]), "I like it. " * 20]
    assert coherent(texts).tolist() == [False, True, False]
    assert LEAST_ENTROPY == 3.5


def test_the_interval_covers_seeds_and_topics():
    values = np.array([[0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0]])
    found = over_seeds(values, 400)
    assert found.mean == pytest.approx(7 / 12)
    low, high = found.ci95
    assert 0.0 <= low < 0.3
    assert 0.8 < high <= 1.0
    assert over_seeds(np.full((3, 4), 2.0), 50) == (2.0, (2.0, 2.0))


def test_the_interval_of_equal_topics_comes_from_seeds_alone():
    by_seed = np.repeat(np.array([[0.0], [1.0]]), 5, axis=1)
    assert over_seeds(by_seed, 400).ci95 == (0.0, 1.0)


def test_an_interval_is_the_middle_95_of_100_draws(monkeypatch):
    monkeypatch.setattr(measures, "_resampled_means", lambda values, count: np.arange(101.0))
    assert over_seeds(np.ones((2, 2)), 101).ci95 == (2.5, 97.5)


def test_what_is_not_known_counts_nowhere_and_one_seed_has_no_interval():
    assert over_seeds(np.array([[1.0, np.nan], [np.nan, 3.0]]), 50).mean == 2.0
    assert over_seeds(np.array([[1.0, 2.0]])).ci95 is None
    assert over_seeds(np.array([[1.0], [2.0]])).ci95 is None
    assert over_seeds(np.array([[1.0]]), one_seed=True).ci95 is None
    low, high = over_seeds(np.array([[0.0, 1.0] * 8]), 400, one_seed=True).ci95
    assert (low, high) == (pytest.approx(0.25, abs=0.07), pytest.approx(0.75, abs=0.07))
    nothing = over_seeds(np.full((2, 2), np.nan))
    assert math.isnan(nothing.mean)
    assert nothing.ci95 is None

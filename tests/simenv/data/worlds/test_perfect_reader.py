"""The ceiling is the posterior of the stated model: by hand, and against a dense one."""

import numpy as np
import pytest
from scipy.special import ndtr

from simenv.data.synthetic import synthetic
from simenv.data.worlds.perfect_reader import PerfectReader
from simenv.data.worlds.taste_structure import TasteBlock, TasteStructure, Way
from simenv.events import InteractionLog

ONE_WAY = (Way("all alike", 1.0, 1.0, 0.0, np.ones(1)),)
# A star counts as its utility with variance 1: noise and the variance of rounding, 1/12.
NOISE_SD = float(np.sqrt(1 - 1 / 12))


def tiny(ways=ONE_WAY) -> TasteStructure:
    """Items 0 and 1 share the one genre, item 2 has none; every variance is 1."""
    genre = TasteBlock("genres", np.array([[1.0], [1.0], [0.0]]), np.eye(1))
    return TasteStructure(3.0, 1.0, 1.0, NOISE_SD, (genre,), ways)


def log(users, items, stars) -> InteractionLog:
    return InteractionLog.from_columns(users, items, stars, num_users=2, num_items=3)


# User 0 gave item 0 two stars above the mean, user 1 gave it the mean. Their ratings have variance
# quality + taste + noise = 3 and covariance 1 (the quality they share), so the weights of the two
# are inv([[3, 1], [1, 3]]) @ [2, 0] = [3, -1] / 4.
TWO_RATINGS = log([0, 1], [0, 0], [5.0, 3.0])
A, B = 3 / 4, -1 / 4


def test_the_posterior_mean_of_two_users_and_three_items_in_whole_arithmetic():
    means = PerfectReader(tiny()).fit(TWO_RATINGS).beliefs().means
    assert means[0] == pytest.approx([3 + 2 * A + B, 3 + A, 3])  # quality + taste, taste, nothing
    assert means[1] == pytest.approx([3 + A + 2 * B, 3 + B, 3])


def test_the_posterior_variance_in_whole_arithmetic():
    variances = PerfectReader(tiny()).fit(TWO_RATINGS).beliefs().variances
    # Prior 2 (quality and taste), minus c inv([[3, 1], [1, 3]]) c for covariances c with the two.
    assert variances[0] == pytest.approx([2 - (2 * 2 * 3 - 2 * 2 + 3) / 8, 2 - 3 / 8, 1.0])


def test_expected_stars_are_the_nearest_ones_of_a_normal_utility():
    reader = PerfectReader(tiny()).fit(TWO_RATINGS)
    spread = np.sqrt(1 + NOISE_SD**2)  # item 2: variance 1 of its quality, mean 3
    wanted = 1 + sum(ndtr((3 - edge) / spread) for edge in (1.5, 2.5, 3.5, 4.5))
    assert reader.predict(np.array([0]), np.array([2])) == pytest.approx([wanted])


def test_who_decides_how_is_found_from_own_ratings_by_bayes():
    """Two ways: one goes by genre with taste, the other has none; quality counts for nobody."""
    ways = (
        Way("genre", 0.5, 0.0, 0.0, np.array([2.0])),
        Way("nothing", 0.5, 0.0, 0.0, np.array([0.0])),
    )
    reader = PerfectReader(tiny(ways)).fit(TWO_RATINGS)
    # A rating has variance 4 + 1 or 1; user 0's lies 2 from the mean, user 1's at it.
    far = [np.exp(-4 / 10) / np.sqrt(5), np.exp(-4 / 2)]
    near = [1 / np.sqrt(5), 1]
    assert reader.ways[0] == pytest.approx(np.divide(far, sum(far)))
    assert reader.ways[1] == pytest.approx(np.divide(near, sum(near)))
    # A mixture: of the first way 4/5 of 2 stars above the mean, of the second none.
    assert reader.beliefs().means[0, 1] == pytest.approx(3 + reader.ways[0, 0] * 2 * 4 / 5)


# Two ways that differ in how much quality counts, and by how much they have a taste for the genre.
TWO_WAYS = (
    Way("crowd", 0.7, 1.5, 0.0, np.array([1.0])),
    Way("contrarian", 0.3, -0.5, 0.0, np.array([2.0])),
)


def by_scalars(ratings):
    """Both users rated item 0 alone, so every matrix is a number: the three rounds by hand.

    Returns chances (2, 2) of the ways, and mean and variance of the quality of item 0.
    """
    share, weight = np.array([0.7, 0.3]), np.array([1.5, -0.5])
    taste = np.array([1.0, 2.0]) ** 2  # variance of the taste for the genre, by way
    chances = np.tile(share, (2, 1))
    for _ in range(3):
        precision, pull = 1.0, 0.0  # quality has variance 1
        for own, rest in zip(chances, ratings, strict=True):
            mean = own @ weight
            doubt = own @ weight**2 - mean**2  # of the weight, where nobody knows the way
            variance = own @ taste + 1 + doubt
            precision += mean**2 / variance
            pull += mean * rest / variance
        quality, unsure = pull / precision, 1 / precision
        for user, rest in enumerate(ratings):
            variance = taste + 1 + weight**2 * unsure
            apart = rest - weight * quality
            likely = share * np.exp(-(apart**2) / (2 * variance)) / np.sqrt(variance)
            chances[user] = likely / likely.sum()
    return chances, quality, unsure


def test_ways_and_qualities_are_inferred_in_turn_as_by_hand():
    reader = PerfectReader(tiny(TWO_WAYS)).fit(TWO_RATINGS)
    chances, quality, unsure = by_scalars([2.0, 0.0])
    assert reader.ways == pytest.approx(chances)
    assert reader.quality == pytest.approx([quality, 0, 0])
    assert reader.quality_covariance == pytest.approx(np.diag([unsure, 1, 1]))


def test_a_belief_about_several_ways_has_the_moments_of_their_mixture():
    reader = PerfectReader(tiny(TWO_WAYS)).fit(TWO_RATINGS)
    chances, quality, unsure = by_scalars([2.0, 0.0])
    weight, taste = np.array([1.5, -0.5]), np.array([1.0, 4.0])
    gain = taste / (taste + 1)
    rest = 2.0 - weight * quality
    own = {  # item → means and variances by way, of user 0: rated, of the same genre, of none
        0: (
            weight * quality + gain * rest,
            taste * (1 - gain) + (weight * (1 - gain)) ** 2 * unsure,
        ),
        1: (gain * rest, taste * (1 - gain) + weight**2 * (1 + gain**2 * unsure)),
        2: (0 * rest, weight**2),
    }
    for item, (means, variances) in own.items():
        mean = chances[0] @ means
        variance = chances[0] @ (variances + means**2) - mean**2
        assert reader.beliefs().means[0, item] == pytest.approx(3 + mean)
        assert reader.beliefs().variances[0, item] == pytest.approx(variance)
        spread = np.sqrt(variance + NOISE_SD**2)
        stars = 1 + sum(ndtr((3 + mean - edge) / spread) for edge in (1.5, 2.5, 3.5, 4.5))
        assert reader.predict(np.array([0]), np.array([item])) == pytest.approx([stars])


def test_with_one_way_it_equals_the_dense_gaussian_process():
    world = synthetic(5, num_users=24, num_items=120)
    structure, train = world.truth.structure, world.train
    way = structure.ways[1]._replace(share=1.0)
    reader = PerfectReader(structure_with(structure, way)).fit(train)
    features = structure.features(way)
    noise = structure.noise_sd**2 + 1 / 12
    own = train.users[:, None] == train.users
    kernel = own * (features[train.items] @ features[train.items].T) + noise * np.eye(len(train))
    kernel += structure.quality_sd**2 * (train.items[:, None] == train.items)
    weights = np.linalg.solve(kernel, train.ratings - structure.mean_rating)
    for user in (0, 7):
        cross = (train.users == user) * (features @ features[train.items].T)
        cross = cross + structure.quality_sd**2 * (np.arange(120)[:, None] == train.items)
        dense = structure.mean_rating + cross @ weights
        assert reader.beliefs().means[user] == pytest.approx(dense)
        variance = (features**2).sum(axis=1) + structure.quality_sd**2
        variance -= (cross * np.linalg.solve(kernel, cross.T).T).sum(axis=1)
        assert reader.beliefs().variances[user] == pytest.approx(variance)


def structure_with(structure: TasteStructure, way: Way) -> TasteStructure:
    return TasteStructure(
        structure.mean_rating, structure.quality_sd, structure.generosity_sd, structure.noise_sd,
        structure.blocks, (way,),
    )  # fmt: skip


def test_a_reader_of_less_takes_the_rest_for_noise():
    world = synthetic(5, num_users=24, num_items=120)
    structure = world.truth.structure
    blind = structure.reading_only(("genres", "era"))
    # What is left out is as large as it is in truth: the total variance of a rating stays.
    for whole, part in ((structure, blind),):
        totals = [
            sum(w.share * (s.features(w) ** 2).sum(axis=1).mean() for w in s.ways) + s.noise_sd**2
            for s in (whole, part)
        ]
        assert totals[0] == pytest.approx(totals[1])
    with pytest.raises(ValueError, match="blocks wanted some of genres, tones, cast, era, got 'pl"):
        structure.reading_only(("plots",))


@pytest.mark.slow
def test_reading_all_beats_reading_less_and_less_beats_the_biases():
    from simenv.data.rating_baselines import BiasModel

    world = synthetic(5)
    structure, test = world.truth.structure, world.test
    errors = [
        np.mean((model.fit(world.train).predict(test.users, test.items) - test.ratings) ** 2)
        for model in (
            PerfectReader(structure),
            PerfectReader(structure.reading_only(("genres", "era"))),
            BiasModel(),
        )
    ]
    assert errors[0] < errors[1] < errors[2]

"""Word of mouth, trends, herding, drift and scandals, each against what is known to be true."""

import networkx as nx
import numpy as np
import pytest

from recommenders.policies.heuristics import Random
from simenv.abm.activation import SteadyShare
from simenv.abm.model import SocietySettings
from simenv.abm.moving_world import LivingTruth, move
from simenv.abm.shocks import Shock
from simenv.abm.social import FRIEND, TREND, VIRAL, SocialSettings, draw_network
from simenv.data.synthetic import SyntheticTruth


def truth_of(utilities):
    n, size = utilities.shape
    return SyntheticTruth(utilities, 0.75, np.full(n, 2), np.full(n, 0.5), np.zeros(size))


def test_moving_a_distribution_is_the_response_model_with_a_moved_utility():
    utilities = np.linspace(1.5, 4.5, 12).reshape(3, 4)
    by = np.linspace(-1.0, 1.0, 12).reshape(3, 4)
    users, items = np.arange(3), np.tile(np.arange(4), (3, 1))
    before = truth_of(utilities).probabilities(users, items)
    after = truth_of(utilities + by).probabilities(users, items)
    np.testing.assert_allclose(move(before, by / 0.75), after, atol=1e-9)


def living(drift_sd=0.0):
    truth = truth_of(np.full((2, 3), 3.0))
    genres = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    return LivingTruth(truth, genres, np.array([0.0, 0.5]), np.full(3, 3.0), drift_sd=drift_sd)


def test_what_moved_is_known_exactly():
    world = living()
    users, items = np.array([0, 1]), np.array([[0, 1], [0, 1]])
    still = world.base.probabilities(users, items)
    np.testing.assert_array_equal(world.probabilities(users, items), still)
    world.advance(1, np.array([4.0, 3.0, 3.0]), np.array([0.0, -1.0, 0.0]))
    # only user 1 conforms (0.5 of the rise by a star); a scandal is everybody's
    np.testing.assert_allclose(world.moved(users, items), [[0.0, -1.0], [0.5, -1.0]])


def test_tastes_drift_as_a_random_walk_and_come_back_from_a_snapshot():
    world, other = living(drift_sd=0.1), living(drift_sd=0.1)
    steady = np.full(3, 3.0)
    for tick in range(1, 400):
        world.advance(tick, steady, np.zeros(3))
    drifts = world.moved(np.array([0]), np.array([[0, 1]]))[0]
    assert 0.2 < np.abs(drifts).mean() < 8.0  # sd of 0.1 · sqrt(399) = 2 stars
    other.restore(world.snapshot())
    for one in (world, other):
        one.advance(400, steady, np.zeros(3))
    everything = np.array([0, 1]), np.tile(np.arange(3), (2, 1))
    np.testing.assert_array_equal(world.moved(*everything), other.moved(*everything))
    with pytest.raises(ValueError, match="wanted drift_sd of at least 0, got -1"):
        living(drift_sd=-1.0)


def many_drifting(drift_sd=0.1, seed=0, conformity=0.0, num_users=3000):
    truth = truth_of(np.full((num_users, 3), 3.0))
    genres = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    own = np.full(num_users, conformity)
    return LivingTruth(truth, genres, own, np.full(3, 3.0), drift_sd=drift_sd, seed=seed)


def drifts(world, ticks):
    """(3000, 3) stars by which every user's liking of every item has moved after ``ticks``."""
    for tick in ticks:
        world.advance(tick, np.full(3, 3.0), np.zeros(3))
    return world.moved(np.arange(3000), np.tile(np.arange(3), (3000, 1)))


def test_a_drift_grows_with_the_root_of_time_and_genres_drift_apart():
    world = many_drifting()
    early = drifts(world, range(1, 10))
    late = drifts(world, range(10, 37))
    for moved, steps in ((early, 9), (late, 36)):
        assert moved[:, :2].std(axis=0) == pytest.approx([0.1 * np.sqrt(steps)] * 2, rel=0.05)
        # half of either genre
        np.testing.assert_allclose(moved[:, 2], moved[:, :2].mean(axis=1))
    assert abs(np.corrcoef(early[:, 0], early[:, 1])[0, 1]) < 4 / np.sqrt(3000)
    step = late - early
    assert abs(np.corrcoef(early[:, 0], step[:, 0])[0, 1]) < 4 / np.sqrt(3000)


def test_each_tick_and_seed_drifts_by_a_draw_of_its_own():
    ticks = [drifts(many_drifting(), [tick])[:, 0] for tick in (1, 2, 17)]
    other = drifts(many_drifting(seed=1), [1])[:, 0]
    for one, two in ((0, 1), (0, 2), (1, 2)):
        assert abs(np.corrcoef(ticks[one], ticks[two])[0, 1]) < 4 / np.sqrt(3000)
    assert abs(np.corrcoef(ticks[0], other)[0, 1]) < 4 / np.sqrt(3000)


def test_who_conforms_drifts_the_less():
    free, half = drifts(many_drifting(), [1]), drifts(many_drifting(conformity=0.5), [1])
    np.testing.assert_allclose(half, free / 2)


def share(society, source):
    return np.mean([(tick == source).mean() for tick in society])


@pytest.mark.parametrize(
    ("settings", "source"),
    [({"tell_chance": 1.0}, FRIEND), ({"trend_chance": 0.5}, TREND)],
    ids=["word of mouth", "trends"],
)
def test_each_influence_reaches_slates_and_can_be_switched_off(make_society, settings, source):
    def sources(social):
        society = make_society(policy=Random, social=social, shocks=(), activation=SteadyShare(0.5))
        seen = []
        for _ in range(6):
            society.step()
            seen.append(society.last.sources)
        return seen

    off = {"tell_chance": 0.0, "trend_chance": 0.0}
    assert share(sources(SocialSettings(**(off | settings))), source) > 0.02
    assert share(sources(SocialSettings.off()), source) == 0


def test_what_is_heard_comes_from_a_friend_who_liked_it(make_society):
    society = make_society(
        social=SocialSettings(tell_chance=1.0, trend_chance=0.0),
        activation=SteadyShare(1.0), shocks=(), policy=Random,
    )  # fmt: skip
    society.step()
    first = society.last
    liked = {u: set(i[r >= 4]) for u, i, r in
             zip(first.users.tolist(), first.slates.items, first.feedback.ratings,
                 strict=True)}  # fmt: skip
    society.step()
    second, found = society.last, 0
    for row, place in np.argwhere(second.sources == FRIEND):
        friends = society.social.friends(int(second.users[row]))
        item = second.slates.items[row, place]
        assert any(item in liked.get(int(friend), ()) for friend in friends)
        found += 1
    assert found > 0


def test_a_viral_item_reaches_people_while_it_lasts(make_society):
    society = make_society(
        social=SocialSettings.off(), activation=SteadyShare(1.0),
        shocks=(Shock("viral", 2, 1, items=(77,), size=0.9),),
    )  # fmt: skip
    shares = []
    for _ in range(3):
        society.step()
        shares.append((society.last.sources == VIRAL).any(axis=1).mean())
    assert shares[0] == shares[2] == 0
    assert shares[1] > 0.4


def test_a_scandal_costs_stars_and_passes(make_society, dataset):
    items = tuple(range(dataset.num_items))
    calm = make_society(shocks=(), activation=SteadyShare(1.0))
    struck = make_society(
        shocks=(Shock("scandal", 2, 1, items=items, size=1.0),), activation=SteadyShare(1.0)
    )
    for society in (calm, struck):
        for _ in range(2):
            society.step()
    before, after = (s.datacollector.model_vars["satisfaction"] for s in (calm, struck))
    assert before[0] == after[0]
    assert after[1] < before[1] - 0.7
    struck.step()
    assert (struck.happenings.effects.shift == 0).all()


def test_herding_moves_the_averages_that_people_see(make_society, play):
    herd = play(make_society(shocks=()), 10)
    alone = play(make_society(shocks=(), settings=SocietySettings(herding=False)), 10)
    first = herd.first_averages.fair
    assert np.abs(herd.averages() - first).max() > 0.1
    np.testing.assert_array_equal(alone.averages(), first)
    assert (herd.world.moved(np.arange(60), np.tile(np.arange(5), (60, 1))) != 0).any()


def test_the_network_seats_people_by_group_and_none_is_possible():
    groups = np.repeat([0, 1], 50)
    graph = draw_network(SocialSettings(friends=6, rewiring=0.0), groups, seed=1)
    same = [groups[a] == groups[b] for a, b in graph.edges]
    assert np.mean(same) > 0.85
    assert nx.number_of_edges(draw_network(SocialSettings.off(), groups, 1)) == 0

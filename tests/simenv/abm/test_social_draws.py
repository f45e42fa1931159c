"""What people hear of from each other, on a ring of five and slates of four."""

import networkx as nx
import numpy as np
import pytest

from simenv.abm.social import (
    FRIEND,
    RECOMMENDED,
    TREND,
    VIRAL,
    Social,
    SocialSettings,
    draw_network,
)
from simenv.events import Feedback, Slates
from simenv.seeding import Channel, Stream, generator, mix, row_seeds, uniforms

NUM_ITEMS = 9
USERS = np.arange(5)
SEEDS = row_seeds(3, USERS, np.ones(5, dtype=np.int64))
ALL = np.ones((5, NUM_ITEMS), dtype=bool)
SLATES = Slates(np.tile([0, 1, 2, 3], (5, 1)), np.tile([4.0, 3.0, 2.0, 1.0], (5, 1)))
SILENT = {"tell_chance": 0.0, "trend_chance": 0.0}


def social(**settings):
    chosen = SocialSettings(**{"friends": 2, "rewiring": 0.0, **SILENT, **settings})
    return Social(chosen, np.zeros(5, dtype=np.int64), NUM_ITEMS, seed=1)


def rated(stars):
    """Feedback (5, 4) of which every star that is not 0 was taken."""
    stars = np.array(stars, dtype=float)
    return Feedback(stars, np.full((*stars.shape, 5), 0.2), stars > 0, np.zeros(5, dtype=bool))


def quiet(**rows):
    """Nobody takes anything but the users given."""
    stars = np.zeros((5, 4))
    for user, values in rows.items():
        stars[int(user[1:])] = values
    return rated(stars)


def mixed(one, users=USERS, allowed=ALL, viral=None):
    part = Slates(SLATES.items[users], SLATES.scores[users])
    return one.mix_in(users, part, SEEDS[users], allowed[users], viral or {})


def test_friends_know_each_other_and_every_acquaintance_is_listed_once():
    one = social()
    for user in USERS.tolist():
        friends = one.friends(user).tolist()
        assert friends == sorted(one.graph.neighbors(user))
        assert len(friends) == 2
        assert all(user in one.friends(friend) for friend in friends)
    edges = one.edges()
    assert edges.shape == (5, 2)
    assert (edges[:, 0] < edges[:, 1]).all()
    assert {frozenset(e) for e in edges.tolist()} == {frozenset(e) for e in one.graph.edges}


def test_all_friends_hear_of_what_somebody_liked_best_and_meet_it_once():
    one = social(tell_chance=1.0)
    items = SLATES.items + 4  # 4 to 7
    one.spread(USERS, items, quiet(u2=[3, 5, 4, 0]), SEEDS)
    slates, sources = mixed(one)
    heard = np.isin(USERS, one.friends(2))
    assert heard.sum() == 2
    expected = np.where(heard[:, None], [0, 1, 2, 5], [0, 1, 2, 3])
    np.testing.assert_array_equal(slates.items, expected)
    np.testing.assert_array_equal(sources[:, :3], RECOMMENDED)
    np.testing.assert_array_equal(sources[:, 3], np.where(heard, FRIEND, RECOMMENDED))
    np.testing.assert_array_equal(slates.scores, SLATES.scores)
    np.testing.assert_array_equal(SLATES.items, np.tile([0, 1, 2, 3], (5, 1)))
    assert (mixed(one)[1] == RECOMMENDED).all(), "it is heard of once"
    assert one.arrays()["heard"].tolist() == [-1] * 5


def test_the_first_item_of_a_catalogue_is_heard_of_like_any():
    one = social(tell_chance=1.0)
    one.load({"heard": np.zeros(5, dtype=int), "trend": np.zeros(NUM_ITEMS)})
    away = Slates(SLATES.items + 4, SLATES.scores)
    slates, sources = one.mix_in(USERS, away, SEEDS, ALL, {})
    assert slates.items[:, 3].tolist() == [0] * 5
    assert (sources[:, 3] == FRIEND).all()


def test_whoever_sleeps_meets_it_when_awake():
    one = social(tell_chance=1.0)
    one.spread(USERS, SLATES.items + 4, quiet(u2=[3, 5, 4, 0]), SEEDS)
    first, second = one.friends(2).tolist()
    assert mixed(one, np.array([first]))[1][0, 3] == FRIEND
    assert mixed(one, np.array([first]))[1][0, 3] == RECOMMENDED
    assert mixed(one, np.array([second]))[1][0, 3] == FRIEND


@pytest.mark.parametrize(("tell_stars", "talks"), [(3.0, True), (3.5, False)])
def test_people_talk_of_what_has_stars_enough(tell_stars, talks):
    one = social(tell_chance=1.0, tell_stars=tell_stars)
    one.spread(USERS, SLATES.items + 4, quiet(u0=[0, 3, 0, 0]), SEEDS)
    assert (mixed(one)[1] == FRIEND).any() == talks


def test_each_friend_hears_of_it_with_the_chance_given():
    one = social(tell_chance=0.3)
    one.spread(USERS, SLATES.items + 4, rated(np.tile([5, 0, 0, 0], (5, 1))), SEEDS)
    expected = np.zeros(5, dtype=bool)
    for teller in USERS.tolist():
        for friend in one.friends(teller).tolist():
            seed = mix(SEEDS[[teller]], np.array([friend]))
            expected[friend] |= uniforms(seed, Channel.WORD_OF_MOUTH, 1)[0, 0] < 0.3
    assert 0 < expected.sum() < 5
    np.testing.assert_array_equal((mixed(one)[1] == FRIEND).any(axis=1), expected)


def test_only_users_awake_talk_and_rows_are_theirs():
    one = social(tell_chance=1.0)
    awake = np.array([4, 1])
    stars = Feedback(*(part[:2] for part in rated([[0, 0, 5, 0], [0] * 4, *[[0] * 4] * 3])))
    one.spread(awake, np.array([[4, 5, 6, 7], [4, 5, 6, 7]]), stars, SEEDS[awake])
    slates, sources = mixed(one)
    np.testing.assert_array_equal(sources[:, 3] == FRIEND, np.isin(USERS, one.friends(4)))
    assert set(slates.items[sources == FRIEND].tolist()) == {6}


def test_a_silent_society_hears_nothing():
    one = social()
    one.spread(USERS, SLATES.items + 4, rated(np.full((5, 4), 5)), SEEDS)
    slates, sources = mixed(one)
    assert (sources == RECOMMENDED).all()
    np.testing.assert_array_equal(slates.items, SLATES.items)


def test_without_friends_nobody_hears_but_trends_go_on():
    one = social(friends=0, tell_chance=1.0, trend_chance=1.0)
    one.spread(USERS, SLATES.items + 4, quiet(u0=[5, 0, 0, 0]), SEEDS)
    assert (mixed(one)[1][:, 3] == TREND).all()


def test_the_trend_is_what_was_taken_most_lately():
    one = social(trend_chance=1.0, trend_memory=0.5)
    items = SLATES.items + 4
    one.spread(
        USERS, items, rated([[1, 0, 0, 2], [1, 0, 0, 0], [1, 0, 0, 0], *[[0] * 4] * 2]), SEEDS
    )
    assert one.arrays()["trend"].tolist() == [0, 0, 0, 0, 3, 0, 0, 1, 0]
    one.spread(USERS, items, rated([[0, 0, 0, 1], *[[0] * 4] * 4]), SEEDS)
    assert one.arrays()["trend"].tolist() == [0, 0, 0, 0, 3 / 2, 0, 0, 1 / 2 + 1, 0]
    one.spread(USERS, items, rated([[0, 0, 0, 1], *[[0] * 4] * 4]), SEEDS)
    slates, sources = mixed(one)
    assert slates.items[:, 3].tolist() == [7] * 5
    assert (sources[:, 3] == TREND).all()


def test_before_anything_is_taken_there_is_no_trend():
    assert (mixed(social(trend_chance=1.0))[1] == RECOMMENDED).all()


def test_trends_and_viral_items_reach_people_with_the_chance_given():
    one = social(trend_chance=0.5)
    one.spread(USERS, SLATES.items + 4, quiet(u0=[5, 0, 0, 0]), SEEDS)
    _, sources = mixed(one, viral={6: 0.4, 8: 0.6})
    trend = uniforms(SEEDS, Channel.TREND, 1)[:, 0] < 0.5
    np.testing.assert_array_equal((sources == TREND).any(axis=1), trend)
    viral = [
        (uniforms(mix(SEEDS, item), Channel.VIRAL, 1)[:, 0] < chance).astype(int)
        for item, chance in ((6, 0.4), (8, 0.6))
    ]
    np.testing.assert_array_equal((sources == VIRAL).sum(axis=1), viral[0] + viral[1])
    assert 0 < trend.sum() < 5


def test_places_are_taken_from_the_end_and_the_first_stays_the_recommenders():
    one = social(tell_chance=1.0, trend_chance=1.0)
    one.spread(USERS, SLATES.items + 4, quiet(u2=[5, 0, 0, 0], u3=[0, 4, 0, 0]), SEEDS)
    one.load({"heard": np.full(5, 5), "trend": np.eye(NUM_ITEMS)[6]})
    slates, sources = mixed(one, viral={7: 1.0, 8: 1.0})
    assert slates.items.tolist() == [[0, 7, 6, 5]] * 5
    assert sources.tolist() == [[RECOMMENDED, VIRAL, TREND, FRIEND]] * 5


def test_what_a_user_may_not_see_or_sees_anyway_takes_no_place():
    one = social(tell_chance=1.0, trend_chance=1.0)
    one.load({"heard": np.array([5, 5, 1, 5, -1]), "trend": np.eye(NUM_ITEMS)[6]})
    allowed = ALL.copy()
    allowed[1, 5] = allowed[3, 6] = False
    slates, _ = mixed(one, allowed=allowed)
    assert slates.items.tolist() == [
        [0, 1, 6, 5],
        [0, 1, 2, 6],  # may not see 5
        [0, 1, 2, 6],  # sees 1 anyway
        [0, 1, 2, 5],  # may not see the trend
        [0, 1, 2, 6],  # heard of nothing
    ]


def test_state_comes_back():
    one, other = (
        social(tell_chance=1.0, trend_chance=1.0),
        social(tell_chance=1.0, trend_chance=1.0),
    )
    one.spread(USERS, SLATES.items + 4, quiet(u2=[5, 0, 0, 0]), SEEDS)
    other.load(one.arrays())
    for (a, b), (c, d) in zip([mixed(one)], [mixed(other)], strict=True):
        np.testing.assert_array_equal(a.items, c.items)
        np.testing.assert_array_equal(b, d)


def test_the_network_is_a_small_world_of_people_seated_by_group():
    groups = np.array([1, 0, 1, 0, 1, 0, 0, 1])
    settings = SocialSettings(friends=4, rewiring=0.3)
    graph = draw_network(settings, groups, seed=6)
    seats = generator(6, Stream.NETWORK).permutation(8).tolist()
    seats = [u for u in seats if groups[u] == 0] + [u for u in seats if groups[u] == 1]
    ring = nx.watts_strogatz_graph(8, 4, 0.3, seed=6)
    expected = {frozenset((seats[a], seats[b])) for a, b in ring.edges}
    assert {frozenset(edge) for edge in graph.edges} == expected


@pytest.mark.parametrize(("friends", "num_edges"), [(0, 0), (1, 0), (2, 5), (3, 5), (9, 5 * 4 / 2)])
def test_nobody_has_more_friends_than_there_are_others(friends, num_edges):
    graph = draw_network(SocialSettings(friends=friends, rewiring=0.0), np.zeros(5, int), seed=0)
    assert sorted(graph.nodes) == USERS.tolist()
    assert graph.number_of_edges() == num_edges, "as many on either side: an odd number is one less"


def test_people_know_eight_others_and_talk_a_little_unless_said_otherwise():
    assert SocialSettings() == SocialSettings(8, 0.1, 0.1, 4.0, 0.1, 0.8)
    assert SocialSettings.off() == SocialSettings(0, 0.1, 0.0, 4.0, 0.0, 0.8)


@pytest.mark.parametrize("name", ["rewiring", "tell_chance", "trend_chance", "trend_memory"])
@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_shares_and_chances_lie_in_0_to_1(name, value):
    with pytest.raises(ValueError, match=rf"wanted {name} in \[0, 1\], got {value}"):
        SocialSettings(**{name: value})
    assert getattr(SocialSettings(**{name: 0}), name) == 0
    assert getattr(SocialSettings(**{name: 1}), name) == 1

"""Influences at their rates and independent of each other; draw by draw stands beside."""

import numpy as np
import pytest

from simenv.abm.activation import SteadyShare
from simenv.abm.social import TREND, VIRAL, Social, SocialSettings
from simenv.events import Feedback, Slates
from simenv.seeding import row_seeds

NUM, ITEMS = 6000, 6100
USERS = np.arange(NUM)
NOISE = 4 / np.sqrt(NUM)  # four standard errors of a share of NUM draws, at most
HOT, NEW, OTHER = 7, 8, 9  # the item of the day and two viral ones


def society_of(num_users=NUM, seed=1, **settings):
    quiet = {"friends": 0, "tell_chance": 0.0, "trend_chance": 0.0}
    chosen = SocialSettings(**(quiet | settings))
    return Social(chosen, np.zeros(num_users, dtype=int), ITEMS, seed)


def slates(num_users=NUM, k=5):
    return Slates(np.tile(np.arange(100, 100 + k), (num_users, 1)), np.zeros((num_users, k)))


def allowed(num_users=NUM):
    return np.ones((num_users, ITEMS), dtype=bool)


def answers(ratings):
    """Feedback with these ratings (n, k); 0 = not taken."""
    n, k = ratings.shape
    return Feedback(ratings, np.full((n, k, 5), 0.2), ratings > 0, np.zeros(n, dtype=bool))


def watched(social, items, seeds=None):
    """One user takes ``items``, all of 5 stars."""
    users = np.zeros(1, dtype=int)
    seeds = row_seeds(0, users, users) if seeds is None else seeds
    social.spread(users, np.array([items]), answers(np.full((1, len(items)), 5.0)), seeds)


def met(items, item):
    return (items == item).any(axis=1)


def correlation(one, other):
    return abs(np.corrcoef(one, other)[0, 1])


def test_trends_and_viral_items_reach_people_at_their_rates_and_independently():
    social = society_of(trend_chance=0.3)
    watched(social, [HOT])
    shown, sources = social.mix_in(
        USERS, slates(), row_seeds(1, USERS, USERS * 0 + 4), allowed(), {NEW: 0.4, OTHER: 0.6}
    )
    hot, new, other = (met(shown.items, item) for item in (HOT, NEW, OTHER))
    for reached, chance in ((hot, 0.3), (new, 0.4), (other, 0.6)):
        assert reached.mean() == pytest.approx(chance, abs=NOISE / 2)
    assert correlation(hot, new) < NOISE
    assert correlation(hot, other) < NOISE
    assert correlation(new, other) < NOISE
    assert ((sources == TREND).any(axis=1) == hot).all()
    assert ((sources == VIRAL).sum(axis=1) == new.astype(int) + other).all()


def test_who_comes_says_nothing_of_what_they_meet():
    steady = SteadyShare(0.3)
    steady.start(1, np.full(NUM, 2))
    users = steady.awake(4, 1.0)
    social = society_of(trend_chance=0.3)
    watched(social, [HOT])
    seeds = row_seeds(1, users, np.full(len(users), 4))
    shown, _ = social.mix_in(
        users, slates(len(users)), seeds, allowed(len(users)), {NEW: 0.3}
    )  # the same chance as that of coming, so that a shared draw would reach everybody
    for item in (HOT, NEW):
        assert met(shown.items, item).mean() == pytest.approx(0.3, abs=0.05)


def test_word_of_mouth_is_independent_of_an_item_with_a_friends_number():
    social = society_of(60, friends=8, rewiring=0.0, tell_chance=0.5)
    listener, everybody = 5, np.arange(60)
    told, reached = [], []
    for tick in range(150):
        seeds = row_seeds(1, everybody, np.full(60, tick))
        shown, _ = social.mix_in(everybody, slates(60), seeds, allowed(60), {listener: 0.5})
        for teller in social.friends(listener):
            social.arrays()["heard"][:] = -1
            row = np.array([teller])
            social.spread(row, np.array([[HOT]]), answers(np.array([[5.0]])), seeds[row])
            told.append(social.arrays()["heard"][listener] == HOT)
            reached.append(met(shown.items[row], listener)[0])
    assert np.mean(told) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(told)))
    assert np.mean(reached) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(told)))
    assert correlation(told, reached) < 4 / np.sqrt(len(told))


def test_a_good_rating_reaches_each_friend_at_the_rate_that_is_set():
    social = society_of(NUM, friends=8, rewiring=0.0, tell_chance=0.2, tell_stars=4.0)
    tellers = USERS[::10]
    seeds = row_seeds(1, tellers, tellers * 0)
    ratings = np.tile([3.0, 4.0, 0.0], (len(tellers), 1))
    ratings[1::2, 1] = 3.5  # every other teller liked nothing enough
    items = np.tile([100, HOT, 102], (len(tellers), 1))
    social.spread(tellers, items, answers(ratings), seeds)
    heard = social.arrays()["heard"]
    assert set(heard.tolist()) == {-1, HOT}  # the best of the slate, nothing else
    friends = np.concatenate([social.friends(int(teller)) for teller in tellers[::2]])
    listeners, num_tellers = np.unique(friends, return_counts=True)
    reached = heard[listeners] == HOT
    assert reached[num_tellers == 1].mean() == pytest.approx(0.2, abs=0.03)
    assert reached[num_tellers == 2].mean() == pytest.approx(1 - 0.8**2, abs=0.08)
    assert (heard[np.setdiff1d(USERS, listeners)] == -1).all()


def test_what_is_shown_but_not_taken_makes_no_trend_and_no_talk():
    social = society_of(10, friends=4, tell_chance=1.0, trend_chance=0.5)
    users = np.zeros(1, dtype=int)
    social.spread(users, np.array([[1, 2]]), answers(np.zeros((1, 2))), row_seeds(0, users, users))
    assert not social.arrays()["trend"].any()
    assert (social.arrays()["heard"] == -1).all()


def test_everybody_has_about_the_set_number_of_friends_and_they_are_mutual():
    social = society_of(200, friends=6, rewiring=0.2)
    degrees = [len(social.friends(user)) for user in range(200)]
    assert np.mean(degrees) == 6.0
    edges = social.edges()
    assert len(edges) == 600
    assert (edges[:, 0] < edges[:, 1]).all()
    for one, other in edges[::20]:
        assert other in social.friends(one)
        assert one in social.friends(other)


def test_another_seed_makes_other_friends():
    one, same, other = (society_of(60, seed=s, friends=4).edges() for s in (1, 1, 2))
    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()

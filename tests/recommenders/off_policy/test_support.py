import numpy as np
import pytest

from recommenders.off_policy.support import check_support
from recommenders.off_policy.weighing import LoggedSlates
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Popularity, Random
from recommenders.policies.linear_bandits import LinTS
from simenv.events import InteractionLog, Slates
from simenv.observation import cold_observation

LOG = InteractionLog.from_columns(
    [0, 1, 2, 3, 3], [0, 0, 0, 1, 0], [5.0, 4.0, 4.0, 3.0, 4.0], num_users=40, num_items=6
)
SEEN = cold_observation(np.arange(4, 40))  # who met nothing


def logged(policy, k=2):
    slates = policy.fit(LOG).recommend(SEEN, k, np.random.default_rng(0))
    return LoggedSlates(SEEN, slates, np.zeros(slates.items.shape)), np.ones((36, 6), dtype=bool)


def test_a_log_speaks_of_its_own_policy_without_reserve():
    log, candidates = logged(Random())
    found = check_support(Random().fit(LOG), log, candidates)
    assert found == (0.0, 0.0, pytest.approx(1 / 6), 1.0, 72.0, ())
    assert found.is_enough


def test_weights_are_chances_over_logged_ones_and_their_size_is_kishs():
    log, candidates = logged(Random())
    found = check_support(Popularity().fit(LOG), log, candidates)
    hits = int((log.slates.items == np.array([0, 1])).sum())  # it always shows 0, then 1
    assert found.never == pytest.approx(1 - hits / 72)
    assert found.largest_weight == pytest.approx(6)
    assert found.effective_size == pytest.approx(hits)


def test_a_policy_that_shows_what_could_not_be_shown_has_no_support():
    log, candidates = logged(Random())
    candidates[np.arange(36)[:, None], :] = False
    np.put_along_axis(candidates, log.slates.items, True, axis=1)
    found = check_support(Popularity().fit(LOG), log, candidates)
    assert found.outside > 0
    assert not found.is_enough
    assert "of the policy's slates hold an item that could not have been shown" in found.problems[0]


def test_a_deterministic_log_says_nothing_of_another_policy():
    log, candidates = logged(Popularity())
    other = EpsilonGreedy(epsilon=0.0)
    other = other.fit(InteractionLog.from_columns([0], [5], [5.0], num_users=40, num_items=6))
    found = check_support(other, log, candidates)
    assert "would show nothing of what was logged" in " ".join(found.problems)


def test_logs_that_cannot_be_judged_are_refused_with_the_cure():
    log, candidates = logged(Random())
    bare = LoggedSlates(SEEN, Slates(log.slates.items, log.slates.scores), log.rewards)
    with pytest.raises(ValueError, match="a log with propensities, got None; log with a policy"):
        check_support(Random().fit(LOG), bare, candidates)
    with pytest.raises(ValueError, match="pass the log's own candidates"):
        check_support(Random().fit(LOG), log, ~candidates)
    with pytest.raises(ValueError, match="pass the log's own candidates"):
        check_support(Random().fit(LOG), log, candidates[:3])
    with pytest.raises(ValueError, match="draws and cannot say its propensities"):
        check_support(LinTS().fit(LOG), log, candidates)

import itertools

import numpy as np
import pytest

from recommenders.base import Recommender, cold_observation
from recommenders.off_policy.estimators import estimate_policy
from recommenders.off_policy.intervals import Estimate
from recommenders.off_policy.weighing import LoggedSlates
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Popularity, Random
from recommenders.policies.linear_bandits import LinTS
from simenv.events import InteractionLog, Slates

pytestmark = pytest.mark.filterwarnings("ignore::recommenders.off_policy.intervals.OverlapWarning")

M, K = 4, 2
# Everybody has seen item 4; item 1 is more popular than the rest, so Popularity shows 1, 0.
LOG = InteractionLog.from_columns(
    [*range(13), 13], [4] * 13 + [1], [4] * 14, num_users=14, num_items=M + 1
)
ALL_SLATES = np.array(list(itertools.permutations(range(M), K)))
TERMS = np.random.default_rng(0).normal(size=(K, M))  # what an item adds at a place


def every_slate_once() -> tuple[dict, Slates]:
    chances = np.full(ALL_SLATES.shape, 1 / M)
    observation = cold_observation(np.arange(len(ALL_SLATES)))
    return observation, Slates.of_items(ALL_SLATES)._replace(propensities=chances)


def pseudo_inverse(policy: Recommender, *logged: object, **settings: float) -> Estimate:
    return estimate_policy(policy, LoggedSlates(*logged), ["PI"], **settings)["PI"]


@pytest.mark.parametrize(
    "policy", [Popularity(), Random(), EpsilonGreedy(epsilon=0.3)], ids=lambda p: p.name
)
def test_it_is_exact_on_average_for_additive_rewards(policy: Recommender) -> None:
    policy.fit(LOG)
    observation, slates = every_slate_once()
    rewards = TERMS[[0, 1], slates.items].sum(axis=1)
    newcomer = cold_observation(np.array([0]))
    truth = sum(
        policy.propensities(newcomer, np.full((1, K), item))[0] @ TERMS[:, item]
        for item in range(M)
    )
    assert pseudo_inverse(policy, observation, slates, rewards).value == pytest.approx(truth)


def test_weights_are_those_of_the_matrix() -> None:
    observation, slates = every_slate_once()
    shown = np.zeros((len(ALL_SLATES), K, M))
    for row, items in enumerate(ALL_SLATES):
        shown[row, [0, 1], items] = 1
    flat = shown.reshape(len(shown), -1)
    inverse = np.linalg.pinv(flat.T @ flat / len(flat))
    wanted = np.zeros((K, M))
    wanted[[0, 1], [1, 0]] = 1
    expected = flat @ inverse @ wanted.ravel()
    policy = Popularity().fit(LOG)
    for row in range(len(flat)):
        one = {key: value[[row]] for key, value in observation.items()}
        slate = Slates(*(part[[row]] for part in slates))
        found = pseudo_inverse(policy, one, slate, np.ones(1)).value
        assert found == pytest.approx(expected[row])


def test_one_place_is_inverse_propensity() -> None:
    policy = Popularity().fit(LOG)
    items = np.arange(M)[:, None]
    slates = Slates.of_items(items)._replace(propensities=np.full((M, 1), 1 / M))
    observation = cold_observation(np.arange(M))
    rewards = np.array([3.0, 1.0, 4.0, 1.5])
    log = LoggedSlates(observation, slates, rewards[:, None])
    expected = estimate_policy(policy, log, ["IPS"])["IPS"]
    found = pseudo_inverse(policy, observation, slates, rewards)
    assert found[:5] == pytest.approx(expected[:5])
    assert found.notes == expected.notes
    half = pseudo_inverse(policy, observation, slates, rewards, confidence=0.5)
    assert half[:3] == pytest.approx(
        estimate_policy(policy, log, ["IPS"], confidence=0.5)["IPS"][:3]
    )


def test_one_item_more_than_places_is_the_matrix_too() -> None:
    """Three unseen items on two places: the policy's slate against each of the six."""
    log = InteractionLog.from_columns(
        [*range(7), 7], [3] * 7 + [1], [4] * 8, num_users=8, num_items=4
    )
    policy, slates = Popularity().fit(log), np.array(list(itertools.permutations(range(3), 2)))
    flat = np.stack([np.concatenate([np.eye(3)[a], np.eye(3)[b]]) for a, b in slates])
    wanted = np.concatenate([np.eye(3)[1], np.eye(3)[0]])  # shows 1, then 0
    expected = flat @ np.linalg.pinv(flat.T @ flat / 6) @ wanted
    shown = Slates.of_items(slates)._replace(propensities=np.full((6, 2), 1 / 3))
    for row in range(6):
        one = Slates(*(part[[row]] for part in shown))
        found = pseudo_inverse(policy, cold_observation(np.array([row])), one, np.ones(1))
        assert found.value == pytest.approx(expected[row])


def test_what_it_cannot_value_names_the_cure() -> None:
    observation, slates = every_slate_once()
    rewards = np.ones(len(ALL_SLATES))
    skewed = slates._replace(propensities=np.full(ALL_SLATES.shape, 0.5))
    for bad in (skewed, slates._replace(propensities=None)):
        with pytest.raises(ValueError, match=r"wants uniform slates .* log with Random fitted on"):
            pseudo_inverse(Popularity().fit(LOG), observation, bad, rewards)
    with pytest.raises(ValueError, match=r"LinTS draws and cannot say its propensities"):
        pseudo_inverse(LinTS().fit(LOG), observation, slates, rewards)

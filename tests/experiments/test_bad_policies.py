"""A policy that shows what it must not is named with the user and the cure; the others go on."""

import re

import numpy as np
import pytest

from experiments.people.people import true_users
from experiments.tournament.playing import play
from experiments.tournament.setting import Setting
from recommenders.policies.heuristics import Popularity
from simenv.data.synthetic import synthetic
from simenv.env.vector_env import RecVectorEnv
from simenv.events import Slates


class Bad(Popularity):
    """Spoils good slates in one way."""

    def __init__(self, fault):
        super().__init__()
        self.fault = fault

    def recommend(self, observation, k, rng):
        good = super().recommend(observation, k, rng)
        items, scores = good.items.copy(), good.scores.copy()
        if self.fault == "twice":
            items[1, 1] = items[1, 0]
        if self.fault == "nan":
            scores = scores.astype(float)
            scores[1, 0] = np.nan
        if self.fault == "seen":
            items[1, 0] = np.flatnonzero(self.seen(observation["user"], observation)[1])[0]
        if self.fault == "unknown":
            items[1, 0] = self.log.num_items
        if self.fault == "few":
            items = items[:, :-1]
        return Slates(items, scores, good.propensities)


FAULTS = {
    "twice": "policy bad shows an item twice in one slate, first for user 1 .* without replacement",
    "nan": "policy bad gives scores that are no numbers, first for user 1 .* replace NaN",
    "seen": "policy bad shows items that the user has met already, first for user 1 .* mask",
    "unknown": r"policy bad shows items outside \[0, 120\), first for user 1 .* the catalogue",
    "few": r"policy bad wanted 5 items for each of 8 users.*got slates of shape \(8, 4\)",
}


def test_an_unfittable_policy_is_named_and_the_others_go_on():
    class Unfittable(Popularity):
        def _fit(self, log):
            raise np.linalg.LinAlgError("singular matrix")

    dataset = synthetic(3, num_users=24, num_items=120)
    setting = Setting(
        dataset, np.arange(8), RecVectorEnv, 3, true_users(dataset), None, 0, 10, 1.0
    )  # fmt: skip
    makers = {"bad": Unfittable, "good": Popularity}
    (bad, good), _ = play(makers, setting, lambda text, advance=0: None)
    assert bad.error["phase"] == "fit"
    assert re.search(
        r"policy Unfittable could not be fitted .* singular matrix; check its arguments, or leave",
        bad.error["message"],
    )
    assert good.simulated is not None


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_slate_is_an_error_with_policy_user_and_cure(fault):
    dataset = synthetic(3, num_users=24, num_items=120)
    setting = Setting(
        dataset, np.arange(8), RecVectorEnv, 3, true_users(dataset), None, 0, 10, 1.0
    )  # fmt: skip
    makers = {"bad": lambda: Bad(fault), "good": Popularity}
    (bad, good), _ = play(makers, setting, lambda text, advance=0: None)
    assert good.error is None
    assert good.simulated is not None
    assert bad.simulated is None
    with pytest.raises(ValueError, match=FAULTS[fault]):
        raise ValueError(bad.error["message"])

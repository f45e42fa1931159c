"""A fork: the same users from the same moment, and nothing else differs."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hydra import compose, initialize_config_module

from experiments.counterfactual.fork import Branch, Fork, fork
from experiments.counterfactual.run import _compared, pooled, run
from experiments.people.people import true_users
from experiments.reporting.running import perform
from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.ease import EASE
from recommenders.policies.heuristics import Popularity, Random
from simenv.data.synthetic import synthetic
from simenv.env.vector_env import RecVectorEnv

USERS = np.arange(20)


@pytest.fixture(scope="module")
def dataset():
    return synthetic(2, num_users=20, num_items=120)


@pytest.fixture
def env(dataset):
    return RecVectorEnv(
        true_users(dataset), dataset.catalog, num_envs=20, max_episode_steps=6,
        autoreset_mode=AutoresetMode.DISABLED,
    )  # fmt: skip


def fitted(dataset, **kinds):
    return {
        name: kind.meet_catalog(dataset.catalog).fit(dataset.train) for name, kind in kinds.items()
    }


def test_two_branches_of_one_policy_are_the_same(env, dataset):
    policies = fitted(dataset, a=Popularity(), b=Popularity())
    found = fork(env, "a", policies, USERS, switch_at=2, seed=0)
    for mine, other in zip(found.branches["a"], found.branches["b"], strict=True):
        assert np.array_equal(mine, other, equal_nan=True)


def test_what_begins_is_told_in_order(env, dataset):
    policies, told = fitted(dataset, a=Popularity(), b=Random()), []
    fork(env, "a", policies, USERS, switch_at=2, seed=0, on_branch=told.append)
    assert told == ["a until the switch", "a", "b"]


class Watching(Popularity):
    """Keeps the users and the mean expected stars of every slate it showed."""

    shown: list = []  # noqa: RUF012 - shared with the copies that a fork makes

    def update(self, observation, slates, feedback):
        self.shown.append((observation["user"], feedback.expected.mean(axis=1)))


def test_a_branch_holds_mean_stars_and_number_of_the_slates_after_the_switch(env, dataset):
    Watching.shown.clear()
    policies = fitted(dataset, pop=Popularity(), watching=Watching())
    branch = fork(env, "pop", policies, USERS, switch_at=2, seed=0).branches["watching"]
    stars = [[] for _ in USERS]
    for users, means in Watching.shown:
        for user, mean in zip(users, means, strict=True):
            stars[user].append(mean)
    there = np.array([len(own) > 0 for own in stars])
    assert there.any()
    assert branch.slates[there].tolist() == [len(own) for own in stars if own]
    assert branch.stars[there] == pytest.approx([np.mean(own) for own in stars if own])
    assert np.isnan(branch.stars[~there]).all()


def test_branches_do_not_depend_on_their_order(env, dataset):
    policies = fitted(dataset, pop=Popularity(), ease=EASE(), random=Random())
    one = fork(env, "pop", policies, USERS, switch_at=2, seed=0)
    turned = dict(reversed(policies.items()))
    other = fork(env, "pop", turned, USERS, switch_at=2, seed=0)
    for name in policies:
        assert np.array_equal(one.branches[name].stars, other.branches[name].stars, equal_nan=True)


def test_users_who_left_before_the_switch_are_in_no_branch(env, dataset):
    found = fork(env, "random", fitted(dataset, random=Random()), USERS, switch_at=5, seed=3)
    assert not found.there.all()
    assert np.isnan(found.branches["random"].slates[~found.there]).all()
    assert np.isfinite(found.branches["random"].stars[found.there]).all()


def test_a_learner_that_stays_keeps_what_it_learnt_and_the_given_one_is_unchanged(env, dataset):
    policies = fitted(dataset, learner=EpsilonGreedy(), fresh=EpsilonGreedy())
    found = fork(env, "learner", policies, USERS, switch_at=4, seed=0)
    mine, fresh = found.branches["learner"].stars, found.branches["fresh"].stars
    assert not np.array_equal(mine, fresh, equal_nan=True)
    again = fork(env, "learner", policies, USERS, switch_at=4, seed=0)
    assert np.array_equal(again.branches["learner"].stars, mine, equal_nan=True)


def test_a_switch_must_fall_inside_a_session(env, dataset):
    policies = fitted(dataset, a=Popularity())
    with pytest.raises(ValueError, match="switch_at between 1 and 5 slates, got 6"):
        fork(env, "a", policies, USERS, switch_at=6, seed=0)
    with pytest.raises(ValueError, match=r"before to be one of \['a'\], got 'b'"):
        fork(env, "b", policies, USERS, switch_at=2, seed=0)


def test_who_comes_first_must_be_one_of_the_policies_and_is_known_before_the_data(tmp_path):
    words = ["data=custom", "data.path=nobody.csv", "recommender=[random,ease]"]
    with initialize_config_module("conf", version_base="1.3"):
        cfg = compose("config", ["experiment=counterfactual", *words, f"output_dir={tmp_path}"])
    with pytest.raises(
        ValueError, match=r"experiment\.before wanted one of random, ease, got popularity"
    ):
        run(cfg)


def test_the_experiment_names_the_best_policy_after_the_switch(tmp_path):
    words = ["experiment=counterfactual", "debug=tiny", "users=scripted", "num_users=24"]
    words += ["experiment.switch_at=1", "experiment.before=random", "recommender=[random,ease]"]
    with initialize_config_module("conf", version_base="1.3"):
        found = perform(compose("config", [*words, f"output_dir={tmp_path}"]))
    assert list(found["after"]) == ["ease", "random"]
    assert found["after"]["ease"]["difference"] > 0
    assert found["after"]["random"]["difference"] is None
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# After 1 slates, better than staying with random: ease (+")


def test_branches_are_paired_with_staying_over_the_users_still_there():
    gone = np.nan
    stay, other = np.array([3.0, 3.0, 2.0, gone]), np.array([3.5, 4.5, 3.0, gone])
    found = _compared(
        Fork(
            np.array([True, True, True, False]),
            {
                "stay": Branch(stay, np.array([1.0, 2.0, 3.0, gone])),
                "switch": Branch(other, np.array([2.0, 2.0, 3.0, gone])),
            },
        ),
        "stay",
    )
    assert list(found) == ["switch", "stay"]
    assert found["switch"]["stars"] == round(11 / 3, 6)
    wide = 4.302652729696142 * np.std([3.5, 4.5, 3.0], ddof=1) / np.sqrt(3)
    assert found["switch"]["ci95"] == [round(11 / 3 - wide, 6), round(11 / 3 + wide, 6)]
    assert found["switch"]["slates"] == round(7 / 3, 6)
    assert found["switch"]["difference"] == 1.0
    half = 4.302652729696142 * 0.5 / np.sqrt(3)  # Student's t, 97.5 %, 2 degrees; of 0.5, 1.5, 1
    assert found["switch"]["difference_ci95"] == [round(1 - half, 6), round(1 + half, 6)]
    t = 1.0 / (0.5 / np.sqrt(3))
    assert found["switch"]["p_holm"] == pytest.approx(1 - t / np.sqrt(2 + t**2), abs=1e-6)
    assert found["stay"]["difference"] is found["stay"]["p_holm"] is None


def test_under_two_views_a_user_is_the_mean_of_both_and_must_be_there_in_both():
    gone = np.nan
    here = np.array([True, True, False])
    one = Fork(here, {"a": Branch(np.array([3.0, 2.0, gone]), np.array([1.0, 2.0, gone]))})
    other = Fork(~here | [True, False, False],
                 {"a": Branch(np.array([4.0, gone, 5.0]), np.array([3.0, gone, 1.0]))})  # fmt: skip
    both = pooled([one, other])
    assert both.there.tolist() == [True, False, False]
    np.testing.assert_array_equal(both.branches["a"].stars, [3.5, gone, gone])
    np.testing.assert_array_equal(both.branches["a"].slates, [2.0, gone, gone])

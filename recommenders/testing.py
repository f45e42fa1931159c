"""What every policy must keep, as tests: subclass ``RecommenderContract`` and give ``make_policy``.

Needs pytest, and ships with the package so that an author of a policy has the tests::

    class TestMine(RecommenderContract):
        @pytest.fixture
        def make_policy(self):
            return lambda: MyPolicy(factors=8)
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommenders.base import Observation, Recommender, cold_observation
from recommenders.slate_checks import check_slates
from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.data.splits import split_dataset
from simenv.events import Feedback, IntArray, InteractionLog, Slates
from simenv.observation import take_rows

NUM_USERS, NUM_ITEMS, K = 24, 30, 5  # of the small world that policies are tested in

MakePolicy = Callable[[], Recommender]


def contract_log(seed: int = 0) -> InteractionLog:
    """A third of all cells rated; user 0 gave only low stars, user 1 has no row at all."""
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((NUM_USERS, NUM_ITEMS)) < 0.35)
    order = rng.permutation(len(users))
    users, items = users[order], items[order]
    ratings = rng.integers(1, 6, len(users)).astype(float)
    ratings[users == 0] = 2.0
    kept = users != 1
    times = np.arange(len(users)) * 3_600
    columns = (column[kept] for column in (users, items, ratings, times))
    return InteractionLog.from_columns(*columns, num_users=NUM_USERS, num_items=NUM_ITEMS)


def contract_catalog() -> Catalog:
    """Thirty items, each of one or two of three genres."""
    names = ("Comedy", "Drama", "War")
    genres = tuple((names[i % 3], names[(i + 1) % 3])[: 1 + i % 2] for i in range(NUM_ITEMS))
    return Catalog(tuple(f"Item {i}" for i in range(NUM_ITEMS)), np.zeros(NUM_ITEMS, int), genres)


def session_observation() -> Observation:
    """All users; each has met items 0 and 1 in this session, liked one, and has an empty place."""
    observation = cold_observation(np.arange(NUM_USERS), history_length=3)
    observation["history_items"][:, 1:] = [0, 1]
    observation["history_ratings"][:, 1:] = [5.0, 2.0]
    return observation


def slates_of(slates: Slates, index: IntArray) -> Slates:
    """Some rows of slates."""
    parts: Any = (None if part is None else part[index] for part in slates)
    return Slates(*parts)


def some_feedback(slates: Slates) -> Feedback:
    """Everything taken but the last place; stars follow from the item."""
    n, k = slates.items.shape
    ratings = np.asarray(1.0 + (slates.items % 5), dtype=np.float64)
    ratings[:, -1] = 0.0
    return Feedback(ratings, np.full((n, k, 5), 0.2), ratings > 0, np.zeros(n, bool))


def shown(policy: Recommender, observation: Observation | None = None, seed: int = 7) -> Slates:
    """Slates for ``observation``, or for everybody in the midst of a session."""
    observation = session_observation() if observation is None else observation
    return policy.recommend(observation, K, np.random.default_rng(seed))


def assert_same(left: Slates, right: Slates) -> None:
    """Items, scores and chances are equal to the last bit."""
    for name, a, b in zip(Slates._fields, left, right, strict=True):
        assert (a is None) == (b is None), name
        if a is not None:
            np.testing.assert_array_equal(a, b, err_msg=name)


class RecommenderContract:
    """The laws; ``make_policy`` returns a function that makes a new, unfitted policy."""

    @pytest.fixture
    def make_policy(self) -> MakePolicy:
        pytest.fail(f"{type(self).__name__} wants a fixture make_policy; see RecommenderContract")

    @pytest.fixture
    def policy(self, make_policy: MakePolicy) -> Recommender:
        return make_policy().meet_catalog(contract_catalog()).fit(contract_log())

    def test_slates_are_distinct_unseen_and_sorted(self, policy: Recommender) -> None:
        observation = session_observation()
        slates = shown(policy, observation)
        check_slates(policy.name, policy, observation, slates, K)
        assert slates.items.dtype == np.int64
        assert (np.diff(slates.scores, axis=1) <= 0).all()

    def test_seen_is_the_log_and_the_session(self, policy: Recommender) -> None:
        seen = policy.seen(np.arange(NUM_USERS), session_observation())
        expected = policy.log.to_csr().toarray() > 0
        expected[:, [0, 1]] = True
        np.testing.assert_array_equal(seen, expected)

    def test_a_row_alone_equals_the_row_in_a_batch(self, policy: Recommender) -> None:
        observation = session_observation()
        batch = shown(policy, observation)
        for user in range(NUM_USERS):
            alone = shown(policy, take_rows(observation, np.array([user])))
            assert_same(alone, slates_of(batch, np.array([user])))

    def test_order_and_repeats_of_users_do_not_matter(self, policy: Recommender) -> None:
        index = np.array([5, 3, 3, 23, 0])
        observation = session_observation()
        batch = shown(policy, observation)
        mixed = shown(policy, take_rows(observation, index))
        assert_same(mixed, slates_of(batch, index))

    def test_the_same_generator_state_gives_the_same_slates(self, policy: Recommender) -> None:
        assert_same(shown(policy, seed=3), shown(policy, seed=3))

    def test_only_policies_that_draw_depend_on_the_generator(self, policy: Recommender) -> None:
        first = shown(policy, seed=0).items
        same = all(np.array_equal(first, shown(policy, seed=s).items) for s in range(1, 9))
        assert same == (not policy.draws)

    def test_recommending_changes_neither_observation_nor_policy(self, policy: Recommender) -> None:
        observation = session_observation()
        first = shown(policy, observation)
        np.testing.assert_equal(dict(observation), dict(session_observation()))
        assert_same(first, shown(policy, observation))

    def test_propensities_lie_in_0_1(self, policy: Recommender) -> None:
        chances = shown(policy).propensities
        if chances is not None:
            assert chances.shape == (NUM_USERS, K)
            assert ((chances > 0) & (chances <= 1)).all()

    def test_propensities_of_all_items_sum_to_1_at_every_place(self, policy: Recommender) -> None:
        observation = session_observation()
        total = np.zeros((NUM_USERS, 2))
        for item in range(NUM_ITEMS):
            chances = policy.propensities(observation, np.full((NUM_USERS, 2), item))
            if chances is None:
                assert policy.draws
                return
            total += chances
        np.testing.assert_allclose(total, 1.0, atol=1e-9)

    def test_prefix_propensities_are_a_chain_of_chances(self, policy: Recommender) -> None:
        observation = session_observation()
        items = shown(policy, observation).items[:, :2].copy()
        prefixes = policy.prefix_propensities(observation, items)
        if prefixes is None:
            assert policy.draws
            return
        first = np.asarray(policy.propensities(observation, items))[:, 0]
        np.testing.assert_allclose(prefixes[:, 0], first, atol=1e-12)
        total = np.zeros(NUM_USERS)
        for item in range(NUM_ITEMS):  # whatever comes second, the first has come with its chance
            items[:, 1] = item
            total += np.asarray(policy.prefix_propensities(observation, items))[:, 1]
        np.testing.assert_allclose(total, first, atol=1e-9)

    def test_a_saved_policy_recommends_as_before(self, policy: Recommender, tmp_path: Path) -> None:
        policy.save(tmp_path / "policy.npz")
        for kind in (Recommender, type(policy)):
            loaded = kind.load(tmp_path / "policy.npz")
            assert type(loaded) is type(policy)
            assert loaded.name == policy.name
            assert_same(shown(loaded), shown(policy))

    def test_update_changes_only_policies_that_learn_online(
        self, policy: Recommender, make_policy: MakePolicy, tmp_path: Path
    ) -> None:
        untouched = make_policy().meet_catalog(contract_catalog()).fit(contract_log())
        observation = session_observation()
        for _ in range(3):
            slates = shown(policy, observation)
            policy.update(observation, slates, some_feedback(slates))
        same = np.array_equal(shown(policy).scores, shown(untouched).scores)
        assert same == (not policy.learns_online)
        policy.save(tmp_path / "updated.npz")
        loaded = type(policy).load(tmp_path / "updated.npz")
        assert_same(shown(loaded), shown(policy))
        for learner in (policy, loaded):  # what is learnt next must not depend on a restart
            learner.update(observation, slates, some_feedback(slates))
        assert_same(shown(loaded), shown(policy))

    def test_refit_forgets_the_first_log(
        self, policy: Recommender, make_policy: MakePolicy
    ) -> None:
        slates = shown(policy)
        policy.update(session_observation(), slates, some_feedback(slates))
        policy.fit(contract_log(seed=1))
        fresh = make_policy().meet_catalog(contract_catalog()).fit(contract_log(seed=1))
        assert_same(shown(policy), shown(fresh))

    def test_fitting_changes_no_row_of_the_log(self, make_policy: MakePolicy) -> None:
        log, untouched = contract_log(), contract_log()
        make_policy().meet_catalog(contract_catalog()).fit(log)
        for name in ("users", "items", "ratings", "timestamps"):
            np.testing.assert_array_equal(getattr(log, name), getattr(untouched, name))

    def test_rows_after_the_split_change_nothing(self, make_policy: MakePolicy) -> None:
        def fitted(flip: bool) -> Recommender:
            data = self._dataset(flip)
            return make_policy().meet_catalog(data.catalog).fit(data.train)

        cold = cold_observation(np.arange(NUM_USERS))
        assert_same(shown(fitted(False), cold), shown(fitted(True), cold))

    @staticmethod
    def _dataset(flip: bool) -> Dataset:
        log = contract_log()
        names = tuple(str(u) for u in range(NUM_USERS))
        data = split_dataset("contract", contract_catalog(), log, names, 0.6)
        if not flip:
            return data
        late = ~np.isin(log.timestamps, data.train.timestamps)
        ratings = np.where(late, 6 - log.ratings, log.ratings)
        items = log.items.copy()
        items[late] = items[late][::-1]
        other = replace(log, items=items, ratings=ratings)
        return split_dataset("contract", contract_catalog(), other, names, 0.6)

    def test_a_user_without_positives_still_gets_a_slate(self, policy: Recommender) -> None:
        slates = shown(policy, cold_observation(np.array([0, 1])))
        assert slates.items.shape == (2, K)

    def test_an_empty_log_is_refused(self, make_policy: MakePolicy) -> None:
        empty = contract_log().take(np.zeros(0, dtype=np.int64))
        with pytest.raises(ValueError, match=r"wanted a training log with rows, got an empty one"):
            make_policy().fit(empty)

    def test_an_unfitted_policy_refuses_to_recommend_and_to_save(
        self, make_policy: MakePolicy, tmp_path: Path
    ) -> None:
        with pytest.raises(RuntimeError, match=r"recommend wanted a fitted policy; call fit"):
            shown(make_policy())
        with pytest.raises(RuntimeError, match=r"save wanted a fitted policy; call fit"):
            make_policy().save(tmp_path / "policy.npz")

    def test_too_few_unseen_items_name_policy_user_and_cure(self, policy: Recommender) -> None:
        observation = cold_observation(np.array([3]), history_length=NUM_ITEMS)
        observation["history_items"][0] = np.arange(NUM_ITEMS)
        observation["history_items"][0, 4] = -1
        pattern = rf"policy {policy.name} has \d unseen items left for user 3 .* smaller slate_size"
        with pytest.raises(ValueError, match=pattern):
            shown(policy, observation)

    def test_a_score_that_is_no_number_names_policy_user_and_item(
        self, policy: Recommender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bad = np.zeros((NUM_USERS, NUM_ITEMS))
        bad[2, 9] = np.nan
        monkeypatch.setattr(policy, "_score", lambda *_: bad)
        with pytest.raises(ValueError, match=rf"{policy.name} gave score nan for user 2, item 9"):
            shown(policy)

    def test_scores_of_another_shape_name_policy_user_and_cure(
        self, policy: Recommender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(policy, "_score", lambda *_: np.zeros((NUM_USERS, NUM_ITEMS - 1)))
        pattern = rf"policy {policy.name} wanted scores of shape .* first for user 0; score every"
        with pytest.raises(ValueError, match=pattern):
            shown(policy)

    def test_a_policy_that_cannot_be_fitted_is_named_and_stays_unfitted(
        self, make_policy: MakePolicy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(log: InteractionLog) -> None:
            raise ZeroDivisionError("division by zero")

        policy = make_policy().meet_catalog(contract_catalog())
        monkeypatch.setattr(policy, "_fit", fail)
        pattern = (
            rf"policy {policy.name} could not be fitted on \d+ rows, ZeroDivisionError: .*leave"
        )
        with pytest.raises(RuntimeError, match=pattern):
            policy.fit(contract_log())
        with pytest.raises(RuntimeError, match=r"wanted a fitted policy; call fit"):
            shown(policy)

    def test_an_unknown_user_is_refused(self, policy: Recommender) -> None:
        with pytest.raises(ValueError, match=r"knows users \[0, 24\) but was asked for user 24"):
            shown(policy, cold_observation(np.array([0, 24])))

import sys

import numpy as np
import pytest

from recommenders.base import Recommender, cold_observation
from recommenders.policies.factorisation import ALS, BPR, LogisticMF
from simenv.events import InteractionLog

RNG = np.random.default_rng(0)
KINDS = [ALS, BPR, LogisticMF]


def two_tastes() -> InteractionLog:
    """Even users like even items, odd users odd ones; each has not seen two of their own kind."""
    users, items = np.meshgrid(np.arange(20), np.arange(20), indexing="ij")
    own = (users + items) % 2 == 0
    hidden = (items // 2) % 10 == (users // 2) % 10
    also_hidden = (items // 2) % 10 == (users // 2 + 1) % 10
    rated = own & ~hidden & ~also_hidden
    u, i = users[rated], items[rated]
    return InteractionLog.from_columns(u, i, np.full(len(u), 5.0), num_users=21, num_items=20)


@pytest.mark.parametrize("kind", KINDS)
def test_tastes_are_found(kind: type[Recommender]) -> None:
    pytest.importorskip("implicit")
    # The defaults suit a real log; twenty users want a smaller penalty and larger steps.
    steps = {"learning_rate": 0.1} if kind is BPR else {}
    policy = kind(factors=4, iterations=100, regularisation=0.01, **steps).fit(two_tastes())
    users = np.arange(20)
    items = policy.recommend(cold_observation(users), 2, RNG).items
    assert np.mean((items + users[:, None]) % 2 == 0) > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_one_seed_gives_the_same_factors_twice(kind: type[Recommender]) -> None:
    pytest.importorskip("implicit")
    first, second, other = (kind(factors=4, seed=s).fit(two_tastes()) for s in (1, 1, 2))
    np.testing.assert_array_equal(first._item_factors, second._item_factors)
    assert not np.array_equal(first._item_factors, other._item_factors)


@pytest.mark.parametrize("kind", KINDS)
def test_a_user_without_positives_gets_equal_scores(kind: type[Recommender]) -> None:
    pytest.importorskip("implicit")
    slates = (
        kind(factors=4, iterations=2)
        .fit(two_tastes())
        .recommend(cold_observation(np.array([20])), 3, RNG)
    )
    assert slates.scores.tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_library_the_error_is_the_install_line(
    kind: type[Recommender], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (
        "implicit",
        "implicit.cpu",
        "implicit.cpu.als",
        "implicit.cpu.bpr",
        "implicit.cpu.lmf",
    ):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install personarec\[rec\]"):
        kind().fit(two_tastes())

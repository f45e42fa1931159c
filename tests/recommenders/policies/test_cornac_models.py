import sys

import numpy as np
import pytest

from recommenders.base import Recommender, cold_observation
from recommenders.policies.cornac_models import CornacPolicy
from simenv.events import InteractionLog

pytest.importorskip("cornac")
pytest.importorskip("torch")
RNG = np.random.default_rng(0)
LEARN = {
    "embedding_dim": 16,
    "n_epochs": 30,
    "batch_size": 64,
    "dropout": 0.0,
    "n_sample": 4,
    "learning_rate": 0.01,
}


def rings() -> InteractionLog:
    """Everybody watches six of ten items of one ring (0-9 or 10-19), each after its neighbour."""
    users = np.repeat(np.arange(60), 6)
    starts = np.repeat(np.arange(60) // 2 % 10, 6)
    items = (starts + np.tile(np.arange(6), 60)) % 10 + 10 * (users % 2)
    times = np.tile(np.arange(6), 60)
    return InteractionLog.from_columns(
        users, items, np.full(360, 5.0), times, num_users=62, num_items=22
    )


def next_items(policy: Recommender, history: list[int]) -> list[int]:
    observation = cold_observation(np.array([60]), history_length=len(history))
    observation["history_items"][0] = history
    observation["history_ratings"][0] = 5.0
    return policy.recommend(observation, 3, RNG).items[0].tolist()


def test_a_sequential_model_learns_what_follows_what_and_reads_the_session() -> None:
    policy = CornacPolicy("SASRec", LEARN).fit(rings())
    assert next_items(policy, [2, 3, 4])[0] == 5
    assert next_items(policy, [12, 13, 14])[0] == 15


def test_a_model_of_users_and_items_finds_tastes() -> None:
    policy = CornacPolicy("VAECF", {"n_epochs": 80, "k": 4}).fit(rings())
    users = np.arange(60)
    items = policy.recommend(cold_observation(users), 3, RNG).items
    assert np.mean(items // 10 == (users % 2)[:, None]) > 0.9


def test_items_nobody_liked_come_last_and_users_who_liked_nothing_get_equal_scores() -> None:
    policy = CornacPolicy("VAECF", {"n_epochs": 1}).fit(rings())
    scores = policy._score(np.array([0, 60]), cold_observation(np.array([0, 60])), RNG)
    assert (scores[:, 20:] == scores.min(axis=1, keepdims=True)).all()
    assert len(np.unique(scores[1])) == 1


def test_fitting_leaves_the_global_generators_alone() -> None:
    import torch

    torch.manual_seed(5)
    np.random.seed(5)
    expected = (torch.rand(1).item(), np.random.rand())
    torch.manual_seed(5)
    np.random.seed(5)
    policy = CornacPolicy("SASRec", {"n_epochs": 1}).fit(rings())
    policy.recommend(cold_observation(np.arange(3)), 2, RNG)
    assert (torch.rand(1).item(), np.random.rand()) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        ("GRU4Rec", {"n_epochs": 2, "batch_size": 8, "n_sample": 4}),
        ("FPMC", {"n_epochs": 2, "batch_size": 8, "n_sample": 4}),
        ("BiVAECF", {"n_epochs": 2}),
        ("MF", {"max_iter": 5}),
        ("HPF", {"max_iter": 5}),
        ("EASE", {}),
        ("ItemKNN", {}),
    ],
)
def test_other_models_need_only_their_name(model: str, arguments: dict) -> None:
    policy = CornacPolicy(model, arguments, explicit=model in ("MF", "ItemKNN")).fit(rings())
    items = policy.recommend(cold_observation(np.arange(62)), 3, RNG).items
    assert items.shape == (62, 3)


def test_what_cornac_does_not_have_or_take_names_the_cure() -> None:
    with pytest.raises(ValueError, match=r"no model 'SASREC'; its names are in dir\(cornac.models"):
        CornacPolicy("SASREC").fit(rings())
    with pytest.raises(ValueError, match=r"SASRec of Cornac takes no argument 'epochs'; it takes"):
        CornacPolicy("SASRec", {"epochs": 3}).fit(rings())
    with pytest.raises(ValueError, match=r"TIFUKNN of Cornac recommends baskets .* such as SASRec"):
        CornacPolicy("TIFUKNN").fit(rings())
    with pytest.raises(ValueError, match=r"VAECF.fit found no row with at least 6 stars among 360"):
        CornacPolicy("VAECF", min_rating=6).fit(rings())


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dgl", None)
    with pytest.raises(ImportError, match=r"model of Cornac needs dgl, which is not installed"):
        CornacPolicy("LightGCN").fit(rings())
    monkeypatch.setitem(sys.modules, "cornac", None)
    monkeypatch.setitem(sys.modules, "cornac.models", None)
    with pytest.raises(ImportError, match=r"pip install personarec\[rec,local\]"):
        CornacPolicy("SASRec").fit(rings())

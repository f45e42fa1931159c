"""Mixtures of facets on both forwards: in a batch = one by one = merged for that person."""

import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from agents.inference.engine import Sampling, UnknownAdapterError
from agents.inference.facets.gate import FacetGate
from agents.inference.facets.mixtures import mixture_name
from agents.inference.local.adapter_kinds import num_facets, read_gate
from agents.inference.local.local_engine import LocalEngine
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.prompts import RATING_CHOICES
from tests.agents.inference.facets.facet_adapters import GATES, NUM_FACETS, with_rank

CLOSE = {"rtol": 0, "atol": 1e-4}


@pytest.fixture(scope="module", params=[True, False], ids=["fused", "hugging face"])
def engine(request, pocket_folder, facets_folder, merged_folders):
    """Facets beside what they come to when they are merged, on one base."""
    adapters = {"facets": facets_folder, **merged_folders}
    return LocalEngine(pocket_folder, adapters, fast=request.param)


def mixed(questions):
    """Every question under a mixture; one person's prompt is met under several."""
    names = [mixture_name("facets", gate) for gate in GATES]
    return [q._replace(adapter=names[(i // 2) % 3]) for i, q in enumerate(questions)]


def merged(questions):
    return [q._replace(adapter=f"person{(i // 2) % 3}") for i, q in enumerate(questions)]


def stars(engine, questions):
    return engine.score(questions, RATING_CHOICES)


def test_a_batch_of_mixtures_is_what_the_merged_adapters_say(engine, questions):
    before = engine.stats.fallbacks
    for _ in range(2):  # the second time from the cache
        np.testing.assert_allclose(
            stars(engine, mixed(questions)), stars(engine, merged(questions)), **CLOSE
        )
    assert engine.stats.fallbacks == before, "the fused forward has answered itself"


def test_mixtures_are_answered_one_by_one_as_in_a_batch_in_any_order(engine, questions):
    asked = mixed(questions)
    together = stars(engine, asked)
    alone = np.concatenate([stars(engine, [question]) for question in asked])
    close = {"rtol": 0, "atol": 0} if engine.is_fast else CLOSE
    np.testing.assert_allclose(alone, together, **close)
    np.testing.assert_allclose(stars(engine, asked[::-1])[::-1], together, **close)


def test_mixtures_base_and_ordinary_adapters_share_a_batch(engine, questions):
    asked = [*mixed(questions)[:6], *questions[6:9], *merged(questions)[9:]]
    expected = np.concatenate([stars(engine, [question]) for question in asked])
    np.testing.assert_allclose(stars(engine, asked), expected, **CLOSE)


def test_the_same_prompt_under_another_gate_has_another_answer(engine, questions):
    """A prefix that was kept for one person's mixture is not another's."""
    one, other = (
        stars(engine, [q._replace(adapter=mixture_name("facets", gate)) for q in questions])
        for gate in GATES[:2]
    )
    assert abs(one - other).max() > 1e-2


def test_both_forwards_and_whole_prompts_agree(pocket_folder, facets_folder, questions):
    adapters, asked = {"facets": facets_folder}, mixed(questions)
    fused, plain, whole = (
        stars(LocalEngine(pocket_folder, adapters, **how), asked)
        for how in ({"fast": True}, {"fast": False}, {"reuse_prefixes": False})
    )
    np.testing.assert_allclose(fused, whole, **CLOSE)
    np.testing.assert_allclose(plain, whole, **CLOSE)


def test_many_mixtures_are_one_pass(pocket_folder, facets_folder, questions):
    """Nothing is grouped by person: no adapter is switched."""
    engine = LocalEngine(pocket_folder, {"facets": facets_folder})
    stars(engine, mixed(questions))
    assert engine.stats.adapter_switches == 0


def test_text_is_generated_under_the_mixture(engine, questions):
    sampling = Sampling(max_new_tokens=3, temperature=0)
    said = engine.generate(mixed(questions), sampling)
    assert said == engine.generate(merged(questions), sampling)


def test_facets_come_and_go_without_touching_anybody_else(pocket_folder, facets_folder, questions):
    """Law 14, on both forwards."""
    for fast in (True, False):
        engine = LocalEngine(pocket_folder, fast=fast)
        base = stars(engine, questions)
        engine.load_adapter("facets", facets_folder)
        first = stars(engine, mixed(questions))
        np.testing.assert_allclose(stars(engine, questions), base, **CLOSE)
        engine.unload_adapter("facets")
        np.testing.assert_allclose(stars(engine, questions), base, **CLOSE)
        engine.load_adapter("facets", facets_folder)
        np.testing.assert_allclose(stars(engine, mixed(questions)), first, **CLOSE)


def test_an_answer_cache_keeps_every_mixture_apart(pocket_folder, facets_folder, questions):
    adapters = {"facets": facets_folder}
    cached = CachedEngine(LocalEngine(pocket_folder, adapters), "pocket", {"facets": "these"})
    asked = [questions[0]._replace(adapter=mixture_name("facets", gate)) for gate in GATES]
    kept = np.concatenate([stars(cached, [question]) for question in asked])
    assert len(np.unique(kept[:, 0].round(5))) == len(GATES)
    np.testing.assert_array_equal(stars(cached, asked), kept)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("facets", "has 3 facets and wanted a gate of as many weights, got 0"),
        ("facets:0.5,0.5", "has 3 facets and wanted a gate of as many weights, got 2"),
        ("person0:0.2,0.3,0.5", "'person0' has 0 facets"),
        ("facets:0.5,0.5,0.5", "that sum to 1, got .*sum 1.5"),
        ("facets:nan,0.5,0.5", "weights >= 0"),
        ("facets:1.5,-0.5,0", "weights >= 0"),
        ("facets:a,b,c", "as facets:0.75,0.25, got 'facets:a,b,c'"),
    ],
)
def test_what_is_no_mixture_of_this_adapter_is_refused(engine, questions, name, text):
    with pytest.raises(ValueError, match=text):
        stars(engine, [questions[0]._replace(adapter=name)])


def test_a_mixture_of_an_unknown_adapter_is_refused(engine, questions):
    with pytest.raises(UnknownAdapterError, match="no adapter 'others'"):
        stars(engine, [questions[0]._replace(adapter="others:0.5,0.5")])


def test_a_batch_of_several_adapters_in_peft_mixes_no_facets(
    pocket_folder, facets_folder, questions
):
    engine = LocalEngine(pocket_folder, {"facets": facets_folder}, adapter_mode="mixed")
    with pytest.raises(ValueError, match="wanted ordinary adapters, got the mixture"):
        stars(engine, mixed(questions))


# -- the gate's file ----------------------------------------------------------------------------


def test_a_gate_survives_its_file(facets_folder):
    gate = read_gate(facets_folder)
    vectors = np.random.default_rng(1).normal(size=(5, 4))
    weights = gate(vectors)
    assert weights.shape == (5, NUM_FACETS)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    logits = vectors @ gate.weight.T + gate.bias
    np.testing.assert_allclose(np.log(weights[:, 0] / weights[:, 1]), logits[:, 0] - logits[:, 1])
    assert num_facets(facets_folder) == NUM_FACETS


def test_an_ordinary_adapter_has_no_facets(merged_folders):
    assert num_facets(merged_folders["person0"]) == 0


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"bias": np.zeros(2, np.float32)}, "wanted weight .K, d. and bias .K,. of two facets"),
        ({"weight": None}, "of two facets or more, got"),
        ({"weight": np.full((3, 4), np.nan, np.float32)}, "holds NaN or infinity"),
        (
            {"weight": np.zeros((4, 4), np.float32), "bias": np.zeros(4, np.float32)},
            "mixes 4 facets",
        ),
    ],
)
def test_a_gate_that_does_not_fit_is_refused_at_loading(
    facets_folder, pocket_folder, tmp_path, change, text
):
    folder = shutil.copytree(facets_folder, tmp_path / "spoilt")
    tensors = {**load_file(folder / "gate.safetensors"), **change}
    save_file({k: v for k, v in tensors.items() if v is not None}, folder / "gate.safetensors")
    with pytest.raises(ValueError, match=text):
        LocalEngine(pocket_folder, {"facets": folder})


def test_a_rank_that_is_no_multiple_is_refused(facets_folder, tmp_path):
    folder = shutil.copytree(facets_folder, tmp_path / "spoilt")
    with_rank(folder, 7)
    with pytest.raises(ValueError, match="is no multiple of it"):
        read_gate(folder)


def test_a_gate_wants_the_vectors_it_was_trained_with():
    gate = FacetGate(np.zeros((2, 3)), np.zeros(2))
    with pytest.raises(ValueError, match=r"wanted vectors \(n, 3\), got \(1, 2\)"):
        gate(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="finite numbers"):
        gate(np.array([[np.nan, 0.0, 0.0]]))

"""Every way to put an adapter to work gives the same answers and leaves the base as it was."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from agents.inference.engine import Sampling
from agents.inference.local.adapter_modes import AdaptedModel
from agents.inference.local.local_engine import LocalEngine
from agents.prompts import RATING_CHOICES

MODES = ("auto", "merged", "merge_in_out", "switch", "mixed")
CASES = [*((mode, True) for mode in MODES), ("merged", False), ("mixed", False)]
NAMES = (None, "ann", "bob")


@pytest.fixture(scope="module")
def asked(questions):
    return [r._replace(adapter=NAMES[(i // 2) % 3]) for i, r in enumerate(questions)]


@pytest.fixture(scope="module")
def expected(pocket_folder, adapter_folders, asked):
    """Whole prompts, one at a time, the adapter beside the weights: the obviously correct way."""
    twin = LocalEngine(pocket_folder, adapter_folders, reuse_prefixes=False, adapter_mode="switch")
    return np.concatenate([twin.score([r], RATING_CHOICES) for r in asked])


@pytest.fixture(scope="module", params=CASES, ids=str)
def engine(request, pocket_folder, adapter_folders):
    mode, reuse = request.param
    return LocalEngine(
        pocket_folder, adapter_folders, fast=False, reuse_prefixes=reuse, adapter_mode=mode
    )


def base_weights(engine):
    parts = engine.model.base_model.model.named_parameters()
    return {name: p.detach().clone() for name, p in parts if "lora_" not in name}


def test_every_mode_gives_the_same_in_the_callers_order(engine, asked, expected):
    order = np.random.default_rng(0).permutation(len(asked))
    for _ in range(2):  # the second time from what is kept
        got = engine.score([asked[i] for i in order], RATING_CHOICES)
        np.testing.assert_allclose(got, expected[order], rtol=0, atol=1e-4)


def test_after_any_adapter_the_base_is_the_base_bit_for_bit(engine, asked):
    before = base_weights(engine)
    engine.score(asked, RATING_CHOICES)
    engine.generate(asked[:4], Sampling(max_new_tokens=1))
    after = base_weights(engine)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not any(getattr(layer, "merged_adapters", []) for layer in engine.model.modules())


def test_after_a_failure_in_the_middle_every_mode_goes_on(engine, asked, expected):
    layer = engine.model.base_model.model.model.layers[-1]

    def fail(*_):
        raise RuntimeError("a cable was pulled")

    hook = layer.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="a cable was pulled"):
        engine.score([r._replace(prefix=r.prefix + "!") for r in asked], RATING_CHOICES)
    hook.remove()
    np.testing.assert_allclose(engine.score(asked, RATING_CHOICES), expected, rtol=0, atol=1e-4)


def test_merged_weights_are_kept_within_their_budget(pocket_folder, adapter_folders):
    model = LocalEngine(pocket_folder, adapter_folders, fast=False).model
    for budget, kept in ((2**30, ["ann", "bob"]), (600_000, ["bob"]), (0, [])):
        adapted = AdaptedModel(model, "merged", budget)
        for name in ("ann", "bob"):
            with adapted.using(name), adapted.using(name):
                assert adapted._at_work == name
        assert list(adapted._kept) == kept


def test_mixed_rows_are_one_batch_and_others_one_an_adapter(pocket_folder, adapter_folders, asked):
    switches = {}
    for mode in ("switch", "mixed"):
        engine = LocalEngine(pocket_folder, adapter_folders, fast=False, adapter_mode=mode)
        engine.score(asked, RATING_CHOICES)
        switches[mode] = engine.stats.adapter_switches
    assert switches == {"switch": 2, "mixed": 0}


def test_an_adapter_that_cannot_be_merged_is_switched_or_refused(
    pocket_folder, adapter_folders, asked, expected, monkeypatch
):
    monkeypatch.setattr(
        "agents.inference.local.adapter_modes.why_not_merged",
        lambda _, name: f"adapter {name!r} on x",
    )
    one = [r for r in asked if r.adapter == "ann"]
    own = [i for i, r in enumerate(asked) if r.adapter == "ann"]
    auto = LocalEngine(pocket_folder, adapter_folders, fast=False)
    np.testing.assert_allclose(auto.score(one, RATING_CHOICES), expected[own], rtol=0, atol=1e-4)
    wanted = LocalEngine(pocket_folder, adapter_folders, fast=False, adapter_mode="merged")
    with pytest.raises(ValueError, match=r"wanted adapters that can be merged, got adapter 'ann'"):
        wanted.score(one, RATING_CHOICES)


def test_an_adapter_too_large_to_merge_is_an_error_and_harms_no_other(
    pocket_folder, adapter_folders, asked, expected, tmp_path
):
    broken = shutil.copytree(adapter_folders["bob"], tmp_path / "bob")
    weights = load_file(broken / "adapter_model.safetensors")
    save_file({k: torch.full_like(w, 3e38) for k, w in weights.items()},
              broken / "adapter_model.safetensors")  # fmt: skip
    folders = {**adapter_folders, "bob": broken}
    for mode in ("merged", "switch"):
        engine = LocalEngine(pocket_folder, folders, fast=False, adapter_mode=mode)
        with pytest.raises(FloatingPointError, match=r"adapter 'bob'.* check"):
            engine.score(asked, RATING_CHOICES)
        rest = [i for i, r in enumerate(asked) if r.adapter != "bob"]
        got = engine.score([asked[i] for i in rest], RATING_CHOICES)
        np.testing.assert_allclose(got, expected[rest], rtol=0, atol=1e-4)


def test_the_mode_can_change_between_calls(pocket_folder, adapter_folders, asked, expected):
    engine = LocalEngine(pocket_folder, adapter_folders, fast=False)
    for mode in MODES:
        engine.adapter_mode = mode
        assert engine.adapter_mode == mode
        got = engine.score(asked, RATING_CHOICES)
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-4)
    fast = LocalEngine(pocket_folder, adapter_folders)
    with pytest.raises(ValueError, match=r"wanted an engine with fast=False to become 'switch'"):
        fast.adapter_mode = "switch"


def test_a_mode_that_there_is_not_is_refused(pocket_folder):
    with pytest.raises(ValueError, match=r"adapter_mode wanted one of auto, .*, got 'melt'"):
        LocalEngine(pocket_folder, fast=False, adapter_mode="melt")


@pytest.mark.parametrize("mode", ["merge_in_out", "switch", "mixed"])
def test_the_fast_forward_merges_so_other_modes_leave_it_out(pocket_folder, mode):
    assert not LocalEngine(pocket_folder, adapter_mode=mode).is_fast
    with pytest.raises(ValueError, match=rf"with merged adapters, got adapter_mode '{mode}'"):
        LocalEngine(pocket_folder, adapter_mode=mode, fast=True)

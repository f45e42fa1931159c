"""The command for a GPU runs from end to end on a small shape; where no GPU is, it says so."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_module

from agents.inference.local.local_engine import LocalEngine
from agents.population.population import POCKET
from experiments.reporting.running import perform
from experiments.throughput import vllm_way
from experiments.throughput.gpu import _cache_bytes, require_device
from experiments.throughput.random_models import (
    ModelShape,
    PromptSizes,
    random_adapters,
    random_model,
    random_prompts,
)

SHAPE = {
    "layers": 3,
    "width": 64,
    "heads": 4,
    "key_heads": 2,
    "mlp": 128,
    "vocabulary": 2048,
    "context": 256,
}
COMMAND = [sys.executable, "-m", "experiments", "experiment=throughput_gpu"]
SIZES = PromptSizes(users=4, slate=2, prefix_tokens=20, suffix_tokens=7)


def composed(folder, device, dtype="float32"):
    settings = {
        "device": device,
        "dtype": dtype,
        "shape": SHAPE,
        "prompts": SIZES._asdict(),
    }
    words = [f"experiment.{k}={json.dumps(v).replace(chr(34), '')}" for k, v in settings.items()]
    small = ["experiment.rank=4", "experiment.num_adapters=2", "experiment.rounds=1"]
    with initialize_config_module("conf", version_base="1.3"):
        return compose(
            "config", ["experiment=throughput_gpu", *words, *small, f"output_dir={folder}"]
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("random")
    return random_model(ModelShape(**SHAPE), place, POCKET / "model", "float32", "cpu")


def check(results, modes):
    assert set(results["modes"]) == modes
    for figures in results["modes"].values():
        assert figures["exposures_per_second"]["median"] > 0
        assert 0 < figures["utilisation"]["median"] < 1
        assert figures["last"]["exposures"] == SIZES.users * SIZES.slate
        assert figures["last"]["prompt_tokens_per_exposure"] == 27
        assert figures["last"]["cached_share"] == pytest.approx(20 / 27), "prefixes are warm"
    assert max(results["check"]["largest_difference"].values()) < 1e-3


@pytest.mark.slow
def test_the_whole_command_runs_on_a_small_shape(tmp_path, capsys):
    results = perform(composed(tmp_path, "cpu"))
    check(results, {"merged", "merge_in_out", "switch", "mixed"})
    assert json.loads((tmp_path / "results.json").read_text())["device"] == "cpu"
    assert results["not_raced"] == {"vllm": vllm_way.NOT_RACED}
    printed = capsys.readouterr().out
    assert "of float32 whole prompts" in printed
    assert "adapters merge_in_out:" in printed


@pytest.mark.slow
def test_a_check_that_fails_stops_the_run(tmp_path):
    cfg = composed(tmp_path, "cpu")
    cfg.experiment.check.tolerance = 0.0
    with pytest.raises(ArithmeticError, match=r"within 0\.0 of float32 whole prompts, got \{"):
        perform(cfg)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_what_was_wanted():
    message = r"wanted an NVIDIA GPU that torch can use, got none \(torch .*\); run it on a GPU"
    with pytest.raises(RuntimeError, match=message):
        require_device("cuda")


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_command_fails(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "experiments",
            "experiment=throughput_gpu",
            f"output_dir={tmp_path}",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "wanted an NVIDIA GPU that PyTorch can use" in done.stderr


@pytest.mark.gpu
def test_the_small_shape_runs_on_a_gpu_in_both_formats(tmp_path):
    for dtype in ("float32", "bfloat16"):
        results = perform(composed(tmp_path, "cuda", dtype))
        check(results, {"merged", "merge_in_out", "switch", "mixed"})


def test_prompts_have_exactly_the_length_wanted_and_prefixes_stay(folder):
    engine = LocalEngine(folder, fast=False)
    rounds = [random_prompts(engine.tokenizer, SIZES, ["a", "b"], seed) for seed in (0, 1)]
    for asked in rounds:
        assert {len(ids) for ids in engine.tokens.whole(asked)} == {27}
        assert [r.adapter for r in asked] == ["a", "a", "b", "b"] * 2
    assert [r.prefix for r in rounds[0]] == [r.prefix for r in rounds[1]]
    assert not {r.suffix for r in rounds[0]} & {r.suffix for r in rounds[1]}


def test_the_cache_has_room_for_every_prefix(folder):
    shape = ModelShape(**SHAPE)
    room = _cache_bytes(shape, SIZES, "float32")
    engine = LocalEngine(folder, fast=False, cache_bytes=room)
    engine.score(random_prompts(engine.tokenizer, SIZES, [], 0), (" 1", " 2"))
    assert engine.cache_stats.evictions == 0
    assert 0.9 * room < engine.cache_stats.num_bytes <= room


def test_random_adapters_sit_on_query_and_key_and_differ(folder, tmp_path):
    adapters = random_adapters(folder, 2, 4, tmp_path)
    engine = LocalEngine(folder, adapters, fast=False)
    asked = random_prompts(engine.tokenizer, SIZES, [], 0)[:2]
    scores = [
        engine.score([r._replace(adapter=name) for r in asked], (" 1", " 2"))
        for name in (None, "adapter0", "adapter1")
    ]
    assert np.abs(scores[0] - scores[1]).max() > 1e-4
    assert np.abs(scores[1] - scores[2]).max() > 1e-4
    assert engine.model.peft_config["adapter0"].target_modules == {"q_proj", "k_proj"}

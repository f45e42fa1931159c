"""One loader: no code out of a folder, nothing made up, one load at a time."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from agents.inference.engine import Request
from agents.inference.local.loading import load_model, load_shape, load_tokenizer
from agents.inference.local.local_engine import LocalEngine

ROOT = Path(__file__).parents[4]
CPU = torch.device("cpu")
ASKED = [Request("I gave 3.7 on average.\n", "RATING:"), Request("You rate.\n", "RATING:")]
CHOICES = (" 1", " 2", " 3", " 4", " 5")


@pytest.fixture
def copied(pocket_folder, tmp_path):
    return shutil.copytree(pocket_folder, tmp_path / "model")


@pytest.fixture
def adapter(adapter_folders, tmp_path):
    return shutil.copytree(adapter_folders["ann"], tmp_path / "ann")


def change_json(path, **entries):
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **entries}))


def change_tensors(path, change):
    weights = load_file(path)
    save_file(change(weights), path, metadata={"format": "pt"})


EVIL = "import pathlib\npathlib.Path(__file__).parent.joinpath('ran').write_text('yes')\n"
CODE = {
    "config.json": {"model_type": "evil", "auto_map": {"AutoConfig": "evil.C",
                    "AutoModelForCausalLM": "evil.M"}},
    "tokenizer_config.json": {"tokenizer_class": "Evil", "auto_map":
                              {"AutoTokenizer": ["evil.T", None]}},
}  # fmt: skip
DOORS = {
    "engine": "from agents.inference.local.local_engine import LocalEngine as f; f(sys.argv[1])",
    "tokenizer": "from agents.inference.local.loading import load_tokenizer as f; f(sys.argv[1])",
    "shape": "from agents.inference.local.loading import load_shape as f; f(sys.argv[1])",
}


@pytest.mark.parametrize("file", CODE)
def test_a_folder_that_asks_for_code_is_refused_whatever_stdin_says(copied, file):
    change_json(copied / file, **CODE[file])
    (copied / "evil.py").write_text(EVIL)
    (copied / "custom_generate").mkdir()
    (copied / "custom_generate" / "generate.py").write_text(EVIL)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {DOORS['engine']}", str(copied)],
        input="y\n" * 20, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=copied,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"ValueError: language model {str(copied)!r} cannot be loaded: {file} asks for code" in (
        done.stderr
    )
    assert "custom code? [y/N]" not in done.stdout + done.stderr
    assert not list(copied.rglob("ran"))


@pytest.mark.parametrize("load", [load_tokenizer, load_shape, LocalEngine])
@pytest.mark.parametrize("file", CODE)
def test_every_door_refuses_code_by_the_name_of_its_file(copied, file, load):
    change_json(copied / file, **CODE[file])
    with pytest.raises(ValueError, match=rf"model' cannot be loaded: {file} asks for code .*auto_"):
        load(copied)


def test_code_in_any_other_setting_is_refused(copied, adapter, pocket_folder):
    change_json(copied / "config.json", attn_implementation="owner/kernel")
    with pytest.raises(ValueError, match=r"config.json asks for code .* owner/kernel"):
        LocalEngine(copied)
    change_json(adapter / "adapter_config.json", megatron_config={"a": 1}, megatron_core="evil")
    with pytest.raises(ValueError, match=r"adapter_config.json asks for a module to be imported"):
        LocalEngine(pocket_folder, {"ann": adapter})


def test_an_adapter_beside_the_base_does_not_exchange_it(copied, adapter):
    shutil.copy(adapter / "adapter_config.json", copied)
    with pytest.raises(ValueError, match=r"adapter_config.json lies beside the base .* exchanged"):
        LocalEngine(copied)


def test_nobody_else_loads_by_from_pretrained():
    found = []
    for room in ("agents", "training", "experiments", "recommenders", "simenv"):
        for path in (ROOT / room).rglob("*.py"):
            calls = [
                node
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Attribute) and node.attr in ("from_pretrained", "pipeline")
            ]
            found += [path.relative_to(ROOT).as_posix()] * len(calls)
    assert set(found) == {"agents/inference/local/loading.py"}
    text = (ROOT / "agents/inference/local/loading.py").read_text()
    loads = text.count('AutoModelFor{kind}").from_pretrained') + text.count("AutoTokenizer.from_p")
    loads += text.count("AutoConfig.from_p") + text.count("AutoModelForCausalLM.from_p")
    assert text.count("trust_remote_code=False") == loads == 5


def half(weights):
    return dict(list(weights.items())[::2])


def renamed(weights):
    return {f"x.{name}": tensor for name, tensor in weights.items()}


def one_more(weights):
    return {**weights, "stray.weight": torch.ones(2)}


def one_longer(weights):
    first = next(name for name in weights if "mlp" in name or "lora_B" in name)
    return {**weights, first: torch.cat([weights[first], weights[first]])}


def with_one(value):
    def change(weights):
        last = list(weights)[-1]
        tensor = weights[last].clone()
        tensor.view(-1)[0] = value
        return {**weights, last: tensor}

    return change


BASE_FAULTS = {
    "half": (half, r"safetensors lacks what config.json states: 'model\..*' and \d+ more; copy"),
    "renamed": (renamed, r"lacks what config.json states: '.*' and 38 more; copy it again"),
    "one more": (one_more, r"has weights that the model of config.json does not: 'stray"),
    "misshapen": (one_longer, r"model.safetensors has another shape for|do not make a causal"),
    "nan": (with_one(float("nan")), r"holds NaN or infinity in torch.float32; copy the weights"),
    "inf": (with_one(float("inf")), r"holds NaN or infinity in torch.float32; copy the weights"),
}


@pytest.mark.parametrize("fault", BASE_FAULTS)
def test_weights_that_are_not_the_models_are_never_made_up(copied, fault):
    change, message = BASE_FAULTS[fault]
    change_tensors(copied / "model.safetensors", change)
    with pytest.raises(ValueError, match=message):
        LocalEngine(copied)


ADAPTER_FAULTS = {
    "half": (half, r"adapter 'ann': adapter_model.safetensors has no '.*' and \d+ more; copy"),
    "renamed": (renamed, r"adapter 'ann': adapter_model.safetensors has (no|weights for no layer)"),
    "one more": (one_more, r"has weights for no layer of the model: 'stray.weight'; train it"),
    "misshapen": (one_longer, r"adapter 'ann' does not fit the base model"),
    "nan": (with_one(float("nan")), r"adapter 'ann': .* holds NaN or infinity"),
    "inf": (with_one(float("inf")), r"adapter 'ann': .* holds NaN or infinity"),
}


@pytest.mark.parametrize("fault", ADAPTER_FAULTS)
@pytest.mark.parametrize("first", [True, False])
def test_an_adapter_that_is_not_whole_is_refused_and_leaves_the_model_as_it_was(
    pocket_folder, adapter_folders, adapter, fault, first
):
    change, message = ADAPTER_FAULTS[fault]
    change_tensors(adapter / "adapter_model.safetensors", change)
    others = {} if first else {"bob": adapter_folders["bob"]}
    engine = LocalEngine(pocket_folder, others, fast=False)
    weights = {name: w.clone() for name, w in engine.model.state_dict().items()}
    before = engine.score(ASKED, CHOICES)
    with pytest.raises(ValueError, match=message):
        engine.load_adapter("ann", adapter)
    after = engine.model.state_dict()
    assert after.keys() == weights.keys()
    assert all(torch.equal(after[name], w) for name, w in weights.items())
    np.testing.assert_allclose(engine.score(ASKED, CHOICES), before, rtol=0, atol=1e-5)
    engine.load_adapter("ann", adapter_folders["ann"])
    right = LocalEngine(pocket_folder, {"ann": adapter_folders["ann"]}, fast=False)
    asked = [request._replace(adapter="ann") for request in ASKED]
    np.testing.assert_allclose(
        engine.score(asked, CHOICES), right.score(asked, CHOICES), rtol=0, atol=1e-5
    )


def test_a_head_of_its_own_beside_a_tied_embedding_is_no_stray(copied):
    """Some savers write both ends of a tied pair."""

    def both(weights):
        return {**weights, "lm_head.weight": weights["model.embed_tokens.weight"].clone()}

    right = LocalEngine(copied).score(ASKED, CHOICES)
    change_tensors(copied / "model.safetensors", both)
    np.testing.assert_array_equal(LocalEngine(copied).score(ASKED, CHOICES), right)


def test_a_model_in_several_files_is_whole_or_refused(copied, pocket_folder):
    _, model = load_model(pocket_folder, CPU, "float32")
    (copied / "model.safetensors").unlink()
    model.save_pretrained(copied, max_shard_size="1MB")
    assert len(list(copied.glob("model-*"))) > 2
    right = LocalEngine(pocket_folder).score(ASKED, CHOICES)
    np.testing.assert_array_equal(LocalEngine(copied).score(ASKED, CHOICES), right)
    index = copied / "model.safetensors.index.json"
    text = index.read_text()
    index.write_text(text.replace("model-00001-of", "../model-00001-of"))
    with pytest.raises(ValueError, match=r"index.json names '../model-00001-of.*no safetensors"):
        LocalEngine(copied)
    index.write_text(text)
    next(iter(sorted(copied.glob("model-*")))).unlink()
    with pytest.raises(OSError, match=r"model-00001-of-.* is missing in"):
        LocalEngine(copied)


THREADS = """
import sys, threading
import gymnasium as gym, simenv
errors = []
def run():
    try:
        env = gym.make_vec("PersonaRec-v0", num_envs=2)
        env.reset(seed=1); env.close()
    except BaseException as error:
        errors.append(error)
for _ in range(2):
    threads = [threading.Thread(target=run) for _ in range(3)]
    [t.start() for t in threads]; [t.join() for t in threads]
run()
print(errors)
"""


@pytest.mark.slow
def test_three_threads_can_load_at_once():
    done = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, text=True, timeout=240,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]", done.stdout + done.stderr[-2000:]

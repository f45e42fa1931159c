"""Adapters of many kinds on one base: nobody's answers depend on who else is loaded (law 14)."""

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from agents.inference.local.adapter_kinds import check_adapter_kind
from agents.inference.local.loading import load_model
from agents.inference.local.local_engine import LocalEngine
from agents.prompts import RATING_CHOICES

pytestmark = [  # peft says of tied layers what the tests show to be right
    pytest.mark.filterwarnings("ignore:Model .*tie_word_embeddings"),
    pytest.mark.filterwarnings("ignore:Setting `save_embedding_layers`"),
]
LAYERS = ["q_proj", "v_proj"]
SERVED = {
    "plain": {"target_modules": LAYERS},
    "rank_stabilised": {"target_modules": LAYERS, "use_rslora": True},
    "patterns": {
        "target_modules": LAYERS, "rank_pattern": {"layers.0.self_attn.q_proj": 2},
        "alpha_pattern": {"v_proj": 32},
    },
    "weight_decomposed": {"target_modules": LAYERS, "use_dora": True},
    "on_a_tied_head": {"target_modules": ["q_proj", "lm_head"]},
    "on_a_tied_embedding": {"target_modules": ["embed_tokens", "down_proj"]},
    "one_layer": {"target_modules": LAYERS, "layers_to_transform": [1]},
}  # fmt: skip


def save_adapter(model_folder, folder, config):
    """A trained-looking adapter, saved as peft saves it."""
    torch.manual_seed(len(str(config)))
    _, base = load_model(model_folder, torch.device("cpu"), "float32")
    tuned = get_peft_model(base, config)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name or "lora_embedding_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    tuned.save_pretrained(folder)


@pytest.fixture(scope="module")
def tied_folder(pocket_folder, tmp_path_factory):
    """The shipped model, its head and its embedding one and the same."""
    tokenizer, model = load_model(pocket_folder, torch.device("cpu"), "float32")
    folder = tmp_path_factory.mktemp("tied")
    model.config.tie_word_embeddings = True
    model.lm_head.weight = model.model.embed_tokens.weight
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folders(tied_folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("kinds")
    for name, settings in SERVED.items():
        save_adapter(tied_folder, root / name, LoraConfig(r=4, task_type="CAUSAL_LM", **settings))
    return {name: root / name for name in SERVED}


@pytest.fixture(scope="module")
def asked(questions):
    return questions[:3]


@pytest.fixture(scope="module")
def alone(tied_folder, folders, asked):
    """Each adapter's answers by peft's own forward, whole prompts one by one, nobody beside it."""
    found = {}
    for name, folder in [(None, None), *folders.items()]:
        own = {} if name is None else {name: folder}
        engine = LocalEngine(tied_folder, own, reuse_prefixes=False, adapter_mode="switch")
        rows = [r._replace(adapter=name) for r in asked]
        found[name] = np.concatenate([engine.score([r], RATING_CHOICES) for r in rows])
    return found


def assert_answers(engine, names, alone, asked):
    for name in names:
        got = engine.score([r._replace(adapter=name) for r in asked], RATING_CHOICES)
        np.testing.assert_allclose(got, alone[name], rtol=0, atol=1e-4, err_msg=str(name))


def test_every_kind_changes_the_answers(alone):
    for name in SERVED:
        assert np.abs(alone[name] - alone[None]).max() > 1e-3, name


@pytest.mark.parametrize(
    "settings",
    [{}, {"fast": False}, {"reuse_prefixes": False}, {"adapter_mode": "switch"}],
    ids=str,
)
def test_all_kinds_side_by_side_answer_as_each_does_alone(
    tied_folder, folders, alone, asked, settings
):
    engine = LocalEngine(tied_folder, folders, **settings)
    for _ in range(2):
        assert_answers(engine, [None, *SERVED], alone, asked)


@pytest.mark.slow
def test_in_every_order_of_loading_and_asking_nobody_changes_anybody(
    tied_folder, folders, alone, asked
):
    kinds = ("plain", "weight_decomposed", "on_a_tied_head", "on_a_tied_embedding")
    for order in itertools.permutations(kinds):
        engine = LocalEngine(tied_folder)
        for i, name in enumerate(order):
            engine.load_adapter(name, folders[name])
            assert_answers(engine, [None, *order[: i + 1]], alone, asked)
        engine.unload_adapter(order[0])
        assert_answers(engine, [None, *order[1:]], alone, asked)


def refused(reason):
    return pytest.raises(
        ValueError, match=rf"wanted an ordinary LoRA .*, got {reason}.*; train it as an ordinary"
    )


@pytest.mark.parametrize(
    ("reason", "settings"),
    [
        ("modules_to_save", {"modules_to_save": ["lm_head"]}),
        ("bias 'all'", {"bias": "all"}),
        ("bias 'lora_only'", {"bias": "lora_only"}),
        ("init_lora_weights 'pissa'", {"init_lora_weights": "pissa"}),
        ("init_lora_weights 'olora'", {"init_lora_weights": "olora"}),
        ("alora_invocation_tokens", {"alora_invocation_tokens": [5, 6]}),
        ("trainable_token_indices", {"trainable_token_indices": [1, 2]}),
        ("lora_bias", {"lora_bias": True}),
        ("layer_replication", {"layer_replication": [[0, 1], [0, 2]]}),
        ("task_type 'SEQ_CLS'", {"task_type": "SEQ_CLS"}),
    ],
)
def test_a_lora_that_reaches_beyond_its_layers_is_refused_before_it_touches_the_model(
    tied_folder, folders, tmp_path, alone, asked, reason, settings
):
    broken = Path(shutil.copytree(folders["plain"], tmp_path / "it"))
    config = json.loads((broken / "adapter_config.json").read_text())
    (broken / "adapter_config.json").write_text(json.dumps({**config, **settings}))
    engine = LocalEngine(tied_folder, {"plain": folders["plain"]})
    with refused(reason):
        engine.load_adapter("it", broken)
    assert engine.adapters == ("plain",)
    assert_answers(engine, [None, "plain"], alone, asked)


@pytest.mark.parametrize(
    "kind",
    ["IA3", "PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING", "ADALORA", "LOHA", "TRAINABLE_TOKENS",
     "XLORA", "VERA", "OFT", None],
)  # fmt: skip
def test_an_adapter_that_is_no_lora_is_refused_by_its_kind(tmp_path, kind):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": kind}))
    with refused(f"peft_type {kind!r}"):
        check_adapter_kind("it", tmp_path)


def test_prefix_tuning_as_peft_saves_it_is_refused(tied_folder, tmp_path):
    from peft import PrefixTuningConfig

    _, base = load_model(tied_folder, torch.device("cpu"), "float32")
    config = PrefixTuningConfig(num_virtual_tokens=4, task_type="CAUSAL_LM")
    get_peft_model(base, config).save_pretrained(tmp_path)
    with refused("peft_type 'PREFIX_TUNING'"):
        LocalEngine(tied_folder, {"it": tmp_path})


def test_an_option_of_a_later_peft_is_refused_while_it_is_switched_on(tmp_path):
    for value, passes in ((None, True), (False, True), ({}, True), ("yes", False)):
        config = {"peft_type": "LORA", "use_new_way": value}
        (tmp_path / "adapter_config.json").write_text(json.dumps(config))
        if passes:
            check_adapter_kind("it", tmp_path)
        else:
            with refused("use_new_way 'yes'"):
                check_adapter_kind("it", tmp_path)


def test_a_file_that_would_overwrite_the_base_is_refused(
    tied_folder, folders, tmp_path, alone, asked
):
    other = Path(shutil.copytree(folders["on_a_tied_head"], tmp_path / "other"))
    weights = load_file(other / "adapter_model.safetensors")
    saved = [key for key in weights if key.endswith("base_layer.weight")]
    assert saved, "peft saves the base's head with an adapter on it"
    weights[saved[0]] = weights[saved[0]] + 1
    save_file(weights, other / "adapter_model.safetensors", metadata={"format": "pt"})
    engine = LocalEngine(tied_folder)
    with pytest.raises(
        ValueError, match=r"adapter 'it' wanted low-rank updates alone, got 'base_m"
    ):
        engine.load_adapter("it", other)
    assert_answers(engine, [None], alone, asked)


@pytest.mark.parametrize("name", ["", "v1.2", "lora", "lora_", "a", "__base__", "keys", "training"])
def test_a_name_that_peft_would_mistake_is_refused(tied_folder, folders, name):
    engine = LocalEngine(tied_folder)
    with pytest.raises(ValueError, match=r"wanted a name without dots that peft does not use itse"):
        engine.load_adapter(name, folders["plain"])
    assert engine.adapters == ()


def test_a_name_that_is_taken_is_refused(tied_folder, folders, alone, asked):
    engine = LocalEngine(tied_folder, {"plain": folders["plain"]})
    with pytest.raises(ValueError, match=r"an adapter 'plain' is loaded already; unload it first"):
        engine.load_adapter("plain", folders["one_layer"])
    assert_answers(engine, [None, "plain"], alone, asked)


def test_rows_of_one_batch_cannot_mix_adapters_with_dora(tied_folder, folders, asked):
    engine = LocalEngine(tied_folder, folders, fast=False, adapter_mode="mixed")
    rows = [r._replace(adapter="weight_decomposed") for r in asked]
    with pytest.raises(ValueError, match=r"wanted adapters without DoRA, got 'weight_decomposed'"):
        engine.score(rows, RATING_CHOICES)

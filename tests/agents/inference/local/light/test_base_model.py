"""Light weights answer as the libraries' do, bit for bit, and hand over to them where they end."""

import copy
import pickle
import shutil

import numpy as np
import pytest
import torch

from agents.inference.engine import Request, Sampling
from agents.inference.local.light import base_model
from agents.inference.local.light.llama import light_llama
from agents.inference.local.light.tokenizer import light_tokenizer
from agents.inference.local.loading import load_tokenizer
from agents.inference.local.local_engine import LocalEngine
from agents.population.population import POCKET
from tests.agents.inference.blocks.test_block_scoring import requests, saved_model
from tests.agents.inference.local.test_loading import change_json, change_tensors
from tests.agents.inference.small_tokenizers import LINES

CHOICES = (" 1", " 2", " 3", " 4", " 5")
TEXTS = [
    *LINES,
    *(
        "",
        " ",
        "\n",
        "A",
        "4:",
        "Zoë's +0.4 …",
        "中文 2001",
        "<s>",
        "a</s>b",
        "<pad>\n",
        "🙂 e\u0301",
    ),
    "I gave -12.75 to 10000 films.\n\n  MOVIE: It, average 3.2. ",
]
ASKED = [
    Request(f"I gave {mean} on average. I like Comedy.\n", f"MOVIE: It.\n{line}\nRATING:", adapter)
    for mean in (2.5, 3.7)
    for line in LINES[:3]
    for adapter in (None, "ann", "bob")
]


def libraries(monkeypatch):
    """From here on nothing is opened light."""
    monkeypatch.setattr(base_model, "_open_light", lambda *asked: None)


def is_light(engine):
    return engine._base._light is not None


@pytest.fixture
def copied(pocket_folder, tmp_path):
    return shutil.copytree(pocket_folder, tmp_path / "model")


@pytest.fixture
def adapter(adapter_folders, tmp_path):
    return shutil.copytree(adapter_folders["ann"], tmp_path / "ann")


def test_the_light_tokenizer_reads_and_tells_as_hugging_faces(pocket_folder):
    light, full = light_tokenizer(pocket_folder), load_tokenizer(pocket_folder)
    for special in (True, False):
        wanted = full(TEXTS, add_special_tokens=special)["input_ids"]
        assert light(TEXTS, add_special_tokens=special)["input_ids"] == wanted
        assert [light(t, add_special_tokens=special)["input_ids"] for t in TEXTS] == wanted
    for ids in [*full(TEXTS)["input_ids"], [0, 1, 2, 40], *([token] for token in range(300))]:
        for skip in (True, False):
            assert light.decode(ids, skip) == full.decode(ids, skip_special_tokens=skip)
    names = ("bos_token_id", "eos_token_id", "unk_token_id")
    assert [getattr(light, n) for n in names] == [getattr(full, n) for n in names]
    assert set(light.all_special_ids) == set(full.all_special_ids)


def test_light_answers_are_the_libraries_bit_for_bit(pocket_folder, adapter_folders, monkeypatch):
    light = LocalEngine(pocket_folder, adapter_folders)
    answers = light.score(ASKED, CHOICES)
    assert is_light(light)
    libraries(monkeypatch)
    full = LocalEngine(pocket_folder, adapter_folders)
    assert not is_light(full)
    assert full.is_fast
    np.testing.assert_array_equal(answers, full.score(ASKED, CHOICES))
    assert len(np.unique(answers.round(6), axis=0)) > 12  # adapters and prompts do matter
    assert light.facts == full.facts
    assert light.stats.run_tokens == full.stats.run_tokens


def test_the_shipped_people_answer_light_as_by_the_libraries(monkeypatch):
    folders = {one.name: one for one in sorted((POCKET / "adapters").iterdir())}
    asked = [request._replace(adapter=name) for request in ASKED[::3] for name in folders]
    light = LocalEngine(POCKET / "model", folders)
    answers = light.score(asked, CHOICES)
    assert is_light(light)
    libraries(monkeypatch)
    np.testing.assert_array_equal(
        answers, LocalEngine(POCKET / "model", folders).score(asked, CHOICES)
    )


@pytest.fixture(scope="module")
def block_folder(tmp_path_factory):
    return saved_model(tmp_path_factory.mktemp("blocks"))


def test_what_is_read_in_blocks_is_read_light_as_by_the_libraries(block_folder, monkeypatch):
    folders = {"ann": block_folder / "lora"}
    light = LocalEngine(block_folder, folders)
    answers = light.score(requests(), CHOICES)
    assert is_light(light)
    libraries(monkeypatch)
    full = LocalEngine(block_folder, folders)
    np.testing.assert_array_equal(answers, full.score(requests(), CHOICES))
    assert light.facts == full.facts
    assert light.stats.run_tokens == full.stats.run_tokens
    with pytest.raises(ValueError, match=r"free text wanted .*such as that of the population pock"):
        light.generate(requests()[:1], Sampling())
    assert is_light(light)


def test_the_light_tokenizer_knows_gist_tokens_and_leaves_added_ones_to_hugging_face(
    block_folder, tmp_path
):
    copied = shutil.copytree(block_folder, tmp_path / "model")
    light, full = light_tokenizer(copied), load_tokenizer(copied)
    assert set(light.all_special_ids) == set(full.all_special_ids)
    assert light.convert_tokens_to_ids("<gist1>") == full.convert_tokens_to_ids("<gist1>")
    assert light.convert_tokens_to_ids("<gist99>") is None
    change_json(copied / "tokenizer_config.json", extra_special_tokens=["<gist0>", "<gist99>"])
    assert light_tokenizer(copied) is None


def test_free_text_comes_from_the_libraries_model_with_the_adapters_of_before(
    pocket_folder, adapter_folders, adapter, monkeypatch
):
    light = LocalEngine(pocket_folder, {"ann": adapter})
    answers = light.score(ASKED[:2], CHOICES)
    shutil.rmtree(adapter)  # as of a folder that was made for a moment
    sampling = Sampling(max_new_tokens=3, temperature=1.0, top_k=50)
    said = light.generate(ASKED[:2], sampling)
    assert not is_light(light)
    libraries(monkeypatch)
    full = LocalEngine(pocket_folder, {"ann": adapter_folders["ann"]})
    assert said == full.generate(ASKED[:2], sampling)
    np.testing.assert_array_equal(light.score(ASKED[:2], CHOICES), answers)
    light.load_adapter("bob", adapter_folders["bob"])
    full.load_adapter("bob", adapter_folders["bob"])
    np.testing.assert_array_equal(light.score(ASKED, CHOICES), full.score(ASKED, CHOICES))
    light.unload_adapter("ann")
    assert light.model.peft_config.keys() == {"bob"}


def test_adapters_come_and_go_on_a_model_that_was_taken_over_in_inference(
    pocket_folder, adapter_folders
):
    engine = LocalEngine(pocket_folder, {"ann": adapter_folders["ann"]})
    with torch.inference_mode():
        engine.token_logs(ASKED[:2], [" 4", " 5"])
    assert not is_light(engine)
    assert not any(weight.is_inference() for weight in engine.model.parameters())
    engine.load_adapter("bob", adapter_folders["bob"])
    engine.unload_adapter("ann")
    fresh = LocalEngine(pocket_folder, {"bob": adapter_folders["bob"]})
    np.testing.assert_array_equal(
        engine.score(ASKED[2::3], CHOICES), fresh.score(ASKED[2::3], CHOICES)
    )


def test_facets_are_left_to_the_libraries(pocket_folder, facets_folder):
    engine = LocalEngine(pocket_folder)
    assert is_light(engine)
    engine.load_adapter("shared", facets_folder)
    assert not is_light(engine)


def test_what_needs_more_than_token_ids_has_hugging_faces_tokenizer(pocket_folder):
    engine = LocalEngine(pocket_folder)
    said = engine.generate(ASKED[:1], Sampling(max_new_tokens=2, temperature=1.0, emojis=False))
    assert len(said) == 1
    assert len(engine.tokens.tokenizer) == engine.model.config.vocab_size
    assert engine.tokenizer is engine.tokens.tokenizer
    other = pickle.loads(pickle.dumps(LocalEngine(pocket_folder)))
    np.testing.assert_array_equal(other.score(ASKED[:1], CHOICES), engine.score(ASKED[:1], CHOICES))


def test_an_adapter_comes_off_a_light_model(pocket_folder, adapter_folders):
    engine = LocalEngine(pocket_folder, adapter_folders)
    before = engine.score(ASKED, CHOICES)
    engine.unload_adapter("ann")
    assert engine._base._light.adapters.keys() == {"bob"}
    engine.load_adapter("ann", adapter_folders["bob"])  # another one under its name
    after = engine.score(ASKED, CHOICES)
    assert is_light(engine)
    np.testing.assert_array_equal(after[1::3], after[2::3])
    assert not np.array_equal(after[1::3], before[1::3])
    np.testing.assert_array_equal(after[::3], before[::3])


def test_a_folder_that_changed_since_is_refused_and_the_light_model_goes_on(copied):
    engine = LocalEngine(copied)
    before = engine.score(ASKED[:1], CHOICES)
    name = "model.norm.weight"
    change_tensors(copied / "model.safetensors", lambda w: {**w, name: w[name] * 2})
    with pytest.raises(
        ValueError, match="holds other weights than when it was opened, so answers would be of two"
    ):
        engine.generate(ASKED[:1], Sampling(max_new_tokens=1, temperature=1.0))
    np.testing.assert_array_equal(engine.score(ASKED[:1], CHOICES), before)


def test_a_copy_has_its_own_model(pocket_folder, adapter_folders):
    engine = LocalEngine(pocket_folder, adapter_folders)
    other = copy.deepcopy(engine)
    assert other.model is not None
    assert not is_light(other)
    assert is_light(engine)
    np.testing.assert_array_equal(other.score(ASKED, CHOICES), engine.score(ASKED, CHOICES))


def test_a_closed_engine_holds_no_model(pocket_folder):
    engine = LocalEngine(pocket_folder)
    engine.close()
    assert engine.model is None


UNUSUAL = {  # a key of config.json that a light model would not honour, or lacks
    "attention_bias": True,
    "mlp_bias": True,
    "hidden_act": "gelu",
    "tie_word_embeddings": False,
    "rope_parameters": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0},
    "partial_rotary_factor": 0.5,
    "quantization_config": {"load_in_4bit": True},
    "architectures": ["MistralForCausalLM"],
    "personarec_reading": "blocks",
}


@pytest.mark.parametrize("key", UNUSUAL)
def test_an_unusual_model_is_left_to_the_libraries(copied, key):
    assert light_llama(copied) is not None
    change_json(copied / "config.json", **{key: UNUSUAL[key]})
    assert light_llama(copied) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda w: {**w, "model.norm.weight": w["model.norm.weight"][:-1]},
        lambda w: {**w, "lm_head.weight": w["model.embed_tokens.weight"].clone()},
        lambda w: {k: v for k, v in w.items() if k != "model.norm.weight"},
        lambda w: {**w, "model.norm.weight": w["model.norm.weight"] * torch.nan},
    ],
)
def test_weights_that_are_not_the_models_are_left_to_the_libraries(copied, change):
    change_tensors(copied / "model.safetensors", change)
    assert light_llama(copied) is None


@pytest.mark.parametrize(
    ("file", "entries"),
    [
        ("tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer"}),
        ("tokenizer_config.json", {"add_bos_token": True}),
        ("tokenizer_config.json", {"chat_template": "{{ messages }}"}),
        ("tokenizer_config.json", {"clean_up_tokenization_spaces": True}),
        ("tokenizer.json", {"normalizer": {"type": "NFC"}}),
        ("special_tokens_map.json", {"bos_token": "<s>"}),
    ],
)
def test_an_unusual_tokenizer_is_left_to_the_libraries(copied, file, entries):
    assert light_tokenizer(copied) is not None
    if not (copied / file).exists():
        (copied / file).write_text("{}")
    change_json(copied / file, **entries)
    assert light_tokenizer(copied) is None


def test_a_tokenizer_that_was_read_from_a_folder_before_it_was_saved_is_no_unusual_one(copied):
    change_json(copied / "tokenizer_config.json", is_local=True, local_files_only=True)
    light, full = light_tokenizer(copied), load_tokenizer(copied)
    assert light("I gave 4.1")["input_ids"] == full("I gave 4.1")["input_ids"]


@pytest.mark.parametrize(
    "entries",
    [
        {"use_dora": True},
        {"use_rslora": True},
        {"alpha_pattern": {"q_proj": 4}},
        {"rank_pattern": {"q_proj": 2}},
        {"fan_in_fan_out": True},
        {"bias": "all"},
        {"modules_to_save": ["lm_head"]},
        {"layers_to_transform": [0]},
        {"target_modules": "all-linear"},
        {"target_modules": ["q_proj"]},
        {"target_modules": ["q_proj", "v_proj", "lm_head"]},
        {"something_new": 1},
        {"lora_alpha": 0},
    ],
)
def test_an_unusual_adapter_is_left_to_peft(pocket_folder, adapter, entries):
    model = light_llama(pocket_folder)
    assert model.attach("ann", adapter)
    model.detach("ann")
    change_json(adapter / "adapter_config.json", **entries)
    assert not model.attach("ann", adapter)
    assert model.adapters == {}


@pytest.mark.parametrize("change", ["half", "missing", "nan", "extra", "shape"])
def test_an_adapter_file_that_is_not_whole_is_left_to_peft(pocket_folder, adapter, change):
    def changed(weights):
        first, *rest = sorted(weights)
        made = {name: weights[name] for name in rest}
        return (
            made
            | {
                "half": {first: weights[first].half()},
                "missing": {},
                "nan": {first: weights[first] * torch.nan},
                "extra": {first: weights[first], "more": torch.ones(1)},
                "shape": {first: weights[first][:, :-1].contiguous()},
            }[change]
        )

    change_tensors(adapter / "adapter_model.safetensors", changed)
    assert not light_llama(pocket_folder).attach("ann", adapter)

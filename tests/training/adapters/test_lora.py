"""Adapter training: what comes out, resuming, and what is refused."""

import hashlib
import json
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest
from safetensors.torch import load_file

from agents.inference.engine import Request
from agents.inference.local.local_engine import LocalEngine
from agents.population.adapters import CARD, WEIGHTS, base_identity, check_adapter
from agents.prompts import RATING_CHOICES
from training.adapters.lora import train_lora, training_key
from training.adapters.lora_presets import PRESETS, lora_preset

# Eight blocks in fours: two steps an epoch, eight in all; the dropout would show a lost generator.
QUICK = lora_preset("small", rank=4, epochs=4, blocks_per_step=4, dropout=0.1, learning_rate=0.02)


class KilledError(Exception):
    """Stands for a power cut."""


def kill_at(step):
    def on_step(now, loss):
        if now == step:
            raise KilledError

    return on_step


@pytest.fixture(scope="module")
def trained(tiny_base, blocks, tmp_path_factory):
    """Folder and card of an adapter."""
    folder = tmp_path_factory.mktemp("lora") / "ann"
    seen = []
    card = train_lora(tiny_base, blocks, QUICK, folder, on_step=lambda *x: seen.append(x))
    assert [step for step, _ in seen] == list(range(1, 9))
    return folder, card


def test_the_folder_holds_safetensors_settings_and_a_card_and_nothing_else(trained):
    folder, _ = trained
    names = sorted(p.name for p in folder.iterdir())
    assert names == [CARD, "adapter_config.json", WEIGHTS]
    assert sorted(p.name for p in folder.parent.iterdir()) == ["ann"], "no checkpoint is left"


def test_the_folder_names_no_place_of_this_machine(trained, tiny_base):
    folder, _ = trained
    for name in (CARD, "adapter_config.json"):
        assert str(tiny_base.parent) not in (folder / name).read_text()
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny"


def test_the_card_says_what_was_trained_on_what(trained):
    folder, card = trained
    assert json.loads((folder / CARD).read_text()) == json.loads(json.dumps(card))
    assert card["rows"] == 8 * 3 - 1, "padding is no row"
    assert card["blocks"] == 8
    assert card["steps"] == 8
    assert card["preset"]["rank"] == 4
    assert card["base"] == "tiny"
    assert card["last_loss"] < card["first_loss"]
    assert card["seconds"] > 0


def test_the_adapter_changes_what_the_engine_answers_towards_the_ratings(
    trained, tiny_base, blocks
):
    engine = LocalEngine(tiny_base, {"ann": trained[0]})
    rows = zip(blocks.suffixes, range(24), strict=True)
    asked = [Request(blocks.prefixes[i // 3], suffix) for suffix, i in rows]
    targets = blocks.targets.reshape(-1, 5)
    plain, tuned = (
        -(targets * engine.score([r._replace(adapter=a) for r in asked], RATING_CHOICES)).sum(1)
        for a in (None, "ann")
    )
    assert tuned.mean() < plain.mean() - 0.05


def test_what_is_trained_already_is_not_trained_again(trained, tiny_base, blocks):
    folder, card = trained
    again = train_lora(tiny_base, blocks, QUICK, folder, on_step=kill_at(1))
    assert again == json.loads(json.dumps(card))


def test_another_training_into_the_same_folder_is_refused(trained, tiny_base, blocks, tmp_path):
    with pytest.raises(FileExistsError, match=r"ann' holds something else .* into a new folder"):
        train_lora(tiny_base, blocks, QUICK, trained[0], seed=1)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="holds something else"):
        train_lora(tiny_base, blocks, QUICK, tmp_path)
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.slow
def test_one_seed_gives_one_adapter_and_another_seed_another(trained, tiny_base, blocks, tmp_path):
    train_lora(tiny_base, blocks, QUICK, tmp_path / "same")
    train_lora(tiny_base, blocks, QUICK, tmp_path / "other", seed=1)
    expected = (trained[0] / WEIGHTS).read_bytes()
    assert (tmp_path / "same" / WEIGHTS).read_bytes() == expected
    assert (tmp_path / "other" / WEIGHTS).read_bytes() != expected


AGAIN = [pytest.param(2, 5, marks=pytest.mark.slow), pytest.param(4, 4, marks=pytest.mark.slow)]


@pytest.mark.parametrize(("save_every", "killed"), [(3, 5), *AGAIN])
def test_a_killed_run_goes_on_as_an_uninterrupted_one_bit_for_bit(
    trained, tiny_base, blocks, tmp_path, save_every, killed
):
    """From the middle of an epoch, from its end, and from the start where nothing was saved yet."""
    settings = {"folder": tmp_path / "ann", "save_every": save_every}
    with pytest.raises(KilledError):
        train_lora(tiny_base, blocks, QUICK, **settings, on_step=kill_at(killed))
    assert not (tmp_path / "ann").exists()
    seen = []
    card = train_lora(
        tiny_base, blocks, QUICK, **settings, on_step=lambda step, _: seen.append(step)
    )
    assert seen[0] == (killed - 1) // save_every * save_every + 1
    assert (tmp_path / "ann" / WEIGHTS).read_bytes() == (trained[0] / WEIGHTS).read_bytes()
    assert card["last_loss"] == trained[1]["last_loss"]
    assert card["first_loss"] == trained[1]["first_loss"]


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["optimizer.pt", "scheduler.pt", "rng_state.pth", WEIGHTS])
def test_a_checkpoint_that_lost_a_file_is_passed_over_for_the_one_before(
    trained, tiny_base, blocks, tmp_path, lost
):
    """The Trainer went on without the optimizer's state and trained another adapter."""
    settings = {"folder": tmp_path / "ann", "save_every": 2}
    with pytest.raises(KilledError):
        train_lora(tiny_base, blocks, QUICK, **settings, on_step=kill_at(5))
    (newest,) = tmp_path.glob("*.training/checkpoint-4")
    (newest / lost).unlink()
    seen = []
    train_lora(tiny_base, blocks, QUICK, **settings, on_step=lambda step, _: seen.append(step))
    assert seen[0] == 3
    assert (tmp_path / "ann" / WEIGHTS).read_bytes() == (trained[0] / WEIGHTS).read_bytes()


def test_the_key_tells_trainings_apart_by_all_that_decides_them(tiny_base, blocks, tmp_path):
    shutil.copytree(tiny_base, tmp_path / "elsewhere")
    key = training_key(tiny_base, blocks, QUICK, 0)
    assert training_key(tmp_path / "elsewhere", blocks, QUICK, 0) == key
    other = blocks._replace(targets=blocks.targets[..., ::-1])
    for changed in (
        (tiny_base, other, QUICK, 0),
        (tiny_base, blocks._replace(weights=blocks.weights * 0 + 1), QUICK, 0),
        (tiny_base, blocks._replace(prefixes=["x", *blocks.prefixes[1:]]), QUICK, 0),
        (tiny_base, blocks, replace(QUICK, alpha=1), 0),
        (tiny_base, blocks, QUICK, 1),
    ):
        assert training_key(*changed) != key


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["ordinal", "expected_value"])
def test_other_losses_train_too(tiny_base, blocks, tmp_path, loss):
    card = train_lora(tiny_base, blocks, replace(QUICK, loss=loss), tmp_path / loss)
    assert card["preset"]["loss"] == loss
    assert card["last_loss"] < card["first_loss"]


@pytest.mark.slow
def test_the_papers_preset_trains_key_and_query_projections_alone(tiny_base, blocks, tmp_path):
    card = train_lora(tiny_base, blocks, lora_preset("paper", epochs=1), tmp_path / "paper")
    weights = load_file(tmp_path / "paper" / WEIGHTS)
    assert {name.split(".")[-3] for name in weights} == {"q_proj", "k_proj"}
    assert {min(w.shape) for w in weights.values()} == {32}, "rank 256 of a model 32 wide"
    assert {max(w.shape) for w in weights.values()} == {256}
    assert card["preset"]["alpha"] == 32


@pytest.mark.slow
def test_a_four_bit_base_trains_and_its_adapter_runs_on_the_plain_one(tiny_base, blocks, tmp_path):
    preset = lora_preset("qlora", rank=4, epochs=4, blocks_per_step=4, learning_rate=0.01)
    card = train_lora(tiny_base, blocks, preset, tmp_path / "q")
    assert card["last_loss"] < card["first_loss"]
    check_adapter(tmp_path / "q", tiny_base)
    engine = LocalEngine(tiny_base, {"q": tmp_path / "q"})
    request = Request(blocks.prefixes[0], blocks.suffixes[0])
    plain, tuned = engine.score([request, request._replace(adapter="q")], RATING_CHOICES)
    assert np.abs(plain - tuned).max() > 0.01


# -- what is refused ----------------------------------------------------------------------------


def test_blocks_without_rows_are_refused(tiny_base, blocks, tmp_path):
    nothing = blocks._replace(weights=np.zeros_like(blocks.weights))
    with pytest.raises(
        ValueError, match=r"adapter 'eve' wanted at least one rating .* got 8 blocks"
    ):
        train_lora(tiny_base, nothing, QUICK, tmp_path / "eve")


def test_a_prompt_longer_than_the_context_is_refused(tiny_base, blocks, tmp_path):
    long = blocks._replace(suffixes=[*blocks.suffixes[:4], "word " * 1100, *blocks.suffixes[5:]])
    message = r"turn 1 of block 1 has \d+ tokens but the model's context is 1024; give fewer"
    with pytest.raises(ValueError, match=message):
        train_lora(tiny_base, long, QUICK, tmp_path / "long")


def test_layers_that_the_base_has_not_are_refused(tiny_base, blocks, tmp_path):
    preset = replace(QUICK, target_modules=("c_attn",))
    message = r"wanted layers c_attn, which LlamaForCausalLM has not; set target_modules .*q_proj"
    with pytest.raises(ValueError, match=message):
        train_lora(tiny_base, blocks, preset, tmp_path / "none")


def test_a_base_that_is_not_there_is_refused(blocks, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="wanted a folder with model files"):
        train_lora(tmp_path / "empty", blocks, QUICK, tmp_path / "none")


def test_unknown_presets_and_settings_are_refused():
    with pytest.raises(ValueError, match=r"wanted one of paper, small, qlora, .*, got 'huge'"):
        lora_preset("huge")
    with pytest.raises(ValueError, match=r"'paper' has no setting \['lr'\]; it has target_modules"):
        lora_preset("paper", lr=1)


def test_the_papers_preset_is_the_papers():
    paper = PRESETS["paper"]
    assert paper.target_modules == ("q_proj", "k_proj")
    assert (paper.rank, paper.alpha, paper.dropout) == (256, 32, 0.1)
    assert (paper.learning_rate, paper.epochs) == (3e-4, 2)
    assert lora_preset("paper", target_modules=["v_proj"]).target_modules == ("v_proj",)


def test_a_preset_that_is_not_quantized_any_more_needs_no_bitsandbytes():
    assert lora_preset("opinion_qa").optimizer == "paged_adamw_8bit"
    assert lora_preset("opinion_qa", quantized=False).optimizer == "adamw_torch"
    assert lora_preset("qlora", quantized=False, optimizer="sgd").optimizer == "sgd"
    assert lora_preset("paper", quantized=False) == lora_preset("paper")


def test_an_update_of_the_last_layers_leaves_the_others_out(tiny_base, blocks, tmp_path):
    last = replace(QUICK, last_layers=1, epochs=1)
    train_lora(tiny_base, blocks, last, tmp_path / "top")
    config = json.loads((tmp_path / "top" / "adapter_config.json").read_text())
    layers = {int(name.split(".layers.")[1].split(".")[0]) for name in load_file(
        tmp_path / "top" / WEIGHTS)}  # fmt: skip
    assert layers == set(config["layers_to_transform"])
    assert len(layers) == 1
    assert min(layers) > 0, "the tiny model has two layers"
    LocalEngine(tiny_base, {"top": tmp_path / "top"})


def test_adapters_of_before_the_last_layers_could_be_chosen_keep_their_key(blocks, tmp_path):
    """The folder of a run that is older finds its adapters again."""
    settings = asdict(QUICK)
    assert settings.pop("last_layers") == 0
    assert settings.pop("double_quantized") is True
    (tmp_path / "config.json").write_text("{}")
    key = training_key(tmp_path, blocks, QUICK, 0)
    text = json.dumps([1, base_identity(tmp_path), settings, 0, blocks.prefixes, blocks.suffixes])
    total = hashlib.sha256(text.encode())
    total.update(np.ascontiguousarray(blocks.targets, dtype=np.float64).tobytes())
    total.update(np.ascontiguousarray(blocks.weights, dtype=np.float64).tobytes())
    assert key == total.hexdigest()
    assert training_key(tmp_path, blocks, replace(QUICK, last_layers=1), 0) != key

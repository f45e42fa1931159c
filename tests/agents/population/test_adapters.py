"""An adapter on disk: what fits a base, and what is refused before anything is loaded."""

import json
import shutil

import pytest
from safetensors.numpy import save_file

from agents.population.adapters import (
    CARD,
    WEIGHTS,
    base_identity,
    check_adapter,
    read_adapter_card,
)
from tests.agents.population.tiny_folders import tiny_adapter


@pytest.fixture
def base(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "model.safetensors").write_bytes(b"weights")
    return tmp_path / "base"


@pytest.fixture
def adapter(base, tmp_path):
    folder = tiny_adapter(tmp_path / "ann")
    card = {"base": "base", "base_is_folder": True, "base_identity": base_identity(base)}
    (folder / CARD).write_text(json.dumps(card))
    return folder


def test_an_adapter_fits_its_base_wherever_that_lies(adapter, base, tmp_path):
    check_adapter(adapter, base)
    shutil.copytree(base, tmp_path / "moved")
    check_adapter(adapter, tmp_path / "moved")


def test_an_adapter_of_another_base_of_the_same_shape_is_refused(adapter, tmp_path):
    """It would load without a word and answer nonsense."""
    (tmp_path / "twin").mkdir()
    (tmp_path / "twin" / "model.safetensors").write_bytes(b"w3ights")
    with pytest.raises(
        ValueError, match=r"ann' was trained on 'base' \(\w{12}\), not on .*twin' .* on this base"
    ):
        check_adapter(adapter, tmp_path / "twin")


def test_a_base_on_the_hub_is_told_by_its_name(adapter):
    check_adapter(adapter, "owner/model")  # the card is of a folder: nothing can be said
    card = {"base": "owner/model", "base_is_folder": False, "base_identity": "owner/model"}
    (adapter / CARD).write_text(json.dumps(card))
    check_adapter(adapter, "owner/model")
    with pytest.raises(ValueError, match=r"trained on 'owner/model' .* not on 'owner/other'"):
        check_adapter(adapter, "owner/other")


def test_an_adapter_without_a_card_is_taken_at_its_word(adapter, base):
    (adapter / CARD).unlink()
    assert read_adapter_card(adapter) is None
    check_adapter(adapter, base)


def test_a_corrupt_card_is_refused(adapter, base):
    (adapter / CARD).write_text("{")
    with pytest.raises(ValueError, match=rf"ann' has a corrupt {CARD}"):
        check_adapter(adapter, base)


@pytest.mark.parametrize("kept", [0, 5, 40])
def test_corrupt_weights_are_refused(adapter, base, kept):
    whole = (adapter / WEIGHTS).read_bytes()
    (adapter / WEIGHTS).write_bytes(whole[:kept])
    with pytest.raises(ValueError, match=rf"{WEIGHTS} is corrupt .* copy it again or train"):
        check_adapter(adapter, base)


def test_weights_without_any_weight_are_refused(adapter, base):
    save_file({}, adapter / WEIGHTS)
    with pytest.raises(ValueError, match="holds no weights; train it anew"):
        check_adapter(adapter, base)


def test_a_folder_with_nothing_but_a_pickle_is_refused(adapter, base):
    (adapter / WEIGHTS).rename(adapter / "adapter_model.bin")
    with pytest.raises(
        FileNotFoundError, match=rf"wanted {WEIGHTS}, got adapter_model.bin; save .* so none is"
    ):
        check_adapter(adapter, base)
    (adapter / "adapter_model.bin").unlink()
    with pytest.raises(FileNotFoundError, match=rf"wanted {WEIGHTS}, got none"):
        check_adapter(adapter, base)

"""The number format nobody named: float32 for small models, else what this processor is fast in."""

import json

import pytest
import torch

import agents.inference.local.number_format as number_format
from agents.inference.local.local_engine import LocalEngine
from agents.inference.local.number_format import auto_dtype, faster_format

CPU = torch.device("cpu")


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Formats that were timed, on a processor of which nothing is known."""
    speeds, asked = {"float32": 1.0, "bfloat16": 4.0}, []
    monkeypatch.setattr(number_format.pooch, "os_cache", lambda name: tmp_path / name)
    monkeypatch.setattr(
        number_format, "peak_flops", lambda device, dtype, s: asked.append(dtype) or speeds[dtype]
    )
    faster_format.cache_clear()
    yield speeds, asked, tmp_path / "personarec" / "number_format.json"
    faster_format.cache_clear()


@pytest.mark.parametrize(("narrow", "chosen"), [(4.0, "bfloat16"), (1.4, "float32")])
def test_bfloat16_has_to_be_worth_its_digits(measured, narrow, chosen):
    speeds, _, _ = measured
    speeds["bfloat16"] = narrow
    assert faster_format() == chosen


def test_a_processor_is_measured_once(measured):
    _, asked, place = measured
    faster_format()
    faster_format.cache_clear()
    assert faster_format() == "bfloat16"
    assert asked == ["bfloat16", "float32"]
    assert list(json.loads(place.read_text()).values()) == ["bfloat16"]


@pytest.mark.parametrize("left", ["", "[]", '{"other": "float32"}', "{"])
def test_a_cache_that_says_nothing_is_measured_anew(measured, left):
    _, asked, place = measured
    place.parent.mkdir()
    place.write_text(left)
    assert faster_format() == "bfloat16"
    assert len(asked) == 2


def test_small_models_stay_in_float32(measured, pocket_folder):
    assert auto_dtype(pocket_folder, CPU) == "float32"
    assert measured[1] == []
    assert LocalEngine(pocket_folder).facts.dtype == "float32"


def test_large_models_take_what_is_faster(measured, monkeypatch, pocket_folder):
    monkeypatch.setattr(number_format, "LARGE", 1000)
    assert auto_dtype(pocket_folder, CPU) == "bfloat16"
    assert LocalEngine(pocket_folder).facts.dtype == "bfloat16"
    assert LocalEngine(pocket_folder, dtype="float32").facts.dtype == "float32"


def test_a_gpu_takes_bfloat16_whatever_the_size(pocket_folder):
    assert auto_dtype(pocket_folder, torch.device("cuda")) == "bfloat16"

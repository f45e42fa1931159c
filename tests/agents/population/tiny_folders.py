"""Folders that look like a base model and like an adapter, quick to copy; neither can be run."""

import json

import numpy as np
from safetensors.numpy import save_file

from agents.population.adapters import WEIGHTS


def tiny_base(folder, tensor="w"):
    folder.mkdir()
    save_file({tensor: np.ones(2)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "llama"}')
    return folder


def tiny_adapter(folder, rank=2, **settings):
    folder.mkdir()
    save_file({"q.lora_A.weight": np.ones((rank, 3), np.float32)}, folder / WEIGHTS)
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": 4, **settings}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder

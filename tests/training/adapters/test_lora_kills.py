"""Adapter training under kill -9: whatever moment it comes at, the run ends as if it had not."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agents.population.adapters import WEIGHTS
from tests.tally import tally
from training.adapters.lora import train_lora
from training.adapters.lora_presets import lora_preset

ROOT = Path(__file__).parents[3]
SCRIPT = """
import json, sys
import numpy as np
from training.examples.from_log import Examples
from training.adapters.lora import train_lora
from training.adapters.lora_presets import lora_preset
base, kept, folder = sys.argv[1:]
fields = json.load(open(kept))
numbers = {k: np.array(fields.pop(k)) for k in ("targets", "ratings", "weights")}
print("ready", flush=True)
preset = lora_preset("small", rank=4, epochs=10, blocks_per_step=4, dropout=0.1)
train_lora(base, Examples(**fields, **numbers), preset, folder, save_every=1)
"""


@pytest.mark.reliability
@pytest.mark.timeout(3600)
def test_ten_kills_at_any_moment_change_not_a_bit(tiny_base, blocks, tmp_path):
    preset = lora_preset("small", rank=4, epochs=10, blocks_per_step=4, dropout=0.1)
    train_lora(tiny_base, blocks, preset, tmp_path / "whole")
    fields = {
        k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in blocks._asdict().items()
    }
    (tmp_path / "blocks.json").write_text(json.dumps(fields))
    command = [sys.executable, "-c", SCRIPT, tiny_base, tmp_path / "blocks.json", tmp_path / "cut"]
    delays, killed = np.random.default_rng(0).uniform(0.5, 6, 40), 0
    for delay in delays:
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as run:
            run.stdout.readline()
            try:
                code = run.wait(timeout=delay if killed < 10 else None)
            except subprocess.TimeoutExpired:
                run.send_signal(signal.SIGKILL)
                killed += 1
                continue
        assert code == 0
        break
    assert killed >= 3
    assert (tmp_path / "cut" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["blocks.json", "cut", "whole"]
    for _ in range(killed):
        tally("processes killed at work", "worked")

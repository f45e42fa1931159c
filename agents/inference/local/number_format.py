"""In which number format a model's weights are loaded where nobody says: what is faster here.

Small models stay in float32 on a CPU, where their answers are exact and the gain is nothing. It
knows no model but its files.
"""

import json
import math
import platform
from contextlib import suppress
from functools import cache
from pathlib import Path

import pooch
import torch

from agents.inference.local.model_files import weights_of
from agents.inference.metering.machine import peak_flops
from simenv.whole_files import write_whole

LARGE = 50_000_000  # weights; smaller models are float32 on every CPU
_LEAST_GAIN = 1.5  # bfloat16 costs digits, so it has to be this much faster
_MEASURED = 0.3  # seconds for each format


def auto_dtype(folder: Path, device: torch.device) -> str:
    """``bfloat16`` on a GPU; on a CPU ``float32``, or what is faster for a large model.

    Args:
        folder: of the model.
        device: where it will run.
    """
    if device.type == "cuda":
        return "bfloat16"
    if device.type != "cpu" or _num_weights(folder) < LARGE:
        return "float32"
    return faster_format()


@cache
def faster_format() -> str:
    """The faster of two formats in products on this processor; measured once and kept on disk."""
    place = Path(pooch.os_cache("personarec")) / "number_format.json"
    key = f"{_processor()}, torch {torch.__version__}"
    known: dict[str, str] = {}
    with suppress(OSError, ValueError):
        known = json.loads(place.read_text(encoding="utf-8"))
    if not isinstance(known, dict) or known.get(key) not in ("float32", "bfloat16"):
        narrow, full = (peak_flops("cpu", d, _MEASURED) for d in ("bfloat16", "float32"))
        known = {key: "bfloat16" if narrow >= _LEAST_GAIN * full else "float32"}
        with suppress(OSError):  # a cache that cannot be written costs a second every time
            place.parent.mkdir(parents=True, exist_ok=True)
            write_whole(place, json.dumps(known).encode())
    return known[key]


def _num_weights(folder: Path) -> int:
    return sum(math.prod(shape) for shape in weights_of(folder).values())


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

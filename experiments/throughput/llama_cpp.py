"""llama.cpp as a rival, through llama-cpp-python, with the same weights; where it is installed."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.inference.engine import Request
from agents.inference.local.local_engine import LocalEngine
from agents.prompts import RATING_CHOICES
from simenv.events import FloatArray

NOT_INSTALLED = "not installed: pip install 'personarec[llama]' (it compiles llama.cpp)"


def installed() -> bool:
    """Whether llama-cpp-python and gguf, which converts the model, can be imported."""
    return find_spec("llama_cpp") is not None and find_spec("gguf") is not None


class LlamaCpp:
    """One request at a time, as its users ask; what a prompt begins with alike is not run again.

    Args:
        model: folder of the base model, converted to float32 GGUF.
        folder: for the converted file.
        reader: cuts prompts and choices, so that both read the same tokens.

    llama.cpp merges one adapter when it starts and knows no other, so it answers on the base model;
    the cost is the same.
    """

    def __init__(self, model: str, folder: Path, reader: LocalEngine) -> None:
        from llama_cpp import Llama

        from training.base.export_gguf import export_gguf

        export_gguf(model, folder / "model.gguf")
        self._reader = reader
        self._llama: Any = Llama(
            str(folder / "model.gguf"),
            n_ctx=reader.context,
            n_threads=torch.get_num_threads(),
            n_threads_batch=torch.get_num_threads(),
            verbose=False,
        )

    def __call__(self, asked: list[Request]) -> FloatArray:
        """Log-probabilities (n, 5); not a number for a request that names an adapter."""
        lead, digits = self._reader.tokens.choices(RATING_CHOICES)
        rows = [self._scores(ids + lead, digits) for ids in self._reader.tokens.whole(asked)]
        scores = np.stack(rows)
        scores[[r.adapter is not None for r in asked]] = np.nan
        return scores

    def _scores(self, ids: list[int], digits: list[int]) -> FloatArray:
        found: list[FloatArray] = []

        def keep(_: Any, logits: Any) -> Any:
            found.append(np.asarray(logits, dtype=np.float64)[digits])
            return logits

        # Runs what the last prompt did not begin with; the logits pass by on the way to sampling.
        next(iter(self._llama.generate(ids, temp=0.0, logits_processor=[keep])))
        return np.asarray(found[0] - np.logaddexp.reduce(found[0]))

    def close(self) -> None:
        """Let go of the model."""
        self._llama.close()

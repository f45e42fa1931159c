"""vLLM as a rival on a GPU: same weights, adapters and tokens."""

import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agents.inference.engine import Request
from agents.inference.local.loading import load_tokenizer
from experiments.throughput.random_models import PromptSizes, random_prompts
from experiments.throughput.timing import Spread, spread

NOT_RACED = "needs a GPU and pip install vllm"
_LOGPROBS = 20  # vLLM's most by default; the digits are read from among them


def installed() -> bool:
    """Whether vLLM can be imported."""
    return find_spec("vllm") is not None


def race(model: Path, adapters: Mapping[str, Path], sizes: PromptSizes, rounds: int) -> Spread:
    """Exposures a second over the rounds; the first warms up and fills vLLM's prefix cache."""
    from vllm import LLM, SamplingParams
    from vllm.lora.request import LoRARequest

    reader = load_tokenizer(model)
    engine: Any = LLM(
        model=str(model),
        dtype="bfloat16",
        enable_lora=True,
        max_lora_rank=256,
        max_loras=max(1, len(adapters)),
        enable_prefix_caching=True,
        max_logprobs=_LOGPROBS,
        generation_config="vllm",
    )
    loras = {n: LoRARequest(n, i + 1, str(f)) for i, (n, f) in enumerate(adapters.items())}
    one = SamplingParams(max_tokens=1, temperature=0.0, logprobs=_LOGPROBS)
    rates = []
    for number in range(rounds + 1):
        asked = random_prompts(reader, sizes, [*adapters], seed=number)
        prompts = [{"prompt_token_ids": _ids(reader, request)} for request in asked]
        started = time.perf_counter()
        engine.generate(prompts, one, lora_request=[loras[r.adapter or ""] for r in asked])
        rates.append(len(asked) / (time.perf_counter() - started))
    return spread(rates[1:])


def _ids(reader: Any, request: Request) -> list[int]:
    own = reader(request.suffix, add_special_tokens=False)["input_ids"]
    return [*reader(request.prefix)["input_ids"], *own]

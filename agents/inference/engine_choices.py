"""What an engine says of itself, and which forward runs its model; it runs nothing."""

from pathlib import Path
from typing import Any, Literal

import torch

from agents.inference.blocks.places import CONFIG_KEY
from agents.inference.engine import EngineFacts
from agents.inference.fused.llama_weights import why_not

_FAST_WEIGHTS = 200_000_000  # larger models would pay for the copies that the fast forward makes


def facts_of(model: str | Path, base: Any, device: torch.device, context: int) -> EngineFacts:
    """Facts of an engine on this model."""
    return EngineFacts(
        description="local " + "/".join(Path(model).parts[-2:]),  # or owner/name of the hub
        device=str(device),
        dtype=str(base.dtype).removeprefix("torch."),
        context=context,
        reads_blocks=reads_blocks(base),
    )


def reads_blocks(base: Any) -> bool:
    """Whether a model was trained to read in blocks, and nothing else."""
    return hasattr(base.config, CONFIG_KEY)


def check_reading(facts: EngineFacts, requests: Any) -> None:
    """Raise unless all requests are told as the model reads.

    Raises:
        ValueError: some are not.
    """
    wanted = "blocks" if facts.reads_blocks else "whole"
    told: Any = ["blocks" if one.item else "whole" for one in requests]
    if other := [reading for reading in told if reading != wanted]:
        raise ValueError(
            f"{facts.description} reads {wanted}, got a request told for reading={other[0]!r};"
            f" ask it about people whose style says reading={wanted!r}"
        )


def fits(base: Any, fast: bool | Literal["auto"], adapter_mode: str) -> bool:
    """Whether the fast forward is to run this model."""
    if fast is False or reads_blocks(base):
        return False
    reason = why_not(base)
    if base.device.type != "cpu":
        reason = reason or f"device {base.device}"
    if adapter_mode not in ("auto", "merged"):
        reason = reason or f"adapter_mode {adapter_mode!r}"
    if fast is True and reason:
        raise ValueError(
            "fast=True wanted a Llama-like model in float32 or bfloat16 on a CPU with merged"
            f" adapters, got {reason}; leave fast on 'auto' and Hugging Face's forward answers"
        )
    return not reason and (fast is True or base.num_parameters() <= _FAST_WEIGHTS)

"""What an engine says of itself, and whether it is asked as its model reads; it runs nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.inference.blocks.places import CONFIG_KEY
from agents.inference.engine import EngineFacts

if TYPE_CHECKING:
    import torch


# What else helps, by how the model reads.
_OTHER = {"blocks": ", or take the model of the population pocket (slm=shipped)", "whole": ""}


def facts_of(model: str | Path, base: Any, device: "torch.device", context: int) -> EngineFacts:
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


def check_speaks(facts: EngineFacts) -> None:
    """Raise unless a model says more than digits.

    Raises:
        ValueError: it reads in blocks, and was trained to answer with a digit alone.
    """
    if facts.reads_blocks:
        raise ValueError(
            f"free text wanted a model that reads whole prompts, got {facts.description}, which"
            " reads blocks and answers with one digit; ask for a score, or take another model, such"
            " as that of the population pocket (slm=shipped)"
        )


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
            f" ask it about people whose style says reading={wanted!r}{_OTHER[wanted]}"
        )

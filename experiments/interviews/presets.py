"""The paper's twelve models by short names; it loads none."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Preset(NamedTuple):
    """One model of the paper's Table 2."""

    hub: str  # name on the Hugging Face Hub
    billions: float  # parameters


PRESETS: Mapping[str, Preset] = {
    "mixtral": Preset("mistralai/Mixtral-8x7B-Instruct-v0.1", 46.7),
    "llama2_13b": Preset("meta-llama/Llama-2-13b-chat-hf", 13.0),
    "solar": Preset("upstage/SOLAR-10.7B-Instruct-v1.0", 10.7),
    "llama3_8b": Preset("meta-llama/Meta-Llama-3-8B-Instruct", 8.0),
    "mistral": Preset("mistralai/Mistral-7B-Instruct-v0.1", 7.2),
    "neuralchat": Preset("Intel/neural-chat-7b-v3-1", 7.2),
    "dolphin": Preset("cognitivecomputations/dolphin-2.1-mistral-7b", 7.2),
    "vicuna": Preset("lmsys/vicuna-7b-v1.5", 6.7),
    "llama2_7b": Preset("meta-llama/Llama-2-7b-chat-hf", 6.7),
    "falcon": Preset("tiiuae/falcon-7b-instruct", 7.2),
    "gemma": Preset("google/gemma-1.1-7b-it", 8.5),
    "phi3": Preset("microsoft/Phi-3-mini-4k-instruct", 3.8),
}
ALL = "paper"


def models_named(wanted: Sequence[str], slm: str | None) -> dict[str, str]:
    """Name for reports → folder or hub name.

    Args:
        wanted: presets, ``paper``, folders, hub names; empty = ``slm``.
        slm: the command's base model; None = the shipped one.

    Raises:
        ValueError: two of them would have one name.
    """
    found: dict[str, str] = {}
    for name in wanted or [slm or "shipped"]:
        own = {name: name}
        if name == ALL:
            own = {short: preset.hub for short, preset in PRESETS.items()}
        elif name in PRESETS:
            own = {name: PRESETS[name].hub}
        for short, place in own.items():
            label = short if short in PRESETS else short.rstrip("/").split("/")[-1]
            if label in found:
                raise ValueError(
                    f"experiment.models wanted models with names of their own, got {label!r} twice"
                )
            found[label] = place
    return found

"""Settings of adapter training under names. It knows no trainer and imports nothing heavy."""

from dataclasses import dataclass, replace
from typing import Any

_ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
_MLP = ("gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class LoraPreset:
    """How a LoRA adapter is shaped and trained.

    Attributes:
        target_modules: names of the layers that get a low-rank update.
        rank: of the update; its scale is ``alpha / rank``.
        dropout: in [0, 1), on the update's input.
        learning_rate: at its peak, after a warm-up of ``warmup`` (a share of all steps).
        schedule: of the learning rate, by transformers' names.
        epochs: passes over all blocks.
        blocks_per_step: prefixes an update sees, each with all its turns.
        optimizer: by transformers' names.
        weight_decay: of AdamW.
        loss: a kind of ``AnswerLoss``; ``loss_strength`` and ``whole_vocabulary`` are its others.
        last_layers: only so many of the model's last layers get an update, which costs a part of
            the time and memory, since nothing is learnt below them; 0 = all layers.
        quantized: the base in NF4 (bitsandbytes).
        double_quantized: the constants of NF4 are quantized too.
    """

    target_modules: tuple[str, ...]
    rank: int
    alpha: int
    dropout: float
    learning_rate: float
    epochs: int
    blocks_per_step: int
    schedule: str = "cosine"
    warmup: float = 0.03
    optimizer: str = "adamw_torch"
    weight_decay: float = 0.0
    loss: str = "cross_entropy"
    loss_strength: float = 0.5
    whole_vocabulary: bool = True
    last_layers: int = 0
    quantized: bool = False
    double_quantized: bool = True


PRESETS = {
    # arXiv 2509.09689, section 4: batch, schedule and warm-up are not stated there; they are ours.
    "paper": LoraPreset(("q_proj", "k_proj"), 256, 32, 0.1, 3e-4, epochs=2, blocks_per_step=8),
    # For models of about a million parameters, whose every layer is worth moving. Drawing the
    # dropout's masks would take a quarter of the time on a CPU.
    "small": LoraPreset((*_ATTENTION, *_MLP), 16, 32, 0.0, 1e-3, epochs=2, blocks_per_step=6),
    # The QLoRA paper's recipe (arXiv 2305.14314): all linear layers, NF4 base, paged 8-bit AdamW.
    "qlora": LoraPreset(
        (*_ATTENTION, *_MLP), 64, 16, 0.1, 2e-4, epochs=2, blocks_per_step=4,
        optimizer="paged_adamw_8bit", quantized=True,
    ),
    # arXiv 2409.10245 (opinions that show a trait): rank, scale, dropout and layers are those of
    # its authors' adapters; rate, passes and batch, not stated there, are the follow-up's.
    "opinion_qa": LoraPreset(
        ("q_proj", "v_proj"), 64, 16, 0.1, 2e-4, epochs=2, blocks_per_step=4,
        optimizer="paged_adamw_8bit", quantized=True, double_quantized=False,
    ),
    # Its follow-up (arXiv 2509.04794): all linear layers. Two batches of two are one step here.
    "opinion_qa_follow_up": LoraPreset(
        (*_ATTENTION, *_MLP), 64, 16, 0.1, 2e-4, epochs=2, blocks_per_step=4,
        optimizer="paged_adamw_8bit", quantized=True, double_quantized=False,
    ),
    # People who stay themselves (arXiv 2407.12393): the paper tunes whole models of 2.4 and 7
    # billion parameters at 5e-5 and 2e-5 in batches of 16; an adapter wants a higher rate.
    "personified": LoraPreset(
        (*_ATTENTION, *_MLP), 32, 64, 0.0, 5e-4, epochs=3, blocks_per_step=16,
    ),
}  # fmt: skip


def lora_preset(name: str, **changes: Any) -> LoraPreset:
    """The preset of that name with some settings changed.

    ``quantized=False`` of a quantized preset takes AdamW too, so that bitsandbytes is not needed;
    name an ``optimizer`` for another.

    Raises:
        ValueError: no preset has this name, or there is no such setting.
    """
    if name not in PRESETS:
        raise ValueError(f"training preset wanted one of {', '.join(PRESETS)}, got {name!r}")
    if unknown := sorted(set(changes) - set(LoraPreset.__dataclass_fields__)):
        known = ", ".join(LoraPreset.__dataclass_fields__)
        raise ValueError(f"training preset {name!r} has no setting {unknown}; it has {known}")
    if "target_modules" in changes:
        changes["target_modules"] = tuple(changes["target_modules"])
    if PRESETS[name].quantized and changes.get("quantized") is False:
        changes = {"optimizer": "adamw_torch", **changes}
    return replace(PRESETS[name], **changes)

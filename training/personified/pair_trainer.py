"""trl's ``DPOTrainer`` on token ids that are there already, and its settings.

Importing it loads trl, so whoever needs it imports it late. It knows no person.
"""

from pathlib import Path
from typing import Any

import torch
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer

from training.adapters.block_trainer import training_arguments
from training.adapters.lora_presets import LoraPreset

# Settings of ``training_arguments`` that both kinds of training share.
_SHARED = (
    "output_dir", "num_train_epochs", "learning_rate",
    "lr_scheduler_type", "warmup_steps", "optim", "weight_decay", "max_grad_norm", "logging_steps",
    "save_steps", "save_total_limit", "seed", "data_seed", "use_cpu", "dataloader_pin_memory",
    "remove_unused_columns", "label_names", "disable_tqdm", "report_to",
)  # fmt: skip


class PairTrainer(DPOTrainer):  # type: ignore[misc]
    """Pairs come as ``prompt_ids``, ``chosen_ids`` and ``rejected_ids``, made as the engine would.

    trl would tokenise texts, with a second beginning before every prompt.
    """

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Only what is trained: beside trl's copy of the start, the Trainer would not find it."""
        model: Any = self.model
        place = str(output_dir or self.args.output_dir)
        model.save_pretrained(place, selected_adapters=["default"], save_embedding_layers=False)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None: ours is written at the end, without any path of this machine."""


def pair_arguments(
    beta: float,
    length: str,
    preset: LoraPreset,
    num_pairs: int,
    folder: Path,
    seed: int,
    save_every: int,
    device: torch.device,
) -> DPOConfig:
    """Settings as trl takes them; ``folder`` is for checkpoints.

    A pair is computed at a time: eight of them at once, of SmolLM2 and its 49,152 logits a token,
    took 12 GB.

    ``beta`` and ``length`` are those of ``DpoSettings``, the schedule is that of ``preset``.
    """
    plain = training_arguments(
        preset, num_pairs, folder, seed=seed, save_every=save_every, device=device
    )
    return DPOConfig(
        **{name: getattr(plain, name) for name in _SHARED},
        per_device_train_batch_size=1,
        gradient_accumulation_steps=preset.blocks_per_step,
        beta=beta,
        loss_type=["sigmoid_norm" if length == "mean" else "sigmoid"],
        ld_alpha=0.0 if length == "shared" else None,
        max_length=None,
        bf16=False,  # weights have the number format that the loader chose
        gradient_checkpointing=False,
    )

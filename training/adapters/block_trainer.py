"""The Trainer of transformers on turns: a prefix and all its turns are one sample.

Importing it loads transformers' Trainer, so whoever needs it imports it late.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_callback import ExportableState

from training.adapters.checkpoints import seal
from training.adapters.lora_presets import LoraPreset
from training.adapters.losses import AnswerLoss
from training.adapters.turns import Turns

OnStep = Callable[[int, float], None]


class AnswerTrainer(Trainer):
    """A ``Trainer`` whose loss is of the answers alone, with one pass over each shared prefix.

    Supports what ``Trainer`` does on one device without gradient checkpointing; checkpoints every
    ``save_every`` steps, from which a run goes on bit for bit.
    """

    def __init__(
        self,
        model: Any,
        turns: Turns,
        loss: AnswerLoss,
        arguments: TrainingArguments,
    ) -> None:
        super().__init__(model, arguments, turns.collate, turns)  # type: ignore[arg-type]
        self._loss, self._turns = loss, turns
        self._answers = torch.tensor(turns.answers, device=arguments.device)
        self.clock = Clock()
        self.remove_callback(PrinterCallback)
        self.add_callback(self.clock)
        self.add_callback(Seal())

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """Mean cost of the answers of one step."""
        logits = self._turns.logits(model, inputs)
        return self._loss(logits, self._answers, inputs["targets"], inputs["weights"])

    @property
    def losses(self) -> list[float]:
        """Loss of every step, those before a resume included."""
        return [entry["loss"] for entry in self.state.log_history if "loss" in entry]


class Clock(TrainerCallback, ExportableState):
    """Seconds of training, those before a resume included; passes every step's loss on."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.on_step: OnStep | None = None
        self._since = time.perf_counter()

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        self._tick()
        return {"args": {}, "attributes": {"seconds": self.seconds}}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Go on where the checkpoint was."""
        states: Any = state.stateful_callbacks
        self.seconds = states[type(self).__name__]["attributes"]["seconds"]
        self._since = time.perf_counter()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Once a step."""
        if self.on_step and "loss" in (logs or {}):
            self.on_step(state.global_step, (logs or {})["loss"])

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Stop."""
        self._tick()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.seconds += now - self._since
        self._since = now


class Seal(TrainerCallback):
    """Seals every checkpoint when the Trainer has written all of its files."""

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """After a checkpoint."""
        seal(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}")


def training_arguments(
    preset: LoraPreset,
    num_blocks: int,
    folder: Path,
    *,
    seed: int,
    save_every: int,
    device: torch.device,
) -> TrainingArguments:
    """A preset as the Trainer takes it; ``folder`` is for checkpoints."""
    steps = math.ceil(num_blocks / preset.blocks_per_step) * preset.epochs
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=preset.blocks_per_step,
        num_train_epochs=preset.epochs,
        learning_rate=preset.learning_rate,
        lr_scheduler_type=preset.schedule,
        warmup_steps=int(preset.warmup * steps),  # rounded down: its first step is of rate 0
        optim=preset.optimizer,
        weight_decay=preset.weight_decay,
        max_grad_norm=1.0,
        logging_steps=1,  # a resumed run's log is then that of an uninterrupted one
        save_steps=save_every,
        save_total_limit=2,  # the one before is there when the newest is torn
        seed=seed,
        data_seed=seed,
        use_cpu=device.type == "cpu",
        dataloader_pin_memory=device.type != "cpu",
        remove_unused_columns=False,
        label_names=[],
        disable_tqdm=True,
        report_to="none",
    )

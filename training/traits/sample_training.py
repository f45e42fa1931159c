"""Trains one adapter (LoRA, peft) on samples: prompts whose answers alone are learnt.

It knows no trait and no person: who calls says what the samples are and what the card holds.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agents.inference.local.loading import choose_device
from agents.population.adapters import base_identity
from training.adapters.checkpoints import last_checkpoint
from training.adapters.lora import finished, outcome, public_name, write_adapter
from training.adapters.lora_model import frozen_base, with_lora
from training.adapters.lora_presets import LoraPreset
from training.traits.speaker import Sample, Speaker

IGNORED = -100  # a token that is not learnt


class Job(NamedTuple):
    """What decides an adapter, and what its card says of it."""

    base: str | Path
    preset: LoraPreset
    seed: int
    key: str  # hash of all that decides the adapter
    facts: Mapping[str, Any]  # of the card


def train_samples(
    job: Job,
    samples_of: Callable[[Any, Speaker], Sequence[Sample]],
    folder: Path,
    *,
    device: str = "auto",
    save_every: int = 100,
    on_step: Callable[[int, float], None] | None = None,
) -> dict[str, Any]:
    """Train into ``folder``, or return the card of the same training if it is there.

    Supports and saves what ``train_lora`` does.

    Args:
        job: see there.
        samples_of: (tokenizer, speaker) → what is learnt.
        folder: where the adapter goes.
        device: ``auto`` = a GPU where there is one.
        save_every: steps between checkpoints.
        on_step: gets the step and its loss.

    Raises:
        FileExistsError: ``folder`` holds something else; nothing is deleted.
        ModuleNotFoundError: the preset is quantized and bitsandbytes is not installed.
        ValueError: a sample is longer than the model's context, or the base lacks the preset's
            layers.
    """
    if folder.exists():
        return finished(folder, job.key)
    work = folder.with_name(f"{folder.name}.{job.key[:12]}.training")
    trainer, clock = _trainer(job, samples_of, work, choose_device(device), save_every)
    clock.on_step = on_step
    trainer.train(resume_from_checkpoint=last_checkpoint(work))
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    card = card_of(job, losses, clock.seconds)
    write_adapter(trainer.model, card, folder)
    shutil.rmtree(work)
    return card


def card_of(job: Job, losses: Sequence[float], seconds: float) -> dict[str, Any]:
    """The card of a training that is done."""
    base = {
        "base": public_name(job.base),
        "base_is_folder": Path(job.base).is_dir(),
        "base_identity": base_identity(job.base),
    }
    how = {"preset": asdict(job.preset), "seed": job.seed}
    return {"format": 1, "key": job.key, **base, **job.facts, **how, **outcome(losses, seconds)}


def _trainer(
    job: Job,
    samples_of: Callable[[Any, Speaker], Sequence[Sample]],
    work: Path,
    device: torch.device,
    save_every: int,
) -> tuple[Any, Any]:
    from transformers import PrinterCallback, Trainer

    from training.adapters.block_trainer import Clock, Seal, training_arguments

    tokenizer, model = frozen_base(job.base, job.preset, device)
    samples: Any = samples_of(tokenizer, Speaker(tokenizer, model, str(job.base)))
    arguments = training_arguments(
        job.preset, len(samples), work, seed=job.seed, save_every=save_every, device=device
    )
    trainer = Trainer(with_lora(model, job.preset, job.seed), arguments, collate, samples)
    clock = Clock()
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(clock)
    trainer.add_callback(Seal())
    return trainer, clock


def collate(samples: Sequence[Sample]) -> dict[str, Tensor]:
    """Samples as the tensors of one step, padded on the right; only answers are learnt."""
    longest = max(len(s.prompt) + len(s.answer) for s in samples)
    tokens = torch.zeros((len(samples), longest), dtype=torch.long)
    labels = torch.full_like(tokens, IGNORED)
    mask = torch.zeros_like(tokens)
    for row, sample in enumerate(samples):
        length = len(sample.prompt) + len(sample.answer)
        tokens[row, :length] = torch.tensor(sample.prompt + sample.answer)
        labels[row, len(sample.prompt) : length] = torch.tensor(sample.answer)
        mask[row, :length] = 1
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}

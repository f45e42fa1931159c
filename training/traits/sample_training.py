"""Trains one adapter (LoRA, peft) on samples: prompts whose answers alone are learnt.

It knows no trait and no person: who calls says what the samples are and what the card holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import torch
from torch import Tensor

from training.adapters.lora_model import frozen_base, with_lora
from training.adapters.lora_presets import LoraPreset
from training.adapters.runs import Running, base_facts, train_once
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
    **running: Unpack[Running],
) -> dict[str, Any]:
    """Train into ``folder``, or return the card of the same training if it is there.

    Supports and saves what ``train_lora`` does.

    Args:
        job: see there.
        samples_of: (tokenizer, speaker) → what is learnt.
        folder: where the adapter goes.
        running: see there.

    Raises:
        FileExistsError: ``folder`` holds something else; nothing is deleted.
        ModuleNotFoundError: the preset is quantized and bitsandbytes is not installed.
        ValueError: a sample is longer than the model's context, or the base lacks the preset's
            layers.
    """

    def made(work: Path, device: torch.device, save_every: int) -> Any:
        tokenizer, model = frozen_base(job.base, job.preset, device)
        samples = samples_of(tokenizer, Speaker(tokenizer, model, str(job.base)))
        model = with_lora(model, job.preset, job.seed)
        return sample_trainer(job, model, samples, work, save_every=save_every, device=device)

    return train_once(folder, job.key, made, lambda: facts_of(job), **running)


def facts_of(job: Job) -> dict[str, Any]:
    """What the card of a job says beside its key and how it went."""
    how = {"preset": asdict(job.preset), "seed": job.seed}
    return {**base_facts(job.base), **job.facts, **how}


def sample_trainer(
    job: Job, model: Any, samples: Any, work: Path, *, save_every: int, device: torch.device
) -> Any:
    """A Trainer of whatever of the model may be trained, by the schedule of the job's preset."""
    from transformers import Trainer

    from training.adapters.block_trainer import training_arguments

    arguments = training_arguments(
        job.preset, len(samples), work, seed=job.seed, save_every=save_every, device=device
    )
    return Trainer(model, arguments, collate, samples)


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

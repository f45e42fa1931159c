"""Trains one trait adapter (LoRA or QLoRA, peft) on opinions of one label, answers alone.

What comes out is a peft folder in safetensors with a card, as a persona adapter is: an engine and a
population take it as any other. Presets ``opinion_qa`` and ``opinion_qa_follow_up`` stand in
``training/adapters/lora_presets.py``.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agents.inference.local.loading import attach_adapter, choose_device
from agents.population.adapters import base_identity, check_adapter
from training.adapters.checkpoints import last_checkpoint
from training.adapters.lora import finished, outcome, public_name, write_adapter
from training.adapters.lora_model import frozen_base, with_lora
from training.adapters.lora_presets import LoraPreset
from training.distillation.distiller_prompts import Message
from training.opinion_qa.opinions import Opinion, topics_of
from training.traits.speaker import Asked, Plain, Sample, Speaker

FORMAT = 1
_IGNORED = -100  # a token that is not learnt


def train_trait(
    base: str | Path,
    opinions: Sequence[Opinion],
    preset: LoraPreset,
    folder: str | Path,
    *,
    seed: int = 0,
    device: str = "auto",
    save_every: int = 100,
    on_step: Callable[[int, float], None] | None = None,
) -> dict[str, Any]:
    """Train an adapter into ``folder``, or return the card of the same training if it is there.

    Supports and saves what ``train_lora`` does; the question is the user's turn, the answer the
    assistant's, with no system's message.

    Args:
        base: folder or hub name of the base model, or ``smollm2``.
        opinions: of one label, of training topics.
        preset: how to train; its loss is not read, it is that of the answers' tokens.
        folder: where the adapter goes.
        seed: of the first weights, the order and the dropout.
        device: ``auto`` = a GPU where there is one.
        save_every: steps between checkpoints.
        on_step: gets the step and its loss.

    Returns:
        The adapter's card: base and its identity, trait, pole, topics, rows, preset, seed, steps,
        losses of the first and the last tenth of the steps, seconds.

    Raises:
        FileExistsError: ``folder`` holds something else; nothing is deleted.
        ModuleNotFoundError: the preset is quantized and bitsandbytes is not installed.
        ValueError: no opinion, or of several labels, or one is longer than the model's context, or
            the base lacks the preset's layers.
    """
    labels = sorted({o.label for o in opinions})
    if len(labels) != 1:
        raise ValueError(
            f"a trait adapter wanted opinions of one label, got {len(labels)}"
            f" ({', '.join(map(str, labels)) or 'no opinion'}); train one adapter a label"
        )
    folder = Path(folder)
    key = _key(base, opinions, preset, seed)
    if folder.exists():
        return finished(folder, key)
    work = folder.with_name(f"{folder.name}.{key[:12]}.training")
    trainer, clock = _trainer(base, opinions, preset, work, seed, device, save_every)
    clock.on_step = on_step
    trainer.train(resume_from_checkpoint=last_checkpoint(work))
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    card = {
        "format": FORMAT,
        "key": key,
        "base": public_name(base),
        "base_is_folder": Path(base).is_dir(),
        "base_identity": base_identity(base),
        "trait": labels[0].trait,
        "pole": labels[0].pole,
        "topics": len(topics_of(opinions)),
        "rows": len(opinions),
        "preset": asdict(preset),
        "seed": seed,
        **outcome(losses, clock.seconds),
    }
    write_adapter(trainer.model, card, folder)
    shutil.rmtree(work)
    return card


def _key(base: str | Path, opinions: Sequence[Opinion], preset: LoraPreset, seed: int) -> str:
    facts = [FORMAT, base_identity(base), asdict(preset), seed, [asdict(o) for o in opinions]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _trainer(
    base: str | Path,
    opinions: Sequence[Opinion],
    preset: LoraPreset,
    work: Path,
    seed: int,
    device: str,
    save_every: int,
) -> tuple[Any, Any]:
    from transformers import PrinterCallback, Trainer

    from training.adapters.block_trainer import Clock, Seal, training_arguments

    at = choose_device(device)
    tokenizer, model = frozen_base(base, preset, at)
    speaker = Speaker(tokenizer, model, str(base))
    samples = [
        speaker.sample(Plain().conversation(Asked(o.topic, o.question)), o.answer) for o in opinions
    ]
    arguments = training_arguments(
        preset, len(samples), work, seed=seed, save_every=save_every, device=at
    )
    trainer = Trainer(with_lora(model, preset, seed), arguments, collate, samples)
    clock = Clock()
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(clock)
    trainer.add_callback(Seal())
    return trainer, clock


def collate(samples: Sequence[Sample]) -> dict[str, Tensor]:
    """Samples as the tensors of one step, padded on the right; only answers are learnt."""
    longest = max(len(s.prompt) + len(s.answer) for s in samples)
    tokens = torch.zeros((len(samples), longest), dtype=torch.long)
    labels = torch.full_like(tokens, _IGNORED)
    mask = torch.zeros_like(tokens)
    for row, sample in enumerate(samples):
        length = len(sample.prompt) + len(sample.answer)
        tokens[row, :length] = torch.tensor(sample.prompt + sample.answer)
        labels[row, len(sample.prompt) : length] = torch.tensor(sample.answer)
        mask[row, :length] = 1
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}


class Adapted:
    """A speaker with an adapter on its model; what it is asked is the question alone.

    Raises:
        FileNotFoundError: the folder holds no adapter.
        ValueError: the adapter was trained on another base, or a file is corrupt.
    """

    def __init__(self, speaker: Speaker, folder: str | Path) -> None:
        check_adapter(folder, speaker.base)
        self._speaker, self._folder = speaker, folder

    def conversation(self, asked: Asked) -> list[Message]:
        """The question alone."""
        return Plain().conversation(asked)

    @contextmanager
    def at_work(self) -> Any:
        """The adapter is on; afterwards the model is the one that was there."""
        speaker = self._speaker
        tuned = attach_adapter(speaker.model, "trait", self._folder, speaker.base)
        speaker.model = tuned
        try:
            yield
        finally:
            speaker.model = tuned.unload()

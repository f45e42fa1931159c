"""Trains one trait adapter (LoRA or QLoRA, peft) on opinions of one label, answers alone.

What comes out is a peft folder in safetensors with a card, as a persona adapter is: an engine and a
population take it as any other. Presets ``opinion_qa`` and ``opinion_qa_follow_up`` stand in
``training/adapters/lora_presets.py``.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Unpack

from agents.inference.local.loading import attach_adapter
from agents.population.adapters import base_identity, check_adapter
from training.adapters.lora_presets import LoraPreset
from training.adapters.runs import Running, key_of
from training.distillation.distiller_prompts import Message
from training.opinion_qa.opinions import Opinion, topics_of
from training.traits.sample_training import Job, train_samples
from training.traits.speaker import Asked, Plain, Speaker

FORMAT = 1


def train_trait(
    base: str | Path,
    opinions: Sequence[Opinion],
    preset: LoraPreset,
    folder: str | Path,
    *,
    seed: int = 0,
    **running: Unpack[Running],
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
        running: device, steps between checkpoints, and who hears of each; see there.

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
    facts = {
        "trait": labels[0].trait,
        "pole": labels[0].pole,
        "topics": len(topics_of(opinions)),
        "rows": len(opinions),
    }
    job = Job(base, preset, seed, _key(base, opinions, preset, seed), facts)
    return train_samples(
        job,
        lambda tokenizer, speaker: [
            speaker.sample(Plain().conversation(Asked(o.topic, o.question)), o.answer)
            for o in opinions
        ],
        Path(folder),
        **running,
    )


def _key(base: str | Path, opinions: Sequence[Opinion], preset: LoraPreset, seed: int) -> str:
    facts = [FORMAT, base_identity(base), asdict(preset), seed, [asdict(o) for o in opinions]]
    return key_of(facts)


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

"""Trains an adapter (LoRA, peft) on the lessons of some people: supervised, answers alone.

What comes out is a peft folder with a card, which any engine and population takes. It goes on from
a checkpoint bit for bit and is never trained twice; see ``training.traits.sample_training``.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Unpack

from agents.population.adapters import base_identity
from training.adapters.lora_presets import LoraPreset
from training.adapters.runs import Running, key_of
from training.personified.lessons import Lesson, Said, samples_of
from training.traits.sample_training import Job, train_samples

FORMAT = 1


def train_personified(
    base: str | Path,
    lessons: Sequence[Lesson],
    preset: LoraPreset,
    folder: str | Path,
    *,
    seed: int = 0,
    **running: Unpack[Running],
) -> dict[str, Any]:
    """Train an adapter into ``folder``, or return the card of the same training if it is there.

    Args:
        base: folder or hub name of the base model, or ``smollm2``.
        lessons: see ``lessons_of``.
        preset: how to train; its loss is not read, it is that of the answers' tokens.
        folder: where the adapter goes.
        seed: of the first weights, the order and the dropout.
        running: device, steps between checkpoints, and who hears of each; see there.

    Returns:
        The adapter's card: base and its identity, lessons of each kind, preset, seed, steps, losses
        of the first and the last tenth of the steps, seconds.

    Raises:
        FileExistsError: ``folder`` holds something else; nothing is deleted.
        ValueError: there is no lesson, or one is longer than the model's context.
    """
    if not lessons:
        raise ValueError(
            "personified training wanted at least one lesson, got none; give people with ratings or"
            " texts"
        )
    said = sum(isinstance(one, Said) for one in lessons)
    facts = {"kind": "personified", "conversations": said, "ratings": len(lessons) - said}
    job = Job(base, preset, seed, _key(base, lessons, preset, seed), facts)
    return train_samples(
        job,
        lambda tokenizer, speaker: samples_of(lessons, tokenizer, speaker),
        Path(folder),
        **running,
    )


def _key(base: str | Path, lessons: Sequence[Lesson], preset: LoraPreset, seed: int) -> str:
    facts = [FORMAT, base_identity(base), asdict(preset), seed, list(lessons)]
    return key_of(facts)

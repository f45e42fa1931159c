"""Trains a small base whole (full fine-tuning) on the lessons of some people, as published.

What comes out is a folder of a model like any other, with its tokenizer, in safetensors: a
population on it serves ``PersonaRec-v0``, and preferences may follow on an adapter of it. It goes
on from a checkpoint bit for bit and is never trained twice.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import torch

from agents.inference.local.loading import load_model, load_tokenizer
from agents.inference.local.plain_files import named, read_json
from agents.population.adapters import base_identity
from simenv.ranges import check_fields
from simenv.whole_files import replaced_folder, write_whole
from training.adapters.lora_presets import LoraPreset, lora_preset
from training.adapters.runs import Running, base_facts, key_of, train_once
from training.personified.lessons import Lesson, samples_of
from training.personified.prompts import TIME_TOKENS
from training.traits.sample_training import Job, sample_trainer
from training.traits.speaker import Speaker

FORMAT = 1
# JSON; not called so, since what decides a model's identity are its ``.json`` files, and how many
# seconds it took decides nothing.
CARD = "training.yaml"


@dataclass(frozen=True)
class WholeSettings:
    """How a whole model learns.

    Attributes:
        learning_rate: at its peak.
        epochs: passes over all lessons.
        lessons_per_step: lessons an update sees.
        warmup: share of all steps until the peak.
        weight_decay: of AdamW.
        time_tokens: temporal labels are tokens of their own, as published, else text.

    Raises:
        ValueError: a setting is out of range.
    """

    learning_rate: float = 1e-4
    epochs: int = 3
    lessons_per_step: int = 16
    warmup: float = 0.03
    weight_decay: float = 0.0
    time_tokens: bool = False

    def __post_init__(self) -> None:
        check_fields(
            self,
            {
                "learning_rate": "(0, 1]", "epochs": "whole [1, 1e6]",
                "lessons_per_step": "whole [1, 1e6]", "warmup": "[0, 1]", "weight_decay": "[0, 1]",
            },
        )  # fmt: skip

    @property
    def schedule(self) -> LoraPreset:
        """As a Trainer's settings are made of; its ranks and layers say nothing."""
        return lora_preset(
            "personified", learning_rate=self.learning_rate, epochs=self.epochs,
            blocks_per_step=self.lessons_per_step, warmup=self.warmup,
            weight_decay=self.weight_decay,
        )  # fmt: skip


# The paper's documentation: batches of 16, 50 of about 3,500 steps to warm up, weight decay 0.1,
# and five passes over what is personified (arXiv 2407.12393).
_PUBLISHED = WholeSettings(5e-5, 5, 16, 50 / 3500, 0.1, time_tokens=True)
PRESETS = {
    "small": WholeSettings(),
    "small_time_tokens": WholeSettings(time_tokens=True),
    "minicpm_2b": _PUBLISHED,
    "chinese_llama_2_7b": replace(_PUBLISHED, learning_rate=2e-5),
}


def whole_settings(name: str = "small", **changes: Any) -> WholeSettings:
    """The preset of that name with some settings changed.

    Raises:
        ValueError: no preset has this name, or a setting is out of range or unknown.
    """
    if name not in PRESETS:
        raise ValueError(f"whole model wanted one of {', '.join(PRESETS)}, got {name!r}")
    if unknown := sorted(set(changes) - set(WholeSettings.__dataclass_fields__)):
        known = ", ".join(WholeSettings.__dataclass_fields__)
        raise ValueError(
            f"whole model's preset {name!r} has no setting {', '.join(unknown)}; it has {known}"
        )
    return replace(PRESETS[name], **changes)


def train_whole(
    base: str | Path,
    lessons: Sequence[Lesson],
    settings: WholeSettings,
    folder: str | Path,
    *,
    seed: int = 0,
    **running: Unpack[Running],
) -> dict[str, Any]:
    """Train all weights into ``folder``, or return the card of the same training if it is there.

    Weights are float32: in bfloat16 most steps at these rates would be rounded away. With what
    AdamW keeps it takes 16 bytes a weight: 2 GB for SmolLM2-135M, 40 GB for 2.4 billion.

    Args:
        base: folder or hub name of the base model, or ``smollm2``; not changed.
        lessons: see ``lessons_of``.
        settings: see there.
        folder: where the model goes.
        seed: of the order.
        running: device, steps between checkpoints, and who hears of each; see there.

    Returns:
        The card: base and its identity, lessons of each kind, settings, seed, steps, losses of the
        first and the last tenth of the steps, seconds.

    Raises:
        FileExistsError: ``folder`` holds something else; nothing is deleted.
        ValueError: there is no lesson, or one is longer than the model's context.
    """
    if not lessons:
        raise ValueError(
            "personified training wanted at least one lesson, got none; give people with ratings or"
            " texts"
        )
    told = asdict(settings)
    if not settings.time_tokens:  # models of before there were any keep their key
        del told["time_tokens"]
    key = key_of([FORMAT, "whole", base_identity(base), told, seed, list(lessons)])
    facts = {"kind": "personified, whole", "lessons": len(lessons), "settings": told, "seed": seed}
    job = Job(base, settings.schedule, seed, key, facts)

    def made(work: Path, device: torch.device, save_every: int) -> Any:
        tokenizer, model = load_model(base, device, "float32")
        if settings.time_tokens:
            _learn_times(tokenizer, model)
        samples = samples_of(lessons, tokenizer, Speaker(tokenizer, model, str(base)))
        return sample_trainer(job, model, samples, work, save_every=save_every, device=device)

    return train_once(
        Path(folder), key, made, lambda: {**base_facts(base), **facts},
        lambda model, card, place: _write(base, model, card, place), _card, **running,
    )  # fmt: skip


def _learn_times(tokenizer: Any, model: Any) -> None:
    """New words of a model: they begin as the mean of all others, so no draw is needed."""
    before = len(tokenizer)
    tokenizer.add_tokens(list(TIME_TOKENS))
    ends = [model.get_input_embeddings(), model.get_output_embeddings()]
    means = [end.weight.detach()[:before].mean(0) for end in ends]
    if len(tokenizer) > len(ends[0].weight):
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for end, mean in zip(
            (model.get_input_embeddings(), model.get_output_embeddings()), means, strict=True
        ):
            end.weight[before : len(tokenizer)] = mean


def _write(base: str | Path, model: Any, card: dict[str, Any], folder: Path) -> None:
    """The model and its words; a kill in the middle leaves no half folder."""
    tokenizer = load_tokenizer(base)
    if card["settings"].get("time_tokens"):
        tokenizer.add_tokens(list(TIME_TOKENS))
    with replaced_folder(folder) as building:
        model.save_pretrained(building)
        tokenizer.save_pretrained(building)
        write_whole(building / CARD, json.dumps(card, indent=2) + "\n")


def _card(folder: Path) -> dict[str, Any] | None:
    path = folder / CARD
    if not path.is_file():
        return None
    card: dict[str, Any] = named(f"model {folder.name!r} has a corrupt {CARD}",
                                 lambda: read_json(path))  # fmt: skip
    return card

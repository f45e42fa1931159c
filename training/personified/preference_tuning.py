"""Trains an adapter further by direct preference optimisation (DPO, trl), from one that was tuned.

The reference is the adapter that it begins with. trl and peft load at use. A run that was stopped
goes on from its last checkpoint bit for bit.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from agents.inference.local.loading import choose_device
from agents.population.adapters import WEIGHTS, base_identity, check_adapter
from simenv.ranges import check_fields
from training.adapters.checkpoints import last_checkpoint
from training.adapters.lora import finished, outcome, public_name, write_adapter
from training.adapters.lora_model import frozen_base, resumed_lora
from training.adapters.lora_presets import LoraPreset, lora_preset
from training.personified.lessons import Choice
from training.traits.speaker import Speaker

FORMAT = 1
Length = Literal["none", "mean", "shared"]


@dataclass(frozen=True)
class DpoSettings:
    """How preferences are learnt.

    Attributes:
        beta: how dear it is to leave the reference; larger = nearer to it.
        learning_rate: at its peak.
        epochs: passes over all pairs; 0 = no DPO.
        pairs_per_step: pairs an update sees.
        length: what keeps long answers from winning by length: ``none`` (as published), ``mean``
            = log-probabilities a token, ``shared`` = only as many tokens as both answers have.

    Raises:
        ValueError: a setting is out of range.
    """

    beta: float = 0.1
    learning_rate: float = 5e-5
    epochs: int = 1
    pairs_per_step: int = 8
    length: Length = "shared"

    def __post_init__(self) -> None:
        if self.length not in ("none", "mean", "shared"):
            raise ValueError(f"length wanted none, mean or shared, got {self.length!r}")
        check_fields(
            self,
            {
                "beta": "(0, 1e6]",
                "learning_rate": "(0, 1]",
                "epochs": "whole [0, 1e6]",
                "pairs_per_step": "whole [1, 1e6]",
            },
        )


# The paper's code does not hold its DPO: beta and rate are trl's usual ones.
PRESETS = {"short": DpoSettings(), "as_published": DpoSettings(length="none", learning_rate=5e-6)}


def dpo_settings(name: str = "short", **changes: Any) -> DpoSettings:
    """The preset of that name with some settings changed.

    Raises:
        ValueError: no preset has this name, or a setting is out of range.
    """
    if name not in PRESETS:
        raise ValueError(f"dpo wanted one of {', '.join(PRESETS)}, got {name!r}")
    if unknown := sorted(set(changes) - set(DpoSettings.__dataclass_fields__)):
        known = ", ".join(DpoSettings.__dataclass_fields__)
        raise ValueError(f"dpo preset {name!r} has no setting {unknown}; it has {known}")
    return replace(PRESETS[name], **changes)


def train_preferences(
    base: str | Path,
    start: str | Path,
    choices: Sequence[Choice],
    settings: DpoSettings,
    folder: str | Path,
    *,
    seed: int = 0,
    device: str = "auto",
    save_every: int = 100,
    on_step: Callable[[int, float], None] | None = None,
) -> dict[str, Any]:
    """Train ``start`` further into ``folder``, or return the card if that was done already.

    Args:
        base: folder or hub name of the base model.
        start: folder of the adapter to begin with, which is the reference too; not changed.
        choices: pairs of answers.
        settings: see there.
        folder: where the adapter goes.
        seed: of the order.
        device: ``auto`` = a GPU where there is one.
        save_every: steps between checkpoints.
        on_step: gets the step and its loss.

    Returns:
        The adapter's card.

    Raises:
        FileExistsError: ``folder`` holds something else; nothing is deleted.
        ModuleNotFoundError: trl is not installed.
        ValueError: there is no pair, one is longer than the model's context, or ``start`` is
            corrupt or of another base.
    """
    if not choices or not settings.epochs:
        raise ValueError(
            f"DPO wanted pairs of answers and at least one pass over them, got {len(choices)} pairs"
            f" and {settings.epochs} passes; give exchanges of several people, or leave DPO out"
        )
    check_adapter(start, base)
    folder = Path(folder)
    key = _key(base, Path(start), choices, settings, seed)
    if folder.exists():
        return finished(folder, key)
    work = folder.with_name(f"{folder.name}.{key[:12]}.training")
    trainer, clock = _trainer(base, start, choices, settings, work, seed, device, save_every)
    clock.on_step = on_step
    trainer.train(resume_from_checkpoint=last_checkpoint(work))
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    card = {
        "format": FORMAT,
        "key": key,
        "base": public_name(base),
        "base_is_folder": Path(base).is_dir(),
        "base_identity": base_identity(base),
        "kind": "personified, by preferences",
        "pairs": len(choices),
        "dpo": asdict(settings),
        "seed": seed,
        **outcome(losses, clock.seconds),
    }
    tuned = trainer.model
    tuned.delete_adapter("ref")  # trl's copy of what it began with
    write_adapter(tuned, card, folder)
    shutil.rmtree(work)
    return card


def _key(
    base: str | Path, start: Path, choices: Sequence[Choice], settings: DpoSettings, seed: int
) -> str:
    facts = [FORMAT, base_identity(base), asdict(settings), seed, list(choices)]
    total = hashlib.sha256(json.dumps(facts).encode())
    for name in ("adapter_config.json", WEIGHTS):
        total.update((start / name).read_bytes())
    return total.hexdigest()


def _trainer(
    base: str | Path,
    start: str | Path,
    choices: Sequence[Choice],
    settings: DpoSettings,
    work: Path,
    seed: int,
    device: str,
    save_every: int,
) -> tuple[Any, Any]:
    from transformers import PrinterCallback
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    from training.adapters.block_trainer import Clock, Seal
    from training.personified.pair_trainer import PairTrainer, pair_arguments

    at = choose_device(device)
    tokenizer, model = frozen_base(base, lora_preset("personified"), at)
    rows = _rows(choices, Speaker(tokenizer, model, str(base)))
    arguments = pair_arguments(
        settings.beta, settings.length, _as_preset(settings), len(rows), work, seed, save_every, at
    )
    trainer = PairTrainer(
        model=resumed_lora(model, start, seed),
        args=arguments,
        data_collator=DataCollatorForPreference(0),
        train_dataset=_dataset(rows),
        processing_class=tokenizer,
    )
    clock = Clock()
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(clock)
    trainer.add_callback(Seal())
    return trainer, clock


def _as_preset(settings: DpoSettings) -> LoraPreset:
    """The schedule of a LoRA training with these steps."""
    return lora_preset(
        "personified",
        learning_rate=settings.learning_rate,
        epochs=settings.epochs,
        blocks_per_step=settings.pairs_per_step,
    )


def _rows(choices: Sequence[Choice], speaker: Speaker) -> list[dict[str, list[int]]]:
    """Token ids; raises ``ValueError`` where a pair is longer than the context."""
    rows = []
    for one in choices:
        chosen = speaker.sample(one.conversation, one.chosen)
        rejected = speaker.sample(one.conversation, one.rejected)
        rows.append(
            {
                "prompt_ids": chosen.prompt,
                "chosen_ids": chosen.answer,
                "rejected_ids": rejected.answer,
            }
        )
    return rows


def _dataset(rows: list[dict[str, list[int]]]) -> Any:
    from datasets import Dataset

    return Dataset.from_list(rows)

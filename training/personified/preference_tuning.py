"""Trains an adapter further by direct preference optimisation (DPO, trl), from one that was tuned.

The reference is the adapter that it begins with. trl and peft load at use. A run that was stopped
goes on from its last checkpoint bit for bit.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Unpack

import torch

from agents.population.adapters import WEIGHTS, base_identity, check_adapter
from simenv.ranges import check_fields
from training.adapters.lora import write_adapter
from training.adapters.lora_model import frozen_base, resumed_lora, with_lora
from training.adapters.lora_presets import LoraPreset, lora_preset
from training.adapters.runs import Running, base_facts, key_of, train_once
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
    start: str | Path | None,
    choices: Sequence[Choice],
    settings: DpoSettings,
    folder: str | Path,
    *,
    seed: int = 0,
    **running: Unpack[Running],
) -> dict[str, Any]:
    """Train ``start`` further into ``folder``, or return the card if that was done already.

    Args:
        base: folder or hub name of the base model.
        start: folder of the adapter to begin with, which is the reference too; not changed. None =
            a fresh one on a base that was tuned whole, so that the base is the reference.
        choices: pairs of answers.
        settings: see there.
        folder: where the adapter goes.
        seed: of the order, and of a fresh adapter's first weights.
        running: device, steps between checkpoints, and who hears of each; see there.

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
    if start is not None:
        check_adapter(start, base)
    facts = {
        "kind": "personified, by preferences", "pairs": len(choices), "dpo": asdict(settings),
        "seed": seed,
    }  # fmt: skip

    def made(work: Path, device: torch.device, save_every: int) -> Any:
        how = _as_preset(settings)
        tokenizer, model = frozen_base(base, how, device)
        rows = _rows(choices, Speaker(tokenizer, model, str(base)))
        tuned = with_lora(model, how, seed) if start is None else resumed_lora(model, start, seed)
        return _trainer(tuned, tokenizer, rows, settings, work, seed, device, save_every)

    return train_once(
        Path(folder), _key(base, start, choices, settings, seed), made,
        lambda: {**base_facts(base), **facts}, _write, **running,
    )  # fmt: skip


def _write(tuned: Any, card: dict[str, Any], folder: Path) -> None:
    tuned.delete_adapter("ref")  # trl's copy of what it began with
    write_adapter(tuned, card, folder)


def _key(
    base: str | Path, start: str | Path | None, choices: Sequence[Choice], settings: DpoSettings,
    seed: int,
) -> str:  # fmt: skip
    names = () if start is None else ("adapter_config.json", WEIGHTS)
    facts = [FORMAT, base_identity(base), asdict(settings), seed, list(choices)]
    return key_of(facts, [Path(str(start)) / name for name in names])


def _trainer(
    tuned: Any,
    tokenizer: Any,
    rows: list[dict[str, list[int]]],
    settings: DpoSettings,
    work: Path,
    seed: int,
    device: torch.device,
    save_every: int,
) -> Any:
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    from training.personified.pair_trainer import PairTrainer, pair_arguments

    arguments = pair_arguments(
        settings.beta, settings.length, _as_preset(settings), len(rows), work, seed, save_every,
        device,
    )  # fmt: skip
    return PairTrainer(
        model=tuned,
        args=arguments,
        data_collator=DataCollatorForPreference(0),
        train_dataset=_dataset(rows),
        processing_class=tokenizer,
    )


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

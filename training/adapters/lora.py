"""Trains one persona adapter (LoRA, peft) on a frozen base, with the loss on the answers alone.

What comes out is a peft folder in safetensors with a card. The model that is trained is put
together in ``lora_model.py``; which adapters a table wants is known to ``variants.py``.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from simenv.values.extras import needing

with needing("training an adapter"):
    import torch

from agents.inference.facets.gate import FacetGate
from agents.inference.local.adapter_kinds import num_facets
from agents.inference.local.loading import choose_device
from agents.population.adapters import (
    CARD,
    WEIGHTS,
    base_identity,
    check_adapter,
    read_adapter_card,
)
from simenv.whole_files import replaced_folder
from training.adapters.checkpoints import last_checkpoint
from training.adapters.lora_model import frozen_base, resumed_lora, with_lora
from training.adapters.lora_presets import LoraPreset
from training.adapters.losses import AnswerLoss
from training.adapters.turns import turns_of
from training.examples.from_log import Examples

FORMAT = 1


def train_lora(
    base: str | Path,
    examples: Examples,
    preset: LoraPreset,
    folder: str | Path,
    *,
    seed: int = 0,
    start: str | Path | None = None,
    device: str = "auto",
    save_every: int = 100,
    on_step: Callable[[int, float], None] | None = None,
) -> dict[str, Any]:
    """Train an adapter into ``folder``, or return the card of the same training if it is there.

    Supports: CPU or one GPU, from the start or from the last checkpoint (beside ``folder``; a
    resumed run equals an uninterrupted one bit for bit in float32), NF4 bases. Saves a checkpoint
    every ``save_every`` steps, passes over one that is not whole, and saves the adapter at the end,
    when the checkpoints are deleted.

    Args:
        base: folder or hub name of the base model.
        examples: blocks; turns of weight 0 are not learnt from.
        preset: how to train; see ``lora_preset``.
        folder: where the adapter goes.
        seed: of the first weights, the order of blocks and the dropout.
        start: folder of an adapter of this base to go on from; its layers, rank and scale stay,
            whatever the preset says. None = a fresh adapter.
        device: ``auto`` = a GPU where there is one.
        save_every: steps between checkpoints.
        on_step: gets the step and its loss.

    Returns:
        The adapter's card: base and its identity, rows, blocks, preset, seed, steps, losses of the
        first and the last tenth of the steps, seconds.

    Raises:
        FileExistsError: ``folder`` holds something else; nothing is deleted.
        ModuleNotFoundError: the preset is quantized and bitsandbytes is not installed.
        ValueError: there are no rows, a prompt is too long, the base lacks the preset's layers, or
            ``start`` is corrupt or of another base.
    """
    folder = Path(folder)
    if start is not None:
        check_adapter(start, base)
        if num_facets(start):
            raise ValueError(
                f"training adapter {folder.name!r} wanted an ordinary adapter to go on from, got"
                f" {str(start)!r} with facets, whose gate would be lost; train the facets anew"
            )
    check_rows(examples, folder.name)
    key = training_key(base, examples, preset, seed, start)
    if folder.exists():
        return finished(folder, key)
    work = folder.with_name(f"{folder.name}.{key[:12]}.training")
    trainer = _trainer(base, examples, preset, work, seed, choose_device(device), save_every, start)
    trainer.clock.on_step = on_step
    trainer.train(resume_from_checkpoint=last_checkpoint(work))
    card = {
        "format": FORMAT,
        "key": key,
        **training_facts(base, examples, preset, seed),
        **outcome(trainer.losses, trainer.clock.seconds),
    }
    write_adapter(trainer.model, card, folder)
    shutil.rmtree(work)
    return card


def check_rows(examples: Examples, name: str) -> None:
    """Raise ``ValueError`` unless there is a rating to learn from."""
    if not np.count_nonzero(examples.weights):
        raise ValueError(
            f"training adapter {name!r} wanted at least one rating to learn from, got"
            f" {len(examples.prefixes)} blocks without any; give the cluster more users"
        )


def training_facts(
    base: str | Path, examples: Examples, preset: LoraPreset, seed: int
) -> dict[str, Any]:
    """What a card says of the base and of what was learnt from."""
    return {
        "base": public_name(base),
        "base_is_folder": Path(base).is_dir(),
        "base_identity": base_identity(base),
        "rows": int(np.count_nonzero(examples.weights)),
        "blocks": len(examples.prefixes),
        "preset": asdict(preset),
        "seed": seed,
    }


def outcome(losses: Sequence[float], seconds: float) -> dict[str, Any]:
    """What a card says of the training: losses are means of its first and last tenth."""
    tenth = max(1, len(losses) // 10)
    return {
        "steps": len(losses),
        "first_loss": float(np.mean(losses[:tenth])),
        "last_loss": float(np.mean(losses[-tenth:])),
        "seconds": round(seconds, 1),
    }


def training_key(
    base: str | Path,
    examples: Examples,
    preset: LoraPreset,
    seed: int,
    start: str | Path | None = None,
) -> str:
    """Hash of all that decides an adapter; the same key is the same adapter."""
    total = hashlib.sha256()
    settings = asdict(preset)
    if not preset.last_layers:  # adapters of before it was there keep their key
        del settings["last_layers"]
    if preset.double_quantized:  # likewise
        del settings["double_quantized"]
    facts = [FORMAT, base_identity(base), settings, seed]
    texts: list[Any] = [examples.prefixes, examples.suffixes]
    if examples.items:
        texts += [list(examples.items), list(examples.pasts)]
    total.update(json.dumps([*facts, *texts]).encode())
    if start is not None:  # not its card, which holds how long the training took
        for name in ("adapter_config.json", WEIGHTS):
            total.update((Path(start) / name).read_bytes())
    for numbers in (examples.targets, examples.weights):
        total.update(np.ascontiguousarray(numbers, dtype=np.float64).tobytes())
    return total.hexdigest()


def public_name(base: str | Path) -> str:
    """A base model's name without the place where it lies."""
    return Path(base).name if Path(base).is_dir() else str(base)


def finished(folder: Path, key: str) -> dict[str, Any]:
    """The card of the training ``key`` in ``folder``; ``FileExistsError`` if it holds another."""
    card = read_adapter_card(folder)
    if card is None or card["key"] != key:
        raise FileExistsError(
            f"{str(folder)!r} holds something else than this adapter; train into a new folder"
        )
    return card


def _trainer(
    base: str | Path,
    examples: Examples,
    preset: LoraPreset,
    work: Path,
    seed: int,
    device: torch.device,
    save_every: int,
    start: str | Path | None,
) -> Any:
    from training.adapters.block_trainer import AnswerTrainer, training_arguments

    tokenizer, model = frozen_base(base, preset, device)
    turns = turns_of(examples, tokenizer, model)
    loss = AnswerLoss(preset.loss, preset.loss_strength, preset.whole_vocabulary)
    arguments = training_arguments(
        preset, len(turns), work, seed=seed, save_every=save_every, device=device
    )
    tuned = with_lora(model, preset, seed) if start is None else resumed_lora(model, start, seed)
    return AnswerTrainer(tuned, turns, loss, arguments)


def write_adapter(
    model: Any, card: dict[str, Any], folder: Path, gate: FacetGate | None = None
) -> None:
    """The adapter without any path of this machine; a kill in the middle leaves no half folder.

    The gate is that of an adapter with facets.
    """
    with replaced_folder(folder) as building:
        # "auto" would ask the hub whether the base's embeddings were resized; they never are.
        model.save_pretrained(building, save_embedding_layers=False)
        (building / "README.md").unlink(missing_ok=True)  # peft's own, with the base's path
        path = building / "adapter_config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        config["base_model_name_or_path"] = card["base"]
        config["target_modules"] = sorted(config["target_modules"])
        path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        if gate is not None:
            gate.save(building)
        (building / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")

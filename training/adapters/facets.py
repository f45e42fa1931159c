"""Facets: K low-rank adapters trained jointly, mixed for each person by a gate on their vector.

A gate on words that stand in the prompt would tell the model nothing new; one on who agrees with
whom can. What comes out is a peft folder of rank K·r in safetensors, with the gate and a card.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agents.inference.facets.gate import FacetGate
from agents.inference.local.architectures import why_whole
from agents.inference.local.loading import choose_device
from simenv.events import FloatArray, IntArray
from simenv.ranges import check_number
from training.adapters.lora import (
    check_rows,
    finished,
    outcome,
    training_facts,
    training_key,
    write_adapter,
)
from training.adapters.lora_model import frozen_base, with_lora
from training.adapters.lora_presets import LoraPreset
from training.adapters.losses import AnswerLoss
from training.adapters.turns import turns_of
from training.examples.from_log import Examples
from training.groups.clusters import group_vectors

_FORMAT = 1


class Facets(NamedTuple):
    """A trained adapter of facets."""

    card: dict[str, Any]
    gate: FacetGate


def wide(preset: LoraPreset, num_facets: int) -> LoraPreset:
    """One adapter of the size of all facets, each rank scaled as in a facet."""
    return replace(preset, rank=preset.rank * num_facets, alpha=preset.alpha * num_facets)


def train_facets(
    base: str | Path,
    examples: Examples,
    vectors: FloatArray,
    preset: LoraPreset,
    folder: str | Path,
    *,
    num_facets: int = 6,
    seed: int = 0,
    device: str = "auto",
    save_every: int = 100,
    on_step: Callable[[int, float], None] | None = None,
) -> Facets:
    """Train facets into ``folder``, or return those of the same training if they are there.

    Supports: CPU or one GPU, AdamW, from the start or from the last checkpoint (beside ``folder``;
    a resumed run equals an uninterrupted one bit for bit in float32). Blocks are sampled alike from
    K clusters of the vectors.

    Args:
        base: folder or hub name of the base model.
        examples: (b,) blocks; turns of weight 0 are not learnt from.
        vectors: (b, d) of the person of each block, from no row that the block asks about.
        preset: of one facet: its rank, and how all are trained.
        folder: where the adapter goes.
        num_facets: K.
        seed: of the first weights, clusters, the order of blocks and the dropout.
        device: ``auto`` = a GPU where there is one.
        save_every: steps between checkpoints.
        on_step: gets the step and its loss.

    Raises:
        FileExistsError: ``folder`` holds something else; nothing is deleted.
        ValueError: there are no rows, the vectors do not fit the blocks, a prompt is too long, the
            base lacks the preset's layers or keeps no prefixes, or the preset wants four bits or
            another optimizer than AdamW.
    """
    folder = Path(folder)
    vectors = _checked(vectors, examples, preset, num_facets, folder.name)
    key = facets_key(base, examples, vectors, preset, num_facets, seed)
    if folder.exists():
        return Facets(finished(folder, key), _gate_of(folder))
    work = folder.with_name(f"{folder.name}.{key[:12]}.training")
    scaled = (vectors - vectors.mean(axis=0)) / np.maximum(vectors.std(axis=0), 1e-6)
    groups, centres = group_vectors(scaled, num_facets, seed)
    trainer = _trainer(
        base, examples, vectors, groups, centres, preset, work, choose_device(device),
        key=key, seed=seed, save_every=save_every,
    )  # fmt: skip
    trainer.train(on_step)
    card = {
        "format": _FORMAT,
        "key": key,
        **training_facts(base, examples, preset, seed),
        "facets": num_facets,
        "groups": np.bincount(groups, minlength=num_facets).tolist(),
        **outcome(trainer.losses, trainer.seconds),
    }
    gate = trainer.gate
    write_adapter(trainer.model, card, folder, gate)
    shutil.rmtree(work)
    return Facets(card, _gate_of(folder))


def facets_key(
    base: str | Path,
    examples: Examples,
    vectors: FloatArray,
    preset: LoraPreset,
    num_facets: int,
    seed: int,
) -> str:
    """Hash of all that decides facets; the same key is the same adapter and gate."""
    own = json.dumps([_FORMAT, num_facets, training_key(base, examples, preset, seed)])
    numbers = np.ascontiguousarray(vectors, dtype=np.float64).tobytes()
    return hashlib.sha256(own.encode() + numbers).hexdigest()


def _checked(
    vectors: FloatArray, examples: Examples, preset: LoraPreset, num_facets: int, name: str
) -> FloatArray:
    check_rows(examples, name)
    check_number("facets", "num_facets", num_facets, "whole [2, 1000]", "4 to 8 are usual")
    if preset.quantized or preset.optimizer != "adamw_torch":
        raise ValueError(
            "facets wanted a preset in full number formats with AdamW, got quantized="
            f"{preset.quantized}, optimizer={preset.optimizer!r}; use training=small or paper"
        )
    vectors = np.asarray(vectors, dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) != len(examples.prefixes) or not vectors.shape[1]:
        raise ValueError(
            f"facets wanted a vector for each of {len(examples.prefixes)} blocks, got"
            f" {vectors.shape}; give one row a block"
        )
    return vectors


def _gate_of(folder: Path) -> FacetGate:
    from agents.inference.local.adapter_kinds import read_gate

    gate = read_gate(folder)
    if gate is None:
        raise ValueError(f"adapter {str(folder)!r} has lost its gate; delete it, and train again")
    return gate


def _trainer(
    base: str | Path,
    examples: Examples,
    vectors: FloatArray,
    groups: IntArray,
    centres: FloatArray,
    preset: LoraPreset,
    work: Path,
    device: Any,
    **run: Any,
) -> Any:
    from training.adapters.facet_trainer import FacetBlocks, FacetTrainer

    tokenizer, model = frozen_base(base, preset, device)
    if reason := why_whole(model.config):
        raise ValueError(
            f"facets wanted a base whose prefixes may be kept, got {str(base)!r} with {reason};"
            " train persona adapters on it"
        )
    turns = turns_of(examples, tokenizer, model)
    tuned = with_lora(model, wide(preset, len(centres)), run["seed"])
    data = FacetBlocks(turns, vectors, groups)
    loss = AnswerLoss(preset.loss, preset.loss_strength, preset.whole_vocabulary)
    return FacetTrainer(tuned, data, centres, preset, loss, work, **run)

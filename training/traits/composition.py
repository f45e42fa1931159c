"""Adapters scaled and added up into one: a trait more or less, several, one on top of a persona.

The sum of low-rank updates is a low-rank update of the ranks together, so the result is exact, and
an ordinary adapter, which every engine and population takes. It knows no training and no model.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agents.inference.facets.gate import GATE
from agents.inference.local.adapter_kinds import check_adapter_kind
from agents.population.adapters import (
    CARD,
    WEIGHTS,
    check_adapter,
    check_adapter_files,
    read_adapter_card,
)
from agents.population.population import Population
from simenv.whole_files import replaced_folder

FORMAT = 1
_MODEL = "base_model.model."
_IN, _OUT = ".lora_A.weight", ".lora_B.weight"


class _Update(NamedTuple):
    """The update of one layer: ``outwards @ inwards``."""

    inwards: Tensor  # (rank, i)
    outwards: Tensor  # (o, rank), its scale included


def composed(parts: Mapping[str | Path, float], folder: str | Path) -> Path:
    """Write the weighted sum of adapters as one adapter.

    Args:
        parts: folder of an adapter → its weight; 1 = as it was trained, 0.5 = half as much, a
            negative one turns it round.
        folder: where the sum goes; a folder that is there is replaced.

    Returns:
        ``folder``.

    Raises:
        ValueError: there is no part, a weight is no number, parts were trained on different bases,
            or one is no plain LoRA of linear layers (DoRA, facets, embeddings).
    """
    from safetensors.torch import save_file

    if not parts or not all(math.isfinite(weight) for weight in parts.values()):
        raise ValueError(
            f"a composition wanted adapters with finite weights, got {dict(parts)!r}; give at"
            " least one, as {folder: 1.0}"
        )
    card = _card_of(parts)
    sums: dict[str, list[_Update]] = {}
    for part, weight in parts.items():
        for layer, update in _updates(Path(part), weight).items():
            sums.setdefault(layer, []).append(update)
    tensors, ranks = {}, {}
    for layer, updates in sorted(sums.items()):
        tensors[layer + _IN] = torch.cat([u.inwards for u in updates]).contiguous()
        tensors[layer + _OUT] = torch.cat([u.outwards for u in updates], dim=1).contiguous()
        ranks[layer.removeprefix(_MODEL)] = len(tensors[layer + _IN])
    with replaced_folder(Path(folder)) as building:
        save_file(tensors, building / WEIGHTS, metadata={"format": "pt"})
        config = json.dumps(_config(ranks, card["base"]), indent=2, sort_keys=True)
        (building / "adapter_config.json").write_text(config + "\n", encoding="utf-8")
        (building / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return Path(folder)


def people_with_trait(
    population: Population, trait: str | Path, folder: str | Path, weight: float = 1.0
) -> Population:
    """The same people with a trait: beside the persona adapter of each, or on the bare model.

    Args:
        population: not changed.
        trait: folder of an adapter of the population's base.
        folder: of the sums, one for each persona adapter, and of the trait alone.
        weight: of the trait.

    Raises:
        ValueError: the adapter is of another base, or a persona's has facets.
    """
    check_adapter(trait, population.model)
    folder = Path(folder)
    own = sorted({p.adapter for p in population.personas}, key=str)
    held = {}
    for name in own:
        parts: dict[str | Path, float] = {trait: weight}
        if name is not None:
            parts[population.adapters[name]] = 1.0
        held[name] = _name(name)
        composed(parts, folder / held[name])
    return replace(
        population,
        personas=[replace(p, adapter=held[p.adapter]) for p in population.personas],
        adapters={name: str(folder / name) for name in held.values()},
    )


def _name(adapter: str | None) -> str:
    return "trait" if adapter is None else f"{adapter} with trait"


def _card_of(parts: Mapping[str | Path, float]) -> dict[str, Any]:
    """The sum's card.

    Raises:
        ValueError: the parts' cards name different bases, or a part has none.
    """
    cards = {}
    for part in parts:
        check_adapter_files(part)
        cards[Path(part).name] = read_adapter_card(part)
    first_name, first = next(iter(cards.items()))
    for name, card in cards.items():
        if card is None or first is None:
            raise ValueError(
                f"a composition wanted adapters whose card says what base they are for, {name!r}"
                " has none; train it here, or write its card"
            )
        if card["base_identity"] != first["base_identity"]:
            raise ValueError(
                f"a composition wanted adapters of one base, got {first_name!r} of"
                f" {first['base']!r} and {name!r} of {card['base']!r}; train both on one base"
            )
    if first is None:
        raise ValueError(f"a composition wanted an adapter with a card, {first_name!r} has none")
    weights = {Path(part).name: weight for part, weight in parts.items()}
    base = {key: first[key] for key in ("base", "base_is_folder", "base_identity")}
    return {"format": FORMAT, **base, "composed": weights}


def _updates(folder: Path, weight: float) -> dict[str, _Update]:
    """Layer → its update, scaled as the configuration says and by ``weight``."""
    from safetensors.torch import load_file

    check_adapter_kind(f"part {folder.name}".replace(".", "_"), folder)
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    tensors = load_file(folder / WEIGHTS)
    _check_plain(folder, config, tensors)
    found = {}
    for name in tensors:
        if name.endswith(_IN):
            layer = name.removesuffix(_IN)
            inwards, outwards = tensors[name].float(), tensors[layer + _OUT].float()
            scale = weight * _scale(config, layer.removeprefix(_MODEL), len(inwards))
            found[layer] = _Update(inwards, scale * outwards)
    return found


def _check_plain(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    odd = [name for name in tensors if not name.endswith((_IN, _OUT))]
    if odd or config.get("use_dora") or (folder / GATE).exists():
        kind = "facets" if (folder / GATE).exists() else odd[0] if odd else "DoRA"
        raise ValueError(
            f"a composition wanted plain LoRA of linear layers, adapter {folder.name!r} has {kind};"
            " train it as an ordinary LoRA"
        )


def _scale(config: Mapping[str, Any], layer: str, rank: int) -> float:
    from peft.utils.other import get_pattern_key

    patterns: dict[str, float] = config.get("alpha_pattern") or {}
    alpha = patterns.get(get_pattern_key(list(patterns), layer), float(config["lora_alpha"]))
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _config(ranks: Mapping[str, int], base: str) -> dict[str, Any]:
    """Of a LoRA whose every layer has its own rank and scale 1."""
    rank = max(ranks.values())
    others = {layer: own for layer, own in ranks.items() if own != rank}
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": rank,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": sorted(ranks),
        "rank_pattern": others,
        "alpha_pattern": others,
    }

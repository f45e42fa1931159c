"""Which adapters to train for a table: none, one for all, one a persona group, one a random group.

Every adapter lies under the hash of what decides it, so a stopped run goes on where it was and
what two variants or two runs share is trained once.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agents.population.population import Population
from simenv.events import BoolArray, IntArray
from training.adapters.lora import train_lora, training_key
from training.adapters.lora_presets import LoraPreset
from training.examples.from_log import Examples, chosen_blocks
from training.groups.clusters import random_clusters

VARIANTS = ("none", "single", "single_all", "persona", "random")
OnAdapter = Callable[[str, int, float], None]


class Variant(NamedTuple):
    """One column of the table: adapters, and who uses which."""

    name: str
    adapters: dict[str, str]  # name -> folder
    of_user: list[str | None]  # (num_users,) name of each user's adapter
    cards: dict[str, dict[str, Any]]  # name -> card of the training


class VariantPlan(NamedTuple):
    """What an adapter learns from and whom it is for."""

    examples: Examples
    users: BoolArray  # (num_users,)


def train_variants(
    base: str | Path,
    examples: Examples,
    users: IntArray,
    labels: IntArray,
    preset: LoraPreset,
    root: str | Path,
    *,
    seed: int = 0,
    names: Sequence[str] = VARIANTS,
    on_step: OnAdapter | None = None,
    **settings: Any,
) -> dict[str, Variant]:
    """Train the adapters of the named variants, or find them where they are trained already.

    ``none``: no adapter. ``single``: one on as many rows as a persona's adapter has on average,
    drawn at random. ``single_all``: one on all rows. ``persona``: one a group. ``random``: one a
    group of as many users, drawn at random.

    Args:
        base: folder or hub name of the base model.
        examples: (b,) blocks.
        users: (b,) whose block each is, in [0, num_users).
        labels: (num_users,) group of every user.
        preset: how to train.
        root: folder of all adapters; one serves many runs.
        seed: of trainings, of random groups and of the rows of ``single``.
        names: which variants.
        on_step: gets an adapter's name, its step and its loss.
        settings: more for ``train_lora`` (device, save_every).

    Returns:
        Variants by name.

    Raises:
        ValueError: an unknown variant, ids that do not fit together, or a group without rows.
    """
    users, labels = np.asarray(users), np.asarray(labels)
    _check(examples, users, labels, names)

    def train(adapter: str, plan: VariantPlan) -> tuple[str, dict[str, Any]]:
        folder = Path(root) / training_key(base, plan.examples, preset, seed)[:16]
        step = _steps_of(on_step, adapter)
        card = train_lora(base, plan.examples, preset, folder, seed=seed, on_step=step, **settings)
        return str(folder), card

    variants = {}
    for name in names:
        plans = _plans(name, examples, users, labels, seed)
        trained = {adapter: train(adapter, plan) for adapter, plan in plans.items()}
        folders = {adapter: folder for adapter, (folder, _) in trained.items()}
        cards = {adapter: card for adapter, (_, card) in trained.items()}
        variants[name] = Variant(name, folders, _of_user(plans, len(labels)), cards)
    return variants


def num_steps(
    examples: Examples,
    users: IntArray,
    labels: IntArray,
    preset: LoraPreset,
    names: Sequence[str],
    seed: int = 0,
) -> int:
    """Steps of all trainings that ``train_variants`` would do, for the same arguments."""
    plans = [p for name in names for p in _plans(name, examples, users, labels, seed).values()]
    blocks = [len(plan.examples.prefixes) for plan in plans]
    return preset.epochs * sum(math.ceil(n / preset.blocks_per_step) for n in blocks)


def people_on(population: Population, variant: Variant, labels: IntArray) -> Population:
    """The population whose people, group by group, use a variant's adapters.

    Args:
        population: of the same users.
        variant: out of ``train_variants``.
        labels: (num_users,) group of every user.
    """
    personas = [
        replace(persona, cluster=int(label), adapter=adapter)
        for persona, label, adapter in zip(
            population.personas, labels, variant.of_user, strict=True
        )
    ]
    return replace(population, personas=personas, adapters=variant.adapters)


def same_rows(examples: Examples, num_rows: int, rng: np.random.Generator) -> Examples:
    """Exactly ``num_rows`` rows of whole blocks at random; of the last one only some turns."""
    order = rng.permutation(len(examples.prefixes))
    counts = np.count_nonzero(examples.weights[order], axis=1)
    num_blocks = int(np.searchsorted(np.cumsum(counts), num_rows)) + 1
    chosen = chosen_blocks(examples, order[:num_blocks])
    weights = chosen.weights.copy()
    surplus = np.count_nonzero(weights) - num_rows
    if surplus > 0:
        weights[-1, np.flatnonzero(weights[-1])[-surplus:]] = 0.0
    return chosen._replace(weights=weights)


def _plans(
    name: str, examples: Examples, users: IntArray, labels: IntArray, seed: int
) -> dict[str, VariantPlan]:
    """Adapter name -> plan, of one variant."""
    everybody = np.ones(len(labels), dtype=np.bool_)
    rng = np.random.default_rng([seed, VARIANTS.index(name)])
    if name == "none":
        return {}
    if name == "single_all":
        return {name: VariantPlan(examples, everybody)}
    if name == "single":
        share = np.count_nonzero(examples.weights) / len(np.unique(labels))
        return {name: VariantPlan(same_rows(examples, max(1, round(share)), rng), everybody)}
    groups = random_clusters(labels, rng) if name == "random" else labels
    return {
        f"{name}-{group}": VariantPlan(
            chosen_blocks(examples, np.flatnonzero(groups[users] == group)), groups == group
        )
        for group in np.unique(groups).tolist()
    }


def _of_user(plans: dict[str, VariantPlan], num_users: int) -> list[str | None]:
    names: list[str | None] = [None] * num_users
    for adapter, plan in plans.items():
        for user in np.flatnonzero(plan.users):
            names[user] = adapter
    return names


def _steps_of(on_step: OnAdapter | None, adapter: str) -> Callable[[int, float], None] | None:
    return None if on_step is None else lambda step, loss: on_step(adapter, step, loss)


def _check(examples: Examples, users: IntArray, labels: IntArray, names: Sequence[str]) -> None:
    if unknown := sorted(set(names) - set(VARIANTS)):
        raise ValueError(f"adapter variants wanted some of {', '.join(VARIANTS)}, got {unknown}")
    if len(users) != len(examples.prefixes):
        raise ValueError(
            f"adapter variants wanted a user for each of {len(examples.prefixes)} blocks, got"
            f" {len(users)}"
        )
    if len(users) and (users.min() < 0 or users.max() >= len(labels)):
        raise ValueError(
            f"adapter variants wanted a group for every user, got {len(labels)} groups and a block"
            f" of user {int(users.max())}; cluster all people"
        )

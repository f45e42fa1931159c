"""Which adapters to train for a table: none, one for all, one a group, facets, and the controls.

Every adapter lies under the hash of what decides it, so a stopped run goes on where it was and
what two variants or two runs share is trained once.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agents.population.population import Population
from simenv.events import BoolArray, FloatArray, IntArray
from training.adapters.facets import Facets, facets_key, train_facets, wide
from training.adapters.lora import train_lora, training_key
from training.adapters.lora_presets import LoraPreset
from training.adapters.person_vectors import PersonVectors, refuse_too_few
from training.examples.from_log import Examples, chosen_blocks
from training.groups.clusters import random_clusters
from training.spreading import Spread, naming, values_of

VARIANTS = ("none", "single", "single_all", "persona", "random")
# What the gate of each looks at; ``single_wide`` is one adapter of their size.
FACETS = {"facets": "ratings", "facets_text": "words", "facets_shuffled": "others"}
WIDE = "single_wide"
ALL_VARIANTS = (*VARIANTS, WIDE, *FACETS)
NUM_FACETS = 6
OnAdapter = Callable[[str, int, float], None]


class Variant(NamedTuple):
    """One column of the table: adapters, and who uses which."""

    name: str
    adapters: dict[str, str]  # name -> folder
    of_user: list[str | None]  # (num_users,) name of each user's adapter
    cards: dict[str, dict[str, Any]]  # name -> card of the training
    gates: FloatArray | None = None  # (num_users, K) how facets are mixed for each user


class VariantPlan(NamedTuple):
    """What an adapter learns from and whom it is for."""

    examples: Examples
    users: BoolArray  # (num_users,)


class Training(NamedTuple):
    """One adapter: where it goes, and what trains it or finds it there."""

    folder: Path
    run: Callable[..., Any]  # takes ``on_step``


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
    vectors: Mapping[str, PersonVectors] | None = None,
    num_facets: int = NUM_FACETS,
    on_step: OnAdapter | None = None,
    spread: Spread | None = None,
    **settings: Any,
) -> dict[str, Variant]:
    """Train the adapters of the named variants, or find them where they are trained already.

    ``none``: no adapter. ``single``: one on as many rows as a persona's adapter has on average,
    drawn at random. ``single_all``: one on all rows. ``persona``: one a group. ``random``: one a
    group of as many users, drawn at random. ``facets``: one adapter in ``num_facets`` parts, mixed
    for each user by who agrees with them; ``facets_text`` by the words of their profile,
    ``facets_shuffled`` by who agrees with somebody else. ``single_wide``: one on all rows, of the
    size of all facets.

    Args:
        base: folder or hub name of the base model.
        examples: (b,) blocks.
        users: (b,) whose block each is, in [0, num_users).
        labels: (num_users,) group of every user.
        preset: how to train.
        root: folder of all adapters; one serves many runs.
        seed: of trainings, of random groups and of the rows of ``single``.
        names: which variants.
        vectors: what gates look at, by ``FACETS``: ``ratings``, ``words``, ``others``.
        num_facets: K.
        on_step: gets an adapter's name, its step and its loss; of one that is trained elsewhere
            only that it begins, as step 1 with no loss (NaN).
        spread: trains those that are not there yet, each as a part of its own; None = one after the
            other, here. The outcome is the same, to the bit on as many threads.
        settings: more for ``train_lora`` (device, save_every).

    Returns:
        Variants by name.

    Raises:
        FileNotFoundError: what was trained elsewhere did not come to ``root``.
        ValueError: an unknown variant, ids that do not fit together, or a group without rows.
    """
    users, labels = np.asarray(users), np.asarray(labels)
    _check(examples, users, labels, names)
    whole, mixed = [n for n in names if n not in FACETS], [n for n in names if n in FACETS]
    recipe = _Recipe(base, preset, Path(root), seed, num_facets, settings)
    plans = {name: _plans(name, examples, users, labels, seed) for name in whole}
    looks = {name: _vectors_of(name, vectors) for name in mixed}
    for name, look in looks.items():  # before anything is trained
        refuse_too_few(look, num_facets, name)
    if spread is not None:
        own = {a: recipe.whole(a, plan) for p in plans.values() for a, plan in p.items()}
        own |= {name: recipe.mixed(examples, look) for name, look in looks.items()}
        _train_elsewhere(own, spread, on_step)

    def trained_whole(name: str) -> Variant:
        own = {adapter: recipe.whole(adapter, plan) for adapter, plan in plans[name].items()}
        cards = {adapter: _run(one, adapter, on_step) for adapter, one in own.items()}
        folders = {adapter: str(one.folder) for adapter, one in own.items()}
        return Variant(name, folders, _of_user(plans[name], len(labels)), cards)

    def trained_mixed(name: str) -> Variant:
        own = recipe.mixed(examples, looks[name])
        facets: Facets = _run(own, name, on_step)
        of_user: list[str | None] = [name] * len(labels)
        folders, cards = {name: str(own.folder)}, {name: facets.card}
        return Variant(name, folders, of_user, cards, facets.gate(looks[name].users))

    return {n: trained_mixed(n) if n in mixed else trained_whole(n) for n in names}


class Planned(NamedTuple):
    """What ``train_variants`` would do."""

    steps: int  # of all trainings
    rows: int  # learnt from, in all epochs together


def planned(
    examples: Examples,
    users: IntArray,
    labels: IntArray,
    preset: LoraPreset,
    names: Sequence[str],
    seed: int = 0,
) -> Planned:
    """All trainings that ``train_variants`` would do, for the same arguments."""
    plans = [p for name in names for p in _plans(name, examples, users, labels, seed).values()]
    blocks = [len(plan.examples.prefixes) for plan in plans]
    steps = preset.epochs * sum(math.ceil(n / preset.blocks_per_step) for n in blocks)
    rows = preset.epochs * sum(np.count_nonzero(plan.examples.weights) for plan in plans)
    return Planned(steps, int(rows))


def people_on(population: Population, variant: Variant, labels: IntArray) -> Population:
    """The population whose people, group by group, use a variant's adapters.

    Args:
        population: of the same users.
        variant: out of ``train_variants``.
        labels: (num_users,) group of every user.
    """
    none: list[list[float]] = [[]] * len(labels)
    gates = none if variant.gates is None else variant.gates.tolist()
    personas = [
        replace(persona, cluster=int(label), adapter=adapter, gate=tuple(gate))
        for persona, label, adapter, gate in zip(
            population.personas, labels, variant.of_user, gates, strict=True
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
    rng = np.random.default_rng([seed, ALL_VARIANTS.index(name)])
    if name == "none":
        return {}
    if name in ("single_all", WIDE):
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


class _Recipe(NamedTuple):
    """What all adapters of a call have in common."""

    base: str | Path
    preset: LoraPreset
    root: Path
    seed: int
    num_facets: int
    settings: Mapping[str, Any]

    def whole(self, adapter: str, plan: VariantPlan) -> Training:
        """An adapter for all that its people are asked."""
        shape = wide(self.preset, self.num_facets) if adapter == WIDE else self.preset
        folder = self.root / training_key(self.base, plan.examples, shape, self.seed)[:16]
        own = {"seed": self.seed, **self.settings}
        return Training(folder, partial(train_lora, self.base, plan.examples, shape, folder, **own))

    def mixed(self, examples: Examples, look: PersonVectors) -> Training:
        """Facets, and the gate that mixes them by what it looks at."""
        what = self.base, examples, look.blocks, self.preset
        folder = self.root / facets_key(*what, self.num_facets, self.seed)[:16]
        own = {"num_facets": self.num_facets, "seed": self.seed, **self.settings}
        return Training(folder, partial(train_facets, *what, folder, **own))


def _run(training: Training, adapter: str, on_step: OnAdapter | None) -> Any:
    """Train an adapter here, or find it; what goes wrong is said to be its."""
    with naming(f"adapter {adapter}"):
        step = None if on_step is None else partial(on_step, adapter)
        return training.run(on_step=step)


def _train_elsewhere(
    trainings: Mapping[str, Training], spread: Spread, on_step: OnAdapter | None
) -> None:
    """Train what is not there yet; each folder once, whichever adapters share it."""
    of_folder: dict[Path, str] = {}
    for name, one in trainings.items():
        of_folder.setdefault(one.folder, name)
    missing = {folder: name for folder, name in of_folder.items() if not folder.exists()}
    left = {f"adapter {name}": trainings[name] for name in missing.values()}

    def begins(name: str) -> None:
        if on_step:
            on_step(name.removeprefix("adapter "), 1, math.nan)

    for name, _ in values_of(spread({name: one.run for name, one in left.items()}, begins)):
        if not left[name].folder.exists():
            raise FileNotFoundError(
                f"{name} wanted to be in {str(left[name].folder.parent)!r}, got trained on another"
                " machine, whose disk has it; name a folder that all machines share"
            )


def _vectors_of(name: str, vectors: Mapping[str, PersonVectors] | None) -> PersonVectors:
    """What the gate of a variant looks at."""
    kind = FACETS[name]
    if vectors is None or kind not in vectors:
        raise ValueError(
            f"adapter variant {name!r} wanted vectors[{kind!r}] for its gate, got"
            f" {sorted(vectors or ())}; make them with training.adapters.person_vectors"
        )
    return vectors[kind]


def _of_user(plans: dict[str, VariantPlan], num_users: int) -> list[str | None]:
    names: list[str | None] = [None] * num_users
    for adapter, plan in plans.items():
        for user in np.flatnonzero(plan.users):
            names[user] = adapter
    return names


def _check(examples: Examples, users: IntArray, labels: IntArray, names: Sequence[str]) -> None:
    if unknown := sorted(set(names) - set(ALL_VARIANTS)):
        known = ", ".join(ALL_VARIANTS)
        raise ValueError(f"adapter variants wanted some of {known}, got {unknown}")
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

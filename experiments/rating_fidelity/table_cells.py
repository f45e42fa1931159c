"""One draw of users in one regime: every cell of the table answers for their test rows."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agents.assembly import persona_users
from agents.embedding import TfidfSvdEmbedder
from agents.fidelity.held_out import rate
from agents.fidelity.said import Said, said
from agents.inference.local.local_engine import LocalEngine
from agents.inference.wrapped.kept_answers import keeping
from agents.population.adapters import base_identity
from agents.population.population import Population
from agents.prompt_style import PromptStyle
from agents.prompts import persona_prefix
from experiments.people.in_anothers_place import swapped
from experiments.reporting.progress import Tick
from simenv.data.dataset import Dataset
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.whole_files import replace_whole
from training.adapters.lora_presets import LoraPreset
from training.adapters.person_vectors import PersonVectors, vectors_for
from training.adapters.variants import FACETS, NUM_FACETS, Variant, people_on, train_variants
from training.examples.raft import RaftSet, RaftSettings, raft_set
from training.groups.clusters import find_clusters
from training.groups.ms_vectors import MsWords
from training.populate import population_on

SWAPPED = "Ms+Ml of another"  # asked with somebody else's, trained with one's own
MEMORIES: dict[str, Callable[[PromptStyle], PromptStyle]] = {
    "Ms": PromptStyle.without_memory,
    "Ml": PromptStyle.without_persona,
    "Ms+Ml": lambda style: style,
    SWAPPED: lambda style: style,
}


class CellSettings(NamedTuple):
    """What the cells are made with."""

    base: str
    cells: Mapping[str, Sequence[str]]  # memory → adapter variants
    preset: LoraPreset
    raft: RaftSettings
    num_clusters: int
    said_rows: int  # test rows of a cell that are also asked for text
    num_facets: int = NUM_FACETS
    style: PromptStyle = PromptStyle()


class TableCell(NamedTuple):
    """What one kind of simulated user answered."""

    adapter: str
    memory: str
    chances: FloatArray  # (r, 5) for every test row
    said: Said


class Draw(NamedTuple):
    """All cells of one draw."""

    cells: list[TableCell]
    labels: IntArray  # (n,) persona cluster of each user
    train_rows: dict[str, int]  # "adapter | memory" → ratings it learnt from


class _Task(NamedTuple):
    """What is alike for every cell of a draw."""

    dataset: Dataset
    settings: CellSettings
    seed: int
    folder: Path
    announce: Tick


def ask_all(
    dataset: Dataset, settings: CellSettings, seed: int, folder: Path, announce: Tick
) -> Draw:
    """Train the adapters of a draw and ask every cell; what is in ``folder`` is not done again.

    Args:
        dataset: the drawn users; adapters learn from ``train``, ``test`` is asked about.
        settings: see there.
        seed: of clusters, adapters and generated text.
        folder: keeps adapters and answers, each under the hash of what decides it.
        announce: gets a short text when something starts, and moves by one a cell.
    """
    task = _Task(dataset, settings, seed, folder, announce)
    people = population_on(dataset, settings.base, settings.style)
    words = MsWords(TfidfSvdEmbedder())
    labels = find_clusters(people.personas, words, k=settings.num_clusters, seed=seed).labels
    cells, rows = [], dict[str, int]()
    for memory, names in settings.cells.items():
        style = MEMORIES[memory](settings.style)
        for variant in _variants(task, style, names, labels).values():
            rows |= {f"{a} | {memory}": int(c["rows"]) for a, c in variant.cards.items()}
            people = people_on(population_on(dataset, settings.base, style), variant, labels)
            if memory == SWAPPED:
                people = swapped(people, seed)
            cells.append(_cell(task, memory, variant, people))
    return Draw(cells, labels, rows)


def _cell(task: _Task, memory: str, variant: Variant, people: Population) -> TableCell:
    """The answers of one cell, from their file where they are there already."""
    settings, test = task.settings, task.dataset.test
    keys = [variant.cards[adapter]["key"] if adapter else "" for adapter in variant.of_user]
    facts = [base_identity(settings.base), keys, task.seed, settings.said_rows]
    path = task.folder / "answers" / f"{_key(people, facts, test)}.npz"
    if not path.exists():
        task.announce(f"asking {variant.name}, {memory}")
        _ask(people, task.dataset, settings.said_rows, task.seed, path)
    task.announce(f"asked {variant.name}, {memory}", advance=1)
    kept = np.load(path)
    return TableCell(variant.name, memory, kept["chances"], Said(*kept["said"].tolist()))


def _variants(
    task: _Task, style: PromptStyle, names: Sequence[str], labels: IntArray
) -> dict[str, Variant]:
    raft = raft_set(task.dataset, style, task.settings.raft)
    return train_variants(
        task.settings.base,
        raft.examples,
        raft.users,
        labels,
        task.settings.preset,
        task.folder / "adapters",
        seed=task.seed,
        names=names,
        vectors=_vectors(task, raft, style, names),
        num_facets=task.settings.num_facets,
        on_step=lambda name, step, loss: task.announce(f"adapter {name}") if step == 1 else None,
    )


def _vectors(
    task: _Task, raft: RaftSet, style: PromptStyle, names: Sequence[str]
) -> dict[str, PersonVectors]:
    """What the gates of the named variants look at."""
    kinds = {FACETS[name] for name in names if name in FACETS}
    people = population_on(task.dataset, task.settings.base, style)
    prefixes = [persona_prefix(p, people.catalog.domain, style) for p in people.personas]
    return vectors_for(kinds, task.dataset, raft, prefixes, task.seed)


def _ask(people: Population, dataset: Dataset, said_rows: int, seed: int, path: Path) -> None:
    model = persona_users(people, engine=keeping(LocalEngine, path.parent))
    chances = rate(model, dataset.test)
    spoken = said(model, dataset.test, said_rows, seed)
    model.engine.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {"chances": chances.astype(np.float32), "said": np.array(spoken)}
    replace_whole(path, lambda unfinished: np.savez_compressed(unfinished, **found))


def _key(people: Population, facts: list[Any], asked: InteractionLog) -> str:
    """Hash of all that decides the answers of a cell: models, questions and seeds."""
    total = hashlib.sha256(json.dumps(facts).encode())
    model = persona_users(people, engine="scripted")
    for request in model.requests(asked.users, asked.items[:, None], chosen=True):
        total.update(f"{request.prefix}\0{request.rest}\0".encode())
    return total.hexdigest()[:24]

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
from agents.population.adapters import base_identity
from agents.population.population import Population
from agents.prompts import PromptStyle
from simenv.data.dataset import Dataset
from simenv.events import FloatArray, IntArray, InteractionLog
from training.adapters.lora_presets import LoraPreset
from training.adapters.variants import Variant, people_on, train_variants
from training.examples.raft import RaftSettings, raft_set
from training.groups.clusters import find_clusters
from training.groups.ms_vectors import MsWords
from training.populate import population_on

Told = Callable[[str], None]
MEMORIES: dict[str, Callable[[PromptStyle], PromptStyle]] = {
    "Ms": PromptStyle.without_memory,
    "Ml": PromptStyle.without_persona,
    "Ms+Ml": lambda style: style,
}


class CellSettings(NamedTuple):
    """What the cells are made with."""

    base: str
    cells: Mapping[str, Sequence[str]]  # memory → adapter variants
    preset: LoraPreset
    raft: RaftSettings
    num_clusters: int
    said_rows: int  # test rows of a cell that are also asked for text
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


def ask_all(dataset: Dataset, settings: CellSettings, seed: int, folder: Path, tell: Told) -> Draw:
    """Train the adapters of a draw and ask every cell; what is in ``folder`` is not done again.

    Args:
        dataset: the drawn users; adapters learn from ``train``, ``test`` is asked about.
        settings: see there.
        seed: of clusters, adapters and generated text.
        folder: keeps adapters and answers, each under the hash of what decides it.
        tell: gets a short text when something starts.
    """
    people = population_on(dataset, settings.base, settings.style)
    words = MsWords(TfidfSvdEmbedder())
    labels = find_clusters(people.personas, words, k=settings.num_clusters, seed=seed).labels
    cells, rows = [], dict[str, int]()
    for memory, names in settings.cells.items():
        style = MEMORIES[memory](settings.style)
        variants = _variants(dataset, style, settings, names, labels, seed, folder, tell)
        for name, variant in variants.items():
            rows |= {f"{a} | {memory}": int(c["rows"]) for a, c in variant.cards.items()}
            told = people_on(population_on(dataset, settings.base, style), variant, labels)
            keys = [variant.cards[adapter]["key"] if adapter else "" for adapter in variant.of_user]
            facts = [base_identity(settings.base), keys, seed, settings.said_rows]
            path = folder / "answers" / f"{_key(told, facts, dataset.test)}.npz"
            if not path.exists():
                tell(f"asking {name}, {memory}")
                _ask(told, dataset, settings.said_rows, seed, path)
            kept = np.load(path)
            cells.append(TableCell(name, memory, kept["chances"], Said(*kept["said"].tolist())))
    return Draw(cells, labels, rows)


def _variants(
    dataset: Dataset,
    style: PromptStyle,
    settings: CellSettings,
    names: Sequence[str],
    labels: IntArray,
    seed: int,
    folder: Path,
    tell: Told,
) -> dict[str, Variant]:
    raft = raft_set(dataset, style, settings.raft)
    return train_variants(
        settings.base,
        raft.examples,
        raft.users,
        labels,
        settings.preset,
        folder / "adapters",
        seed=seed,
        names=names,
        on_step=lambda name, step, loss: tell(f"adapter {name}") if step == 1 else None,
    )


def _ask(people: Population, dataset: Dataset, said_rows: int, seed: int, path: Path) -> None:
    model = persona_users(people)
    chances = rate(model, dataset.test)
    spoken = said(model, dataset.test, said_rows, seed)
    model.engine.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_suffix(".new.npz")
    np.savez_compressed(building, chances=chances.astype(np.float32), said=np.array(spoken))
    building.replace(path)


def _key(people: Population, facts: list[Any], asked: InteractionLog) -> str:
    """Hash of all that decides the answers of a cell: models, questions and seeds."""
    total = hashlib.sha256(json.dumps(facts).encode())
    model = persona_users(people, engine="scripted")
    for request in model.requests(asked.users, asked.items[:, None], chosen=True):
        total.update(f"{request.prefix}\0{request.suffix}\0".encode())
    return total.hexdigest()[:24]

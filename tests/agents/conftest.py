"""A world one can hold in the head, people in it, and the shipped pocket model to run them on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.inference.local.local_engine import LocalEngine
from agents.inference.scripted import ScriptedEngine
from agents.persona import Persona
from agents.persona_users import PersonaUsers
from agents.population.population import POCKET, Population
from agents.prompt_style import PromptStyle
from simenv.catalog import Catalog
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from tests.agents.inference.facets.facet_adapters import facets_folder as facets_folder
from tests.agents.inference.facets.facet_adapters import merged_folders as merged_folders

NUM_ITEMS = 12
GENRES = ("Comedy", "Drama", "War")


@pytest.fixture(scope="session")
def population() -> Population:
    """Five people over twelve films, on the shipped pocket model."""
    return _population()


@pytest.fixture(scope="session")
def pocket_folder() -> Path:
    return POCKET / "model"


@pytest.fixture(scope="session")
def engine(pocket_folder) -> LocalEngine:
    """The pocket model without adapters, for everybody who only reads."""
    return LocalEngine(pocket_folder)


@pytest.fixture
def scripted_users(population) -> PersonaUsers:
    return PersonaUsers(population, ScriptedEngine())


@pytest.fixture
def change(population):
    """The population with some fields replaced."""
    return lambda **fields: replace(population, **fields)


@pytest.fixture(scope="session")
def adapter_folders(pocket_folder, tmp_path_factory) -> dict[str, Path]:
    """Two random LoRA adapters of the pocket model, saved as peft saves them."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    root, folders = tmp_path_factory.mktemp("adapters"), {}
    for seed, name in enumerate(("ann", "bob")):
        torch.manual_seed(seed)
        base = AutoModelForCausalLM.from_pretrained(pocket_folder)
        config = LoraConfig(
            r=4,
            target_modules=["q_proj", "v_proj"],
            init_lora_weights=False,  # random in both factors: an adapter that changes answers
            task_type="CAUSAL_LM",
        )
        get_peft_model(base, config).save_pretrained(root / name)
        folders[name] = root / name
    return folders


def _population() -> Population:
    catalog = Catalog(
        titles=tuple(f"Film {chr(65 + i)}" for i in range(NUM_ITEMS)),
        years=np.where(np.arange(NUM_ITEMS) == 11, 0, 1990 + np.arange(NUM_ITEMS)),
        genres=tuple((GENRES[i % 3],) if i != 11 else () for i in range(NUM_ITEMS)),
        casts=tuple((f"Actor {i}", "Ida Long", "Max Short") for i in range(NUM_ITEMS)),
        summaries=(*(f"A story of {i} brave people and one house." for i in range(11)), ""),
    )
    users = np.repeat(np.arange(4), 6)  # user 4 has rated nothing
    rng = np.random.default_rng(0)
    items = np.concatenate([rng.permutation(10)[:6] for _ in range(4)])
    ratings = rng.integers(1, 6, len(users)).astype(np.float64)
    log = InteractionLog.from_columns(users, items, ratings, num_users=5, num_items=NUM_ITEMS)
    personas = [
        Persona(
            activity=1 + u % 3,
            conformity=3 - u % 3,
            diversity=1 + (u + 1) % 3,
            profile=f"I gave 3.{u} on average, {0.1 * u:+.1f} next to others. I like Drama +0.{u}.",
            tastes={"Drama": 0.1 * u},
            level=-0.25 * u,
        )
        for u in range(5)
    ]
    vectors = rng.standard_normal((NUM_ITEMS, 8)).astype(np.float32)
    return Population(
        name="five",
        personas=personas,
        catalog=catalog,
        averages=ItemAverages.of(log, catalog),
        history=log,
        reasons=[f"reason {r}" for r in range(len(log))],
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        model=str(POCKET / "model"),
        style=PromptStyle(verbatim=1, gist=4),
        card={"name": "five"},
    )

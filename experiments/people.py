"""Who answers in an experiment: builds the users of a data set and says what they are.

The card travels into every report, so that nobody mistakes a stand-in for a language model.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.provenance import public, public_text
from simenv.data.dataset import Dataset
from simenv.events import IntArray
from simenv.user_model import UserModel

if TYPE_CHECKING:
    from agents.embedding import Embedder
    from agents.inference.engine import Engine

# (model, dataset, users) -> {num_ratings, predictors: {name: {rmse, …}}}, the users' own row first
Fidelity = Callable[[Any, Dataset, IntArray], dict[str, Any]]


class People(NamedTuple):
    """Users and what is known about who answers for them."""

    model: UserModel  # ids are those of the data set
    card: dict[str, Any]  # kind, engine, model, population, warning (None if there is none)
    fidelity: Fidelity | None = None  # measures the held-out error; None = it would be circular


SCRIPTED_WARNING = (
    "SCRIPTED USERS: no language model answered. These figures test the plumbing and say nothing"
    " about simulated people."
)


def scripted(dataset: Dataset, evaluated: IntArray) -> People:
    """The truth itself answers: for tests of the plumbing, and as the ideal to compare with.

    Raises:
        ValueError: the data set has no known truth.
    """
    if dataset.truth is None:
        raise ValueError(
            f"users=scripted wanted a data set with a known truth, got {dataset.name!r};"
            " use data=synthetic or users=persona"
        )
    card = {
        "kind": "scripted",
        "engine": "scripted",
        "model": "the response model of the synthetic world",
        "population": {"name": dataset.name, "users": int(dataset.num_users)},
        "warning": SCRIPTED_WARNING,
    }
    return People(true_users(dataset), card)


def true_users(dataset: Dataset) -> UserModel:
    """The users of a synthetic world as they really are."""
    from simenv.scripted_users import ScriptedUsers

    truth = dataset.truth
    if truth is None:
        raise ValueError(f"{dataset.name!r} has no known truth; only a synthetic world has one")
    return ScriptedUsers(
        truth, dataset.num_users, dataset.num_items, activity=getattr(truth, "activity", None)
    )


def personas(
    dataset: Dataset,
    evaluated: IntArray,
    engine: Callable[..., Any],
    population: str | None = None,
    embedder: "Embedder | None" = None,
) -> People:
    """People of a data set on a language model; profiles and memories come from training rows.

    Args:
        dataset: whose users they are; ids are its own.
        evaluated: (n,) the users that will be asked.
        engine: makes the engine that answers, given the population's model.
        population: folder or hub id of the population whose language model answers; None = the
            shipped one. Its adapters belong to its own people and are not used.
        embedder: of item texts, by which memories are found; None = TF-IDF + SVD.
    """
    from agents.assembly import persona_users  # heavy: a language model
    from agents.fidelity import measure
    from agents.population import Population
    from training.assembly import population_from_dataset

    base = Population.load(population) if population else Population.shipped()
    people = population_from_dataset(dataset, base, embedder)
    model = persona_users(people, engine=engine)
    description = str(getattr(model.engine, "description", type(model.engine).__name__))
    facts = {key: value for key, value in people.card.items() if isinstance(value, str | int)}
    card = {
        "kind": "persona",
        "engine": public_text(description),
        "model": public_text("/".join(Path(people.model).parts[-2:])),
        "population": public({"name": people.name, "users": len(people.personas), **facts}),
        "warning": SCRIPTED_WARNING if description.startswith("scripted") else None,
    }
    return People(model, card, measure)


def scripted_engine(
    model: str, adapters: Mapping[str, str] | None = None, spread: float = 0.9
) -> "Engine":
    """The engine that reads numbers instead of language; takes and ignores a population's model."""
    from agents.inference.scripted import ScriptedEngine

    return ScriptedEngine(spread)

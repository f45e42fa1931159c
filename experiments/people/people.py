"""Who answers in an experiment: builds the users of a data set and says what they are.

The card travels into every report, so that nobody mistakes other users for a language model.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.reporting.provenance import public, public_text
from simenv.data.dataset import Dataset
from simenv.data.evidence import Evidence
from simenv.events import IntArray
from simenv.user_model import UserModel

if TYPE_CHECKING:
    from agents.embedding import Embedder
    from agents.inference.engine import Engine
    from agents.persona_users import PersonaUsers
    from agents.population.population import Population

# (model, dataset, users) -> {num_ratings, predictors: {name: {rmse, …}}}, the users' own row first
Fidelity = Callable[[Any, Dataset, IntArray], dict[str, Any]]


class People(NamedTuple):
    """Users and what is known about who answers for them."""

    model: UserModel  # ids are those of the data set
    card: dict[str, Any]  # kind, engine, model, population, warning (None if there is none)
    fidelity: Fidelity | None = None  # measures the held-out error; None = it would be circular
    engine: "Engine | None" = None  # that the model asks, however it is wrapped; None = needs none
    population: "Population | None" = None  # who answers; None = nobody who has a persona
    swapped: "People | None" = None  # made of the other half of the rows; None = no half is left

    def told_as(self, evidence: Evidence) -> "People":
        """The same people, whose card says which rows they are made of."""
        return self._replace(card={**self.card, "evidence": evidence})


SCRIPTED_WARNING = (
    "SCRIPTED USERS: no language model answered. These figures test the plumbing and say nothing"
    " about simulated people."
)


def scripted(dataset: Dataset) -> People:
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
    from simenv.users.scripted_users import ScriptedUsers

    truth = dataset.truth
    if truth is None:
        raise ValueError(f"{dataset.name!r} has no known truth; only a synthetic world has one")
    return ScriptedUsers(truth, dataset.num_users, dataset.num_items, activity=truth.activity)


def personas(
    dataset: Dataset,
    engine: Callable[..., Any],
    population: str | None = None,
    model: str | None = None,
    ablation: str = "none",
    embedder: "Embedder | None" = None,
    evidence: Evidence = "shared",
    wary: bool | None = None,
    student: str | None = None,
    unsure: float | None = None,
    on_disk: str | None = None,
) -> People:
    """People on a language model, who know training rows only.

    Args:
        dataset: whose users they are; ids are its own.
        engine: makes the engine that answers, given the population's model.
        population: folder, hub id or name in the package of the people, as ``shipped``: their
            profiles, memories and adapters. None = people made from the data set's training rows.
        model: without ``population``, what answers: ``smollm2``, folder or hub name of any causal
            language model, or of a population, whose model and style are taken (its adapters
            belong to its own people); ``shipped`` or ``pocket`` the small one that reads whole
            prompts; None = the one that people answer on where nobody is named, or where the
            engine cannot read as that does, such as a server, ``pocket``.
        ablation: what is taken from them; see ``experiments.people.ablations``.
        embedder: of item texts, by which memories are found; None = TF-IDF + SVD.
        evidence: what the training rows are, for the card; see ``simenv.data.evidence``.
        wary: whether suggestions that nobody with a person's taste ever picked lose stars, learnt
            from the data set's training rows; None = as the population says.
        student: folder of a student, who answers where it is sure; None = the model answers all.
        unsure: doubt above which the model is asked; None = the student's own.
        on_disk: folder into which profiles and memories are written: memory then holds those who
            are awake alone, and the answers are the same. It replaces a crowd that was there.

    Raises:
        ValueError: both ``population`` and ``model`` are given, the population's people are not
            those of the data set or are asked for other evidence than their own memories, or the
            ablation needs adapters that they do not have.
    """
    from agents.assembly import make_engine  # heavy: a language model
    from agents.blocks import can_read
    from agents.fidelity.held_out import measure
    from experiments.people.ablations import ablated

    if population and evidence != "shared":
        raise ValueError(
            f"users.evidence={evidence} wanted people made of the data's rows, got"
            f" users.population={public_text(population)}, who bring their memories with them;"
            " leave users.population out"
        )

    def told_for(model: str | None) -> "tuple[Population, bool]":
        people, knows_later_rows = _population(dataset, population, model, embedder)
        return _wary(ablated(people, ablation), dataset, wary), knows_later_rows

    people, knows_later_rows = told_for(model)
    asked = make_engine(people, engine)
    if not (population or model or can_read(people.style, asked.facts)):
        asked.close()
        people, knows_later_rows = told_for("shipped")
        asked = make_engine(people, engine)
    # Profiles are made of all rows that a population holds: held-out ones are no test of it.
    fidelity = None if knows_later_rows else measure
    card = _card(people, asked.description, ablation)
    if on_disk is not None:
        return _on_disk(people, asked, on_disk, student, card, fidelity).told_as(evidence)
    users, taught = _users(people, asked, student, unsure)
    card |= taught
    made = People(users, card, fidelity, users.engine, users.population)
    return made.told_as(evidence)


def _wary(people: "Population", dataset: Dataset, wary: bool | None) -> "Population":
    from training.unpicked import learn_wariness

    if wary is None:
        return people
    return replace(people, wariness=learn_wariness(dataset) if wary else None)


def _on_disk(
    people: "Population",
    engine: "Engine",
    folder: str,
    student: str | None,
    card: dict[str, Any],
    fidelity: Fidelity | None,
) -> People:
    """The people with all but those who are awake in a folder.

    Raises:
        ValueError: a student was wanted too, or the folder holds something else.
    """
    from agents.crowd.crowd_users import crowd_on_disk

    if student is not None:
        raise ValueError(
            "users.on_disk wanted people whose model answers, got users.student too; a student"
            " keeps everybody in memory: leave one of the two out"
        )
    users = crowd_on_disk(people, folder, engine)
    return People(users, card | {"on_disk": True}, fidelity, engine)


def _users(
    people: "Population", engine: "Engine", student: str | None, unsure: float | None
) -> "tuple[PersonaUsers, dict[str, Any]]":
    """The people on the engine, and what their card says of a student, if there is one."""
    from agents.persona_users import PersonaUsers

    if student is None and unsure is not None:
        raise ValueError(
            f"users.unsure={unsure:g} wanted a student whose doubt it limits, got none; set"
            " users.student, or leave users.unsure out"
        )
    if student is None:
        return PersonaUsers(people, engine), {}
    from agents.student.cascade_users import CascadeUsers
    from agents.student.student import Student

    taught = Student.load(student)
    if unsure is not None:
        taught = replace(taught, unsure=unsure)
    users = CascadeUsers(people, engine, student=taught)
    said = {"unsure": taught.unsure, "learnt": public(taught.learnt)}
    return users, {"student": {"name": public_text(Path(student).name), **said}}


def _population(
    dataset: Dataset, population: str | None, model: str | None, embedder: "Embedder | None"
) -> "tuple[Population, bool]":
    """The people of the data set, and whether their profiles know rows after the training ones."""
    from agents.population.folder import is_population
    from agents.population.population import POCKET, SHIPPED, Population
    from experiments.people.saved_people import people_of
    from training.populate import population_from_dataset, population_on

    if population and model:
        raise ValueError(
            f"users wanted population or model, got both ({public_text(population)},"
            f" {public_text(model)}); a population brings its own model"
        )
    if population:
        everything = Population.load(population)
        people = people_of(dataset, everything)
        return people, len(everything.history) > len(people.history)
    if model not in (None, "shipped") and not is_population(model):
        people = population_on(dataset, model, embedder=embedder)
        return people.with_card(model=public_text(Path(model).name)), False
    base = POCKET if model == "shipped" else model  # that of ``slm=shipped``
    return population_from_dataset(dataset, Population.load(base or SHIPPED), embedder), False


def _card(people: "Population", description: str, ablation: str) -> dict[str, Any]:
    """Who answers, on which engine and model, and what their fidelity card says."""
    from agents.population.fidelity_gate import fidelity_sentence, fidelity_word

    facts = {key: value for key, value in people.card.items() if isinstance(value, str | int)}
    own = {"name": people.name, "users": len(people.personas), "adapters": len(people.adapters)}
    wary = {} if people.wariness is None else {"wary": True}
    return {
        "kind": "persona",
        "engine": public_text(description),
        "model": public_text("/".join(Path(people.model).parts[-2:])),
        "population": public({**own, **facts, "ablation": ablation, **wary}),
        "fidelity": {"word": fidelity_word(people), "said": public_text(fidelity_sentence(people))},
        "warning": SCRIPTED_WARNING if description.startswith("scripted") else None,
    }


def scripted_engine(
    model: str, adapters: Mapping[str, str] | None = None, spread: float = 0.9
) -> "Engine":
    """The engine that reads numbers instead of language; takes and ignores a population's model."""
    from agents.inference.scripted import ScriptedEngine

    return ScriptedEngine(spread)

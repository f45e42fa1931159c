"""Puts the people of any data set on a model that exists already; nothing is trained here."""

from agents.embedding import Embedder
from agents.population.population import Population
from agents.prompt_style import PromptStyle
from agents.relevance import item_vectors
from simenv.data.dataset import Dataset
from simenv.data.splits import stacked
from training.collaborative import peers_of
from training.distillation.offline import Distilled
from training.distillation.tellers import teller


def population_on(
    dataset: Dataset,
    model: str,
    style: PromptStyle | None = None,
    embedder: Embedder | None = None,
    distilled: Distilled | None = None,
) -> Population:
    """The users of ``dataset`` as personas on a language model, without adapters.

    Profiles, memories and item averages come from training rows only (law 7).

    Args:
        dataset: whose users they are; ids are its own.
        model: folder or hub name of the base model, or ``smollm2``.
        style: how much the prompts show; None = as much as the shipped model reads.
        embedder: of item texts, for recall; default TF-IDF + SVD.
        distilled: Ms and reasons of the training rows; default without a model, as the style tells
            people.
    """
    style = style or PromptStyle()
    told = teller(style, dataset.catalog, dataset.averages)
    distilled = distilled or told.distil(dataset.train)
    known = stacked(dataset.train, dataset.background)
    return Population(
        name=dataset.name,
        personas=distilled.personas,
        catalog=dataset.catalog,
        averages=dataset.averages,
        history=dataset.train,
        reasons=distilled.reasons,
        vectors=item_vectors(dataset.catalog, known, dataset.averages, embedder),
        model=model,
        style=style,
        peers=peers_of(dataset) if style.peers else None,
    )


def population_from_dataset(
    dataset: Dataset, base: Population, embedder: Embedder | None = None
) -> Population:
    """The users of ``dataset`` on the model and style of ``base``, without its own people."""
    people = population_on(dataset, base.model, base.style, embedder)
    return people.with_card(model=base.card.get("model", base.name))

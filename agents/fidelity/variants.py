"""The same people with something about them changed: is it this person who answers, and from what?

A variant answers in the people's place on the same engine; a rise in error says what the answers
stood on. Populations in, populations out, none is changed; who swaps people is in ``experiments``,
since adapters and profiles are made there.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from agents.population.population import Population
from simenv.catalog import Catalog
from simenv.events import InteractionLog


def masked_titles(people: Population) -> Population:
    """Items lose title and cast: who knows them from a public data set does so no longer.

    What is recalled stays the same, as vectors do.
    """
    catalog = people.catalog
    titles = tuple(f"{catalog.kind.capitalize()} {item}" for item in range(len(catalog)))
    return replace(people, catalog=replace(catalog, titles=titles, casts=((),) * len(catalog)))


def shuffled_history(people: Population, rng: np.random.Generator) -> Population:
    """Everybody's ratings, with their reasons, are dealt out anew among their own items."""
    log, offsets = people.history, people.history.offsets()
    spans = pairwise(offsets.tolist())
    rows = np.concatenate([rng.permutation(np.arange(*span)) for span in spans]).astype(np.int64)
    history = InteractionLog(
        log.users, log.items, log.ratings[rows], log.timestamps, log.num_users, log.num_items
    )
    return replace(people, history=history, reasons=[people.reasons[r] for r in rows.tolist()])


def without_memory(people: Population) -> Population:
    """Nothing is recalled; profiles stay."""
    return replace(people, style=people.style.without_memory())


def without_profile(people: Population) -> Population:
    """Nothing is said of who somebody is; memories stay."""
    return replace(people, style=people.style.without_persona())


def with_texts(people: Population, add: Callable[[Catalog, int], str]) -> Population:
    """Every item's title goes on with a text, its summary too where people read summaries.

    Args:
        people: who read the items.
        add: catalogue and item → the text.
    """
    catalog = people.catalog
    texts = [add(catalog, item) for item in range(len(catalog))]
    titles = tuple(f"{t} {own}" for t, own in zip(catalog.titles, texts, strict=True))
    changed = replace(catalog, titles=titles)
    if people.style.summary_words:
        summaries = zip(texts, catalog.summaries, strict=True)
        changed = replace(changed, summaries=tuple(f"{own} {s}".strip() for own, s in summaries))
    return replace(people, catalog=changed)

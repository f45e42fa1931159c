"""The same people with something of them changed: what changes, and what stays."""

import numpy as np

from agents.fidelity.variants import (
    masked_titles,
    shuffled_history,
    with_texts,
    without_memory,
    without_profile,
)
from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers


def prompts(people, item=3):
    users, items = np.array([0, 1]), np.array([[item], [item]])
    model = PersonaUsers(people, ScriptedEngine())
    return [one.prefix + one.suffix for one in model.requests(users, items)]


def test_masked_titles_name_no_title_and_nobody_of_the_cast(population):
    for prompt in prompts(masked_titles(population)):
        assert "Movie 3" in prompt
        assert "Film D" not in prompt
        assert "Ida Long" not in prompt
    assert masked_titles(population).vectors is population.vectors


def test_shuffled_histories_keep_items_and_the_ratings_of_each_person(population):
    found = shuffled_history(population, np.random.default_rng(1))
    before, after = population.history, found.history
    assert (after.items == before.items).all()
    assert (after.ratings != before.ratings).any()
    for user in range(4):
        own = before.users == user
        pairs = [
            sorted(zip(log.ratings[own], np.array(reasons)[own], strict=True))
            for log, reasons in ((before, population.reasons), (after, found.reasons))
        ]
        assert pairs[0] == pairs[1]


def test_without_memory_or_profile_a_prompt_says_none(population):
    assert all("MEMORY" not in p and "PROFILE" in p for p in prompts(without_memory(population)))
    assert all("PROFILE" not in p and "MEMORY" in p for p in prompts(without_profile(population)))


def test_a_text_goes_on_every_title_and_into_summaries_that_are_read(population, change):
    people = with_texts(population, lambda catalog, item: f"Hear {item}.")
    assert people.catalog.titles[2] == "Film C Hear 2."
    assert people.catalog.summaries == population.catalog.summaries
    style = population.style.__class__(summary_words=20)
    readers = with_texts(change(style=style), lambda catalog, item: "Hear.")
    assert readers.catalog.summaries[0].startswith("Hear. A story of 0")

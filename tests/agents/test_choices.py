"""One question about several items: what it says, and letters that a real tokenizer can tell."""

import numpy as np
import pytest

from agents.choices import LETTERS, choice_requests
from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers

USERS, ITEMS = np.array([0, 3]), np.array([[10, 11, 9, 8, 7], [7, 8, 9, 10, 11]])


def test_every_item_has_its_letter_and_what_is_known_of_it(scripted_users):
    first, second = choice_requests(scripted_users, USERS, ITEMS)
    for letter, title in zip("ABCDE", "KLJIH", strict=True):
        assert f"{letter}. MOVIE: Film {title}" in first.suffix
    assert "A. MOVIE: Film H" in second.suffix
    assert first.suffix.count("AVERAGE") == 5
    assert first.suffix.endswith("CHOICE:")
    assert "PROFILE: I gave 3.0" in first.prefix
    assert first.prefix.endswith("Answer with one letter of A, B, C, D, E.\n")


def test_nothing_says_how_it_was_met_nor_asks_for_stars(scripted_users):
    for request in choice_requests(scripted_users, USERS, ITEMS):
        for words in ("Chosen", "Suggested", "MEMORY", "RATING", "digit"):
            assert words not in request.prefix + request.suffix


def test_a_title_cannot_pass_for_the_cue(change):
    people = change()
    titles = ("Film CHOICE: A", *people.catalog.titles[1:])
    catalog = people.catalog.__class__(
        titles, people.catalog.years, people.catalog.genres, domain=people.catalog.domain
    )
    model = PersonaUsers(change(catalog=catalog), ScriptedEngine())
    [request] = choice_requests(model, np.array([4]), np.array([[0, 1]]))
    assert request.suffix.count("CHOICE:") == 1


def test_more_items_than_letters_are_refused(scripted_users):
    with pytest.raises(ValueError, match="at most 5 items, got 6"):
        choice_requests(scripted_users, USERS[:1], np.arange(6)[None])


def test_a_language_model_says_chances_of_letters(population, engine):
    scores = engine.score(choice_requests(PersonaUsers(population, engine), USERS, ITEMS), LETTERS)
    assert np.exp(scores).sum(axis=1) == pytest.approx([1, 1])
    assert len(set(np.round(scores[0], 6))) == 5

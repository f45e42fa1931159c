"""Words for items come from their domain: films are spoken of as before, others never as films."""

import hashlib
import re
from dataclasses import replace

import numpy as np
import pytest

from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from agents.population.population import POCKET
from simenv.data.worlds import reading_text
from simenv.domains.domain_file import domain_called
from tests.training.personified.conftest import lives
from tests.training.personified.test_corpora import dataset
from training.personified.corpora import Corpora
from training.personified.from_ratings import memory_corpora
from training.personified.judging.pressure import NEUTRAL, item_pressure
from training.personified.writing.insisting_words import KINDS
from training.personified.writing.item_words import users_of
from training.personified.writing.rating_grammar import written_about_ratings
from training.populate import population_on

# "I see it otherwise" is no film; "I would not see it again" is.
OF_FILMS = re.compile(
    r"\b(?:watch\w*|movies?|films?|viewers?|cinemas?|screens?|actors?|directors?|seen)\b"
    r"|\bsee (?:it (?:again|once|in)|\")|should see\b",
    re.IGNORECASE,
)
OTHERS = ("book", "product", "joke", "song", "game", "shoe")


def exchanges(kind, seeds):
    corpora = Corpora(lives(), ("early", "late"), kind)
    sources = frozenset(corpora.sources)
    return [e for side in ("train", "test") for seed in seeds
            for e in written_about_ratings(corpora, sources, side, seed)]  # fmt: skip


def words_of(one):
    return " ".join((one.question, one.analysis, one.response, one.wrong))


def test_films_are_spoken_of_as_they_were():
    told = "".join(map(repr, exchanges("movie", range(20)))).replace(", before=()", "")
    assert hashlib.sha256(told.encode()).hexdigest()[:24] == "aab9efa884e5f2e062462b61"
    assert {e.analysis for e in exchanges("film", range(3))} == {
        e.analysis for e in exchanges("movie", range(3))
    }
    assert item_pressure("flattery", "train", 4, 0, users_of(domain_called("movie"))) == (
        "For viewers of your fine taste this is surely a 4."
    )


@pytest.mark.parametrize("kind", OTHERS)
def test_nobody_speaks_of_other_things_as_of_films(kind):
    """A scan that finds nothing must be able to find: of films it does."""
    assert any(OF_FILMS.search(words_of(one)) for one in exchanges("movie", range(20)))
    for one in exchanges(kind, range(20)):
        assert not OF_FILMS.search(words_of(one)), words_of(one)
    domain = domain_called(kind)
    for pressure in (NEUTRAL, *KINDS):
        for side in ("train", "test"):
            for draw in np.arange(0, 1, 0.1):
                said = item_pressure(pressure, side, 5, float(draw), users_of(domain))
                assert not OF_FILMS.search(said), said
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert not OF_FILMS.search(reading_text.liking(rng, 1, 1, 1, domain.again))


@pytest.mark.parametrize("kind", OTHERS)
def test_prompts_and_lives_of_other_things_hold_no_film(kind):
    found = dataset(16)
    catalog = replace(
        found.catalog, domain=domain_called(kind),
        titles=tuple(f"Thing {i}" for i in range(found.num_items)),
        summaries=tuple("Of a good sort." for _ in range(found.num_items)),
    )  # fmt: skip
    people = population_on(replace(found, catalog=catalog), str(POCKET / "model"))
    users = np.unique(found.train.users)
    items = np.tile(np.arange(found.num_items), (len(users), 1))
    asked = PersonaUsers(people, ScriptedEngine()).requests(users, items, chosen=False)
    texts = [one.prefix + one.rest for one in asked]
    texts += [p.text for p in memory_corpora(people, users).passages]
    assert len(texts) > found.num_items
    for text in texts:
        assert not OF_FILMS.search(text), text
    assert any(kind in text.lower() for text in texts)

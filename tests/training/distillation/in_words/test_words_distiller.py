"""People told in words: nothing is claimed that their training rows do not support."""

import os
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.wording.aspects import aspects_of
from agents.wording.theme_words import words_of
from simenv.catalog import Catalog
from simenv.data.splits import split_dataset
from simenv.data.synthetic import synthetic
from simenv.domains.domain_file import domain_called
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from training.distillation.in_words import habits, profile_words
from training.distillation.in_words.words_distiller import WordsDistiller
from training.distillation.tellers import style_for, teller

WORLDS = {seed: synthetic(seed, num_users=20, num_items=80) for seed in (3, 4)}
TEMPLATES = set(
    words_of(repr([vars(habits), profile_words._LIKED, profile_words._DISLIKED]))
)  # words that a profile may say of anybody


def unsupported(profile: str, catalog: Catalog, items: list[int], stars: list[float]) -> list[str]:
    """Everything that a profile names and that no row of its owner supports, read off its text."""
    found = []
    rated = {catalog.titles[i].replace('"', "'"): s for i, s in zip(items, stars, strict=True)}
    for title in re.findall(r'"([^"]*)"', profile):
        if title.strip() not in {t.strip() for t in rated}:
            found.append(title)
    said = re.sub(r'"[^"]*"', "", profile)
    aspects = aspects_of(catalog)
    own = {each.aspect for i in items for each in aspects.of_item[i]}
    people = sorted((a.name for a in own if a.kind == "person"), key=len, reverse=True)
    for name in people:  # "Jr." may be a name of its own in a catalogue, and part of another
        said = said.replace(name, "")
    for aspect in aspects.all:
        named = re.search(rf"(?<!\w){re.escape(aspect.name)}(?!\w)", said)
        if named and aspect not in own and aspect.name.lower() not in TEMPLATES:
            found.append(f"{aspect.kind}: {aspect.name}")
    return found


def check(dataset, distiller) -> None:
    personas, reasons = distiller.distil(dataset.train)
    log, starts = dataset.train, dataset.train.offsets()
    for user, persona in enumerate(personas):
        rows = slice(starts[user], starts[user + 1])
        items, stars = log.items[rows].tolist(), log.ratings[rows].tolist()
        assert unsupported(persona.profile, dataset.catalog, items, stars) == []
    aspects = aspects_of(dataset.catalog)
    people = [a.name for a in aspects.all if a.kind == "person" and a.name.istitle()]
    for item, reason in zip(log.items.tolist(), reasons, strict=True):
        said = reason
        for name in sorted((each.aspect.name for each in aspects.of_item[item]), key=len)[::-1]:
            said = said.replace(name, "")
        named = [
            n for n in people if n in said and re.search(rf"(?<!\w){re.escape(n)}(?!\w)", said)
        ]
        assert named == []


@settings(max_examples=12, deadline=None)
@given(seed=st.sampled_from(sorted(WORLDS)), wording=st.integers(0, 999), kept=st.integers(1, 12))
def test_every_title_person_theme_and_era_named_occurs_in_the_users_training_rows(
    seed, wording, kept
):
    world = WORLDS[seed]
    log = world.train
    place = np.arange(len(log)) - log.offsets()[log.users]
    world = replace(world, train=log.take(place < kept))
    check(world, WordsDistiller(world.catalog, world.averages, seed=wording))


def test_the_check_finds_what_is_not_supported():
    catalog = WORLDS[3].catalog
    person = catalog.casts[1][0]
    assert unsupported('I loved "No such thing".', catalog, [0], [5.0]) == ["No such thing"]
    assert unsupported(f"I am fond of {person}.", catalog, [], []) == [f"person: {person}"]


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("PERSONAREC_DATA"), reason="set PERSONAREC_DATA to a folder with ml-1m"
)
def test_nothing_is_invented_about_people_of_movielens():
    from pathlib import Path

    from simenv.data.readers.movielens import movielens_1m

    items = Path(os.environ["PERSONAREC_DATA"]) / "ml-1m-items" / "ml1m_items.csv.gz"
    if not items.is_file():
        pytest.skip(f"wanted {items}, which is not there")
    dataset = movielens_1m(descriptions=items, num_users=40, min_ratings=20, seed=11)
    check(dataset, WordsDistiller(dataset.catalog, dataset.averages))


def shop(num_users: int = 12) -> tuple[Catalog, InteractionLog]:
    """Items of a shop: no people, no years; some have no title."""
    kinds = ("Garden", "Kitchen", "Toys")
    words = ("gardener needs a spade", "cook needs a kettle", "child plays with a robot")
    catalog = Catalog(
        titles=tuple("" if i % 7 == 6 else f"Thing {i}" for i in range(42)),
        years=np.zeros(42, dtype=np.int64),
        genres=tuple((kinds[i % 3],) for i in range(42)),
        summaries=tuple(f"A {words[i % 3]}. The {words[i % 3]}." for i in range(42)),
        domain=domain_called("article"),
    )
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(num_users), 20)
    items = np.concatenate([rng.permutation(42)[:20] for _ in range(num_users)])
    loved = items % 3 == users % 3
    ratings = np.where(loved, 5.0, 2.0)
    log = InteractionLog.from_columns(users, items, ratings, num_users=num_users, num_items=42)
    return catalog, log


def test_other_domains_are_told_by_what_the_catalogue_calls_its_items():
    catalog, log = shop()
    dataset = split_dataset("shop", catalog, log, tuple(map(str, range(12))))
    personas, reasons = WordsDistiller(catalog, dataset.averages).distil(dataset.train)
    text = " ".join([*(p.profile for p in personas), *reasons])
    assert "articles" in text
    assert not re.search(r"\b(movies?|films?|watch\w*|actors?)\b", text, re.IGNORECASE)
    assert "Garden" in personas[0].profile
    assert '""' not in text
    check(dataset, WordsDistiller(catalog, dataset.averages))


def test_jokes_without_titles_genres_or_names_have_people_too():
    texts = ("Why did the lawyer cross the road? A lawyer asked the judge.", "Knock knock. A duck.")
    catalog = Catalog(
        titles=("",) * 20,
        years=np.zeros(20, dtype=np.int64),
        genres=((),) * 20,
        summaries=tuple(texts[i % 2] for i in range(20)),
        domain=domain_called("joke"),
    )
    log = InteractionLog.from_columns(
        np.zeros(20, dtype=np.int64), np.arange(20), np.where(np.arange(20) % 2, 1.0, 5.0),
        num_users=2, num_items=20,
    )  # fmt: skip
    personas, reasons = WordsDistiller(catalog, ItemAverages.of(log, catalog)).distil(log)
    assert "jokes" in personas[0].profile
    assert personas[1].profile.startswith("I have not rated any joke yet.")
    assert all(reasons)


def test_strict_and_generous_people_say_so_in_words():
    catalog, log = shop()
    users, items, stars = log.users, log.items, log.ratings.copy()
    stars[users == 0], stars[users == 1] = 1.0, 5.0
    log = InteractionLog.from_columns(users, items, stars, num_users=12, num_items=42)
    people = WordsDistiller(catalog, ItemAverages.of(log, catalog)).distil(log).personas
    assert "far fewer stars" in people[0].profile
    assert "far more stars" in people[1].profile
    assert not re.search(r"\d\.\d", people[0].profile)


def test_wording_varies_by_seed_and_is_the_same_for_one():
    world = WORLDS[3]

    def told(seed):
        return WordsDistiller(world.catalog, world.averages, seed).distil(world.train)

    assert told(0) == told(0)
    assert told(0).personas[0].profile != told(1).personas[0].profile
    assert told(0).reasons != told(1).reasons


def test_traits_level_and_tastes_of_genres_are_those_of_the_offline_distiller():
    from training.distillation.offline import OfflineDistiller

    world = WORLDS[3]
    words = WordsDistiller(world.catalog, world.averages).distil(world.train).personas
    numbers = OfflineDistiller(world.catalog, world.averages).distil(world.train).personas
    for one, other in zip(words, numbers, strict=True):
        assert (one.activity, one.conformity, one.diversity, one.level) == (
            other.activity, other.conformity, other.diversity, other.level,
        )  # fmt: skip
        assert {k: v for k, v in one.tastes.items() if ":" not in k} == other.tastes


def test_ms_has_four_parts_and_the_profile_is_all_of_them():
    world = WORLDS[4]
    distiller = WordsDistiller(world.catalog, world.averages)
    people = distiller.distil(world.train).personas
    for ms, persona in zip(distiller.sections(world.train), people, strict=True):
        assert ms._fields == ("activity", "conformity", "diversity", "profile")
        assert persona.profile == ms.text
        assert all(ms)


def test_the_style_says_who_tells_people():
    from agents.prompt_style import PromptStyle
    from training.distillation.offline import OfflineDistiller

    world = WORLDS[4]
    words = WordsDistiller(world.catalog, world.averages)
    assert style_for(words, PromptStyle(verbatim=3)) == PromptStyle(verbatim=3, told="words")
    offline = OfflineDistiller(world.catalog, world.averages)
    assert style_for(offline, PromptStyle()) == PromptStyle()
    for style, kind in (
        (PromptStyle(told="words"), WordsDistiller),
        (PromptStyle(), type(offline)),
    ):
        assert isinstance(teller(style, world.catalog, world.averages), kind)

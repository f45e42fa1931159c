"""What can be said of an item, and reasons that speak of it."""

import numpy as np
import pytest

from agents.persona import Persona
from agents.wording.aspects import Aspect, Aspects, aspects_of
from agents.wording.reasons import ReasonWriter
from agents.wording.theme_words import find_themes
from simenv.catalog import Catalog
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages

SUMMARIES = (
    *(f"A vampire of the castle, who bites a singer, meets Bella {i}." for i in range(6)),
    *(f"The students of a school meet Bella {i} and a teacher. They run." for i in range(6)),
    "A dark story of a vampire, which is sad.",
)


def catalog() -> Catalog:
    n = len(SUMMARIES)
    return Catalog(
        titles=tuple(f"Film {i}" for i in range(n)),
        years=np.full(n, 1994),
        genres=(("Horror",),) * 6 + (("Comedy",),) * 6 + (("Horror",),),
        casts=(("Ann Lee", "Bo Ray", "Cy Fox", "Di Poe"),) * n,
        summaries=SUMMARIES,
    )


def averages(stars: float = 3.0) -> ItemAverages:
    log = InteractionLog.from_columns([0], [0], [stars], num_users=1, num_items=len(SUMMARIES))
    return ItemAverages.of(log, catalog())


def person(**tastes: float) -> Persona:
    return Persona(2, 2, 2, "", tastes={k.replace("__", ":"): v for k, v in tastes.items()})


def reason(persona: Persona, item: int, stars: float, seed: int = 0) -> str:
    writer = ReasonWriter(catalog(), averages(), Aspects.of(catalog()), seed)
    [said] = writer.write([persona], np.array([0]), np.array([item]), np.array([stars]))
    return said


def test_themes_are_nouns_and_neither_names_nor_verbs_nor_stop_words():
    themes = find_themes(SUMMARIES, catalog().texts())
    words = set(themes.of_word)
    assert {"vampire", "students", "school"} & words
    assert not {"bella", "bites", "meet", "run", "the", "story"} & words


def test_a_genre_is_no_theme():
    texts = [f"A horror of the castle {i}." for i in range(4)] + ["Rain falls."] * 6
    assert "horror" in find_themes(texts, texts).of_word
    assert "horror" not in find_themes(texts, texts, ("horror",)).of_word


@pytest.mark.parametrize("summaries", [("",) * 5, ("...",) * 3, ("猫が好き",) * 4])
def test_summaries_that_say_nothing_give_no_themes(summaries):
    assert find_themes(summaries, summaries).names == ()


def test_an_item_has_genres_people_moods_and_an_era():
    found = {said.aspect for said in Aspects.of(catalog()).of_item[12]}
    wanted = {("genre", "Horror"), ("person", "Ann Lee"), ("mood", "dark"), ("era", "1990s")}
    assert {Aspect(*pair) for pair in wanted} <= found


def test_the_aspects_of_a_catalogue_are_made_once():
    one = catalog()
    assert aspects_of(one) is aspects_of(one)


@pytest.mark.parametrize(
    ("tastes", "item", "stars", "named"),
    [
        ({"person__Cy Fox": 0.8}, 0, 5.0, "Cy Fox"),
        ({"person__Cy Fox": -0.8}, 0, 1.0, "Cy Fox"),
        ({"Comedy": 0.5}, 7, 4.0, "Comedy"),
        ({"mood__sad": -0.4}, 12, 2.0, "sad"),
        ({"era__1990s": 0.4}, 3, 5.0, "1990s"),
    ],
)
def test_a_reason_names_what_decided_for_this_person(tastes, item, stars, named):
    assert named in reason(person(**tastes), item, stars)


def test_a_taste_that_speaks_against_the_stars_is_no_reason_for_them():
    said = reason(person(Horror=0.9), 0, 1.0)
    assert said.endswith(("I usually like Horror", "I have a weakness for Horror"))


def test_without_tastes_a_reason_speaks_of_the_story_the_people_or_the_mood():
    own = {said.word for said in Aspects.of(catalog()).of_item[0]}
    for seed in range(20):
        assert any(word in reason(person(), 0, 4.0, seed) for word in own)


def test_who_goes_against_the_crowd_says_so():
    assert reason(person(), 0, 5.0).endswith("unlike most people")
    assert reason(person(), 0, 1.0).endswith("whatever others say")
    assert "people" not in reason(person(), 0, 3.0)


def test_the_same_seed_gives_the_same_words_alone_and_in_company():
    writer = ReasonWriter(catalog(), averages(), Aspects.of(catalog()))
    users, items, stars = np.array([0, 1, 0]), np.array([0, 5, 9]), np.array([5.0, 2.0, 3.0])
    people = [person(), person(Horror=-0.5)]
    together = writer.write(people, users, items, stars)
    alone = [
        writer.write(people, *(x[i : i + 1] for x in (users, items, stars)))[0] for i in range(3)
    ]
    assert together == alone

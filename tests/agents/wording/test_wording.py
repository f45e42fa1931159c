"""What can be said of an item, and reasons that speak of it."""

import numpy as np
import pytest

from agents.persona import Persona
from agents.wording.aspects import Aspect, Aspects, aspects_of
from agents.wording.reasons import ReasonWriter
from agents.wording.theme_words import _alike, find_themes
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


def test_a_verb_behind_a_noun_is_no_theme():
    texts = ["A sailor sings through a hard season.", "A clerk sings through a hard season."] * 4
    assert "sings" not in find_themes(texts, texts).of_word


@pytest.mark.parametrize(("cast", "acted"), [(("A", "B", "C", "D"), True), (("A",), False)])
def test_people_played_in_items_that_name_many_and_made_the_others(cast, acted):
    one = Catalog(("x", "y"), np.zeros(2, dtype=np.int64), ((), ()), casts=(cast, cast))
    assert Aspects.of(one).acted is acted


ELSE = ["Rain falls."] * 6


def test_a_name_is_no_theme_although_it_stands_where_nouns_do():
    texts = ["They dream of a Bella in the castle."] * 4 + ELSE
    found = find_themes(texts, texts).of_word
    assert "castle" in found
    assert "bella" not in found


def test_what_items_share_that_are_not_alike_is_no_theme():
    sea = "A sailor loves the storm. Waves break over wooden decks while sailors haul salty ropes."
    school = "A teacher wants the chalk. Pupils write difficult sums on boards until bells ring."
    texts = [sea] * 5 + [school] * 5
    texts[0] += " It has an umbrella."
    texts[5] += " It has an umbrella."
    found = find_themes(texts, texts).of_word
    assert {"storm", "chalk"} <= set(found)
    assert "umbrella" not in found


def test_what_is_everywhere_is_no_theme():
    texts = ["They live in a castle."] * 22 + [f"They {v} in a boat." for v in ("sail", "row")] * 9
    found = find_themes(texts, texts).of_word
    assert "boat" in found
    assert "castle" not in found


def test_a_theme_counts_by_how_alike_its_items_are_and_how_many():
    """Mean cosine of all pairs, times the root of how many there are."""
    right, up = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert _alike(np.array([right, right])) == pytest.approx((np.sqrt(2), 1.0))
    assert _alike(np.array([right, up])) == pytest.approx((0.0, 0.0))
    assert _alike(np.array([right, right, up])) == pytest.approx((np.sqrt(3) / 3, 1 / 3))


def test_an_era_is_the_decade_and_of_a_cast_the_first_five_are_people():
    cast = ("Ann", "Bo", "Cy", "Di", "Ed", "Flo")
    film = Catalog(("x",), np.array([1989]), ((),), casts=(cast,))
    found = [said.aspect for said in Aspects.of(film).of_item[0]]
    assert Aspect("era", "1980s") in found
    assert [a.name for a in found if a.kind == "person"] == ["Ann", "Bo", "Cy", "Di", "Ed"]


def test_what_is_liked_too_is_no_contrast():
    """Of somebody who likes all that a film has nothing is said to speak against five stars."""
    all_of_it = {said.aspect.key: 0.6 for said in Aspects.of(catalog()).of_item[0]}
    likes = Persona(2, 2, 2, "", tastes={**all_of_it, "person:Di Poe": 0.2})
    for seed in range(8):
        assert not any(word in reason(likes, 0, 5.0, seed) for word in ("though", "even if"))

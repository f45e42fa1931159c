import pytest

from agents.persona import CONFORMITY, Persona, reason_for, stars_apart, traits_told
from simenv.domains.domain_file import domain_called, shipped_domains

LEVELS = (1, 2, 3)
LOVER = Persona(2, 2, 2, "I like films.", tastes={"War": 0.8, "Drama": 0.1, "Comedy": -0.9})


@pytest.mark.parametrize("trait", ["activity", "conformity", "diversity"])
@pytest.mark.parametrize("level", [0, 4, 1.5, None])
def test_a_trait_that_is_no_level_is_refused(trait, level):
    levels = {"activity": 1, "conformity": 1, "diversity": 1, trait: level}
    with pytest.raises(ValueError, match=f"persona trait {trait} must be level 1, 2 or 3, got"):
        Persona(profile="", **levels)


@pytest.mark.parametrize("noun", shipped_domains())
def test_every_level_of_every_trait_has_its_own_sentence(noun):
    domain = domain_called(noun)
    told = {
        traits_told(Persona(a, c, d, ""), domain) for a in LEVELS for c in LEVELS for d in LEVELS
    }
    assert len(told) == 27
    assert len({*domain.activity, *CONFORMITY.values(), *domain.diversity}) == 9


def test_traits_are_told_in_the_words_of_the_domain():
    told = {
        noun: traits_told(Persona(1, 2, 3, ""), domain_called(noun)) for noun in shipped_domains()
    }
    assert told["movie"] == (
        "You watch rarely and leave soon when suggestions miss. You weigh the crowd against your"
        " own taste. You watch across all genres."
    )
    assert told["book"] == told["movie"].replace("watch", "read")
    assert told["product"].endswith("You shop across all categories.")
    assert [noun for noun, text in told.items() if "watch" in text] == ["film", "movie"]


def test_a_profile_holds_2000_words_and_not_one_more():
    assert Persona(1, 1, 1, "word " * 2000).profile
    with pytest.raises(ValueError, match="at most 2000 words, got 2001; shorten it"):
        Persona(1, 1, 1, "word " * 2001)


@pytest.mark.parametrize(
    ("rating", "reason"),
    [
        (5.0, "War as I love it"),
        (4.0, "good War"),
        (3.0, "decent Comedy"),
        (2.0, "weak Comedy"),
        (1.0, "Comedy like this is not for me"),
    ],
)
def test_the_reason_names_the_genre_that_speaks_for_the_rating(rating, reason):
    assert reason_for(LOVER, ("Comedy", "Drama", "War"), rating) == reason


def test_a_genre_without_a_taste_counts_as_neither_liked_nor_disliked():
    assert reason_for(LOVER, ("Comedy", "Western"), 5.0) == "Western as I love it"
    assert reason_for(LOVER, ("War", "Western"), 1.0) == "Western like this is not for me"


@pytest.mark.parametrize("rating", [0.5, 1, 2.4, 3.5, 4.5, 5])
def test_an_item_without_genres_still_gets_a_reason(rating):
    assert reason_for(LOVER, (), rating)


@pytest.mark.parametrize(
    ("stars", "told"),
    [(0.04, "+0.0"), (-0.04, "+0.0"), (0.34, "+0.3"), (-2.3, "-0.9"), (1, "+0.9")],
)
def test_what_is_apart_is_told_within_what_a_small_model_can_read(stars, told):
    assert stars_apart(stars) == told

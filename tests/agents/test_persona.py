import pytest

from agents.persona import ACTIVITY, CONFORMITY, DIVERSITY, Persona, reason_for, stars_apart

LOVER = Persona(2, 2, 2, "I like films.", tastes={"War": 0.8, "Drama": 0.1, "Comedy": -0.9})


@pytest.mark.parametrize("trait", ["activity", "conformity", "diversity"])
@pytest.mark.parametrize("level", [0, 4, 1.5, None])
def test_a_trait_that_is_no_level_is_refused(trait, level):
    levels = {"activity": 1, "conformity": 1, "diversity": 1, trait: level}
    with pytest.raises(ValueError, match=f"persona trait {trait} must be level 1, 2 or 3, got"):
        Persona(profile="", **levels)


def test_every_level_of_every_trait_has_its_own_sentence():
    sentences = [table[level] for table in (ACTIVITY, CONFORMITY, DIVERSITY) for level in (1, 2, 3)]
    assert len(set(sentences)) == 9


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

"""Two people with ratings in two stages, few enough to know by heart."""

import pytest

from training.personified.corpora import Corpora, Fact, Passage

LIVES = {
    "Ann": [(0, "Jaws", 5, "Horror"), (0, "Alien", 4, "Horror"), (0, "Big", 1, "Comedy"),
            (1, "Heat", 2, "Crime"), (1, "Saw", 1, "Horror"), (1, "Hook", 5, "Comedy")],
    "Bob": [(0, "Jaws", 1, "Horror"), (0, "Tron", 3, "Sci-Fi"), (0, "Big", 5, "Comedy"),
            (1, "Heat", 5, "Crime"), (1, "Dune", 4, "Sci-Fi"), (1, "Cars", 2, "Comedy")],
}  # fmt: skip


def life(person, rows):
    for stage, title, stars, genre in rows:
        fact = Fact(title, stars, (genre,), 3.0, f"its {genre} side decided")
        source = f"{person}, {title}"
        told = f'I rated "{title}", a movie of {genre}. I gave it {stars} stars.'
        yield Passage(person, stage, source, "objective", told, fact)
        why = f'What I think of "{title}": its {genre} side decided.'
        yield Passage(person, stage, source, "subjective", why, fact)


def lives(*people):
    return tuple(p for person in people or LIVES for p in life(person, LIVES[person]))


@pytest.fixture
def corpora():
    """Of both people."""
    return Corpora(lives(), ("early", "late"), "movie")

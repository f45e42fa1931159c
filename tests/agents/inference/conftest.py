"""Questions for engines."""

import pytest

from agents.inference.engine import Request

PEOPLE = [
    f"You use a movie recommender. PROFILE: I gave {a} on average. I like Drama +0.{i}. "
    + "Yes. " * i
    for i, a in enumerate(("2.5", "3.7", "4.4"))
]


@pytest.fixture(scope="session")
def questions() -> list[Request]:
    """Twelve questions of three people, long and short, in no order."""
    return [
        Request(
            PEOPLE[i % 3],
            "MEMORY: Film. " * (i % 4) + f"MOVIE: Film {i} Drama, average 3.{i % 10}.\nRATING:",
            seed=100 + i,
        )
        for i in range(12)
    ]

"""What kinds of worlds there are: sizes and standard deviations. It draws no world."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Ends = tuple[float, float]
# Drawn between these ends, in this order, before and behind the tastes of a kind of world.
_LEVELS: dict[str, Ends] = {
    "mean_rating": (3.2, 3.8),
    "user_sd": (0.25, 0.55),
    "quality_sd": (0.3, 0.7),
    "genre_sd": (0.2, 0.9),
}
_REST: dict[str, Ends] = {
    "era_sd": (0.0, 0.3),
    "actor_sd": (0.0, 0.3),
    "noise_sd": (0.65, 1.0),
    "mean_log_ratings": (3.6, 4.8),
    "sd_log_ratings": (0.3, 0.6),
}


@dataclass(frozen=True)
class WorldParameters:
    """What kind of world it is; standard deviations are in stars."""

    num_users: int = 400
    num_items: int = 600
    num_actors: int = 120
    mean_rating: float = 3.5
    user_sd: float = 0.4  # how much people differ in generosity
    quality_sd: float = 0.5  # how much items differ in what everybody sees
    genre_sd: float = 0.7  # taste for genres
    tone_sd: float = 0.4  # taste for tones, which only the summary shows
    era_sd: float = 0.2  # taste for old or new
    actor_sd: float = 0.25  # taste for actors
    noise_sd: float = 0.75
    mean_log_ratings: float = 4.2  # of the number of ratings a user gives
    sd_log_ratings: float = 0.45
    logging_bias: float = 1.0  # 0 = people meet items at random
    newest_year: int = 2000
    kind: str = "movie"
    language: str = "plain"  # or "foreign" (made-up words), or "bare" (no cast, no summary)

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "WorldParameters":
        """A random kind of world, for training models that must read worlds they never saw."""
        fields = drawn_fields(rng, tastes={"tone_sd": (0.1, 0.5)}, most_bias=1.5)
        return cls(
            **fields,
            kind=str(rng.choice(["movie", "movie", "movie", "book", "song", "game"])),
            language=str(rng.choice(["plain", "plain", "foreign", "bare"])),
        )


def drawn_fields(
    rng: np.random.Generator, tastes: Mapping[str, Ends], most_bias: float
) -> dict[str, Any]:
    """What worlds of every kind draw, in one order, so that a seed stays one world.

    Args:
        rng: of the parameters.
        tastes: field → both ends, of tastes that only this kind has.
        most_bias: of the log, at most.
    """
    uniform = {**_LEVELS, **tastes, **_REST, "logging_bias": (0.0, most_bias)}
    return {
        "num_users": int(rng.integers(120, 260)),
        "num_items": int(np.exp(rng.uniform(np.log(250), np.log(1500)))),
        **{name: rng.uniform(*ends) for name, ends in uniform.items()},
        "newest_year": int(rng.integers(1998, 2025)),
    }

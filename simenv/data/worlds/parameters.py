"""What kinds of worlds there are: sizes and standard deviations. It draws no world."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simenv.ranges import check_number

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
_SPREAD, _POSITIVE = "[0, inf)", "(0, inf)"
_ALLOWED = {
    "num_users": "whole [1, 1e9]",
    "num_items": "whole [2, 1e9]",  # of one nobody could like another better
    "num_actors": "whole [3, 1e9]",  # of whom each item has three
    "mean_rating": "[1, 5]",
    **dict.fromkeys(("user_sd", "quality_sd", "genre_sd", "tone_sd", "era_sd"), _SPREAD),
    "actor_sd": _SPREAD,
    "noise_sd": _POSITIVE,
    "mean_log_ratings": _SPREAD,
    "sd_log_ratings": _SPREAD,
    "logging_bias": _SPREAD,
    "newest_year": "whole [1, 9999]",
}
_LANGUAGES = ("plain", "foreign", "bare")


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

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            check_number("a made world", name, getattr(self, name), allowed)
        if self.language not in _LANGUAGES:
            raise ValueError(
                f"a made world wanted language one of {', '.join(_LANGUAGES)}, got"
                f" {self.language!r}; choose one of them"
            )

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


_LEAST_OPEN = 2  # items of a reading world that can be met before its log ends
# Parameters of the older kind that say nothing here → what to do.
_OF_OLD = {
    "tone_sd": "moods are what summaries tell: set mood_sd",
    "language": "its summaries are in plain English: leave it out",
}


@dataclass(frozen=True)
class ReadingParameters(WorldParameters):
    """What kind of world that must be read; standard deviations are in stars."""

    theme_sd: float = 0.7  # taste for themes, before the weight of a way of deciding
    mood_sd: float = 0.45  # taste for moods
    cold_items: float = 0.1  # share that comes out after the log
    cold_people: float = 0.25  # share whose training rows number one of COLD_ROWS

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("cold_items", "cold_people"):
            check_number("a reading world", name, getattr(self, name), "[0, 1)", "it is a share")
        for name in ("theme_sd", "mood_sd"):
            check_number("a reading world", name, getattr(self, name), "[0, inf)")
        _check_open(self)
        for name, cure in _OF_OLD.items():
            if getattr(self, name) != getattr(WorldParameters, name):
                raise ValueError(
                    f"a reading world knows no {name}, got {getattr(self, name)!r}; {cure}"
                )

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "ReadingParameters":
        """A random kind of such a world, for training models that must read unseen ones."""
        tastes = {"theme_sd": (0.4, 1.0), "mood_sd": (0.2, 0.6)}
        return cls(**drawn_fields(rng, tastes, most_bias=2.0))


def _check_open(world: ReadingParameters) -> None:
    """Refuse a world in which there is next to nothing to meet before the log ends."""
    left = world.num_items - round(world.cold_items * world.num_items)
    if left < _LEAST_OPEN:
        raise ValueError(
            f"a reading world wanted {_LEAST_OPEN} items or more that do not come out after the"
            f" log, got {left} of num_items={world.num_items}; lower"
            f" cold_items={world.cold_items}, or raise num_items"
        )

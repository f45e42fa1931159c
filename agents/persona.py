"""Who a user is: traits, tastes and a first-person profile (short-term memory, Ms). No prompts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simenv.domains.domain import Domain

# Short on purpose: the pocket model pays for every word, and so does everybody's GPU.
# How much people do and how wide they choose stands in the domain (``simenv.domains``).
CONFORMITY = {
    1: "You go along with the crowd.",
    2: "You weigh the crowd against your own taste.",
    3: "You judge for yourself.",
}

# Stars next to others, at most: beyond it a small model meets numbers it never learnt to read.
MOST_APART = 0.9


def stars_apart(stars: float) -> str:
    """How far from others, as prompts and profiles say it: one decimal, within ``MOST_APART``."""
    within = min(MOST_APART, max(-MOST_APART, stars))
    return f"{within + 0.0:+.1f}".replace("-0.0", "+0.0")


@dataclass(frozen=True)
class Persona:
    """One user's Ms: three trait levels (1-3), a profile of at most 2,000 words, and an adapter.

    ``conformity`` grows with the distance of somebody's stars from the average, as in Agent4Rec: 1
    goes along with the crowd, 3 judges alone.
    ``tastes`` holds what the profile says in numbers: for a genre, how many stars above (or below)
    other people's average this user rates it, own generosity taken out. ``level`` is that
    generosity: stars above other people's averages. ``gate`` says how the facets of the adapter
    are mixed for this user, a weight a facet; an ordinary adapter has none to mix.
    """

    activity: int
    conformity: int
    diversity: int
    profile: str
    tastes: Mapping[str, float] = field(default_factory=dict)
    level: float = 0.0
    cluster: int = 0
    adapter: str | None = None
    gate: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("activity", "conformity", "diversity"):
            if getattr(self, name) not in (1, 2, 3):
                raise ValueError(
                    f"persona trait {name} must be level 1, 2 or 3, got {getattr(self, name)!r}"
                )
        object.__setattr__(self, "gate", tuple(self.gate))  # files know lists alone
        words = len(self.profile.split())
        if words > 2000:
            raise ValueError(
                f"a profile may have at most 2000 words, got {words}; shorten it or reflect again"
            )


def traits_told(persona: Persona, domain: Domain) -> str:
    """The three traits in words, a sentence each."""
    return " ".join(trait_sentences(persona, domain).values())


def trait_sentences(persona: Persona, domain: Domain) -> dict[str, str]:
    """Trait → the sentence that says its level, as a prompt does."""
    return {
        "activity": domain.sentence(domain.activity[persona.activity - 1]),
        "conformity": CONFORMITY[persona.conformity],
        "diversity": domain.sentence(domain.diversity[persona.diversity - 1]),
    }


def reason_for(persona: Persona, genres: tuple[str, ...], rating: float) -> str:
    """The reason a persona gives for a rating without asking any model: a short clause.

    The genre that speaks most clearly for the direction of the rating is named.
    """
    if not genres:
        return _PLAIN_REASONS[_tier(rating)]
    towards = 1 if rating >= 3.5 else -1
    genre = max(genres, key=lambda g: towards * persona.tastes.get(g, 0.0))
    return _GENRE_REASONS[_tier(rating)].format(genre=genre)


def _tier(rating: float) -> int:
    return int(min(5, max(1, round(rating))))


_GENRE_REASONS = {
    1: "{genre} like this is not for me",
    2: "weak {genre}",
    3: "decent {genre}",
    4: "good {genre}",
    5: "{genre} as I love it",
}
_PLAIN_REASONS = {
    1: "not for me",
    2: "weak",
    3: "decent",
    4: "good",
    5: "as I love it",
}

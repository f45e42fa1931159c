"""The fourth part of Ms: in the first person, what somebody loves and cannot stand, by name.

It is given what training rows support and says nothing else. What tells most stands first, since a
prompt that is too long loses its last sentences.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agents.wording.phrases import listed, quoted, several
from simenv.domains.domain import Domain

_MOST = {
    "loved": 6,
    "hated": 4,
    "latest": 8,
    "person": 4,
    "theme": 5,
    "genre": 3,
    "mood": 2,
    "era": 2,
}


class Tastes(NamedTuple):
    """Names of what somebody likes or dislikes, the clearest first."""

    titles: Sequence[str]
    genre: Sequence[str]
    person: Sequence[str]
    theme: Sequence[str]
    mood: Sequence[str]
    era: Sequence[str]


# What → wordings of what is liked and of what is not.
_LIKED = {
    "title": ("I loved {}", "Among my favourites are {}", "I still think fondly of {}"),
    "genre": ("I enjoy {}", "Give me {} and I am happy", "I have a taste for {}"),
    "person": ("I am fond of {}", "I am glad whenever I come across {}",
               "I have a soft spot for {}"),
    "theme": ("I am drawn to {stories} with {}", "I like to hear of {}",
              "What I look for in a {kind}: {}"),
    "mood": ("I like {kinds} that are {}", "The best {kinds} are {} to me"),
    "era": ("My favourites are from the {}", "I am at home in the {}"),
}  # fmt: skip
_DISLIKED = {
    "title": ("I did not like {}", "I was let down by {}", "I could not stand {}"),
    "genre": ("I care less for {}", "I seldom enjoy {}", "I am hard on {}"),
    "person": ("I am seldom pleased with {}", "I can do without {}"),
    "theme": ("I am soon tired of {}", "I have no need of more {stories} with {}",
              "It leaves me cool to hear of {}"),
    "mood": ("I care less for {kinds} that are {}", "I do not like {kinds} to be {}"),
    "era": ("I get less out of the {}", "I seldom enjoy what is from the {}"),
}  # fmt: skip
_LATELY = ("Lately I rated {}", "The last {kinds} I rated were {}", "I have just rated {}")
_OF_ONE = {  # wordings that count titles, of a single one
    "Among my favourites are {}": "Among my favourites is {}",
    "The last {kinds} I rated were {}": "The last {kind} I rated was {}",
}
_ORDER = ("title", "genre", "person", "theme", "mood", "era")


def profile(
    domain: Domain, likes: Tastes, dislikes: Tastes, latest: Sequence[str], draws: Sequence[float]
) -> str:
    """The sentences, in turn of what is liked and what is not.

    Args:
        domain: of the items.
        likes: nothing but what training rows support.
        dislikes: likewise.
        latest: titles that were rated last.
        draws: (12,) or more in [0, 1): which wordings.
    """
    sentences = []
    for place, what in enumerate(_ORDER):
        for side, (forms, tastes) in enumerate(((_LIKED, likes), (_DISLIKED, dislikes))):
            names = _names(what, tastes, most=_most(what, side))
            if names:
                draw = draws[2 * place + side]
                sentences.append(_sentence(forms[what], names, domain, draw))
        if what == "title" and latest:
            names = [quoted(title) for title in latest[: _MOST["latest"]]]
            sentences.append(_sentence(_LATELY, names, domain, draws[0]))
    return " ".join(sentences)


def _most(what: str, side: int) -> int:
    if what == "title":
        return _MOST["hated" if side else "loved"]
    return _MOST[what] if not side else max(1, _MOST[what] - 1)


def _names(what: str, tastes: Tastes, most: int) -> list[str]:
    if what == "title":
        return [quoted(title) for title in tastes.titles[:most]]
    names: Sequence[str] = getattr(tastes, what)
    return list(names[:most])


def _sentence(forms: Sequence[str], names: Sequence[str], domain: Domain, draw: float) -> str:
    form = forms[int(draw * len(forms))]
    if len(names) == 1:
        form = _OF_ONE.get(form, form)
    said = form.format(
        listed(names), kind=domain.noun, kinds=several(domain), stories=domain.stories
    )
    return f"{said[:1].upper()}{said[1:]}".rstrip(".") + "."

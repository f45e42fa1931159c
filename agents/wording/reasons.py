"""Ml in words: why this item did or did not suit this person. It asks no model.

A reason names something that the item has (its story, people, mood or genre) and says what it is to
the person, as far as their tastes know it. The wording is a hash of user, item and seed.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agents.persona import Persona
from agents.wording.aspects import Aspects, Said
from agents.wording.phrases import listed
from simenv.catalog import Catalog
from simenv.events import FloatArray, IntArray
from simenv.item_averages import ItemAverages
from simenv.seeding import Channel, row_seeds, uniforms

LEAST_LIKING = 0.1  # stars; smaller likings are not worth a word
_AGAINST_THE_CROWD = 1.5  # stars from what others gave, from which on it is said
_SHOWN = 2  # of an item's themes


class _Found(NamedTuple):
    """What decided: aspects that are named, of one kind, and what they are to the person."""

    said: tuple[Said, ...]
    liking: float  # stars; 0 = the person has no taste for it


_NOTHING = _Found((), 0.0)
_SUBJECTS = {
    "theme": ("the {story} with its {}", "the {} in the {story}", "the {story} around its {}"),
    "person": ("seeing {} in it", "what {} did in it", "{} in it"),
    "mood": ("its {} mood", "the {} tone", "how {} it was"),
    "genre": ("the {} in it", "its {} side", "this kind of {}"),
    "era": ("the feel of the {}", "its style of the {}", "the look of the {}"),
}
_BY_PEOPLE = ("what {} made of it", "what {} did with it", "the way of {}")  # of what is not acted
_PLAIN = ("it", "this one", "the whole")
# Stars → what is said where a taste of the person explains them, and where none does; all in the
# past tense, which suits one subject and several.
_VERDICTS = {
    5: (("hit my weak spot", "gave me just what I love", "made it a favourite of mine"),
        ("won me over", "delighted me", "stayed with me")),
    4: (("gave me what I like", "suited me well", "met my taste"),
        ("worked for me", "pleased me", "kept me interested")),
    3: (("left me cool", "suited me only half", "did little for me"),
        ("got by with me", "pleased me half and half", "neither won nor lost me")),
    2: (("went against my taste", "gave me what I do not care for", "did not suit me"),
        ("did not work for me", "fell flat", "let me down")),
    1: (("gave me just what I cannot stand", "went wholly against my taste",
         "tried my patience once more"),
        ("put me off", "lost me early on", "annoyed me")),
}  # fmt: skip
_THOUGH = {
    True: ("though I usually like {}", "although I have a weakness for {}"),
    False: ("though I seldom like {}", "even if I care less for {}"),
}
_CONTRASTS = ("genre", "person", "mood")
_CROWD = {True: "unlike most people", False: "whatever others say"}


class ReasonWriter:
    """Writes reasons about the items of a catalogue.

    Args:
        catalog: whose items they are.
        averages: what others gave, to tell who goes against the crowd.
        aspects: of the catalogue.
        seed: of the wording.
    """

    def __init__(
        self, catalog: Catalog, averages: ItemAverages, aspects: Aspects, seed: int = 0
    ) -> None:
        self._domain, self._fair = catalog.domain, averages.fair
        self._aspects, self._seed = aspects, seed

    def write(
        self, personas: Sequence[Persona], users: IntArray, items: IntArray, ratings: FloatArray
    ) -> list[str]:
        """One reason for each of the ratings (r,) that ``users`` (r,) of ``personas`` gave."""
        draws = uniforms(row_seeds(self._seed, users, items), Channel.REASON, 3)
        apart = ratings - self._fair[items]
        rows = zip(
            users.tolist(), items.tolist(), ratings.tolist(), apart.tolist(), draws.tolist(),
            strict=True,
        )  # fmt: skip
        return [
            self._reason(personas[user].tastes, item, stars, off, draw)
            for user, item, stars, off, draw in rows
        ]

    def _reason(
        self, tastes: Mapping[str, float], item: int, stars: float, apart: float, draw: list[float]
    ) -> str:
        tier = int(min(5, max(1, round(stars))))
        good = tier >= 4
        ranked = sorted(
            ((tastes.get(said.aspect.key, 0.0), said) for said in self._aspects.of_item[item]),
            key=lambda pair: pair[0],
            reverse=good,
        )
        why = _decisive(ranked, good) or self._shown(item, draw[2])
        explained = why.liking != 0
        words = _VERDICTS[tier][0 if explained else 1]
        reason = f"{self._subject(why, draw[0])} {_one(words, draw[1])}"
        return reason + self._contrast(ranked, good, why, apart, draw[2])

    def _shown(self, item: int, draw: float) -> _Found:
        """What the item shows of itself, where no taste of the person says more."""
        of_kind: dict[str, list[Said]] = {}
        for said in self._aspects.of_item[item]:
            of_kind.setdefault(said.aspect.kind, []).append(said)
        kinds = [kind for kind in ("theme", "mood", "person", "genre") if kind in of_kind]
        if not kinds:
            return _NOTHING
        kind = kinds[0] if draw < 0.6 else kinds[int(draw * 1000) % len(kinds)]
        return _Found(tuple(of_kind[kind][: _SHOWN if kind == "theme" else 1]), 0.0)

    def _subject(self, why: _Found, draw: float) -> str:
        if not why.said:
            return _one(_PLAIN, draw)
        kind = why.said[0].aspect.kind
        forms: tuple[str, ...] = _SUBJECTS[kind]
        if kind == "person" and not self._aspects.acted:
            forms = _BY_PEOPLE
        if kind == "genre" and why.said[0].word.endswith("'s"):
            forms = _SUBJECTS["genre"][1:2]  # "the Children's in it" is no English
        words = listed([said.word for said in why.said])
        return _one(forms, draw).format(words, story=self._domain.story)

    def _contrast(
        self,
        ranked: Sequence[tuple[float, Said]],
        good: bool,
        why: _Found,
        apart: float,
        draw: float,
    ) -> str:
        """What spoke against it, or that others think otherwise; often nothing."""
        other, said = ranked[-1] if ranked else (0.0, None)
        speaks = abs(other) >= LEAST_LIKING and (other > 0) != good
        if said and speaks and said not in why.said and said.aspect.kind in _CONTRASTS:
            name = said.aspect.name
            name = f"a {name} {self._domain.noun}" if said.aspect.kind == "mood" else name
            return f", {_one(_THOUGH[not good], draw).format(name)}"
        if abs(apart) >= _AGAINST_THE_CROWD:
            return f", {_CROWD[good]}"
        return ""


def _decisive(ranked: Sequence[tuple[float, Said]], good: bool) -> _Found | None:
    """The taste that speaks most clearly for the direction of the rating, if one does."""
    sign = 1 if good else -1
    if not ranked or sign * ranked[0][0] < LEAST_LIKING:
        return None
    liking, first = ranked[0]
    if first.aspect.kind != "theme":
        return _Found((first,), liking)
    themes = [
        said
        for value, said in ranked
        if said.aspect.kind == "theme" and sign * value >= LEAST_LIKING
    ]
    return _Found(tuple(themes[:_SHOWN]), liking)


def _one(forms: Sequence[str], draw: float) -> str:
    """One of several wordings by a draw in [0, 1)."""
    return forms[int(draw * len(forms))]

"""People told in words, without a model: Ms in four parts, and reasons that speak of each item.

``WordsDistiller`` reads training rows only, and names nothing that does not occur in them. Traits,
tastes of genres and the level are those of ``OfflineDistiller``; what other aspects of items are to
a person stands in ``Persona.tastes`` too, so that reasons can be given for items met later.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from agents.persona import Persona
from agents.wording.aspects import Aspect, Aspects, aspects_of
from agents.wording.reasons import LEAST_LIKING, ReasonWriter
from simenv.catalog import Catalog
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.item_averages import ItemAverages
from simenv.seeding import Channel, row_seeds, uniforms
from training.distillation.in_words.habits import Habits
from training.distillation.in_words.likings import Likings, likings
from training.distillation.in_words.profile_words import Tastes, profile
from training.distillation.offline import Distilled, OfflineDistiller

_DRAWS = 15  # wordings of one person
_KEPT_TASTES = 40  # aspects beside genres that a person knows their taste for
_LIKED, _DISLIKED = 4, 2  # stars of a title that is named, at least or at most
_ALIKE = 0.6  # cosine of two themes, of which one is named


class Ms(NamedTuple):
    """Short-term memory in its four parts."""

    activity: str
    conformity: str
    diversity: str
    profile: str

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(part for part in self if part)


class _Taste(NamedTuple):
    """What an aspect is to a person."""

    aspect: Aspect
    stars: float
    rows: int

    @property
    def clearness(self) -> float:
        """How sure and how large the liking is, without its sign."""
        return abs(self.stars) * float(np.sqrt(self.rows))


class _Titles(NamedTuple):
    """What a person names, the clearest first; of the latest, the last one."""

    loved: list[str]
    hated: list[str]
    latest: list[str]


@dataclass(frozen=True)
class WordsDistiller:
    """Ms and Ml in words.

    Args:
        catalog: what the items are; a domain needs no words of its own here.
        averages: of training rows.
        seed: of the wording.
    """

    name: ClassVar[str] = "words"

    catalog: Catalog
    averages: ItemAverages
    seed: int = 0

    @cached_property
    def aspects(self) -> Aspects:
        """What can be said of the items."""
        return aspects_of(self.catalog)

    def distil(self, log: InteractionLog) -> Distilled:
        """Personas of all ``log.num_users`` users and a reason for each row; ``log`` is training.

        A user with no rows gets the middle traits and a profile that says so.
        """
        personas = [persona for persona, _ in self._people(log)]
        writer = ReasonWriter(self.catalog, self.averages, self.aspects, self.seed)
        return Distilled(personas, writer.write(personas, log.users, log.items, log.ratings))

    def sections(self, log: InteractionLog) -> list[Ms]:
        """Ms of all users in its four parts."""
        return [ms for _, ms in self._people(log)]

    def _people(self, log: InteractionLog) -> list[tuple[Persona, Ms]]:
        own, people = self._own(log), []
        found, habits = likings(log, own, self.aspects), Habits.of(log, self.catalog, self.averages)
        seeds = row_seeds(self.seed, np.arange(log.num_users), np.zeros(log.num_users, np.int64))
        draws = uniforms(seeds, Channel.PROFILE, _DRAWS).tolist()
        numbers = OfflineDistiller(self.catalog, self.averages).personas(log)
        for user, persona in enumerate(numbers):
            tastes, titles = self._tastes(persona, found, user), self._titles(log, own, user)
            ms = self._ms(user, persona, habits, tastes, titles, draws[user])
            told = replace(persona, profile=ms.text, tastes=_kept(persona, tastes))
            people.append((told, ms))
        return people

    def _own(self, log: InteractionLog) -> FloatArray:
        """(r,) stars above what others give to the item and the user gives to others."""
        apart = log.ratings - self.averages.fair[log.items]
        counts = np.maximum(np.bincount(log.users, minlength=log.num_users), 1)
        generosity = np.bincount(log.users, apart, log.num_users) / counts
        return np.asarray(apart - generosity[log.users])

    def _tastes(self, persona: Persona, found: Likings, user: int) -> list[_Taste]:
        """What the user has a taste for, the clearest first; genres as the offline distiller."""
        rows = found.of(user)
        known = [_Taste(self.aspects.all[a], stars, count) for a, stars, count in rows]
        genres = [
            taste._replace(stars=persona.tastes[taste.aspect.name])
            for taste in known
            if taste.aspect.kind == "genre" and taste.aspect.name in persona.tastes
        ]
        others = [taste for taste in known if taste.aspect.kind != "genre"]
        clear = [taste for taste in genres + others if abs(taste.stars) >= LEAST_LIKING]
        return sorted(clear, key=lambda taste: (-taste.clearness, taste.aspect))

    def _titles(self, log: InteractionLog, own: FloatArray, user: int) -> _Titles:
        """What the user liked and disliked most, as compared with others, and the latest."""
        starts = log.offsets()
        rows = np.arange(starts[user], starts[user + 1])
        order = rows[np.lexsort((rows, -own[rows], -log.ratings[rows]))]
        loved = order[log.ratings[order] >= _LIKED]
        hated = order[::-1]
        hated = hated[log.ratings[hated] <= _DISLIKED]
        return _Titles(*(self._named(log.items[chosen]) for chosen in (loved, hated, rows[::-1])))

    def _named(self, items: IntArray) -> list[str]:
        return [title for i in items[:12].tolist() if (title := self.catalog.titles[i].strip())]

    def _ms(
        self,
        user: int,
        persona: Persona,
        habits: Habits,
        tastes: list[_Taste],
        titles: _Titles,
        draws: list[float],
    ) -> Ms:
        likes = self._sides([taste for taste in tastes if taste.stars > 0], titles.loved)
        dislikes = self._sides([taste for taste in tastes if taste.stars < 0], titles.hated)
        return Ms(
            habits.activity(user, draws[12]),
            habits.conformity(user, persona.level, draws[13]),
            habits.diversity(user, draws[14]),
            profile(self.catalog.domain, likes, dislikes, titles.latest, draws),
        )

    def _sides(self, tastes: list[_Taste], titles: list[str]) -> Tastes:
        names: dict[str, list[str]] = {}
        for taste in tastes:
            names.setdefault(taste.aspect.kind, []).append(taste.aspect.name)
        kinds = {kind: names.get(kind, []) for kind in ("genre", "person", "mood", "era")}
        return Tastes(titles=titles, theme=self._apart(names.get("theme", [])), **kinds)

    def _apart(self, themes: list[str]) -> list[str]:
        """Themes without those that say the same as one before them."""
        place = {name: t for t, name in enumerate(self.aspects.themes.names)}
        kept: list[str] = []
        for name in themes:
            alike = self.aspects.themes.alike[place[name]]
            if all(alike[place[other]] < _ALIKE for other in kept):
                kept.append(name)
        return kept


def _kept(persona: Persona, tastes: list[_Taste]) -> dict[str, float]:
    """``Persona.tastes`` with the clearest tastes for aspects beside genres."""
    others = [taste for taste in tastes if taste.aspect.kind != "genre"][:_KEPT_TASTES]
    return {**persona.tastes, **{t.aspect.key: round(t.stars, 3) for t in others}}

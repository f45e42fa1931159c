"""Exchanges about ratings, written without a model: questions, opinions, premises false and true.

Every draw hashes the seed with the person, the stage, the source and the pattern, so that an
exchange does not depend on which others are written. It reads facts, never a passage's words.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from agents.wording.phrases import quoted
from training.personified.corpora import Corpora, Fact, Passage
from training.personified.exchanges import Exchange, Pattern
from training.personified.writing import rating_words as words
from training.personified.writing.choices import Side, draws, false_stars, pick, stars
from training.personified.writing.item_words import item_words
from training.personified.writing.rating_words import Forms

_LIKED, _DISLIKED = 3.6, 2.9  # means of a genre, from which on and below which it is a taste
_GENRE_SHARE = 0.35  # of ordinary questions


def written_about_ratings(
    corpora: Corpora, sources: frozenset[str], side: Side = "train", seed: int = 0
) -> list[Exchange]:
    """An exchange of each pattern about every source of a rating.

    Args:
        corpora: all that may be told of; answers about a genre sum up every rating of it.
        sources: that are asked about.
        side: whose wordings of questions; those of ``test`` are never learnt.
        seed: of all draws.
    """
    return list(_Writer(corpora, side, seed).all(sources))


class _Asked(NamedTuple):
    """One rating that is asked about, and its draws."""

    passage: Passage
    fact: Fact
    draws: list[float]

    @property
    def false_stars(self) -> int:
        """Stars that may be claimed though they were not given."""
        return false_stars(self.fact.stars, self.draws[3])


class _Writer:
    """Writes the exchanges of corpora."""

    def __init__(self, corpora: Corpora, side: Side, seed: int) -> None:
        self._corpora, self._side, self._seed = corpora, side, seed
        told = [p for p in corpora.passages if p.fact and p.material == "objective"]
        self._told = told
        self._free = {person: corpora.unrated(person) for person in corpora.people}
        self._words = item_words(corpora.kind)

    def all(self, sources: frozenset[str]) -> Iterator[Exchange]:
        """Pattern by pattern for every source."""
        for passage in self._told:
            if passage.source not in sources or passage.fact is None:
                continue
            yield self._ordinary(self._asked(passage, "ordinary"))
            yield self._thought(self._asked(passage, "thought"))
            yield from self._premises(self._asked(passage, "error"))

    def _asked(self, passage: Passage, pattern: Pattern) -> _Asked:
        assert passage.fact is not None
        key = f"{passage.person}\n{passage.stage}\n{passage.source}\n{pattern}\n{self._side}"
        return _Asked(passage, passage.fact, draws(self._seed, key))

    def _ordinary(self, asked: _Asked) -> Exchange:
        _, fact, drawn = asked
        if drawn[9] < _GENRE_SHARE and fact.genres:
            return self._about_genre(asked, fact.genres[int(drawn[8] * len(fact.genres))])
        question = self._say(words.ABOUT, drawn[0], t=quoted(fact.title))
        analysis = f"I remember {quoted(fact.title)}: I gave it {stars(fact.stars)}."
        verdict = self._filled(pick(words.VERDICTS[fact.stars], drawn[2]))
        response = f"{self._gave(fact, drawn)} {verdict}"
        return self._exchange(asked, "ordinary", question, analysis, response, truth=fact.stars)

    def _about_genre(self, asked: _Asked, genre: str) -> Exchange:
        own = asked.passage
        told = genre_taste(self._corpora, own.person, own.stage, genre, asked.draws)
        assert told is not None  # the source itself is of the genre
        question = self._say(words.GENRE, asked.draws[0], g=genre)
        return self._exchange(asked, "ordinary", question, *told)

    def _thought(self, asked: _Asked) -> Exchange:
        _, fact, drawn = asked
        praises = drawn[4] < 0.5
        question = self._say(words.PRAISE if praises else words.PAN, drawn[0], t=quoted(fact.title))
        agrees = None if fact.stars == 3 else (fact.stars > 3) == praises
        bank = {None: words.BETWEEN, True: words.AGREE, False: words.DISAGREE}
        opposite = {None: words.AGREE, True: words.DISAGREE, False: words.AGREE}
        told = self._gave(fact, drawn)
        claimed = 5 if praises else 1
        analysis = (
            f"The other one {'praises' if praises else 'blames'} {quoted(fact.title)}. My memory"
            f" says {stars(fact.stars)}."
        )
        misled = fact._replace(stars=claimed if agrees is not True else 6 - claimed)
        wrong = f"{pick(opposite[agrees], drawn[5])} {self._taken_in(misled, drawn)}"
        response = f"{pick(bank[agrees], drawn[5])} {told}"
        return self._exchange(
            asked, "thought", question, analysis, response, wrong, fact.stars, claimed
        )

    def _premises(self, asked: _Asked) -> Iterator[Exchange]:
        """A false premise and its twin, in the same words."""
        kinds: tuple[Callable[[_Asked], Iterator[Exchange]], ...] = (
            self._of_stars, self._of_stars, self._of_liking, self._of_never, self._of_unrated,
        )  # fmt: skip
        place = int(asked.draws[6] * len(kinds))
        unrated = self._unrated(asked) is not None
        if (place == 2 and asked.fact.stars == 3) or (place > 2 and not unrated):
            place = 0
        yield from kinds[place](asked)

    def _of_stars(self, asked: _Asked) -> Iterator[Exchange]:
        fact, title = asked.fact, quoted(asked.fact.title)
        false = asked.false_stars
        for pattern, claimed in (("error", false), ("twin", fact.stars)):
            question = self._say(words.STARS_CLAIM, asked.draws[0], t=title, c=stars(claimed))
            yield self._judged(asked, pattern, question, f"{stars(claimed)} for {title}", claimed)

    def _of_liking(self, asked: _Asked) -> Iterator[Exchange]:
        title, loves = quoted(asked.fact.title), asked.fact.stars > 3
        for pattern, loved in (("error", not loves), ("twin", loves)):
            question = self._say(words.LOVED if loved else words.HATED, asked.draws[0], t=title)
            premise = f"that I {'loved' if loved else 'hated'} {title}"
            yield self._judged(asked, pattern, question, premise, 5 if loved else 1)

    def _of_never(self, asked: _Asked) -> Iterator[Exchange]:
        """Rated or not: the false premise is about the source, the twin about what is unrated."""
        title, other = quoted(asked.fact.title), quoted(str(self._unrated(asked)))
        question = self._say(words.NEVER, asked.draws[0], t=title)
        yield self._judged(asked, "error", question, f"that I never rated {title}", 0)
        unknown = self._filled(pick(words.UNKNOWN, asked.draws[1]), t=other)
        yield self._exchange(
            asked, "twin", self._say(words.NEVER, asked.draws[0], t=other),
            f"The question says that I never rated {other}. I have no memory of it. That agrees.",
            f"{pick(words.CONFIRMATIONS, asked.draws[5])} {unknown}",
            f"{pick(words.CORRECTIONS, asked.draws[5])} I gave {other} 4 stars.", 0, 0,
        )  # fmt: skip

    def _of_unrated(self, asked: _Asked) -> Iterator[Exchange]:
        other, claimed = (
            quoted(str(self._unrated(asked))),
            asked.false_stars,
        )
        unknown = self._filled(pick(words.UNKNOWN, asked.draws[1]), t=other)
        yield self._exchange(
            asked, "error",
            self._say(words.STARS_CLAIM, asked.draws[0], t=other, c=stars(claimed)),
            f"The question says {stars(claimed)} for {other}. I have no memory of it. That does not"
            " agree.",
            f"{pick(words.CORRECTIONS, asked.draws[5])} {unknown}",
            f"{pick(words.CONFIRMATIONS, asked.draws[5])} I gave {other} {stars(claimed)}.",
            0, claimed,
        )  # fmt: skip
        fact, title = asked.fact, quoted(asked.fact.title)
        question = self._say(words.STARS_CLAIM, asked.draws[0], t=title, c=stars(fact.stars))
        premise = f"{stars(fact.stars)} for {title}"
        yield self._judged(asked, "twin", question, premise, fact.stars)

    def _judged(
        self, asked: _Asked, pattern: str, question: str, premise: str, claimed: int
    ) -> Exchange:
        """An answer that corrects a false premise about the source, or confirms a true one."""
        fact, drawn = asked.fact, asked.draws
        false = pattern == "error"
        title = quoted(fact.title)
        agrees = "does not agree" if false else "agrees"
        analysis = (
            f"The question says {premise}. My memory of {title} says {stars(fact.stars)}. That"
            f" {agrees}."
        )
        if false and claimed:
            told = self._filled(pick(words.GAVE_NOT, drawn[1]), c=stars(claimed), **_told(fact))
        else:
            told = self._gave(fact, drawn)
        misled = fact._replace(stars=claimed if false else asked.false_stars)
        right, wrong = words.CORRECTIONS, words.CONFIRMATIONS
        if not false:
            right, wrong = wrong, right
        taken = self._taken_in(misled, drawn)
        if not misled.stars:
            taken = self._filled(pick(words.UNKNOWN, drawn[1]), t=title)
        return self._exchange(
            asked, "error" if false else "twin", question, analysis,
            f"{pick(right, drawn[5])} {told}", f"{pick(wrong, drawn[5])} {taken}", fact.stars,
            claimed,
        )  # fmt: skip

    def _taken_in(self, misled: Fact, drawn: Sequence[float]) -> str:
        """What somebody says who repeats a wrong number of stars."""
        if not misled.stars:
            return ""
        verdict = self._filled(pick(words.VERDICTS[misled.stars], drawn[2]))
        return f"I gave {quoted(misled.title)} {stars(misled.stars)}. {verdict}"

    def _unrated(self, asked: _Asked) -> str | None:
        """A title that others rated and the person did not; None = there is none."""
        free = self._free[asked.passage.person]
        return free[int(asked.draws[7] * len(free))] if free else None

    def _gave(self, fact: Fact, drawn: Sequence[float]) -> str:
        return self._filled(pick(words.GAVE, drawn[1]), **_told(fact))

    def _say(self, forms: Forms, draw: float, **told: str) -> str:
        return self._filled(pick(getattr(forms, self._side), draw), **told)

    def _filled(self, text: str, **told: str) -> str:
        return text.format(**self._words, **told)

    def _exchange(
        self,
        asked: _Asked,
        pattern: Pattern,
        question: str,
        analysis: str,
        response: str,
        wrong: str = "",
        truth: int | None = None,
        claimed: int | None = None,
    ) -> Exchange:
        own = asked.passage
        return Exchange(
            own.person, own.stage, own.source, pattern, question, analysis, response, wrong,
            truth, claimed,
        )  # fmt: skip


def genre_taste(
    corpora: Corpora, person: str, stage: int, genre: str, drawn: Sequence[float]
) -> tuple[str, str] | None:
    """What a genre is to a person so far: what they go by, and what they say; None = nothing yet.

    Args:
        corpora: that tell of the person.
        person: who.
        stage: ratings of later ones do not count.
        genre: by its name.
        drawn: draws in [0, 1) of the wording.
    """
    rated = [
        p.fact
        for p in corpora.of(person, stage)
        if p.fact and p.material == "objective" and genre in p.fact.genres
    ]
    if not rated:
        return None
    mean = float(np.mean([fact.stars for fact in rated]))
    taste = "like" if mean >= _LIKED else "dislike" if mean < _DISLIKED else "mixed"
    proof = min(rated, key=lambda fact: (abs(fact.stars - mean), fact.title))
    told = {
        "t": quoted(proof.title), "s": stars(proof.stars), "m": f"{mean:.1f}", "g": genre,
        **item_words(corpora.kind),
    }  # fmt: skip
    said = [
        pick(words.GENRE_TASTE[taste], drawn[1]).format(**told),
        pick(words.GENRE_PROOF, drawn[2]).format(**told),
    ]
    analysis = f"Until now I rated {len(rated)} of {genre}, with {mean:.1f} stars on average."
    return analysis, " ".join(said)


def _told(fact: Fact) -> dict[str, str]:
    return {"t": quoted(fact.title), "s": stars(fact.stars), "r": fact.reason}

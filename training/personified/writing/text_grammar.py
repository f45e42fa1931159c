"""Exchanges about any texts, written without a model: sentences of one's own and of others.

A false premise gives the person a sentence of somebody else, or one of their own with its number or
its "not" changed, and never one that they said; the twin asks about the sentence as it stands.
Every draw hashes the seed with the passage.
"""

import re
from collections.abc import Iterator

from training.personified.corpora import Corpora, Passage
from training.personified.exchanges import Exchange, Pattern
from training.personified.writing.rating_grammar import Side, draws, pick
from training.personified.writing.rating_words import CONFIRMATIONS, CORRECTIONS, Forms

_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_NUMBER = re.compile(r"\d{1,18}")
_NOT = re.compile(r"\b(is|was|were|are|had|has|have|will|would|can|could|did|do|does)\b( not)?")
_LONGEST = 30  # words of a sentence that is quoted

ABOUT = Forms(
    (
        "What can you tell me about this: {b} …?",
        "How did it go on: {b} …?",
        "What comes to your mind when you hear: {b} …?",
        "Do you remember: {b} …?",
        "Tell me more about: {b} …",
        "What happened when: {b} …?",
    ),
    ("Please go on from here: {b} …", "What do you remember of: {b} …?"),
)
OPINION = Forms(
    (
        "I believe that this is true: {q} What do you say?",
        "People say: {q} Do you think so too?",
        "Somebody told me: {q} What is your view?",
        "{q} That is how I see it. And you?",
    ),
    ("Would you put your name under this: {q}", "{q} Are you of that opinion?"),
)
CLAIM = Forms(
    (
        "You once said: {q} Why?",
        "Your own words were: {q} Do you stand by them?",
        "I remember that you told us: {q} How come?",
        "Since this is yours: {q} what lay behind it?",
        "It is written in your papers: {q} Explain it.",
    ),
    ("So it was you who said: {q} What was the reason?", "These are your words: {q} Tell me why."),
)


def written_about_texts(
    corpora: Corpora, sources: frozenset[str], side: Side = "train", seed: int = 0
) -> list[Exchange]:
    """An exchange of each pattern about every source that is a text.

    Args:
        corpora: all that may be told of; strangers' sentences come from them.
        sources: that are asked about.
        side: whose wordings of questions.
        seed: of all draws.
    """
    found = []
    said = {person: _all_said(corpora, person) for person in corpora.people}
    for passage in corpora.passages:
        if passage.source in sources and passage.fact is None:
            found += list(_about(corpora, passage, said[passage.person], side, seed))
    return found


def _all_said(corpora: Corpora, person: str) -> frozenset[str]:
    """Every sentence of a person, whatever its case."""
    return frozenset(s.casefold() for p in corpora.of(person) for s in _sentences(p.text))


def _about(
    corpora: Corpora, passage: Passage, said_all: frozenset[str], side: Side, seed: int
) -> Iterator[Exchange]:
    drawn = draws(seed, f"{passage.person}\n{passage.stage}\n{passage.source}\n{side}")
    sentences = _sentences(passage.text)
    own = sentences[int(drawn[0] * len(sentences))]
    false = _false(corpora, passage, own, said_all, drawn)
    beginning = " ".join(passage.text.split()[:6])

    def say(forms: Forms, place: int, **told: str) -> str:
        return pick(forms.train if side == "train" else forms.test, drawn[place]).format(**told)

    def exchange(
        pattern: Pattern, question: str, analysis: str, response: str, wrong: str = ""
    ) -> Exchange:
        where = passage.person, passage.stage, passage.source
        return Exchange(*where, pattern, question, analysis, response, wrong)

    known = f"I remember: {own}"
    yield exchange("ordinary", say(ABOUT, 1, b=beginning), known, passage.text)
    yes, no = pick(CONFIRMATIONS, drawn[5]), pick(CORRECTIONS, drawn[5])
    agrees = drawn[4] < 0.5
    said = own if agrees else false
    yield exchange(
        "thought", say(OPINION, 2, q=said), known,
        f"{yes if agrees else no} {own}", f"{no if agrees else yes} {false}",
    )  # fmt: skip
    yield exchange(
        "error", say(CLAIM, 3, q=false), f"The question says: {false} {known} That does not agree.",
        f"{no} {own}", f"{yes} {false}",
    )  # fmt: skip
    yield exchange(
        "twin", say(CLAIM, 3, q=own), f"The question says: {own} {known} That agrees.",
        f"{yes} {own}", f"{no} {false}",
    )  # fmt: skip


def _false(
    corpora: Corpora, passage: Passage, own: str, said: frozenset[str], drawn: list[float]
) -> str:
    """A sentence that the person did not say."""
    changed = _NUMBER.sub(lambda found: str(int(found[0]) + 3), own)
    if changed.casefold() not in said:
        return changed
    strangers = [
        fresh
        for p in corpora.passages
        if p.person != passage.person and p.fact is None
        if (fresh := [s for s in _sentences(p.text) if s.casefold() not in said])
    ]
    if strangers:
        theirs = strangers[int(drawn[6] * len(strangers))]
        return theirs[int(drawn[7] * len(theirs))]
    turned = _NOT.sub(lambda found: found[1] if found[2] else f"{found[1]} not", own, count=1)
    if turned.casefold() not in said:
        return turned
    return f"It is not so that {own[0].lower()}{own[1:]}"


def _sentences(text: str) -> list[str]:
    return [" ".join(one.split()[:_LONGEST]) for one in _SENTENCES.split(text) if one.split()]

"""What the page needs to interview people: questionnaires by name, single questions, and talk.

Whoever asks comes with the ``Stage``; this knows no instrument and no language model. Letters:
``k`` options of a question.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from simenv.events import FloatArray


class TraitScore(NamedTuple):
    """A trait of somebody, as a questionnaire has it."""

    instrument: str
    trait: str  # in words
    score: float  # NaN = not answered
    least: float
    most: float


class Answer(NamedTuple):
    """One question to one person, with how likely each option is."""

    question: str
    options: tuple[str, ...]  # (k,)
    chances: FloatArray  # (k,) NaN = the question got no answer


class Interviewed(NamedTuple):
    """A questionnaire that somebody filled in."""

    answers: list[Answer]
    traits: list[TraitScore]
    kind: str = ""  # their type, of an instrument of types


class Spoken(NamedTuple):
    """What was said to somebody, and what they answered."""

    said: str
    recalled: list[str]  # memories that came to their mind
    answer: str  # "" = they said nothing
    note: str = ""  # why that is no talk; "" = it is


class Interviewer(Protocol):
    """Asks the people of one society as they are now; nothing of it is remembered.

    What goes wrong is a ValueError or a RuntimeError whose text says what and why.
    """

    @property
    def instruments(self) -> Sequence[str]:
        """Questionnaires that can be chosen; the first one is offered."""
        ...

    def measured(self, user: int) -> list[TraitScore]:
        """Traits that were measured of this person and still hold; empty = none were."""
        ...

    def fill_in(self, user: int, instrument: str) -> Interviewed:
        """The person fills in a questionnaire.

        Raises:
            ValueError: there is no such instrument.
        """
        ...

    def answer(self, user: int, question: str, options: Sequence[str]) -> Answer:
        """The person answers one question.

        Raises:
            ValueError: the question is empty, or the options are not two to nine that differ.
        """
        ...

    def say(self, user: int, earlier: Sequence[Spoken], text: str) -> Spoken:
        """What the person answers to a text, after some turns of one conversation.

        Raises:
            ValueError: nothing is said, or the person remembers too little to talk.
        """
        ...

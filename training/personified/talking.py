"""A conversation with one person: what a model reads for the next turn, and what came of it.

It knows no model: whoever has one answers to ``Told.messages``.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from simenv.values.plain_text import one_line
from training.distillation.distiller_prompts import Message
from training.personified.prompts import Telling, conversation, response_of
from training.personified.retrieval import Recall

MOST_TURNS = 4  # earlier ones that a prompt still shows
_ONLY_DIGITS = re.compile(r"[\s.,:;/+-]*(?:\d[\s.,:;/+-]*)+")
ONLY_RATES = (
    "This model answers with digits alone: it has learnt to rate, not to talk. Put the people on a"
    " model that talks: slm=smollm2 (make slm)."
)


class Told(NamedTuple):
    """What stands before an answer."""

    messages: list[Message]
    recalled: list[str]  # memories that were found for what was said


class Turn(NamedTuple):
    """What was said to a person, and what they answered."""

    said: str
    recalled: list[str]
    whole: str  # the answer with what it goes by
    answer: str  # aloud; "" = nothing was said

    @property
    def note(self) -> str:
        """Why this is no talk; "" = it is."""
        return ONLY_RATES if _ONLY_DIGITS.fullmatch(self.whole) else ""


class Talk:
    """One person at one time of life.

    Args:
        recall: what is remembered.
        person: by the name in its corpora.
        stage: when.

    Raises:
        ValueError: there is no such time.
    """

    def __init__(self, recall: Recall, person: str, stage: int) -> None:
        stages = recall.corpora.stages
        if not 0 <= stage < len(stages):
            raise ValueError(
                f"chat wanted a stage in [0, {len(stages)}), got {stage}; set stage=0 for"
                f" {stages[0]}"
            )
        self.person = person
        self._recall, self._stage = recall, stage

    def told(self, earlier: Sequence[Turn], text: str) -> Told:
        """What a model reads when ``text`` is said after some turns.

        Raises:
            ValueError: nothing is said.
        """
        said = one_line(text).strip()
        if not said:
            raise ValueError("chat wanted something to be said, got nothing; write a sentence")
        shown = [part for turn in earlier[-MOST_TURNS:] for part in (turn.said, turn.answer or "…")]
        messages = conversation(
            self._recall, self.person, self._stage, [*shown, said], Telling(), about=said
        )
        memories = self._recall.recalled(self.person, self._stage, said)
        return Told(messages, [passage.text for passage in memories])


def turn_of(said: str, told: Told, reply: str) -> Turn:
    """The turn that a model's reply makes; an analysis alone is shown rather than nothing."""
    whole = one_line(reply)
    return Turn(one_line(said).strip(), told.recalled, whole, one_line(response_of(reply)) or whole)

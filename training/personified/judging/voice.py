"""A model that speaks as somebody: what it answers to many people's questions at once.

Who speaks, when and from which memories stands in the prompt; the adapter that is at work is the
speaker's. It scores nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from agents.inference.engine import Sampling
from training.personified.prompts import Telling, conversation, response_of
from training.personified.retrieval import Recall
from training.traits.speaker import Speaker

_APART = 10**6  # seeds of one sample


class Line(NamedTuple):
    """What is said to a person: in turn, beginning and ending with the other one."""

    person: str
    stage: int
    said: tuple[str, ...]


class Voice:
    """People's answers.

    Args:
        speaker: the model, with whatever adapter is at work.
        recall: what people remember; whole lives, since it is they who are asked.
        telling: what prompts hold.
        sampling: how answers are drawn.
    """

    def __init__(
        self, speaker: Speaker, recall: Recall, telling: Telling, sampling: Sampling
    ) -> None:
        self._speaker, self._sampling = speaker, sampling
        self.recall, self.telling = recall, telling

    def answers(
        self, lines: Sequence[Line], sample: int = 0, temperature: float | None = None
    ) -> list[str]:
        """What is said aloud to each line; an answer that never gets to it is empty.

        Args:
            lines: (n,) what is asked.
            sample: another one draws anew, where the temperature is not 0.
            temperature: None = that of the sampling.
        """
        prompts = [
            conversation(self.recall, one.person, one.stage, one.said, self.telling)
            for one in lines
        ]
        seeds = np.arange(len(lines), dtype=np.uint64) + np.uint64(_APART * sample)
        how = self._sampling
        if temperature is not None:
            how = replace(how, temperature=temperature)
        return [response_of(text) for text in self._speaker.replies(prompts, seeds, how)]

    def in_turn(self, first: Sequence[Line], turns: Sequence[Sequence[str]]) -> list[list[str]]:
        """Conversations (n,) of t + 1 answers: to the first line, then to each of t further turns.

        Args:
            first: (n,) how they begin.
            turns: (n, t) what is said next, whatever was answered.
        """
        lines = list(first)
        answers = [[text] for text in self.answers(lines)]
        for place in range(len(turns[0]) if turns else 0):
            lines = [
                line._replace(said=(*line.said, own[-1] or "…", told[place]))
                for line, own, told in zip(lines, answers, turns, strict=True)
            ]
            for own, text in zip(answers, self.answers(lines), strict=True):
                own.append(text)
        return answers

"""How much a prompt shows: who the person is and in which words, memories, summaries, and a budget.

A population keeps its style, so that its people are always told as its model learnt to read them.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

Told = Literal["numbers", "words"]
Reading = Literal["whole", "blocks"]


@dataclass(frozen=True)
class PromptStyle:
    """How much a prompt shows: the shipped model reads the defaults, larger ones can read more.

    Attributes:
        verbatim: memories shown in full (m); the paper's is 1.
        gist: memories summed up in one sentence; 0 leaves it out.
        summary_words: longest summary shown, in words; 0 leaves it out.
        cast: longest cast shown; the paper's is 15.
        persona: whether Ms is shown at all (ablations switch it off).
        peers: whether a prompt says what people like the user gave to the item. Who shares their
            model may then be overrated: see ``experiments.collusion``.
        told: how people are told: in ``numbers``, a sentence a trait and what the averages of the
            ratings say, or in ``words``, Ms in four parts and reasons that speak of each item.
        numbers: whether numbers stand beside the words: what Ms and the recalled memories amount
            to. The average of an item and the stars of a memory always stand.
        budget: most tokens of a request, counted with the model's own tokenizer where its folder
            has one; whole sentences are left out, the last ones first. 0 = the model's context for
            people told in ``words``, and no limit for others.
        together: whether the sum of average, taste and level is told too, for models that cannot
            add numbers; the pocket model can.
        reading: ``whole`` prompts, or ``blocks``: each text is read once, alone, and an answer
            costs a cue that attends to all of them (``agents.inference.blocks``). Only a model that
            was trained to can read blocks.
        attended: most memories of a person that a cue attends to, the latest ones; of ``blocks``.

    Raises:
        ValueError: ``told`` or ``reading`` is neither.
    """

    verbatim: int = 1
    gist: int = 20
    summary_words: int = 0
    cast: int = 2
    persona: bool = True
    peers: bool = False
    told: Told = "numbers"
    numbers: bool = True
    budget: int = 0
    together: bool = False
    reading: Reading = "whole"
    attended: int = 96

    def __post_init__(self) -> None:
        if self.reading not in get_args(Reading):
            raise ValueError(f'reading wanted "whole" or "blocks", got {self.reading!r}')
        if self.told not in get_args(Told):
            raise ValueError(f'told wanted "numbers" or "words", got {self.told!r}')

    @property
    def recalled(self) -> int:
        """Memories to recall for one item."""
        return max(self.verbatim, self.gist)

    def without_persona(self) -> "PromptStyle":
        """Ml only: memories without who has them."""
        return replace(self, persona=False)

    def without_memory(self) -> "PromptStyle":
        """Ms only: a person without memories."""
        return replace(self, verbatim=0, gist=0, attended=0)

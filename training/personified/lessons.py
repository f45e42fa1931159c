"""What a person's model learns from: exchanges, ordinary questions and ratings, as samples.

Personified and general lessons are mixed as published, five to one. Ratings are asked as the
environment asks them, plainly and under pressure, so that a person who talks still rates. It trains
nothing.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from agents.inference.local.huggingface import num_embeddings
from agents.inference.tokens import Tokens
from agents.prompts import RATING_CHOICES
from simenv.ranges import check_number
from training.distillation.distiller_prompts import Message
from training.personified.exchanges import Exchange
from training.personified.preferences import Preference
from training.personified.prompts import Telling, answer_of, conversation
from training.personified.retrieval import Recall
from training.personified.writing.general_questions import general_questions
from training.traits.speaker import Sample, Speaker

PER_GENERAL = 5  # personified lessons for one general question


class Said(NamedTuple):
    """A conversation, and what is answered."""

    conversation: list[Message]
    answer: str


class Rated(NamedTuple):
    """A request of the environment, and the stars that were given."""

    prefix: str
    suffix: str
    stars: int


class Choice(NamedTuple):
    """A conversation, the right answer and the rejected one."""

    conversation: list[Message]
    chosen: str
    rejected: str


Lesson = Said | Rated


def lessons_of(
    exchanges: Sequence[Exchange],
    recall: Recall,
    telling: Telling,
    ratings: Sequence[Rated] = (),
    per_general: int = PER_GENERAL,
    seed: int = 0,
) -> list[Lesson]:
    """Exchanges with what is recalled for them, general questions, and ratings.

    Args:
        exchanges: that are learnt from.
        recall: over corpora without what judges.
        telling: what prompts and answers hold.
        ratings: of the same people.
        per_general: exchanges for one general question; 0 = no general questions.
        seed: of the general questions.
    """
    check_number("lessons_of", "per_general", per_general, "whole [0, 1e6]", "try 5")
    own: list[Lesson] = [
        Said(asked(one, recall, telling), answer_of(one, telling)) for one in exchanges
    ]
    count = -(-len(own) // per_general) if per_general else 0
    general = [
        Said([{"role": "user", "content": one.question}], one.answer)
        for one in general_questions(count, seed)
    ]
    return [*own, *general, *ratings]


def choices_of(pairs: Sequence[Preference], recall: Recall, telling: Telling) -> list[Choice]:
    """Preferences with what is recalled for them."""
    return [
        Choice(
            asked(one.exchange, recall, telling),
            answer_of(one.exchange, telling),
            answer_of(one.rejected, telling),
        )
        for one in pairs
    ]


def asked(exchange: Exchange, recall: Recall, telling: Telling) -> list[Message]:
    """The conversation of an exchange; what it is about stands first."""
    return conversation(
        recall, exchange.person, exchange.stage, [*exchange.before, exchange.question], telling,
        exchange.source,
    )  # fmt: skip


def samples_of(lessons: Sequence[Lesson], tokenizer: Any, speaker: Speaker) -> list[Sample]:
    """Token ids, those of ratings as the engine makes them.

    Raises:
        ValueError: a lesson is longer than the model's context.
    """
    tokens = Tokens(tokenizer, num_embeddings(speaker.model))
    lead, digits = tokens.choices(RATING_CHOICES)
    found = []
    for one in lessons:
        if isinstance(one, Said):
            found.append(speaker.sample(one.conversation, one.answer))
        else:
            prompt = [*tokens.prefix(one.prefix), *tokens.encode([one.suffix])[0], *lead]
            found.append(Sample(prompt, [digits[one.stars - 1]]))
    return found

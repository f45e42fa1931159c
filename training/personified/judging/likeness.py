"""How alike answers are within a person, between times of life and between people.

Everybody is asked the same open questions, and what they think of the genres that most have rated.
The formulas stand in ``measures.py``.

Letters: ``q`` questions, ``p`` people.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from agents.embedding import HashingEmbedder
from agents.wording.phrases import plural
from simenv.events import FloatArray
from training.personified.corpora import Corpora
from training.personified.judging.measures import (
    bleu,
    cosine_of,
    distinction,
    stage_separation,
)
from training.personified.judging.voice import Line, Voice
from training.personified.writing.choices import draws
from training.personified.writing.rating_grammar import genre_taste
from training.personified.writing.rating_words import GENRE

_OPEN = (
    "What kind of person are you?", "What do you like best?", "What can you not stand?",
    "What do you remember most clearly?",
)  # fmt: skip
_GENRES = 4  # that everybody is asked about


def common_questions(corpora: Corpora) -> list[tuple[str, str | None]]:
    """Questions that everybody is asked, and the genre that one is about, where it is."""
    count: Counter[str] = Counter()
    for person in corpora.people:
        own = [p.fact.genres for p in corpora.of(person, 0) if p.fact]
        count.update({genre for genres in own for genre in genres})
    genres = sorted(count, key=lambda genre: (-count[genre], genre))[:_GENRES]
    kinds = plural(corpora.kind)
    about = [(GENRE.test[0].format(g=genre, ks=kinds), genre) for genre in genres]
    return [*((text, None) for text in _OPEN), *about]


def likeness(
    voice: Voice, ask: Callable[[Sequence[Line], int], list[str]]
) -> dict[str, FloatArray]:
    """How alike people are to themselves, to themselves at another time, and to each other.

    ``ask`` answers lines, in the first or the second sample.
    """
    corpora = voice.recall.corpora
    questions = common_questions(corpora)
    stages = range(len(corpora.stages))
    lines = [
        Line(person, stage, (text,))
        for person in corpora.people
        for stage in stages
        for text, _ in questions
    ]
    sampled = [ask(lines, sample) for sample in (1, 2)]
    shape = (len(corpora.people), len(stages), len(questions))
    said = np.stack([np.array(own, dtype=object).reshape(shape) for own in sampled], axis=-1)
    by_words = distinction(said.tolist(), bleu)
    cosine = cosine_of(HashingEmbedder())
    by_vectors = distinction(said.tolist(), cosine)
    return {
        **by_words._asdict(),
        **{f"{name}_cosine": values for name, values in by_vectors._asdict().items()},
        "separation": np.array(
            [
                _separation(corpora, person, said[row, :, :, 0].tolist(), questions)
                for row, person in enumerate(corpora.people)
            ]
        ),
    }


def _separation(
    corpora: Corpora,
    person: str,
    said: list[list[str]],
    questions: Sequence[tuple[str, str | None]],
) -> float:
    """Of one person, by what the grammar would say of each genre at each time."""
    references = [
        [_reference(corpora, person, stage, *asked) for asked in questions]
        for stage in range(len(corpora.stages))
    ]
    kept = [n for n in range(len(questions)) if all(row[n] for row in references)]
    if not kept:
        return float("nan")
    return stage_separation(
        [[row[n] for n in kept] for row in said], [[row[n] for n in kept] for row in references],
        bleu,
    )  # fmt: skip


def _reference(corpora: Corpora, person: str, stage: int, text: str, genre: str | None) -> str:
    """What the grammar says of a genre; "" where it is about none, or nothing is known."""
    drawn = draws(0, f"{person}\n{text}")
    told = genre_taste(corpora, person, stage, genre, drawn) if genre else None
    return told[1] if told else ""

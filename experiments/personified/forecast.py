"""How many tokens a study learns from and how long it takes, from a few steps on this machine."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from experiments.personified.materials import Materials
from experiments.personified.study import VARIANTS, WHOLE, Study, Variant
from experiments.reporting.progress import duration
from simenv.data.dataset import Dataset
from training.adapters.runs import OnStep
from training.personified.fine_tuning import train_personified
from training.personified.judging.arguing import ROUNDS, disputes
from training.personified.judging.likeness import common_questions
from training.personified.judging.voice import Line, Voice
from training.personified.lessons import Choice, Lesson, Said, samples_of
from training.personified.retrieval import Recall
from training.personified.whole_model import train_whole
from training.personified.writing.insisting_words import KINDS
from training.traits.speaker import Speaker

_STEPS, _ASKED = 3, 8  # tried
_PASSES = 4 / 3  # of a training pass that a pair's answer costs: the reference reads it too


class Forecast(NamedTuple):
    """What is to be done, and how fast it goes here."""

    tuned_tokens: int  # of all lessons and passes
    preferred_tokens: int  # of all pairs and passes, both answers
    tokens_per_second: float  # learnt
    answers: int
    answer_seconds: float
    ratings: int  # that are asked for, not tried

    @property
    def seconds(self) -> float:
        """Of all but the ratings."""
        read = self.tuned_tokens + _PASSES * self.preferred_tokens
        return read / self.tokens_per_second + self.answers * self.answer_seconds

    def __str__(self) -> str:
        return (
            f"about {duration(self.seconds)} and the time of {self.ratings:,} ratings if nothing is"
            f" there yet: {self.tuned_tokens:,} tokens of lessons and {self.preferred_tokens:,} of"
            f" pairs at {self.tokens_per_second:,.0f} a second, {self.answers:,} answers of"
            f" {self.answer_seconds:.2f} s, by {_STEPS} steps and {_ASKED} answers tried"
        )


def forecast(study: Study, dataset: Dataset | None, speaker: Speaker) -> Forecast:
    """Of a study, by its first seed; the trials leave nothing behind."""
    materials = Materials(study, dataset, study.seeds[0])
    own = {VARIANTS[name].tuned_as: VARIANTS[name] for name in study.variants
           if VARIANTS[name].trained}  # fmt: skip
    preferred = [VARIANTS[n] for n in study.variants if VARIANTS[n].dpo and study.dpo.epochs]
    seeds, rows = len(study.seeds), len(materials.users) * study.rated_rows
    return Forecast(
        tuned_tokens=seeds * study.passes
        * sum(_tokens(materials, one, speaker) for one in own.values()),
        preferred_tokens=seeds * study.dpo.epochs
        * sum(_pair_tokens(materials.choices(one), speaker) for one in preferred),
        tokens_per_second=_rate(materials, speaker) if own else 1.0,
        answers=seeds * len(study.variants) * _num_answers(materials),
        answer_seconds=_answer_seconds(materials, speaker),
        ratings=seeds * len(study.variants) * rows * (2 + len(KINDS)),
    )  # fmt: skip


def _tokens(materials: Materials, variant: Variant, speaker: Speaker) -> int:
    samples = samples_of(materials.lessons(variant), speaker.tokenizer, speaker)
    return sum(len(s.prompt) + len(s.answer) for s in samples)


def _pair_tokens(choices: list[Choice], speaker: Speaker) -> int:
    samples = [
        speaker.sample(one.conversation, text)
        for one in choices
        for text in (one.chosen, one.rejected)
    ]
    return sum(len(s.prompt) + len(s.answer) for s in samples)


def _num_answers(materials: Materials) -> int:
    corpora, study = materials.corpora, materials.study
    common = 2 * len(corpora.people) * len(corpora.stages) * len(common_questions(corpora))
    told = 6 * study.pressed + 2 * ROUNDS * len(disputes(corpora, study.argued))
    return len(materials.test) + told + 2 * len(materials.split.test) + common


def _rate(materials: Materials, speaker: Speaker) -> float:
    """Tokens learnt in a second; the first step, which warms everything up, does not count."""
    study, whole = materials.study, VARIANTS[WHOLE]
    size = study.preset.blocks_per_step if study.whole is None else study.whole.lessons_per_step
    said = [one for one in materials.lessons(whole) if isinstance(one, Said)]
    lessons = said[: _STEPS * size]
    ends: list[float] = []
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        _try(study, lessons, Path(folder) / "tried", lambda *_: ends.append(time.perf_counter()))
    samples = samples_of(lessons, speaker.tokenizer, speaker)
    tokens = sum(len(s.prompt) + len(s.answer) for s in samples)
    if len(ends) < 2:
        return tokens / (time.perf_counter() - started)
    return tokens * (len(ends) - 1) / len(ends) / (ends[-1] - ends[0])


def _try(study: Study, lessons: Sequence[Lesson], place: Path, on_step: OnStep) -> None:
    """One pass, as the study trains."""
    if study.whole is None:
        once = replace(study.preset, epochs=1)
        train_personified(study.base, lessons, once, place, on_step=on_step)
    else:
        train_whole(study.base, lessons, replace(study.whole, epochs=1), place, on_step=on_step)


def _answer_seconds(materials: Materials, speaker: Speaker) -> float:
    study, whole = materials.study, VARIANTS[WHOLE]
    voice = Voice(speaker, Recall(materials.corpora, study.budgets), whole.telling, study.sampling)
    lines = [Line(e.person, e.stage, (e.question,)) for e in materials.test[:_ASKED]]
    started = time.perf_counter()
    voice.answers(lines)
    return (time.perf_counter() - started) / len(lines)

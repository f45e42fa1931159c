"""Ratings as lessons: asked as the environment asks them, at each time of life, plain and pressed.

They are training rows: profiles and memories are made of the earlier part of what was rated until a
time, targets are its later part (law 7). It knows no model.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from agents.prompt_style import PromptStyle
from simenv.data.dataset import Dataset
from simenv.data.splits import split_dataset
from simenv.events import BoolArray, IntArray, InteractionLog
from training.personified.judging.pressure import under_pressure
from training.personified.lessons import Rated
from training.personified.prompts import time_label
from training.personified.writing.insisting_words import KINDS
from training.populate import population_on

STYLE = PromptStyle(summary_words=24, gist=8)  # pressure stands in summaries, so they are shown
_EARLIER = 0.6  # of what was rated until a time makes profiles and memories


def rating_lessons(
    dataset: Dataset,
    users: IntArray,
    stages: Sequence[str],
    num_turns: int,
    pressed: bool,
    base: str = "",
) -> list[Rated]:
    """At most ``num_turns`` ratings of every user at every time of life.

    Args:
        dataset: only its training rows are read.
        users: (n,) who.
        stages: what the times are called; histories are cut as corpora cut them.
        num_turns: of a user at a time, the latest ones.
        pressed: each rating is asked a second time about an item whose summary wants other stars;
            the answer stays.
        base: the model that will read them, which a population names.
    """
    found: list[Rated] = []
    for stage in range(len(stages)):
        people, later = _at(dataset, stage, stages, base)
        own = later.only_users(np.asarray(users))
        rows = _last_rows(own, num_turns)
        asked = own.take(rows)
        found += _asked(people, asked)
        if pressed:
            wanted = _wanted(asked, len(people.catalog))
            kinds = [KINDS[item % len(KINDS)] for item in range(len(people.catalog))]
            found += _asked(under_pressure(people, "train", wanted, kinds), asked)
    return found


def _asked(people: Population, log: InteractionLog) -> list[Rated]:
    users = PersonaUsers(people, ScriptedEngine())
    requests = users.requests(log.users, log.items[:, None], chosen=True)
    return [
        Rated(one.prefix, one.suffix, round(float(stars)))
        for one, stars in zip(requests, log.ratings, strict=True)
    ]


def _wanted(log: InteractionLog, num_items: int) -> list[int]:
    """Stars that each item asks for: far from what the rows say of it, else five."""
    wanted = np.full(num_items, 5)
    wanted[log.items[log.ratings > 3]] = 1
    return [int(stars) for stars in wanted]


def _last_rows(log: InteractionLog, count: int) -> BoolArray:
    """(r,) true for the latest rows of every user."""
    offsets = log.offsets()
    return np.asarray(offsets[log.users + 1] - np.arange(len(log)) <= count)


def _at(
    dataset: Dataset, stage: int, stages: Sequence[str], base: str
) -> tuple[Population, InteractionLog]:
    """People as they were in the middle of a time, and what they rated after it until its end."""
    known = until_stage(dataset.train, stage, len(stages))
    inner = split_dataset(
        dataset.name, dataset.catalog, known, dataset.user_ids, _EARLIER,
        background=dataset.background,
    )  # fmt: skip
    return people_at(inner, stage, stages, base), inner.test


def until_stage(log: InteractionLog, stage: int, num_stages: int) -> InteractionLog:
    """The rows of every user until the end of a time slice."""
    offsets = log.offsets()
    counts = np.diff(offsets)
    place = np.arange(len(log)) - offsets[log.users]
    return log.take(place * num_stages // np.maximum(counts[log.users], 1) <= stage)


def people_at(dataset: Dataset, stage: int, stages: Sequence[str], base: str) -> Population:
    """The users of a data set, who know which time of their life it is."""
    people = population_on(dataset, base, STYLE)
    label = time_label(stages, stage)
    return replace(
        people,
        personas=[replace(p, profile=f"{label} {p.profile}") for p in people.personas],
    )

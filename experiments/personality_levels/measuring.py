"""Meets the same people under one condition on all three levels; what it means is said elsewhere.

Letters: ``n`` people, ``t`` factors, ``T`` steps, ``k`` slate places.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode

from agents.interviews.asking import Interview, ask
from agents.interviews.frames import frame_of
from agents.interviews.instruments import Instrument
from agents.interviews.scores import trait_scores
from agents.persona_users import PersonaUsers
from agents.personality.behaviours import Visit
from agents.personality.conditions import Condition, conditioned, interviewees
from agents.personality.influence import follows_average, follows_friends
from agents.personality.situations import Choices, Scoring, ask_situations
from recommenders.base import Recommender
from simenv.env.rollout import rollout
from simenv.env.vector_env import RecVectorEnv
from simenv.events import NUM_STARS, Feedback, FloatArray, IntArray, Slates


@dataclass(frozen=True)
class Study:
    """What every condition meets alike."""

    users: PersonaUsers  # as they are
    people: IntArray  # (n,) who is met
    policy: Recommender  # fitted; every session has a copy of its own
    make_env: Callable[..., RecVectorEnv]
    max_steps: int
    visits: int
    influence_items: IntArray  # (k,)
    questionnaire: Instrument
    situations: Instrument
    scoring: Scoring  # of the situations
    how: Interview
    factors: tuple[str, ...]  # letters, t
    seed: int


class Measured(NamedTuple):
    """People under one condition."""

    questionnaire: FloatArray  # (n, t) points of the questionnaire
    situations: FloatArray  # (n, t) in [0, 1]
    choices: Choices
    visits: list[Visit]
    follows: tuple[FloatArray, FloatArray]  # (n,) the average, and people like them


def measure(study: Study, condition: Condition) -> Measured:
    """Questionnaire, situations, sessions and influence of everybody under a condition."""
    people = conditioned(study.users.population, condition)
    users = PersonaUsers(people, study.users.engine, study.users.make_memory, study.users.behaviour)
    asked = interviewees(people, study.people)
    frame = frame_of(users.engine)
    answers = ask(users.engine, asked, study.questionnaire, study.how, frame)
    choices = ask_situations(users.engine, asked, study.situations, frame, study.scoring)
    return Measured(
        _columns(study, trait_scores(study.questionnaire, answers.expected()), study.questionnaire),
        _columns(study, choices.scores(), study.situations),
        choices,
        [_visit(study, users, number) for number in range(study.visits)],
        (
            follows_average(users, study.people, study.influence_items),
            follows_friends(users, study.people, study.influence_items),
        ),
    )


def _columns(study: Study, scores: FloatArray, instrument: Instrument) -> FloatArray:
    """Scores (n, t) in the order of the factors; NaN where the instrument does not measure one."""
    place = {trait.name: column for column, trait in enumerate(instrument.traits)}
    missing = np.full(len(scores), np.nan)
    columns = [scores[:, place[f]] if f in place else missing for f in study.factors]
    return np.stack(columns, axis=1)


def _visit(study: Study, users: PersonaUsers, number: int) -> Visit:
    """One session of everybody, with the distributions behind their answers."""
    env = study.make_env(
        users,
        users.population.catalog,
        num_envs=len(study.people),
        max_episode_steps=study.max_steps,
        autoreset_mode=AutoresetMode.DISABLED,
    )
    row = {user: place for place, user in enumerate(study.people.tolist())}
    chances = np.full((len(row), study.max_steps, env.slate_size, NUM_STARS), np.nan)
    seen = np.zeros(len(row), dtype=np.int64)

    def keep(asked: IntArray, slates: Slates, feedback: Feedback) -> None:
        rows = np.array([row[user] for user in asked.tolist()])
        chances[rows, seen[rows]] = feedback.probabilities
        seen[rows] += 1

    played = rollout(
        env,
        copy.deepcopy(study.policy),
        seed=study.seed + number,
        users=study.people,
        on_step=keep,
    )
    return Visit(played, chances)

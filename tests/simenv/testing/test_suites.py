"""The suites find what they are there for: each planted fault breaks the law that forbids it."""

import subprocess
import sys

import numpy as np
import pytest
from gymnasium.vector import VectorWrapper

from simenv.env.scripted_env import make_env, make_vector_env
from simenv.testing.environments import WrapperContract
from simenv.testing.user_models import UserModelContract
from simenv.users.scripted_users import LatentTruth, ScriptedUsers

SMALL = {"num_users": 12, "num_items": 30, "slate_size": 3}


class Users(ScriptedUsers):
    def __init__(self):
        super().__init__(LatentTruth.draw(12, 30), 12, 30)


class Learning(Users):
    def respond(self, users, slates, seeds):
        self._num_ratings[users] += 1
        return super().respond(users, slates, seeds)


class Gregarious(Users):
    def respond(self, users, slates, seeds):
        return super().respond(users, slates, seeds + np.uint64(len(users)))


class Gossiping(Users):
    def remember(self, users, slates, feedback):
        super().remember(users, slates, feedback)
        self._satisfaction[:] = 1.0


class Forgetful(Users):
    def restore(self, snapshot):
        kept = self._num_ratings
        super().restore(snapshot)
        self._num_ratings = kept


class Stubborn(Users):
    def reset(self):
        if not hasattr(self, "_num_ratings"):
            super().reset()


class Doubtful(Users):
    def respond(self, users, slates, seeds):
        feedback = super().respond(users, slates, seeds)
        return feedback._replace(ratings=feedback.ratings + 0.5)


class Laws(UserModelContract):
    num_items = 30


@pytest.mark.parametrize(
    ("fault", "law"),
    [
        (Doubtful, "test_feedback_is_well_formed"),
        (Learning, "test_to_respond_changes_nothing"),
        (Gregarious, "test_an_answer_does_not_depend_on_the_batch"),
        (Gossiping, "test_what_one_user_remembers_changes_no_other"),
        (Forgetful, "test_a_snapshot_is_exact"),
        (Stubborn, "test_a_reset_returns_to_construction"),
    ],
)
def test_a_faulty_user_model_breaks_its_law(fault, law):
    getattr(Laws(), law)(Users)
    with pytest.raises(AssertionError):
        getattr(Laws(), law)(fault)


class Sharing(VectorWrapper):
    """Hands out the same observation twice."""

    def reset(self, **options):
        self._kept, info = self.env.reset(**options)
        return self._kept, info

    def step(self, actions):
        observation, *rest = self.env.step(actions)
        observation["user"] = self._kept["user"]
        return observation, *rest


class LosingOptions(VectorWrapper):
    def reset(self, *, seed=None, options=None):
        return self.env.reset(seed=seed)


class Unseeded(VectorWrapper):
    def reset(self, *, seed=None, options=None):
        return self.env.reset(options=options)


def batch(n, **settings):
    return make_vector_env(n, **SMALL, **settings)


@pytest.mark.parametrize(
    ("fault", "law"),
    [
        (Sharing, "test_what_a_caller_does_to_an_observation_changes_nothing"),
        (LosingOptions, "test_users_given_to_reset_come_back_at_automatic_resets"),
        (Unseeded, "test_a_seed_replays_a_run_exactly"),
    ],
)
def test_a_faulty_wrapper_breaks_its_law(fault, law):
    getattr(WrapperContract(), law)(batch)
    with pytest.raises(AssertionError):
        getattr(WrapperContract(), law)(lambda n, **settings: fault(batch(n, **settings)))


def test_a_batch_of_other_users_is_not_the_single_environment():
    def single(**settings):
        return make_env(**SMALL, world_seed=1, **settings)

    with pytest.raises(AssertionError):
        WrapperContract().test_every_row_of_a_batch_is_the_single_environment(single, batch)


def test_nothing_but_the_suites_imports_pytest():
    names = "simenv.env.scripted_env, simenv.wrappers.views, simenv.users.visits, sys"
    code = f"import {names}; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

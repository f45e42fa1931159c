"""Random settings, options and actions: an environment works, or refuses them in our own words."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import simenv  # noqa: F401 (registers the environments)
from simenv.users.behaviour import Behaviour
from simenv.users.lives import Life
from simenv.users.visit_effects import VisitEffects
from tests.tally import tally

NUMBERS = st.floats() | st.integers(-3, 40) | st.sampled_from([10**10, 2**63, -(2**70), 10**400])
JUNK = st.one_of(
    NUMBERS,
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.binary(max_size=2),
    st.complex_numbers(),
    st.timedeltas(),
    st.lists(NUMBERS, max_size=4),
    st.lists(st.lists(NUMBERS | st.none() | st.text(max_size=1), max_size=4), max_size=4),
    st.dictionaries(st.text(max_size=3), NUMBERS, max_size=2),
    st.sampled_from([object(), np.zeros(3), np.array(5), np.array(["a"]), {1}, lambda *_: 0]),
)


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Good values, and now and then anything."""
    return st.integers(0, 29).flatmap(lambda place: JUNK if place == 17 else good)


def built(make: Any) -> st.SearchStrategy[Any]:
    """A settings object with some of its fields drawn, built when the environment is."""
    names = st.sampled_from(list(make.__dataclass_fields__))
    values = mostly(st.floats(0.01, 0.99) | st.floats(-100, 100) | st.integers(1, 30))
    return st.dictionaries(names, values, max_size=3).map(lambda fields: (make, fields))


SIZES = st.integers(1, 12)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "num_users": mostly(SIZES),
        "num_items": mostly(st.integers(4, 20)),
        "world_seed": mostly(st.integers(0, 2**70)),
        "behaviour": mostly(built(Behaviour)),
        "session_steps": mostly(SIZES),
        "slate_size": mostly(st.integers(1, 4)),
        "history_length": mostly(SIZES),
        "reward": mostly(
            st.sampled_from(["clicks", "survival", "retention", "mean_rating", "diversity"])
            | st.dictionaries(st.sampled_from(["clicks", "survival"]), mostly(st.floats(-9, 9)))
        ),
        "life": mostly(st.none() | built(Life)),
        "effects": mostly(st.none() | built(VisitEffects)),
        "users": mostly(st.none() | st.lists(st.integers(0, 5), max_size=4)),
        "repeats": mostly(st.sampled_from(["raise", "replace"])),
        "texts": mostly(st.booleans()),
        "render_mode": mostly(st.sampled_from([None, "ansi"])),
        "on_close": mostly(st.none()),
    },
)
OPTIONS = mostly(
    st.none()
    | st.dictionaries(
        st.sampled_from(["users", "root", "forget", "reset_mask", "seed"]),
        mostly(st.integers(0, 5) | st.booleans() | st.lists(st.integers(-1, 5), max_size=3)),
        max_size=2,
    )
)
NUM_ENVS = st.none() | mostly(st.integers(1, 3))  # None = a single environment
MODES = mostly(st.sampled_from(["NextStep", "SameStep", "Disabled"]))


def is_ours(error: Exception) -> bool:
    """Whether an error says what was wanted and what came."""
    text = str(error)
    return isinstance(error, ValueError | TypeError) and " want" in text and "got" in text


def build(value: Any) -> Any:
    return value[0](**value[1]) if isinstance(value, tuple) else value


def play(num_envs: Any, chosen: dict[str, Any], mode: Any, data: st.DataObject) -> None:
    """Build, reset and step; whatever came must be in the spaces and finite."""
    given_ones = {name: build(value) for name, value in chosen.items()}
    if num_envs is None:
        env: Any = gym.make("ScriptedRec-v0", disable_env_checker=True, **given_ones)
    else:
        given_ones["autoreset_mode"] = mode
        env = gym.make_vec("ScriptedRec-v0", num_envs, **given_ones)
    env.reset(seed=data.draw(mostly(st.none() | st.integers(0, 2**70))), options=data.draw(OPTIONS))
    env.action_space.seed(0)
    for _ in range(3):
        action = data.draw(mostly(st.just(None)))
        action = env.action_space.sample() if action is None else action
        observation, reward, terminated, truncated, _ = env.step(action)
        assert np.isfinite(reward).all()
        assert env.observation_space.contains(observation)
        if np.all(terminated | truncated):
            env.reset()
    env.close()


def attack(num_envs: Any, chosen: dict[str, Any], mode: Any, data: st.DataObject) -> None:
    try:
        play(num_envs, chosen, mode, data)
        tally("fuzzed environments", "worked")
    except (ValueError, TypeError) as error:
        if not is_ours(error):
            raise
        tally("fuzzed environments", "refused")


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=250, deadline=None, suppress_health_check=SLOW)
@given(NUM_ENVS, SETTINGS, MODES, st.data())
def test_a_few_random_inputs_work_or_are_refused_in_our_words(num_envs, chosen, mode, data):
    attack(num_envs, chosen, mode, data)


@pytest.mark.reliability
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("batch", range(8))
def test_20000_random_inputs_work_or_are_refused_in_our_words(batch):
    limits = settings(max_examples=2_500, deadline=None, suppress_health_check=SLOW, database=None)
    seed(batch)(limits(given(NUM_ENVS, SETTINGS, MODES, st.data())(attack)))()

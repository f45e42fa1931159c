"""The optimum is an optimum: against every blind plan, and step by step as a life goes."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from simenv.env.best_plan import ForesightModel, Visit, best_plan, greedy, worth
from simenv.env.foresight_env import make_model
from simenv.users.behaviour import Behaviour
from simenv.users.lives import Life
from simenv.users.visit_effects import VisitEffects
from simenv.users.weariness import Wear

FEW = {"slate_size": 2, "max_episode_steps": 3}


def by_hand(model, actions, shown=0, visit=(0, 0), level=0):
    """What a life is worth that shows ``actions`` (T,) tempting places whatever happens.

    Written down step by step, with no arrays: the life as ``RecVectorEnv`` lives it.
    """
    if shown == len(actions):
        return 0.0
    slates, tempted = visit
    state = Visit(*(np.array(x) for x in (shown, slates, tempted, level)))
    action = np.array(actions[shown])
    quits, gone = model.leaves(state, action)
    stays = by_hand(model, actions, shown + 1, (slates + 1, tempted + actions[shown]), level)
    tired = int(model.wearied(state, action))
    back = by_hand(model, actions, shown + 1, (0, 0), tired)
    return float(model.pays(state, action) + (1 - quits) * stays + quits * (1 - gone) * back)


def test_a_plan_that_looks_at_nothing_is_worth_what_it_is_step_by_step():
    model = make_model(**FEW)
    for actions in product(range(3), repeat=3):
        blind = worth(model, lambda s, a=actions: np.full(s.level.shape, a[s.shown.flat[0]]))
        assert blind == pytest.approx(by_hand(model, actions), abs=1e-12)


def test_no_plan_is_worth_more_than_the_best():
    model = make_model(**FEW)
    best = best_plan(model).value
    blind = max(by_hand(model, actions) for actions in product(range(3), repeat=3))
    assert best >= max(blind, worth(model, greedy(model)))


@pytest.mark.slow  # a life of thirty slates
def test_the_levels_that_are_published_are_those_of_the_model():
    whole = make_model()
    plan = best_plan(whole)
    assert plan.value == pytest.approx(40.9478, abs=1e-3)  # experiment=foresight publishes it
    assert worth(whole, greedy(whole)) == pytest.approx(27.0665, abs=1e-3)
    assert worth(whole, lambda s: plan.actions[s.shown.flat[0]]) == pytest.approx(plan.value)


def test_without_a_price_the_greedy_slate_is_the_best_one():
    free = Wear(tempting=("Tempting",), wear=0.0)
    model = make_model(**FEW, wear=free, effects=VisitEffects(boredom=0, window=90))
    assert worth(model, greedy(model)) == pytest.approx(best_plan(model).value)


def test_the_last_slate_of_a_life_is_the_greedy_one():
    model = make_model(**FEW)
    state = Visit(*(np.array([x]) for x in (2, 1, 1, 4)))
    np.testing.assert_array_equal(best_plan(model).choose(state), greedy(model)(state))


def test_what_a_slate_pays_is_looks_times_taking_times_attention():
    model = make_model(effects=VisitEffects(fatigue=0.1, boredom=0.5, window=90))
    stars = model.stars()
    tempting, nourishing = (1 / (1 + np.exp(-1.5 * (stars[kind, 2] - 3))) for kind in (1, 0))
    state = Visit(*(np.array(x) for x in (5, 1, 3, 2)))  # three tempting places were shown
    looks = 0.95 ** np.arange(3)
    wanted = 0.9 * (looks[0] * nourishing + looks[1:].sum() * 0.5 * tempting)
    assert float(model.pays(state, np.array(2))) == pytest.approx(float(wanted))


def test_weariness_counts_tempting_and_nourishing_places_of_the_visit():
    model = make_model(wear=Wear(wear=0.1, rest=0.05))
    assert model.num_levels == 20
    state = Visit(*(np.array(x) for x in (4, 2, 3, 7)))  # of nine places six will have tempted
    assert int(model.wearied(state, np.array(3))) == 7 + 2 * 6 - 3
    assert model.level_of(np.array([0.0, 0.15, 1.0])).tolist() == [0, 3, 20]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"behaviour": Behaviour()}, r"wanted behaviour\.satisfaction_memory 0, so that a life"),
        ({"effects": VisitEffects()}, r"wanted effects\.window at least 90"),
        ({"life": Life()}, r"wanted life\.days at least 900"),
        ({"wear": Wear(wear=0.1234567)}, r"wanted wear\.wear and wear\.rest multiples of 0\.001"),
    ],
)
def test_a_life_with_too_many_states_has_no_known_optimum(change, message):
    with pytest.raises(ValueError, match=message):
        replace(make_model(), **change)


def test_the_optimum_is_of_the_reward_that_is_paid():
    with pytest.raises(ValueError, match="reward='clicks', got others; leave them out"):
        make_model(reward="retention")
    assert isinstance(make_model(reward="clicks"), ForesightModel)

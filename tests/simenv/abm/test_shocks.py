"""What shocks add up to, tick by tick."""

import numpy as np
import pytest

from simenv.abm.happenings import Happenings
from simenv.abm.shocks import Shock


def effects_by_tick(*shocks, ticks=6, num_items=4):
    happenings, found = Happenings(shocks, num_items), []
    for tick in range(1, ticks + 1):
        happenings.run(tick)
        found.append(happenings.effects)
    return found


def test_a_shock_acts_from_its_tick_for_as_long_as_it_lasts():
    found = effects_by_tick(Shock("holiday", 2, 3, size=2.0))
    assert [effects.boost for effects in found] == [1.0, 2.0, 2.0, 2.0, 1.0, 1.0]


def test_without_an_end_it_lasts_for_ever():
    found = effects_by_tick(Shock("holiday", 3, size=2.0))
    assert [effects.boost for effects in found] == [1.0, 1.0, 2.0, 2.0, 2.0, 2.0]
    assert Shock("holiday", 3).last == np.inf
    assert Shock("holiday", 3, 2).last == 4
    assert Shock("release", 3, 2, items=(1,)).last == np.inf


def test_a_shock_is_of_size_1_unless_said_otherwise():
    found = effects_by_tick(Shock("scandal", 1, items=(2,)), Shock("viral", 1, items=(0,)))
    assert found[0].shift.tolist() == [0.0, 0.0, -1.0, 0.0]
    assert found[0].viral == {0: 1.0}


def test_holidays_multiply_and_scandals_add():
    found = effects_by_tick(
        Shock("holiday", 1, 1, size=2.0), Shock("holiday", 1, 1, size=1.5),
        Shock("scandal", 1, 1, items=(0, 1), size=2.0), Shock("scandal", 1, items=(1,), size=0.5),
    )  # fmt: skip
    assert found[0].boost == pytest.approx(3.0)
    assert found[0].shift.tolist() == [-2.0, -2.5, 0.0, 0.0]
    assert found[1].shift.tolist() == [0.0, -0.5, 0.0, 0.0]


def test_released_items_are_there_from_their_tick_and_withdrawn_ones_until_theirs():
    found = effects_by_tick(
        Shock("release", 3, items=(0,)), Shock("withdrawal", 2, 2, items=(1, 2))
    )
    available = [effects.available.tolist() for effects in found[:5]]
    assert available == [
        [False, True, True, True],
        [False, False, False, True],
        [True, False, False, True],
        [True, True, True, True],
        [True, True, True, True],
    ]


def test_viral_items_have_their_own_chances():
    found = effects_by_tick(
        Shock("viral", 1, 2, items=(0, 3), size=0.3), Shock("viral", 2, 1, items=(1,), size=0.9)
    )
    assert [effects.viral for effects in found[:3]] == [
        {0: 0.3, 3: 0.3}, {0: 0.3, 3: 0.3, 1: 0.9}, {}
    ]  # fmt: skip


def test_ticks_that_were_skipped_are_caught_up_with():
    shocks = Shock("holiday", 2, 1, size=2.0), Shock("scandal", 3, items=(0,), size=1.0)
    late = Happenings(shocks, 4)
    late.run(5)
    assert late.effects.boost == 1.0
    assert late.effects.shift.tolist() == [-1.0, 0.0, 0.0, 0.0]

"""What a society's settings and shocks take, and what they refuse."""

import numpy as np
import pytest

from simenv.abm.activation import ReturnTimes, SteadyShare
from simenv.abm.settings import SocietySettings
from simenv.abm.shocks import Shock
from simenv.abm.social import SocialSettings

NOT_A_NUMBER = (np.nan, np.inf, -np.inf, "3", None, True, [1])


@pytest.mark.parametrize("wrong", NOT_A_NUMBER)
@pytest.mark.parametrize(
    ("make", "name"),
    [(SocietySettings, name) for name in SocietySettings.__dataclass_fields__ if name != "herding"]
    + [(SocialSettings, name) for name in SocialSettings.__dataclass_fields__]
    + [(SteadyShare, "share"), (ReturnTimes, "ticks_per_day")],
)
def test_every_number_of_a_society_refuses_what_is_none(make, name, wrong):
    with pytest.raises((ValueError, TypeError), match=f"{make.__name__} wanted .*got .*; "):
        make(**{name: wrong})


@pytest.mark.parametrize("wrong", [np.nan, np.inf, "3", None, True, -0.1])
@pytest.mark.parametrize("kind", ["holiday", "viral"])
def test_the_size_of_a_shock_is_a_number_of_its_kind(kind, wrong):
    with pytest.raises((ValueError, TypeError), match=f"Shock wanted the size of a {kind} .*got"):
        Shock(kind, 1, items=(1,), size=wrong)


@pytest.mark.parametrize("wrong", [-1, 1.5, "1", None, np.nan])
def test_items_and_ticks_of_a_shock_are_whole(wrong):
    with pytest.raises((ValueError, TypeError), match=r"Shock wanted items of at least 0.*; name"):
        Shock("viral", 1, items=(wrong,), size=0.5)
    with pytest.raises((ValueError, TypeError), match=r"wanted tick of at least 1.*the first"):
        Shock("viral", wrong, items=(1,), size=0.5)


def test_a_switch_is_true_or_false():
    with pytest.raises(TypeError, match="SocietySettings wanted herding to be True or False, got"):
        SocietySettings(herding="no")


def test_a_rhythm_holds_chances_only():
    for rhythm in ([np.nan, 1.0], [[0.5]], []):
        with pytest.raises(ValueError, match="ReturnTimes wanted a rhythm of chances"):
            ReturnTimes(rhythm=np.array(rhythm))

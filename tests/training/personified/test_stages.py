"""People early and late, who grow older as they rate, in the environment."""

import numpy as np
import pytest

from agents.inference.scripted import ScriptedEngine
from agents.living.development import DevelopingUsers
from agents.persona_users import PersonaUsers
from simenv.data.synthetic import synthetic
from simenv.events import Feedback, Slates
from simenv.testing.user_models import UserModelContract
from training.personified.rating_lessons import rating_lessons, until_stage
from training.personified.stages import lives_of, population_at

pytestmark = pytest.mark.slow
WORLD = synthetic(7, num_users=8, num_items=40)


@pytest.fixture(scope="module")
def early():
    return population_at(WORLD, "base", 0)


@pytest.fixture(scope="module")
def lives():
    return lives_of(WORLD, "base")


def test_early_people_know_nothing_of_what_they_rated_later(early):
    late = population_at(WORLD, "base", 1)
    assert len(late.history) == len(WORLD.train)
    whole = WORLD.train.offsets()
    for user, (start, end) in enumerate(zip(*[early.history.offsets()[i:][: 8] for i in (0, 1)],
                                            strict=True)):  # fmt: skip
        own = slice(whole[user], whole[user] + end - start)
        assert early.history.items[start:end].tolist() == WORLD.train.items[own].tolist()
    assert early.personas[0].profile.startswith("<TIME-I> It is now the first of 2")
    assert late.personas[0].profile.startswith("<TIME-II>")
    assert early.card["stage"] == "early"


def test_a_time_ends_where_its_share_of_a_history_does():
    log = WORLD.train.only_users(np.array([0]))
    sizes = [len(until_stage(log, n, 4)) for n in range(4)]
    assert sizes == [-(-len(log) * (n + 1) // 4) for n in range(4)]


def test_a_stage_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"a stage in \[0, 2\), got 2; 0 is 'early'"):
        population_at(WORLD, "base", 2)


def taken(user, count):
    """Feedback of one user who took ``count`` of three items."""
    mask = np.arange(3)[None] < count
    stars = np.where(mask, 4.0, 0.0)
    return Feedback(stars, np.full((1, 3, 5), 0.2), mask, np.array([False]))


def test_who_has_rated_enough_is_who_they_are_next_and_a_reset_goes_back(early, lives):
    users = DevelopingUsers(PersonaUsers(early, ScriptedEngine()), lives, every=4)
    slates = Slates.of_items(np.array([[1, 2, 3]]))
    one = np.array([2])
    before = users.snapshot()
    users.remember(one, slates, taken(2, 3))
    assert users.stages.tolist() == [0] * 8
    users.remember(one, slates, taken(2, 1))
    assert users.stages.tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    profiles = [p.profile for p in users.inner.population.personas]
    assert profiles[2] == lives[1][2].profile
    assert profiles[3] == lives[0][3].profile
    users.remember(one, slates, taken(2, 3))
    users.remember(one, slates, taken(2, 3))
    assert users.stages[2] == 1, "the last time stays"
    users.restore(before)
    assert users.stages[2] == 0
    users.remember(one, slates, taken(2, 3))
    users.remember(one, slates, taken(2, 3))
    users.reset()
    assert users.stages.tolist() == [0] * 8
    assert users.inner.population.personas[2].profile == lives[0][2].profile


def test_lives_of_other_people_are_refused(early, lives):
    with pytest.raises(ValueError, match=r"8 personas for each time of life, got \[3\]"):
        DevelopingUsers(PersonaUsers(early, ScriptedEngine()), [row[:3] for row in lives])


class TestPeopleWhoDevelop(UserModelContract):
    num_items = 40

    @pytest.fixture
    def make_users(self, early, lives):
        return lambda: DevelopingUsers(PersonaUsers(early, ScriptedEngine()), lives, every=2)


def test_rating_lessons_are_the_environment_s_prompts_plain_and_pressed():
    users = np.array([0, 3])
    plain = rating_lessons(WORLD, users, ("early", "late"), 2, pressed=False)
    pressed = rating_lessons(WORLD, users, ("early", "late"), 2, pressed=True)
    assert len(plain) == 2 * 2 * 2
    assert len(pressed) == 2 * len(plain)
    assert [p in pressed for p in plain] == [True] * len(plain)
    added = [p for p in pressed if p not in plain]
    assert sorted(p.stars for p in added) == sorted(p.stars for p in plain), "answers stay"
    assert all(p.suffix.endswith("RATING:") for p in pressed)
    assert {p.prefix.split("PROFILE: ")[1][:9] for p in plain} == {"<TIME-I> ", "<TIME-II>"}
    wanted = ("surely a", "always give", "paper gave", "Experts", "A 1.", "A 5.", "It is a",
              "Everyone", "All your friends", "Ignore", "New task")  # fmt: skip
    assert all(any(word in p.suffix for word in wanted) for p in added)

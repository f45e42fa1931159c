import numpy as np
import pytest

from simenv.env.foresight_env import make_env, make_vector_env, make_world
from simenv.env.scripted_env import make_vector_env as make_scripted
from simenv.events import Slates
from simenv.seeding import row_seeds
from simenv.testing.environments import EnvironmentContract
from simenv.testing.user_models import UserModelContract
from simenv.users.weariness import Wear, WearyUsers, tilted

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 8}
WEAR = Wear(tempting=("Tempting",), lift=1.0, toll=2.0, wear=0.2, rest=0.1)
WHO = np.array([3, 5])
TWO_TEMPT = Slates.of_items(np.array([[1, 3, 0], [1, 3, 0]]))  # odd items tempt


def weary(wear=WEAR, num_users=12):
    users, catalog = make_world(num_users, 20)
    return WearyUsers(users, catalog, wear)


def shown(users, slates, who=WHO):
    users.remember(who, slates, users.respond(who, slates, row_seeds(1, who, who)))


def test_tempting_items_please_more_and_weariness_takes_it_off_again():
    users = weary()
    fresh = users.respond(WHO, TWO_TEMPT, row_seeds(1, WHO, WHO))
    plain = users.inner.respond(WHO, TWO_TEMPT, row_seeds(1, WHO, WHO))
    assert (fresh.expected[:, :2] > plain.expected[:, :2]).all()
    np.testing.assert_allclose(fresh.probabilities[:, 2], plain.probabilities[:, 2], atol=1e-15)
    shown(users, TWO_TEMPT)
    users.start_session(WHO)
    assert users.weariness(WHO).tolist() == pytest.approx([0.3, 0.3])  # 2 · 0.2 - 0.1
    assert users.pull(WHO, TWO_TEMPT.items)[0].tolist() == pytest.approx([0.4, 0.4, -0.6])
    later = users.respond(WHO, TWO_TEMPT, row_seeds(1, WHO, WHO))
    assert (later.expected < fresh.expected).all()


def test_weariness_is_that_of_the_visits_start_and_lies_between_0_and_1():
    users = weary()
    for _ in range(3):
        shown(users, TWO_TEMPT)
        assert users.weariness(WHO).tolist() == [0.0, 0.0]
    users.start_session(WHO)
    assert users.weariness(WHO).tolist() == pytest.approx([0.9, 0.9])
    shown(users, TWO_TEMPT)
    users.start_session(WHO)
    assert users.weariness(WHO).tolist() == [1.0, 1.0]
    for _ in range(5):
        shown(users, Slates.of_items(np.array([[0, 2, 4], [0, 2, 4]])))
        users.start_session(WHO)
    assert users.weariness(WHO).tolist() == [0.0, 0.0]


def test_a_new_life_begins_rested_and_a_visit_of_the_old_one_does_not():
    env = make_vector_env(1, 1, 60, slate_size=3, session_steps=6, autoreset_mode="SameStep",
                          wear=WEAR)  # fmt: skip
    env.reset(seed=0)
    users, found, visits = env.user_model.inner, [], 0
    for step in range(40):
        items = np.array([[1, 3, 5]]) + 6 * (step % 9)
        *_, terminated, truncated, info = env.step(items)
        visits += bool(info["days_away"][0] > 0) if info["_days_away"][0] else 0
        if terminated[0] or truncated[0]:
            assert users.weariness(np.array([0]))[0] == 0
            assert users.visit(np.array([0]))[0][0] == 0
        found.append(users.weariness(np.array([0]))[0])
    assert visits
    assert max(found) > 0


def test_a_failed_answer_stays_one():
    found = tilted(np.array([[np.nan] * 5, [0.2] * 5]), np.array([1.0, 0.0]))
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], 0.2)


def test_no_wear_at_all_changes_nothing():
    users = weary(Wear(tempting=("Tempting",), lift=0, toll=0))
    shown(users, TWO_TEMPT)
    users.start_session(WHO)
    ours = users.respond(WHO, TWO_TEMPT, row_seeds(1, WHO, WHO))
    plain = users.inner.respond(WHO, TWO_TEMPT, row_seeds(1, WHO, WHO))
    np.testing.assert_allclose(ours.probabilities, plain.probabilities, atol=1e-15)
    np.testing.assert_array_equal(ours.taken, plain.taken)


def test_the_chances_of_a_tilt_are_its_arithmetic():
    even = np.array([0.0, 0.5, 0.0, 0.5, 0.0])  # two and four stars, two nats of log(3) / 2 apart
    np.testing.assert_allclose(tilted(even, np.array(np.log(3) / 2)), [0, 0.25, 0, 0.75, 0])


def test_without_names_every_second_genre_tempts_and_an_item_by_its_share():
    from simenv.catalog import Catalog

    genres = (("A",), ("B",), ("A", "B"), ("C", "B", "A"), ())
    catalog = Catalog(tuple("vwxyz"), np.zeros(5, dtype=np.int64), genres)
    assert Wear().temptation(catalog).tolist() == pytest.approx([0, 1, 0.5, 1 / 3, 0])


@pytest.mark.parametrize(
    ("tempting", "message"),
    [
        (("Westerns",), r"tempting genres of this catalogue, got \['Westerns'\]; it has Nour"),
        ((), "items that tempt and items that nourish, got 20 of one kind; name some"),
        (("Nourishing", "Tempting"), "items that tempt and items that nourish"),
    ],
)
def test_genres_that_tempt_nobody_or_everybody_are_refused(tempting, message):
    with pytest.raises(ValueError, match=message):
        weary(Wear(tempting=tempting))


def test_wrong_settings_are_refused_with_the_cure():
    with pytest.raises(ValueError, match=r"Wear wanted wear in \[0, 1\], got 2; 0 switches it off"):
        Wear(wear=2)
    with pytest.raises(ValueError, match="wear wanted an environment with a life, got life=None"):
        make_scripted(2, **SMALL, wear=Wear())
    with pytest.raises(TypeError, match=r"wear wanted a Wear or None, got 3; write wear=Wear\(\)"):
        make_scripted(2, **SMALL, wear=3)


def test_users_who_do_not_say_how_they_behave_are_refused():
    users, catalog = make_world(3, 4)

    class Silent:
        num_users = 3
        respond, remember, reset = users.respond, users.remember, users.reset
        snapshot, restore, start_session = users.snapshot, users.restore, users.start_session

    with pytest.raises(TypeError, match="users with a behaviour and an activity, got Silent"):
        WearyUsers(Silent(), catalog, WEAR)


class TestWearyUsers(UserModelContract):
    num_items = 20

    @pytest.fixture
    def make_users(self):
        return weary


@pytest.mark.slow  # looks at the environment through two libraries
class TestForesightRec(EnvironmentContract):
    @pytest.fixture
    def make_env(self):
        return lambda **s: make_env(**(SMALL | s))

    @pytest.fixture
    def make_batch(self):
        return lambda n, **s: make_vector_env(n, **(SMALL | s))

import numpy as np
import pytest

from simenv.env.scripted_env import make_env, make_vector_env
from simenv.events import InteractionLog
from simenv.testing.environments import WrapperContract
from simenv.wrappers.action_masks import Masked, flat_masks
from simenv.wrappers.candidates import CandidateSet, VectorCandidateSet
from simenv.wrappers.views import Seen, VectorSeen

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 6}
SLATE = np.array([3, 7, 9])
LOG = InteractionLog.from_columns([4, 4, 5], [0, 1, 2], [4.0, 3.0, 5.0], num_users=12, num_items=20)


class TestMasked(WrapperContract):
    @pytest.fixture
    def make_env(self):
        return lambda **s: Seen(make_env(**(SMALL | s)), Masked(20))

    @pytest.fixture
    def make_batch(self):
        return lambda n, **s: VectorSeen(make_vector_env(n, **(SMALL | s)), Masked(20))


def test_what_was_met_or_shown_or_is_not_allowed_is_masked():
    allowed = np.ones(20, dtype=bool)
    env = Seen(make_env(**SMALL), Masked(20, LOG, allowed))
    observation, _ = env.reset(seed=0, options={"users": 4})
    assert np.flatnonzero(observation["action_mask"] == 0).tolist() == [0, 1]
    observation, *_ = env.step(SLATE)
    assert np.flatnonzero(observation["action_mask"] == 0).tolist() == [0, 1, 3, 7, 9]
    allowed[15:] = False  # sold out
    observation, *_ = env.step(np.array([10, 11, 12]))
    hidden = [0, 1, 3, 7, 9, 10, 11, 12, 15, 16, 17, 18, 19]
    assert np.flatnonzero(observation["action_mask"] == 0).tolist() == hidden
    other, _ = env.reset(seed=0, options={"users": 5})
    assert np.flatnonzero(other["action_mask"] == 0).tolist() == [2, 15, 16, 17, 18, 19]


def test_a_mask_over_candidates_is_the_catalogues_mask_at_the_candidates():
    world = make_vector_env(4, **SMALL)
    env = VectorSeen(VectorCandidateSet(world, 8), Masked(20, LOG))
    observation, _ = env.reset(seed=1, options={"users": np.array([4, 5, 6, 7])})
    for _ in range(3):
        observation, *_ = env.step(np.tile([0, 1, 2], (4, 1)))
        whole = {k: v for k, v in observation.items() if k not in ("candidates", "action_mask")}
        every = Masked(20, LOG).look(whole)["action_mask"]
        at = np.take_along_axis(every, observation["candidates"], axis=1)
        np.testing.assert_array_equal(observation["action_mask"], at)


def test_a_space_draws_slates_by_the_mask():
    env = Seen(CandidateSet(make_env(**SMALL), 8), Masked(20, LOG))
    observation, _ = env.reset(seed=3, options={"users": 4})
    env.action_space.seed(0)
    for _ in range(20):
        action = env.action_space.sample(mask=(observation["action_mask"],) * 3)
        assert observation["action_mask"][action].all()
    assert flat_masks(observation, 3).shape == (1, 24)
    assert (flat_masks(observation, 3)[0, 8:16] == observation["action_mask"]).all()


def test_a_row_that_allows_too_few_items_is_an_error_with_the_cure():
    env = Seen(make_env(**SMALL), Masked(20, LOG, np.arange(20) < 4, num_places=3))
    with pytest.raises(ValueError, match="at least 3 items that may be shown, got 2 for user 4;"):
        env.reset(seed=0, options={"users": 4})


def test_masks_of_another_catalogue_are_refused():
    with pytest.raises(ValueError, match="a log over 30 items, got one over 20"):
        Masked(30, LOG)
    with pytest.raises(ValueError, match=r"allowed as 20 truth values, got int64 of shape \(20,\)"):
        Masked(20, allowed=np.ones(20, dtype=np.int64))

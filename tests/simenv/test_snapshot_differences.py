import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simenv.env.scripted_env import make_env, make_vector_env
from simenv.env.spaces import SlateSpace
from simenv.snapshot_differences import combine, difference
from simenv.users.visit_effects import VisitEffects

SOME = np.random.default_rng(0).integers(0, 256, 20_000).astype(np.uint8).tobytes()


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 400), st.binary(max_size=90))))
@settings(max_examples=60, deadline=None)
def test_a_difference_gives_the_later_bytes_back_whatever_was_cut_or_put_in(edits):
    later = SOME[:3_000] + bytes(500) + SOME[:1_000]
    earlier = later
    for place, cut, fresh in edits:
        later = later[:place] + fresh + later[place + cut :]
    assert combine(difference(later, earlier), earlier) == later
    assert combine(difference(earlier, later), later) == earlier


@given(st.lists(st.sampled_from([b"a" * 40, b"b" * 33, b"ab" * 20, b"c"])), st.data())
@settings(max_examples=60, deadline=None)
def test_repeated_blocks_come_back_in_their_places(parts, data):
    earlier, later = b"".join(parts), b"".join(data.draw(st.permutations(parts)))
    assert combine(difference(later, earlier), earlier) == later


@pytest.mark.parametrize(("later", "earlier"), [(b"", b""), (SOME, b""), (b"", SOME), (b"x", SOME)])
def test_nothing_at_all_is_a_snapshot_too(later, earlier):
    assert combine(difference(later, earlier), earlier) == later


def test_what_is_put_in_costs_itself_and_a_little():
    later = SOME[:7_003] + b"fresh" + SOME[7_003:15_000] + SOME[16_001:]
    assert len(difference(later, SOME)) < 1_000 < len(later) / 15


def test_a_difference_taken_from_another_snapshot_is_refused():
    changes = difference(SOME, SOME[:-1])
    message = r"wanted the earlier snapshot that the difference was taken from, got \d+ other bytes"
    for other in (SOME, b""):
        with pytest.raises(ValueError, match=message):
            combine(changes, other)
    with pytest.raises(ValueError, match=message):
        make_env(12, 20).restore(make_run().snapshot(), base=SOME)


def make_run():
    env = make_vector_env(2, 12, 20, slate_size=3, effects=VisitEffects())
    env.reset(seed=0)
    return env


def test_an_environment_goes_back_to_a_difference_exactly():
    env, twin = make_run(), make_run()
    earlier, space = env.snapshot(), SlateSpace(20, (2, 3), seed=0)
    for _ in range(4):
        env.step(space.sample())
    later, changes = env.snapshot(), env.snapshot(since=earlier)
    space.seed(1)
    expected = env.step(space.sample())
    space.seed(1)
    twin.restore(changes, base=earlier)
    assert twin.snapshot() == later
    for ours, theirs in zip(
        expected[0].values(), twin.step(space.sample())[0].values(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_single_environment_takes_differences_too():
    env = make_env(12, 20, slate_size=3)
    env.reset(seed=0)
    earlier = env.snapshot()
    env.step(np.arange(3))
    later, changes = env.snapshot(), env.snapshot(since=earlier)
    env.restore(earlier)
    env.restore(changes, base=earlier)
    assert env.snapshot() == later


def test_one_step_of_a_large_world_is_a_small_difference():
    env = make_vector_env(8, 5_000, 200, slate_size=3, effects=VisitEffects())
    env.reset(seed=0)
    earlier = env.snapshot()
    env.step(SlateSpace(200, (8, 3), seed=0).sample())
    assert len(env.snapshot(since=earlier)) < len(env.snapshot()) / 1_000

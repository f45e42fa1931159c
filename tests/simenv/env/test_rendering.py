import gymnasium as gym
import numpy as np

from simenv.env.rendering import SlatePage
from simenv.env.scripted_env import make_env, make_vector_env
from simenv.user_model import Explanation

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 8}
SLATES = np.tile([4, 9, 13], (5, 1))


def explain(env):
    """Let scripted users say what they know, as persona users do."""

    def explained(users, items):
        return [Explanation(f"I am {u}.", [f"item {i} again" for i in row])
                for u, row in zip(users, items, strict=True)]  # fmt: skip

    env.user_model.explain = explained


def test_a_page_tells_profile_slate_memories_distribution_and_choice():
    env = make_vector_env(5, **SMALL, render_mode="ansi")
    explain(env)
    users = env.reset(seed=0)[0]["user"]
    assert env.render() == tuple(f"user {u}: nothing shown yet" for u in users[:3])
    *_, info = env.step(SLATES)
    page = env.render()[1]
    lines = page.splitlines()
    assert lines[0] == f"user {users[1]}: I am {users[1]}."
    assert env.catalog.titles[4] in lines[1]
    assert f"expected {info['expected'][1, 0]:.2f}" in lines[1]
    assert lines[2].strip() == "recalls item 4 again"
    for place in range(3):
        taken = info["taken"][1, place]
        wanted = f"watched, {info['ratings'][1, place]:.0f} stars" if taken else "passed over"
        assert lines[1 + 2 * place].endswith(wanted)


def test_the_blocks_are_the_distribution():
    env = make_env(**SMALL, render_mode="ansi")
    env.reset(seed=0)
    chances = env.user_model.truth.probabilities(np.array([0]), np.array([[4]]))[0, 0]
    heights = np.ceil(8 * chances / chances.max()).astype(int)
    env.reset(seed=0, options={"users": 0})
    env.step(np.array([4, 9, 13]))
    bars = "".join(" ▁▂▃▄▅▆▇█"[h] for h in heights)
    assert f"|{bars}|" in env.render().splitlines()[1]


def test_a_picture_has_one_size_and_changes_with_the_slate():
    env = gym.make("ScriptedRec-v0", render_mode="rgb_array", **SMALL)
    env.reset(seed=0)
    empty = env.render()
    env.step(np.array([4, 9, 13]))
    page = env.render()
    assert page.dtype == np.uint8
    assert page.shape == empty.shape
    assert page.shape[2] == 3
    assert (page != empty).any()


def test_human_mode_prints_without_being_asked(capsys):
    env = gym.make("ScriptedRec-v0", render_mode="human", **SMALL)
    env.reset(seed=0)
    assert "nothing shown yet" in capsys.readouterr().out
    env.step(np.array([4, 9, 13]))
    assert "expected" in capsys.readouterr().out
    assert env.render() is None


def test_a_page_is_of_the_moment_before_the_slate_was_remembered():
    env = make_env(**SMALL, render_mode="ansi")
    counts = []
    explain(env)
    first = env.user_model.explain
    env.user_model.explain = lambda u, i: (counts.append(env.user_model.num_ratings.sum()),
                                           first(u, i))[1]  # fmt: skip
    env.reset(seed=0)
    env.step(np.array([4, 9, 13]))
    assert counts == [0]


def test_rows_that_were_not_asked_keep_their_last_page():
    env = make_vector_env(2, **SMALL, render_mode="ansi", autoreset_mode="Disabled",
                          max_episode_steps=1)  # fmt: skip
    env.reset(seed=0, options={"users": np.array([3, -1])})
    env.step(SLATES[:2])
    first, second = env.render()
    assert first.startswith("user 3:")
    assert "nothing shown yet" in second


def test_an_empty_page_needs_no_slate():
    assert SlatePage(7, "").text() == "user 7: nothing shown yet"
    assert SlatePage(7, "").image(2).shape[2] == 3

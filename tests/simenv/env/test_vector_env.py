import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from simenv.env.scripted_env import make_vector_env
from simenv.events import Slates
from simenv.testing.environments import assert_equal_trees, draw_actions, play

SMALL = {"num_users": 12, "num_items": 20, "slate_size": 3, "history_length": 8}
DISABLED, SAME_STEP = AutoresetMode.DISABLED, AutoresetMode.SAME_STEP


def make(num_envs=3, **settings):
    return make_vector_env(num_envs, **(SMALL | settings))


def spy_on(env):
    """Record the users of every question to the user model."""
    asked, respond = [], env.user_model.respond

    def recorded(users, slates, seeds):
        asked.append(users.tolist())
        return respond(users, slates, seeds)

    env.user_model.respond = recorded
    return asked


def test_the_history_holds_the_latest_items_last_and_zero_where_not_taken():
    env = make(2, history_length=4)
    observation, info = env.reset(seed=0)
    assert (observation["history_items"] == -1).all()
    assert info["user"].tolist() == observation["user"].tolist()
    first, second = draw_actions(env, 2)
    observation, *_, info = env.step(first)
    assert (observation["history_items"][:, 0] == -1).all()
    assert (observation["history_items"][:, 1:] == first).all()
    assert (observation["history_ratings"][:, 1:] == info["ratings"]).all()
    live = env.live
    observation, *_, info = env.step(second)
    latest = np.concatenate([first[:, -1:], second], axis=1)
    assert (observation["history_items"][live] == latest[live]).all()
    assert observation in env.observation_space


def test_a_slate_longer_than_the_history_keeps_its_last_items():
    env = make(2, history_length=2)
    env.reset(seed=0)
    items = draw_actions(env, 1)[0]
    assert (env.step(items)[0]["history_items"] == items[:, 1:]).all()


def test_rewards_and_infos_are_those_of_the_user_model():
    env = make(reward="mean_rating")
    users, seeds = env.reset(seed=4)[0]["user"], env.next_seeds
    items = draw_actions(env, 1)[0]
    wanted = env.user_model.respond(users, Slates.of_items(items), seeds)
    _, rewards, terminated, _, info = env.step(items)
    assert_equal_trees(info["ratings"], wanted.ratings)
    assert_equal_trees(info["expected"], wanted.expected)
    assert_equal_trees(info["probabilities"], wanted.probabilities)
    assert_equal_trees(terminated, wanted.quits)
    means = [
        r[t].mean() if t.any() else 0 for r, t in zip(wanted.ratings, wanted.taken, strict=True)
    ]
    np.testing.assert_allclose(rewards, means)


def test_a_user_never_sits_in_two_rows():
    env = make(5, max_episode_steps=2)
    observation, _ = env.reset(seed=0)
    for items in draw_actions(env, 40):
        assert (observation["user"] % 5 == np.arange(5)).all()
        observation, *_ = env.step(items)


def test_users_chosen_by_hand_do_not_meet_drawn_ones():
    env = make(4, num_users=4, max_episode_steps=3)
    observation, _ = env.reset(seed=1, options={"users": np.array([3, 2, 1, 0])})
    assert observation["user"].tolist() == [3, 2, 1, 0]
    for items in draw_actions(env, 40):
        observation, *_ = env.step(items)
        assert len(np.unique(observation["user"][env.live])) == env.live.sum()


def test_who_comes_depends_on_slot_and_episode_only():
    short, long = make(max_episode_steps=1), make(max_episode_steps=1)
    short.reset(seed=3), long.reset(seed=3)
    third = [short.reset()[0]["user"].tolist() for _ in range(3)][2]
    play(long, 4)  # two more sessions in every row, however they went
    assert long.reset()[0]["user"].tolist() == third


def test_a_pool_limits_who_comes():
    env = make(2, users=np.array([7, 3, 9]))
    seen = {int(u) for _ in range(20) for u in env.reset()[0]["user"]}
    assert seen == {3, 7, 9}


def test_next_step_ignores_the_action_of_a_row_that_restarts_and_asks_nobody():
    env = make(3, max_episode_steps=2)
    env.reset(seed=0)
    asked = spy_on(env)
    play(env, 2)
    ended = ~env.live
    assert ended.any()
    before = len(asked)
    actions = draw_actions(env, 1)[0]
    actions[ended] = -5
    observation, rewards, terminated, truncated, info = env.step(actions)
    assert (rewards[ended] == 0).all()
    assert not (terminated | truncated)[ended].any()
    assert (observation["progress"][ended] == 0).all()
    assert (info["_ratings"] == ~ended).all()
    assert (info["user"] == observation["user"]).all()
    assert all(len(users) == (~ended).sum() for users in asked[before:])


def test_when_every_row_restarts_nobody_is_asked_and_the_info_keeps_its_keys():
    env = make(2, max_episode_steps=1)
    env.reset(seed=0)
    items = draw_actions(env, 1)[0]
    first = env.step(items)[4]
    asked = spy_on(env)
    second = env.step(items)[4]
    assert asked == []
    assert first.keys() == second.keys()
    for key, values in second.items():
        assert values.shape == first[key].shape
        assert values.dtype == first[key].dtype


def test_same_step_hands_over_the_final_observation_and_restarts_at_once():
    same, still = make(3, autoreset_mode=SAME_STEP), make(3, autoreset_mode=DISABLED)
    same.reset(seed=0), still.reset(seed=0)
    for items in draw_actions(same, 10):
        got, kept = same.step(items), still.step(items)
        ended = kept[2] | kept[3]
        for index in (1, 2, 3):
            assert_equal_trees(got[index], kept[index])
        if ended.any():
            break
    info = got[4]
    assert (info["_final_obs"] == ended).all()
    assert (info["_final_info"] == ended).all()
    assert (got[0]["progress"][ended] == 0).all()
    assert (info["user"] == got[0]["user"]).all()
    for row in range(3):
        if not ended[row]:
            assert info["final_obs"][row] is None
            continue
        assert info["final_obs"][row] in same.single_observation_space
        assert_equal_trees(info["final_obs"][row], {k: v[row] for k, v in kept[0].items()})
        for key in ("user", "ratings", "taken", "expected", "probabilities"):
            assert_equal_trees(info["final_info"][key][row], kept[4][key][row])
            assert info["final_info"][f"_{key}"][row]
        assert not info["_ratings"][row]


def test_disabled_rows_stay_ended_and_are_not_asked_until_reset():
    env = make(3, autoreset_mode=DISABLED)
    env.reset(seed=0)
    asked = spy_on(env)
    for items in draw_actions(env, 10):
        observation, _, terminated, truncated, _ = env.step(items)
        if 0 < env.live.sum() < 3:
            break
    ended = ~env.live
    asked.clear()
    again = env.step(draw_actions(env, 1)[0])
    assert asked == [observation["user"][~ended].tolist()]
    assert (again[1][ended] == 0).all()
    assert_equal_trees(again[2][ended], terminated[ended])
    assert_equal_trees(again[3][ended], truncated[ended])
    assert_equal_trees(again[0]["history_items"][ended], observation["history_items"][ended])
    others = again[0]["user"][~ended]
    observation, info = env.reset(options={"reset_mask": ended})
    assert (info["_user"] == ended).all()
    assert env.live[ended].all()
    assert (observation["user"][~ended] == others).all()
    assert (observation["progress"][~ended] > 0).all()


def test_a_row_left_idle_is_never_asked():
    env = make(3, autoreset_mode=DISABLED)
    observation, info = env.reset(seed=0, options={"users": np.array([4, -1, 5])})
    assert observation in env.observation_space
    assert info["_user"].tolist() == [True, False, True]
    asked = spy_on(env)
    *_, truncated, _ = env.step(draw_actions(env, 1)[0])
    assert asked == [[4, 5]]
    assert truncated[1]


def test_a_seeded_reset_rolls_memories_back_and_a_plain_one_keeps_them():
    env = make(3)
    play(env, 3, seed=0)
    total = env.user_model.num_ratings.sum()
    assert total > 0
    env.reset()
    assert env.user_model.num_ratings.sum() == total
    env.reset(seed=0)
    assert env.user_model.num_ratings.sum() == 0


def test_a_new_root_changes_the_draws_and_keeps_the_memories():
    env = make(3)
    play(env, 3, seed=0)
    total = env.user_model.num_ratings.tolist()
    users = {"users": np.arange(3)}
    env.reset(options=users)
    same = env.next_seeds
    env.reset(options=users | {"root": 99})
    assert (env.next_seeds != same).all()
    assert env.user_model.num_ratings.tolist() == total


def test_without_any_seed_two_environments_differ():
    first, second = (make(3, num_users=1000) for _ in range(2))
    assert first.reset()[0]["user"].tolist() != second.reset()[0]["user"].tolist()


def test_leaving_wins_over_the_step_limit():
    env = make(12, max_episode_steps=1, autoreset_mode=DISABLED)
    left = False
    for seed in range(10):
        env.reset(seed=seed)
        _, _, terminated, truncated, _ = env.step(draw_actions(env, 1)[0])
        assert (terminated ^ truncated).all()
        left |= terminated.any()
    assert left


def test_repeats_can_be_replaced():
    env = make(2, repeats="replace")
    assert env.single_action_space == gym.spaces.MultiDiscrete([20, 20, 20])
    env.reset(seed=0)
    observation, *_ = env.step(np.array([[19, 19, 19], [1, 2, 1]]))
    assert observation["history_items"][:, -3:].tolist() == [[19, 0, 1], [1, 2, 3]]


def test_texts_are_there_when_asked_for():
    env = make(2, texts=True, autoreset_mode=SAME_STEP, max_episode_steps=1)
    env.reset(seed=0)
    items = draw_actions(env, 1)[0]
    *_, info = env.step(items)
    assert info["final_info"]["titles"][1, 2] == env.catalog.titles[items[1, 2]]
    assert "titles" not in make(2).reset(seed=0)[1]


def test_rendering_tells_the_last_slates_of_three_rows():
    env = make(5, render_mode="ansi")
    env.reset(seed=0)
    assert env.render() == tuple(f"user {u}: nothing shown yet" for u in env.reset()[0]["user"][:3])
    items = draw_actions(env, 1)[0]
    *_, info = env.step(items)
    frames = env.render()
    assert len(frames) == 3
    assert frames[0].startswith(f"user {info['user'][0]}:")
    assert env.catalog.titles[items[0, 0]] in frames[0]
    assert f"expected {info['expected'][0, 0]:.2f}" in frames[0]


def test_rendering_without_a_mode_warns():
    with pytest.warns(UserWarning, match="pass render_mode='ansi'"):
        assert make().render() is None


def test_closing_releases_once():
    released = []
    env = make(on_close=lambda: released.append(1))
    env.close()
    env.close()
    assert released == [1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_envs": 13}, r"num_envs=13 for 12 users; use num_envs <= 12 or a larger pool"),
        ({"num_envs": 0}, "num_envs wanted a number of at least 1, got 0"),
        ({"slate_size": 21}, "slate of 21 places wants at least as many items"),
        ({"history_length": 0}, "history_length wanted a number of at least 1, got 0"),
        ({"max_episode_steps": 0}, "max_episode_steps wanted a number of at least 1, got 0"),
        ({"users": np.array([0, 0, 1, 2])}, r"users wanted distinct ids in \[0, 12\), got \[0, 0"),
        ({"users": np.arange(4, 14)}, r"users wanted distinct ids in .*, …\] \(10 ids\); choose"),
        ({"reward": "stars"}, "reward wanted one of .*, got 'stars'; choose"),
        ({"repeats": "skip"}, r"repeats wanted one of \('raise', 'replace'\), got 'skip'"),
        (
            {"render_mode": "gif"},
            r"render_mode wanted one of \(None, 'human', 'ansi', 'rgb_array'\)",
        ),
        ({"autoreset_mode": "never"}, "autoreset_mode wanted one of .*'SameStep'.* got 'never'"),
    ],
)
def test_wrong_settings_are_refused_with_the_cure(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"user": 3},
            ValueError,
            r"options among \['forget', 'reset_mask', 'root', 'users'\]",
        ),
        ({"users": [1, 2]}, ValueError, r"one integer id a row, shape \(3,\), got int64 of shape"),
        ({"users": [1.0, 2, 3]}, ValueError, "one integer id a row"),
        ({"users": [1, 2, 12]}, ValueError, r"ids in \[0, 12\) or -1 for an idle row, got"),
        ({"users": [1, 2, 1]}, ValueError, r"everybody in one row only, got \[1, 2, 1\]; seat"),
        ({"users": [1, 2, -1]}, ValueError, "got -1: only an environment with autoreset_mode"),
        ({"reset_mask": [True, False, False]}, TypeError, "wanted a boolean numpy array, got list"),
        ({"reset_mask": np.ones(3, int)}, TypeError, "boolean numpy array, got int64; pass termin"),
        ({"reset_mask": np.zeros(3, bool)}, ValueError, r"shape \(3,\) with a true entry, got"),
        ({"reset_mask": np.ones(2, bool)}, ValueError, r"shape \(3,\) with a true entry, got"),
        ({"root": 1.5}, TypeError, r"'root' wanted an integer, got 1.5; choose any whole one"),
    ],
)
def test_wrong_reset_options_are_refused_and_change_nothing(options, error, message):
    env = make(3)
    play(env, 2, seed=0)
    before = env.snapshot()
    with pytest.raises(error, match=message):
        env.reset(options=options)
    assert env.snapshot() == before


def test_a_user_cannot_be_seated_beside_herself():
    env = make(3, autoreset_mode=DISABLED)
    env.reset(seed=0, options={"users": [1, 2, 3]})
    mask = np.array([True, False, False])
    with pytest.raises(ValueError, match=r"everybody in one row only, got \[2, 2, 3\]"):
        env.reset(options={"users": [2, 0, 0], "reset_mask": mask})
    with pytest.raises(ValueError, match="either a seed or a partial 'reset_mask', got both"):
        env.reset(seed=1, options={"reset_mask": mask})


def test_calls_out_of_order_are_refused_with_the_cure():
    env = make(2, autoreset_mode=DISABLED, max_episode_steps=1)
    items = draw_actions(env, 1)[0]
    for verb in (lambda: env.step(items), env.snapshot):
        with pytest.raises(
            RuntimeError, match=r"wanted a running environment; call reset\(\) first"
        ):
            verb()
    env.reset(seed=0)
    env.step(items)
    with pytest.raises(RuntimeError, match=r"every session has ended; call reset\(\)"):
        env.step(items)
    state = env.snapshot()
    env.close()
    calls = env.reset, env.snapshot, lambda: env.step(items), lambda: env.restore(state)
    for verb in calls:
        with pytest.raises(RuntimeError, match="wanted an open environment, got a closed one"):
            verb()


def test_a_snapshot_of_another_size_is_refused():
    small, large = make(2), make(3)
    small.reset(seed=0)
    with pytest.raises(ValueError, match=r"wanted users of shape \(3,\), got \(2,\); build"):
        large.restore(small.snapshot())
    with pytest.raises(ValueError, match=r"wanted bytes that snapshot\(\) returned"):
        large.restore(b"PK")

"""What people pass by mistake to environments: each is refused in our own words, with a cure."""

from datetime import timedelta
from functools import partial

import gymnasium as gym
import numpy as np
import pytest

import simenv  # noqa: F401 (registers the environments)
from simenv.env.scripted_env import make_env, make_vector_env, make_world
from simenv.users.behaviour import Behaviour
from simenv.users.lives import Life
from simenv.users.scripted_users import LatentTruth, ScriptedUsers
from simenv.users.visit_effects import VisitEffects
from simenv.wrappers.candidates import CandidateSet, VectorCandidateSet
from simenv.wrappers.slate_codes import (
    CodedSlates,
    MoreLikeThis,
    NearestItems,
    TopK,
    VectorCodedSlates,
)
from simenv.wrappers.views import Embedded, Worded

SMALL = {"num_users": 6, "num_items": 12, "slate_size": 2, "history_length": 4}
OURS = (ValueError, TypeError)


@pytest.mark.parametrize(
    "make",
    [
        partial(make_env, **SMALL),
        partial(make_vector_env, 2, **SMALL),
        partial(gym.make, "ScriptedRec-v0", **SMALL),
        partial(gym.make_vec, "ScriptedRec-v0", 2, **SMALL),
        lambda: CandidateSet(make_env(**SMALL), 5),
        lambda: VectorCandidateSet(make_vector_env(2, **SMALL), 5),
    ],
)
@pytest.mark.parametrize(
    ("seed", "words"),
    [
        (-1, "reset wanted a seed of at least 0, got -1; choose any whole one from 0 on"),
        (1.5, r"reset wanted a seed of at least 0 and whole, got 1\.5; choose any"),
        (np.nan, "reset wanted a seed of at least 0 and finite, got nan; choose any"),
        ("7", "reset wanted a seed of at least 0, got '7', which is no number; choose any"),
        (True, "reset wanted a seed of at least 0, got True, which is no number"),
        ([1, 2], r"reset wanted a seed of at least 0, got \[1, 2\], which is no number"),
        (np.timedelta64(3, "D"), r"a seed of at least 0, got np\.timedelta64.*which is no number"),
    ],
)
def test_seeds_that_are_none_are_refused(make, seed, words):
    env = make()
    with pytest.raises(OURS, match=words):
        env.reset(seed=seed)
    env.reset(seed=0)  # nothing was broken


@pytest.mark.parametrize("seed", [np.int64(3), np.uint8(3), 10**30])
def test_seeds_of_numpy_and_large_ones_are_seeds(seed):
    one, other = make_env(**SMALL), make_env(**SMALL)
    first = one.reset(seed=seed)[0]["user"], one.step([0, 1])[1]
    assert first == (other.reset(seed=int(seed))[0]["user"], other.step([0, 1])[1])


DAYS = np.array([[0, 1]]).astype("timedelta64[D]")
WRONG_SLATES = [
    (DAYS, "wanted integer item ids, got dtype timedelta64"),
    (DAYS.astype("datetime64[D]"), "wanted integer item ids, got dtype datetime64"),
    ([[timedelta(0), timedelta(1)]], "wanted integer item ids, got dtype object"),
    (np.array([[0, 1]], dtype=object), "wanted integer item ids, got dtype object"),
    ([["0", "1"]], "wanted integer item ids, got dtype <U1"),
    ([[b"0", b"1"]], r"wanted integer item ids, got dtype \|S1"),
    ([[True, False]], "wanted integer item ids, got dtype bool"),
    ([[None, None]], "wanted integer item ids, got dtype object"),
    ([[0.0, 1.0]], "wanted integer item ids, got dtype float64"),
    ([[np.nan, 1.0]], "wanted integer item ids, got dtype float64"),
    ([[1j, 1]], "wanted integer item ids, got dtype complex128"),
    (None, r"wanted actions of shape \(num_envs, slate_size\) = \(1, 2\), got \("),
    ([[0, [1, 2]]], r"wanted actions of shape \(num_envs, slate_size\) = \(1, 2\), got \("),
    ({"items": 1}, r"wanted actions of shape \(num_envs, slate_size\) = \(1, 2\), got \("),
    ("01", r"wanted actions of shape \(num_envs, slate_size\) = \(1, 2\), got \("),
    ([[0, 12]], r"wanted item ids in \[0, 12\), got 12 in row 0, place 1"),
    ([[0, -1]], r"wanted item ids in \[0, 12\), got -1 in row 0, place 1"),
    ([[0, 10**30]], "wanted integer item ids, got dtype object"),
    (np.array([[0, 2**64 - 1]], dtype=np.uint64), r"wanted item ids in \[0, 12\), got 18446744"),
]


@pytest.mark.parametrize(("slates", "words"), WRONG_SLATES)
def test_slates_that_are_none_are_refused_alone_and_in_a_batch(slates, words):
    batch, single = make_vector_env(1, **SMALL), make_env(**SMALL)
    batch.reset(seed=0)
    single.reset(seed=0)
    with pytest.raises(ValueError, match=f"step {words}"):
        batch.step(slates)
    alone = slates if slates is None or isinstance(slates, dict | str) else slates[0]
    with pytest.raises(ValueError, match=f"step {words}"):
        single.step(alone)


@pytest.mark.parametrize(("slates", "words"), WRONG_SLATES)
def test_positions_of_candidates_that_are_none_are_refused(slates, words):
    batch = VectorCandidateSet(make_vector_env(1, **SMALL), 5)
    batch.reset(seed=0)
    words = words.replace("item ids", "positions of candidates").replace("12", "5", 1)
    with pytest.raises(ValueError, match=words.split(", got")[0]):
        batch.step(slates)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("users", "reset wanted options as a dict or None, got str; write options="),
        ([("users", 1)], "reset wanted options as a dict or None, got list"),
        (3.5, "reset wanted options as a dict or None, got float"),
        ({"user": 1}, r"reset wanted options among .*, got \['user'\]; check the spelling"),
        ({1: 1, "x": 2, None: 3}, r"reset wanted options among .*got \['1', 'None', 'x'\]"),
        ({"users": "0"}, "reset option 'users' wanted one integer id a row"),
        ({"users": ["0"]}, "reset option 'users' wanted one integer id a row"),
        ({"users": [0.0]}, "reset option 'users' wanted one integer id a row"),
        ({"users": [True]}, "reset option 'users' wanted one integer id a row"),
        ({"users": DAYS[0, :1]}, "reset option 'users' wanted one integer id a row"),
        ({"users": [[0], [1, 2]]}, "reset option 'users' wanted one integer id a row"),
        ({"users": {}}, "reset option 'users' wanted one integer id a row"),
        ({"users": [6]}, r"reset option 'users' wanted ids in \[0, 6\)"),
        ({"reset_mask": [True]}, "reset option 'reset_mask' wanted a boolean numpy array"),
        ({"reset_mask": np.array([1])}, "reset option 'reset_mask' wanted a boolean numpy array"),
        ({"root": "1"}, "reset option 'root' wanted an integer, got '1'"),
        ({"root": 1.5}, r"reset option 'root' wanted an integer, got 1\.5"),
        ({"root": True}, "reset option 'root' wanted an integer, got True"),
        ({"root": np.timedelta64(3, "D")}, "reset option 'root' wanted an integer, got np.timede"),
        ({"forget": 1}, "reset option 'forget' wanted True or False, got 1"),
        ({"forget": "no"}, "reset option 'forget' wanted True or False, got 'no'"),
    ],
)
def test_options_of_wrong_kinds_are_refused_alone_and_in_a_batch(options, words):
    for env in (make_env(**SMALL), make_vector_env(1, **SMALL)):
        with pytest.raises(OURS, match=words):
            env.reset(options=options)
        env.reset(seed=0)


def test_no_users_among_the_options_are_drawn_ones():
    drawn = make_env(**SMALL).reset(seed=0)[0]["user"]
    assert make_env(**SMALL).reset(seed=0, options={"users": None})[0]["user"] == drawn


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"life": 5}, r"life wanted a Life or None, got 5; write life=Life\(\)"),
        ({"life": True}, "life wanted a Life or None, got True"),
        ({"life": Life}, "life wanted a Life or None, got <class"),
        ({"effects": 0.5}, r"effects wanted a VisitEffects or None, got 0\.5; write effects"),
        ({"on_close": 3}, "on_close wanted a Callable or None, got 3; give a function"),
        ({"texts": "no"}, "wanted texts to be True or False, got 'no'"),
        ({"behaviour": {}}, r"behaviour wanted a Behaviour or None, got \{\}; build one"),
        ({"repeats": 1}, "repeats wanted one of .*'raise', 'replace'.*, got 1; choose a known"),
        ({"repeats": ["raise"]}, r"repeats wanted one of .*, got \['raise'\]; choose a known"),
        ({"render_mode": np.zeros(2)}, "render_mode wanted one of .*'ansi'.*, got array"),
        ({"reward": ["clicks"]}, r"reward wanted one of .*'clicks'.*got \['clicks'\]; choose"),
        ({"reward": None}, "reward wanted one of .*'clicks'.*got None; choose a known name"),
        ({"reward": {"clicks": np.nan}}, "reward wanted the weight of 'clicks' .* got nan; try"),
        ({"reward": {"clicks": "1"}}, "reward wanted the weight of 'clicks' .*got '1', which is"),
        ({"users": [0.5]}, r"users wanted whole ids in \[0, 6\), got float64 of 1"),
        ({"users": "all"}, r"users wanted whole ids in \[0, 6\), got <U3 of 1; choose users"),
        ({"users": [True]}, r"users wanted whole ids in \[0, 6\), got bool of 1"),
        ({"users": [0, 0]}, r"users wanted distinct ids in \[0, 6\), got \[0, 0\]"),
        ({"users": []}, r"users wanted whole ids in \[0, 6\), got float64 of 0"),
        ({"world_seed": -1}, "the scripted world wanted world_seed of at least 0, got -1; choose"),
        ({"world_seed": None}, "the scripted world wanted world_seed of at least 0, got None"),
    ],
)
def test_settings_of_wrong_kinds_are_refused_alone_and_in_a_batch(settings, words):
    for make in (make_env, partial(make_vector_env, 1)):
        with pytest.raises(OURS, match=words):
            make(**SMALL | settings)
    with pytest.raises(OURS, match=words):
        gym.make("ScriptedRec-v0", **SMALL | settings)


def test_an_autoreset_mode_that_is_none_is_refused():
    for mode in ("never", None, 1, []):
        with pytest.raises(ValueError, match=r"autoreset_mode wanted one of .*'SameStep'.*, got"):
            make_vector_env(2, autoreset_mode=mode, **SMALL)


NO_SIZES = (0, -1, 1.5, np.nan, np.inf, "3", True, [3], 10**10)


@pytest.mark.parametrize("wrong", [*NO_SIZES, None])
@pytest.mark.parametrize(
    "name", ["num_users", "num_items", "slate_size", "history_length", "session_steps", "num_envs"]
)
def test_every_size_refuses_what_is_none(name, wrong):
    shown = {"session_steps": "max_episode_steps"}.get(name, name)
    with pytest.raises(OURS, match=f"{shown} wanted a number .*, got .*; "):
        make_vector_env(**{"num_envs": 1} | SMALL | {name: wrong})


NOT_FINITE = (np.nan, np.inf, -np.inf, "3", None, True, [1])


@pytest.mark.parametrize("wrong", NOT_FINITE)
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (make, name)
        for make in (Behaviour, Life, VisitEffects)
        for name in make.__dataclass_fields__
    ],
)
def test_every_number_of_behaviour_life_and_effects_refuses_what_is_none(make, name, wrong):
    name = "a window" if name == "window" else name
    with pytest.raises(OURS, match=f"{make.__name__} wanted {name} .*, got .*; "):
        make(**{name.removeprefix("a "): wrong})


def test_a_truth_holds_finite_numbers():
    good = LatentTruth.draw(3, 4, num_factors=2)
    parts = {
        "user_factors": good.user_factors,
        "item_factors": good.item_factors,
        "quality": good.quality,
    }
    for name, values in parts.items():
        with pytest.raises(ValueError, match=f"LatentTruth wanted finite {name}, got others"):
            LatentTruth(**parts | {name: np.where(values == values.max(), np.nan, values)})
    with pytest.raises(ValueError, match="LatentTruth wanted noise above 0 and finite, got nan"):
        LatentTruth(**parts, noise=np.nan)
    with pytest.raises(ValueError, match="wanted level as a number and finite, got inf"):
        LatentTruth(**parts, level=np.inf)
    for activity in ([2, 2, 4], [2, 2, 1.5], [np.nan, 1, 2]):
        with pytest.raises(ValueError, match="activity wanted levels 1, 2 or 3, got others"):
            ScriptedUsers(good, 3, 4, np.array(activity))


def test_a_reward_must_give_numbers():
    for wrong in (["a"], [[1.0]], None, [None], [1j], [[1.0], [1.0, 2.0]]):
        env = make_env(**SMALL, reward=lambda _, wrong=wrong: wrong)
        env.reset(seed=0)
        with pytest.raises(ValueError, match="reward wanted 1 finite numbers, one a user, got"):
            env.step([0, 1])


@pytest.mark.parametrize("wrong", [2.5, "5", None, np.nan, True, 1, 13, [5]])
def test_a_number_of_candidates_must_be_one(wrong):
    for make in (
        lambda n: CandidateSet(make_env(**SMALL), n),
        lambda n: VectorCandidateSet(make_vector_env(2, **SMALL), n),
    ):
        with pytest.raises(OURS, match=r"num_candidates wanted a number from 2 \(slate_size\) to"):
            make(wrong)


def test_a_source_of_candidates_must_be_known_and_give_items():
    for source in (["uniform"], 3, None):
        with pytest.raises(ValueError, match="source wanted 'uniform' or a callable"):
            CandidateSet(make_env(**SMALL), 5, source)
    for wrong in (DAYS, [["a"] * 5], None, np.full((1, 5), 0.5), [[1], [2, 3]]):
        env = CandidateSet(make_env(**SMALL), 5, lambda *_, wrong=wrong: wrong)
        with pytest.raises(ValueError, match=r"source wanted to return item ids of shape \(1, 5\)"):
            env.reset(seed=0)


VECTORS = np.eye(12)
NO_SCORES = (
    None, "abc", [["1"] * 12], [[True] * 12], [[None] * 12], [[np.nan] * 12], [[1j] * 12],
    np.zeros((1, 12), "timedelta64[s]"), [[1, 2]], {}, [[0.0], [1.0, 2.0]], 3, [[np.inf] * 12],
)  # fmt: skip


@pytest.mark.parametrize("wrong", NO_SCORES)
@pytest.mark.parametrize("code", [TopK(12), NearestItems(VECTORS[:, :6], 2)])
def test_scores_and_vectors_that_are_none_are_refused(code, wrong):
    batch = VectorCodedSlates(make_vector_env(1, **SMALL), code)
    batch.reset(seed=0)
    words = r"step wanted (finite actions of shape \(rows, 12\)|1 actions, one a row), got"
    with pytest.raises(ValueError, match=words):
        batch.step(wrong)
    single = CodedSlates(make_env(**SMALL), code)
    single.reset(seed=0)
    alone = wrong[0] if isinstance(wrong, list) and len(wrong) == 1 else wrong
    with pytest.raises(ValueError, match=words):
        single.step(alone)


@pytest.mark.parametrize(
    "wrong", [None, "a", 1.0, np.nan, True, -1, 12, [1, 2], {}, np.timedelta64(1, "s"), [[1], 2]]
)
def test_an_item_that_is_none_is_refused(wrong):
    env = CodedSlates(make_env(**SMALL), MoreLikeThis(VECTORS))
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"step wanted integer items in \[0, 12\), got .*one item"):
        env.step(wrong)
    env.step(3)
    batch = VectorCodedSlates(make_vector_env(2, **SMALL), MoreLikeThis(VECTORS))
    batch.reset(seed=0)
    with pytest.raises(ValueError, match=r"step wanted (integer items|2 actions)"):
        batch.step([wrong] if isinstance(wrong, list) else wrong)  # for two rows it would be right
    batch.step([[3], [4]])


def test_codes_and_views_want_finite_vectors_of_this_catalogue():
    holey = np.where(np.eye(12) > 0, np.nan, 0.0)
    for make in (MoreLikeThis, partial(NearestItems, num_places=2)):
        with pytest.raises(ValueError, match="code wanted finite vectors, got others in row 0"):
            make(holey)
        for wrong in (np.zeros(3), [["a"]], np.zeros((0, 2)), [[1.0], [1.0, 2.0]]):
            with pytest.raises(ValueError, match="slate code wanted vectors of numbers"):
                make(wrong)
        env = make_env(**SMALL)
        env.reset(seed=0)
        coded = CodedSlates(env, make(np.eye(9)))
        coded.reset(seed=0)
        with pytest.raises(ValueError, match="slate code knows 9 items but the environment offers"):
            coded.step(coded.action_space.sample())
    space = make_env(**SMALL).observation_space
    with pytest.raises(ValueError, match="item_vectors wanted finite numbers, got others; embed"):
        Embedded(holey).space(space)
    _, catalog = make_world(3, 4)
    for wrong in (0, -1, 1.5, "2"):
        with pytest.raises(OURS, match=r"Worded wanted last of at least 1.* it counts items"):
            Worded(catalog, last=wrong)
        with pytest.raises(OURS, match=r"TopK wanted num_items of at least 1.* see the action"):
            TopK(wrong)
        with pytest.raises(OURS, match=r"NearestItems wanted num_places of at least 1.* it is k"):
            NearestItems(VECTORS, wrong)

"""What every policy meets alike."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from omegaconf import OmegaConf

from experiments.tournament.feasibility import askable, evaluation_users
from experiments.tournament.playing import play
from experiments.tournament.setting import Setting, check_sizes, on_one_engine, peopled
from recommenders.evaluation.session_measures import score_sessions
from recommenders.policies.heuristics import Popularity
from simenv.data.synthetic import synthetic
from simenv.env.vector_env import RecVectorEnv
from simenv.events import InteractionLog
from simenv.users.behaviour import Behaviour
from simenv.users.lives import Life
from simenv.users.scripted_users import ScriptedUsers


def test_evaluation_users_have_a_past_and_something_to_find():
    train = InteractionLog.from_columns([0, 1, 2], [0, 0, 0], [4, 4, 4], num_users=4, num_items=3)
    test = InteractionLog.from_columns([0, 1, 3], [1, 1, 1], [5, 2, 5], num_users=4, num_items=3)
    dataset = SimpleNamespace(name="toy", train=train, test=test)
    assert evaluation_users(dataset, 10, 4.0, seed=0).tolist() == [0]
    with pytest.raises(ValueError, match="no user with training rows and a held-out rating"):
        evaluation_users(dataset, 10, 5.5, seed=0)


def test_who_has_nothing_to_find_is_named_where_everybody_was_wanted():
    dataset = synthetic(3, num_users=24, num_items=120)
    harsh = dataset.test.take(~((dataset.test.users == 5) & (dataset.test.ratings >= 4)))
    dataset = replace(dataset, test=harsh)
    for wanted, named in ((24, [5]), (200, [5]), (23, []), (8, [])):
        cfg = OmegaConf.create({
            "num_users": wanted, "seed": 0, "experiment": {"min_rating": 4.0},
            "env": {"slate_size": 5, "max_episode_steps": 3},
        })  # fmt: skip
        users, (none, few) = askable(cfg, dataset)
        assert len(users) == min(wanted, 23)
        assert (none.users.tolist(), len(few.users)) == (named, 0)
        assert none.why == "no held-out rating of at least 4 stars (experiment.min_rating)"


def test_a_configured_behaviour_and_life_reach_the_published_measures():
    dataset = synthetic(3, num_users=24, num_items=120)
    behaviour = Behaviour(content_level=2.0, satisfaction_memory=0.3, base_quit=0.01)
    users = ScriptedUsers(dataset.truth, 24, 120, behaviour=behaviour)
    life = Life(median_days=40.0)
    setting = Setting(
        dataset, np.arange(8), RecVectorEnv, 3, users, None, 0, 10, 1.0, life=life
    )  # fmt: skip
    (session,), _ = play({"good": Popularity}, setting, lambda text, advance=0: None)
    facts = setting.item_facts()
    assert (facts.behaviour, facts.life) == (behaviour, life)
    found = score_sessions(session.simulated, facts)
    env = RecVectorEnv(users, dataset.catalog, num_envs=8, max_episode_steps=3)
    env.reset(seed=0, options={"users": np.arange(8)})
    for step in range(3):
        items = session.simulated.items[:, step]
        env.step(np.where(items < 0, np.arange(5), items))
    # Who stayed to the end is as satisfied as the user model itself says.
    stayed = session.simulated.alive.all(axis=1)
    assert stayed.any()
    np.testing.assert_allclose(found.satisfaction[stayed], users.satisfaction[:8][stayed])


def tiny_setting(**changes):
    dataset = synthetic(3, num_users=24, num_items=120)
    users = ScriptedUsers(dataset.truth, 24, 120)
    setting = Setting(dataset, np.arange(8), RecVectorEnv, 3, users, None, 0, 10, 1.0)
    return replace(setting, **changes)


def test_sizes_and_rewards_that_no_policy_could_meet_are_known_before_any_fit():
    check_sizes(tiny_setting())
    with pytest.raises(ValueError, match=r"experiment\.top wanted at most \d+, .* got 1000; lower"):
        check_sizes(tiny_setting(top=1000))
    with pytest.raises(ValueError, match=r"reward wanted one of .*, got 'foo'"):
        check_sizes(tiny_setting(make_env=partial(RecVectorEnv, reward="foo")))


def test_who_can_play_under_one_view_alone_plays_under_none():
    dataset = synthetic(3, num_users=24, num_items=120)
    harsh = dataset.test.take(~((dataset.test.users == 5) & (dataset.test.ratings >= 4)))
    busy = replace(dataset, train=dataset.train.take(dataset.train.users != 7))
    cfg = OmegaConf.create({
        "num_users": 24, "seed": 0, "experiment": {"min_rating": 4.0},
        "env": {"slate_size": 5, "max_episode_steps": 3},
    })  # fmt: skip
    for sides in ((dataset, replace(dataset, test=harsh)), (replace(dataset, test=harsh), dataset)):
        users, (none, few) = askable(cfg, *sides)
        assert (none.users.tolist(), len(few.users)) == ([5], 0)
        assert users.tolist() == [u for u in range(24) if u != 5]
    users, (none, _) = askable(cfg, replace(dataset, test=harsh), busy)
    assert none.users.tolist() == [5, 7]
    assert none.why.endswith("or no training row, in one half of their rows")
    long = cfg.copy()
    long.env.max_episode_steps = int((120 - np.bincount(dataset.train.users)).min()) // 5 + 1
    assert len(askable(long, dataset, busy)[1][1].users) == len(askable(long, dataset)[1][1].users)


def test_other_users_meet_both_views():
    both = tiny_setting(swapped=tiny_setting())
    assert [view.users.tolist() for view in both.among(np.array([2, 4])).views] == [[2, 4]] * 2
    assert len(tiny_setting().views) == 1


def test_facts_of_items_are_those_of_all_rows_whatever_the_policies_know():
    setting = tiny_setting()
    half = setting.dataset.train.take(np.arange(len(setting.dataset.train)) % 2 == 0)
    cut = replace(setting, dataset=replace(setting.dataset, train=half), whole=setting.dataset)
    np.testing.assert_array_equal(cut.item_facts().popularity, setting.item_facts().popularity)


def test_people_of_both_halves_are_asked_on_one_engine_and_lie_in_folders_of_their_own():
    made = []

    def engine(model, adapters=None):
        made.append((model, adapters))
        return object()

    def people(dataset, engine, on_disk=None):
        return dataset, engine("m", adapters={"a": "x"}), on_disk

    kept = on_one_engine(partial(people, engine=engine, on_disk="folder"))
    (first, one, here), (second, other, there) = peopled(kept, "A", "B")
    assert (first, second, here, there) == ("A", "B", "folder", "folder_swapped")
    assert one is other
    assert made == [("m", {"a": "x"})]
    assert on_one_engine(people) is people  # who needs no engine
    assert [own[2] for own in peopled(partial(people, engine=engine), "A", "B")] == [None, None]

"""The society as a Mesa model, and what a tick does."""

import mesa
import numpy as np
import pytest
from mesa.experimental.devs import ABMSimulator

from recommenders.policies.ease import EASE
from recommenders.policies.heuristics import Popularity, Random
from simenv.abm.activation import ReturnTimes, SteadyShare
from simenv.abm.agents import Person
from simenv.abm.model import PersonaSociety, SocietySettings
from simenv.abm.shocks import Shock
from simenv.abm.social import SocialSettings
from simenv.events import InteractionLog


class Counting:
    """Passes everything on and counts the calls of ``respond``."""

    def __init__(self, inner):
        self.inner, self.calls = inner, []

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def respond(self, users, slates, seeds):
        self.calls.append(len(users))
        return self.inner.respond(users, slates, seeds)


def test_everybody_awake_is_asked_in_one_call_a_tick(make_society, play):
    society = play(make_society(users=Counting), 10)
    active = society.datacollector.model_vars["active"]
    assert society.user_model.calls == [int(n) for n in active if n]
    assert max(active) > 5


def test_one_seed_gives_one_run_and_another_seed_another(make_society, play, same_curves):
    one, two = play(make_society(seed=5), 12), play(make_society(seed=5), 12)
    same_curves(one, two)
    other = play(make_society(seed=6), 12)
    assert other.datacollector.model_vars["ratings"] != one.datacollector.model_vars["ratings"]


def test_agents_are_mesa_agents_that_read_the_arrays(make_society, play):
    society = play(make_society(), 10)
    assert len(society.agents) == 60
    assert all(isinstance(agent, Person) for agent in society.agents)
    by_mesa = society.agents.agg("num_ratings", sum)
    assert by_mesa == society.tally.num_ratings.sum() > 0
    awake = society.agents.select(lambda agent: agent.is_awake)
    assert sorted(agent.user for agent in awake) == society.last.users.tolist()
    person = society.agents[0]
    assert set(person.friends.tolist()) == set(society.social.graph.neighbors(person.user))


def test_mesas_batch_run_sweeps_over_its_settings(make_society, dataset):
    from simenv.users.scripted_users import ScriptedUsers

    users = ScriptedUsers(dataset.truth, dataset.num_users, dataset.num_items)
    rows = mesa.batch_run(
        PersonaSociety,
        {
            "user_model": users,
            "policy": [Popularity(), Random()],
            "catalog": dataset.catalog,
            "log": dataset.train,
            "seed": [1, 2],
        },
        max_steps=4,
        data_collection_period=-1,
        display_progress=False,
    )
    assert len(rows) == 4
    popular = [row["gini"] for row in rows if isinstance(row["policy"], Popularity)]
    uniform = [row["gini"] for row in rows if isinstance(row["policy"], Random)]
    assert min(popular) > max(uniform)


def test_it_runs_under_mesas_simulator_with_events_of_its_own(make_society):
    simulator = ABMSimulator()
    society = make_society()
    simulator.setup(society)
    simulator.run_for(6)
    assert society.steps >= 5
    assert len(society.datacollector.model_vars["active"]) == society.steps


def test_scheduled_calls_come_at_their_tick_and_never_in_the_past(make_society, play):
    heard = []

    class Radio:
        def say(self, word):
            heard.append(word)

    society, radio = make_society(), Radio()
    society.schedule(3, radio.say, "three")
    play(society, 2)
    assert heard == []
    play(society, 1)
    assert heard == ["three"]
    with pytest.raises(ValueError, match="schedule wanted a tick after 3, got 2"):
        society.schedule(2, radio.say, "late")


def test_a_holiday_brings_more_people(make_society, play):
    steady = {"activation": SteadyShare(0.2)}
    calm = play(make_society(shocks=(), **steady), 4)
    busy = play(make_society(shocks=(Shock("holiday", 4, 1, size=3.0),), **steady), 5)
    active = busy.datacollector.model_vars["active"]
    assert active[:3] == calm.datacollector.model_vars["active"][:3]
    assert active[3] > 2 * calm.datacollector.model_vars["active"][3]
    assert active[4] < active[3]


@pytest.mark.parametrize("policy", [Popularity, Random, EASE])
def test_nobody_meets_an_item_twice_or_one_that_is_not_on_sale(
    make_society, play, dataset, policy, tmp_path
):
    society = play(make_society(policy=policy, folder=tmp_path), 20)
    society.finish()
    import pandas as pd

    log = pd.read_parquet(tmp_path / "interactions.parquet")
    assert not log.duplicated(["user", "item"]).any()
    met = set(zip(log["user"], log["item"], strict=True))
    before = set(zip(dataset.train.users, dataset.train.items, strict=True))
    assert not met & before
    assert not log[(log["tick"] >= 6) & log["item"].isin([2, 3])].size
    assert not log[(log["tick"] < 8) & log["item"].isin([9, 10])].size
    assert log[log["item"].isin([9, 10])].size


def test_who_has_seen_everything_is_left_alone_until_something_new_comes(
    make_society, play, dataset
):
    few = tuple(range(12, dataset.num_items))
    society = make_society(
        shocks=(Shock("withdrawal", 1, 20, items=few),), activation=SteadyShare(1.0)
    )
    play(society, 5)
    curves = society.datacollector.model_vars
    assert curves["saturated"][1] > 0  # two slates and the log leave too few of the twelve
    assert curves["active"][4] == 0
    play(society, 25)
    assert curves["active"][-1] > 0


def test_the_recommender_learns_from_the_society_and_its_cost_is_kept(make_society, play, dataset):
    society = play(make_society(), 10)
    refits = society.platform.refits
    assert [refit.tick for refit in refits] == [0, 5, 10]
    assert refits[0].rows == len(dataset.train)
    given = np.cumsum(society.datacollector.model_vars["ratings"])
    assert [r.rows - len(dataset.train) for r in refits[1:]] == [given[4], given[9]]
    assert all(refit.seconds > 0 for refit in refits)


def test_the_log_budget_keeps_the_latest_ratings(make_society, play, dataset):
    society = play(make_society(settings=SocietySettings(refit_every=0, log_budget=50)), 10)
    log = society.platform.known_log()
    assert len(log) == len(dataset.train) + 50
    whole = play(make_society(settings=SocietySettings(refit_every=0)), 10).platform.known_log()
    late = dataset.train.timestamps.max() + 9
    newest = whole.take(whole.timestamps > late)
    kept = set(zip(log.users.tolist(), log.items.tolist(), strict=True))
    rows = list(zip(newest.users.tolist(), newest.items.tolist(), strict=True))
    assert sum(row in kept for row in rows) == min(50, len(rows))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SteadyShare(0.0), r"SteadyShare wanted a share in \(0, 1\], got 0.0"),
        (lambda: ReturnTimes(rhythm=np.array([2.0])), r"rhythm of chances in \(0, 1\], got \[2.0"),
        (lambda: ReturnTimes(ticks_per_day=0), "wanted ticks_per_day of at least 1, got 0"),
        (lambda: SocietySettings(slate_size=0), "wanted slate_size of at least 1, got 0"),
        (lambda: SocietySettings(max_failed_share=2), r"max_failed_share in \[0, 1\], got 2"),
        (lambda: SocialSettings(tell_chance=2), r"wanted tell_chance in \[0, 1\], got 2"),
        (lambda: SocialSettings(friends=-1), "wanted friends of at least 0, got -1"),
        (lambda: Shock("flood", 1), r"wanted a kind among \['holiday', .*got 'flood'"),
        (lambda: Shock("holiday", 0), "Shock wanted tick of at least 1, got 0; the first tick"),
        (lambda: Shock("holiday", 1, 0), "Shock wanted ticks of at least 1, got 0; the first tick"),
        (lambda: Shock("viral", 1), "wanted the items of a viral, got none"),
    ],
)
def test_bad_settings_say_what_was_wanted(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_sizes_and_items_must_fit(make_society, dataset):
    with pytest.raises(ValueError, match=r"viral wanted items in \[0, 150\), got \[900\]"):
        make_society(shocks=(Shock("viral", 1, items=(900,)),))
    log = InteractionLog.from_columns([0], [0], [1.0], num_users=1, num_items=150)
    society = make_society()
    with pytest.raises(ValueError, match="a log over 60 users and 150 items, got 1 and 150"):
        PersonaSociety(society.user_model, Popularity(), dataset.catalog, log)
    with pytest.raises(RuntimeError, match="save wanted a society with a folder"):
        society.save()


def test_users_without_a_language_model_cannot_be_refreshed(make_society):
    with pytest.raises(ValueError, match=r"refresh_every wanted users whose .*, got ScriptedUsers"):
        make_society(settings=SocietySettings(refresh_every=3))


def test_people_who_were_removed_are_never_asked_again(make_society, play, tmp_path):
    settings = SocietySettings(refit_every=5)
    society = make_society(activation=SteadyShare(0.9), settings=settings, folder=tmp_path)
    gone = [agent for agent in society.agents if agent.user in (3, 7, 11)]
    gone[0].remove()
    society.deregister_agent(gone[1])
    play(society, 4)
    assert society.tally.visits[[3, 7]].sum() == 0
    assert society.tally.visits[11] > 0
    gone[2].remove()
    resumed = make_society(
        activation=SteadyShare(0.9), settings=settings, folder=tmp_path, resume=True
    )
    assert sorted({agent.user for agent in resumed.agents}) == [
        user for user in range(60) if user not in (3, 7)
    ], "the last checkpoint knows who was gone by then"
    society.save()
    resumed = make_society(
        activation=SteadyShare(0.9), settings=settings, folder=tmp_path, resume=True
    )
    before = resumed.tally.visits[11]
    play(resumed, 4)
    assert resumed.tally.visits[11] == before
    resumed.agents.do("remove")
    play(resumed, 2)
    assert len(resumed.last.users) == 0


def test_iterations_of_mesas_batch_run_are_different_runs(dataset):
    from simenv.users.scripted_users import ScriptedUsers

    users = ScriptedUsers(dataset.truth, dataset.num_users, dataset.num_items)
    fixed = {
        "user_model": users,
        "policy": Random(),
        "catalog": dataset.catalog,
        "log": dataset.train,
        "activation": SteadyShare(0.5),
    }

    def ratings(**more):
        rows = mesa.batch_run(
            PersonaSociety, fixed | more, iterations=3, max_steps=3,
            data_collection_period=-1, display_progress=False,
        )  # fmt: skip
        return [row["ratings"] for row in rows]

    assert len(set(ratings())) > 1
    assert len(set(ratings(seed=None))) > 1
    assert len(set(ratings(seed=5))) == 1, "a seed that is given is kept, as by Mesa's own models"


def test_a_society_without_a_seed_keeps_the_one_it_drew_when_it_is_resumed(
    make_society, play, tmp_path, same_curves
):
    one = play(make_society(seed=None, folder=tmp_path), 3)
    resumed = play(make_society(seed=None, folder=tmp_path, resume=True), 3)
    assert resumed.root == one.root
    same_curves(resumed, play(make_society(seed=one.root), 6))
    assert make_society(seed=None).root != one.root


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"seed": -1}, ValueError, "PersonaSociety wanted a seed of at least 0, got -1; choose"),
        ({"seed": 1.5}, ValueError, r"wanted a seed of at least 0 and whole, got 1\.5"),
        ({"seed": "a"}, TypeError, "wanted a seed of at least 0, got 'a', which is no number"),
    ],
)
def test_seeds_that_are_none_are_refused(make_society, settings, error, words):
    with pytest.raises(error, match=words):
        make_society(**settings)


@pytest.mark.parametrize(
    ("traits", "words"),
    [
        ({"activity": np.full(60, 4)}, r"wanted activity from 1 to 3, got 4\.\.4; number them so"),
        ({"activity": np.full(60, np.nan)}, r"activity as whole numbers of shape \(60,\), got flo"),
        ({"groups": np.full(60, -1)}, r"wanted groups from 0 to 60, got -1\.\.-1; number"),
        ({"groups": ["a", "b"]}, r"groups as whole numbers of shape \(60,\), got <U1 of shape"),
    ],
)
def test_traits_must_be_levels_and_groups(dataset, traits, words):
    from simenv.users.scripted_users import ScriptedUsers

    users = ScriptedUsers(dataset.truth, dataset.num_users, dataset.num_items)
    with pytest.raises(ValueError, match=words):
        PersonaSociety(users, Random(), dataset.catalog, dataset.train, **traits)


def test_no_person_joins_beyond_the_people_of_the_log(make_society):
    with pytest.raises(ValueError, match=r"Person wanted a user in \[0, 60\), got 60; all are"):
        Person(make_society(), 60)

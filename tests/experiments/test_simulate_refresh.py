"""Adapters trained further while people live: what is learnt from, what judges, what is used."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from agents.assembly import persona_users
from agents.inference.local.local_engine import LocalEngine
from agents.living.adapter_refresh import Refresher, RefreshSettings, divided
from agents.living.diary import DiaryEntry
from agents.living.reflection import LivingUsers
from agents.population.population import Population
from experiments.people.people import People
from experiments.people.sized_populations import first_people, own_dataset
from experiments.simulate.build import Refreshing, cast
from experiments.simulate.drifted import drifted_society, played
from recommenders.policies.heuristics import Random
from simenv.abm.activation import SteadyShare
from simenv.abm.model import PersonaSociety
from simenv.abm.settings import SocietySettings
from simenv.events import Feedback, Slates
from training.adapters.from_diary import FurtherTraining
from training.adapters.lora_presets import lora_preset

TRAINING = {"name": "small", "learning_rate": 3e-4, "epochs": 1}
SMALL = {"window": 8, "least": 10}


@pytest.fixture(scope="module")
def people():
    return first_people(Population.load("pocket"), 16)


class Listening(LocalEngine):
    """Keeps every question that people are asked in a tick."""

    def score(self, requests, choices):
        self.asked = getattr(self, "asked", set()) | {(r.prefix, r.suffix) for r in requests}
        return super().score(requests, choices)


def repeatable(model, adapters):
    """An engine that gives the same bits whatever was asked before."""
    return LocalEngine(model, adapters, repeatable=True)


def living(people, folder, engine=LocalEngine, training=TRAINING, **settings):
    users = persona_users(people, engine=engine)
    refreshing = Refreshing(SMALL | settings, training, folder)
    return cast(own_dataset(people), People(users, {}), 0.0, 0, refreshing)


def society_of(people, who, every, **more):
    settings = SocietySettings(reflect_every=12, refit_every=0, refresh_every=every)
    return PersonaSociety(
        who.users, Random(), people.catalog, people.history, activity=who.activity,
        settings=settings, activation=SteadyShare(0.5), world=who.world, seed=0, **more,
    )  # fmt: skip


def play(society, num_ticks):
    for _ in range(num_ticks):
        society.step()
    return society


def test_the_newest_pages_judge_and_one_alone_is_learnt_from():
    pages = [DiaryEntry("I", str(item), 3) for item in range(6)]
    assert divided(pages, 0.2) == (pages[:4], pages[4:])
    assert divided(pages[:2], 0.2) == (pages[:1], pages[1:2])
    assert divided(pages[:1], 0.2) == (pages[:1], [])


def test_what_was_learnt_from_never_judges_later():
    """A diary grows and loses its oldest pages: what is learnt from stays in its older part."""
    for window in (5, 100):
        life, learnt = [], set()
        for page in range(60):
            life.append(page)
            old, new = divided(life[-window:], 0.2)
            assert not learnt & set(new)
            learnt |= set(old)


def test_the_diary_holds_what_the_engine_was_asked_word_for_word(people, tmp_path):
    who = living(people, tmp_path, engine=Listening)
    users = who.users
    society = society_of(people, who, every=0)
    pages = []
    for _ in range(5):
        society.step()
        diary = users._refresher.diary
        new = [page for user in range(16) for page in diary.of(user) if page not in pages]
        taken = society.last.feedback.ratings[society.last.feedback.taken]
        assert sorted(page.stars for page in new) == sorted(taken)
        assert all((page.prefix, page.suffix) in users.inner.engine.asked for page in new)
        pages += new
    assert len(users.versions(int(society.tally.num_ratings.argmax()))) > 1, "profiles changed"


def test_only_the_latest_decisions_are_kept(people, tmp_path):
    who = living(people, tmp_path, window=2)
    society = play(society_of(people, who, every=0), 4)
    busiest = int(society.tally.num_ratings.argmax())
    assert society.tally.num_ratings[busiest] > 2
    assert len(who.users._refresher.diary.of(busiest)) == 2


@pytest.fixture(scope="module")
def refreshed(people, tmp_path_factory):
    """People who love whatever they are shown, which their model cannot know."""
    folder = tmp_path_factory.mktemp("refreshed")
    who = living(people, folder, least=20)
    users, ones = np.arange(16), np.ones((16, 5))
    for start in (0, 5):
        slates = Slates(np.tile(np.arange(start, start + 5), (16, 1)), ones)
        who.users.remember(users, slates, Feedback(5 * ones, np.full((16, 5, 5), 0.2),
                                                   ones > 0, ones[:, 0] > 1))  # fmt: skip
    who.users.refresh(4)
    return folder, who


@pytest.mark.slow
def test_every_adapter_with_enough_decisions_is_trained_judged_and_used(people, refreshed):
    folder, who = refreshed
    num_wearers = Counter(p.adapter for p in people.personas)
    names = {name for name, count in num_wearers.items() if 6 * count >= 20}
    assert len(names) >= 2
    assert {refresh.adapter for refresh in who.users.refreshes} == names
    for refresh in who.users.refreshes:
        assert refresh.people == num_wearers[refresh.adapter]
        assert refresh.learnt_from == 6 * refresh.people, "eight pages each, of which two judge"
        assert refresh.held_out == 2 * refresh.people
        assert refresh.used
        assert refresh.after.nll < refresh.before.nll
        assert refresh.after.rmse < refresh.before.rmse
        assert (folder / refresh.folder / "adapter_model.safetensors").is_file()
    used = {r.adapter: f"{r.adapter}@{r.folder}" for r in who.users.refreshes}
    now = [persona.adapter for persona in who.users.personas]
    assert now == [used.get(p.adapter, p.adapter) for p in people.personas]
    assert set(who.users.inner.engine.adapters) >= set(used.values())
    assert not set(who.users.inner.engine.adapters) & set(used), "the old ones are let go"
    request = who.users.inner.requests(np.array([0]), np.array([[1]]))[0]
    assert request.adapter == now[0]


@pytest.mark.slow
def test_a_new_society_begins_with_the_adapters_people_came_with(people, refreshed):
    _, who = refreshed
    first = who.users.snapshot()
    society_of(people, who, every=4)
    assert who.users.refreshes == []
    assert [p.adapter for p in who.users.personas] == [p.adapter for p in people.personas]
    assert set(who.users.inner.engine.adapters) == set(people.adapters)
    who.users.restore(first)
    assert who.users.snapshot() == first


@pytest.mark.slow
def test_an_adapter_that_got_worse_is_not_used(people, tmp_path):
    who = living(people, tmp_path, training=TRAINING | {"learning_rate": 1.0})
    play(society_of(people, who, every=3), 3)
    worse = [r for r in who.users.refreshes if not r.used]
    assert worse
    for refresh in worse:
        assert refresh.after is None or refresh.after.nll > refresh.before.nll
    kept = {r.adapter for r in worse}
    now = {p.adapter for p in who.users.personas}
    assert kept <= now
    assert kept <= set(who.users.inner.engine.adapters)
    assert not any(r.folder in name for r in worse for name in who.users.inner.engine.adapters)


class KilledError(BaseException):
    """Stands for a power cut, which no society survives."""


@pytest.mark.slow
def test_a_run_killed_in_a_refresh_goes_on_bit_for_bit(tmp_path):
    """The kill comes when one adapter is trained and another is not, and no checkpoint knows."""
    people = first_people(Population.load("pocket"), 6)
    whole = living(people, tmp_path / "whole" / "adapters", repeatable, least=2)
    play(society_of(people, whole, every=2, folder=tmp_path / "whole"), 4).finish()
    parts = tmp_path / "parts"
    who = living(people, parts / "adapters", repeatable, least=2)
    train, calls = who.users._refresher._train, []

    def killed(*args):
        calls.append(1)
        if len(calls) == 2:
            raise KilledError
        return train(*args)

    who.users._refresher._train = killed
    with pytest.raises(KilledError):
        play(society_of(people, who, every=2, folder=parts), 4)
    again = living(people, parts / "adapters", repeatable, least=2)
    society = society_of(people, again, every=2, folder=parts, resume=True)
    assert society.steps == 1
    play(society, 2)  # past the refresh, and stopped between two ticks
    last = living(people, parts / "adapters", repeatable, least=2)
    society = society_of(people, last, every=2, folder=parts, resume=True)
    assert society.steps == 3
    assert last.users.refreshes
    play(society, 1).finish()
    logs = [(tmp_path / n / "interactions.parquet").read_bytes() for n in ("whole", "parts")]
    assert logs[0] == logs[1]
    assert last.users.refreshes == whole.users.refreshes
    assert last.users.snapshot() == whole.users.snapshot()


@pytest.mark.slow
def test_where_people_have_changed_a_refresh_lowers_the_held_out_error(tmp_path):
    training = TRAINING | {"learning_rate": 1e-3}
    refreshing = Refreshing({"least": 60}, training, tmp_path)
    refreshes = played(drifted_society(48, 1.5, refreshing, every=12, share=0.25), 12)
    assert len(refreshes) >= 2
    for refresh in refreshes:
        assert refresh.used
        assert refresh.after.nll < refresh.before.nll - 0.05
        assert refresh.after.rmse < refresh.before.rmse - 0.03


def never(adapter: Path, lives: object) -> Path:
    raise AssertionError("nothing is trained here")


def test_people_without_adapters_and_engines_that_cannot_swap_are_refused(people, tmp_path):
    with pytest.raises(ValueError, match=r"an engine that can load adapters .* ScriptedEngine"):
        Refresher(persona_users(people, engine="scripted"), never, tmp_path)
    bare = first_people(people, 2)
    bare.personas[:] = [type(p)(p.activity, p.conformity, p.diversity, "I") for p in bare.personas]
    with pytest.raises(ValueError, match="wanted people with persona adapters"):
        Refresher(persona_users(bare, engine="scripted"), never, tmp_path)


@pytest.mark.parametrize("wrong", [{"window": 1}, {"least": 0}, {"held_out": 0.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=r"RefreshSettings wanted (a window|least|held_out)"):
        RefreshSettings(**wrong)


def test_a_refresh_wants_somebody_who_trains(people):
    users = LivingUsers(persona_users(people, engine="scripted"))
    with pytest.raises(RuntimeError, match="refresh wanted somebody who trains adapters"):
        users.refresh(1)


def test_the_presets_of_the_config_are_known():
    assert FurtherTraining("base", Path("x"), lora_preset(**TRAINING)).preset.epochs == 1

"""People on an engine: the user model's contract, law 2, one engine call, ablations."""

from dataclasses import replace

import numpy as np
import pytest

from agents.assembly import without
from agents.calibration import Calibration
from agents.inference.scripted import ScriptedEngine
from agents.memory.base import ExactMemory, FaissMemory, TableMemory
from agents.persona_users import PersonaUsers
from simenv.events import Slates
from simenv.seeding import row_seeds
from simenv.testing.user_models import UserModelContract
from simenv.users.behaviour import Behaviour


class CountingEngine(ScriptedEngine):
    """Keeps what it was asked."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def score(self, requests, choices):
        self.calls.append(list(requests))
        return super().score(requests, choices)


def slates_for(users, num_places=3):
    items = np.stack([np.roll(np.arange(12), u)[:num_places] for u in users])
    return Slates.of_items(items), row_seeds(0, users, users)


class TestPeopleOnTheScriptedEngine(UserModelContract):
    num_items = 12

    @pytest.fixture(params=[ExactMemory, FaissMemory, TableMemory])
    def make_users(self, request, population):
        return lambda: PersonaUsers(population, ScriptedEngine(), request.param)


class TestPeopleOnThePocketModel(UserModelContract):
    num_items, atol = 12, 1e-5

    @pytest.fixture
    def make_users(self, population, engine):
        return lambda: PersonaUsers(population, engine)


def test_all_memories_lead_to_the_same_questions(population):
    who, items = np.arange(5), np.tile(np.arange(12), (5, 1))
    exact, faiss, table = (
        PersonaUsers(population, ScriptedEngine(), kind).requests(who, items)
        for kind in (ExactMemory, FaissMemory, TableMemory)
    )
    assert exact == faiss == table


def test_remember_grows_the_memory_by_exactly_the_ratings(scripted_users):
    who = np.arange(5)
    slates, seeds = slates_for(who)
    feedback = scripted_users.respond(who, slates, seeds)
    assert 0 < feedback.taken.sum() < feedback.taken.size, "some items taken, not all"
    before = [scripted_users.memory.decisions(u) for u in who]
    scripted_users.remember(who, slates, feedback)
    for user in who:
        taken = feedback.taken[user]
        new = scripted_users.memory.decisions(user)[len(before[user]) :]
        assert scripted_users.memory.decisions(user)[: len(before[user])] == before[user]
        assert [(i, r) for i, r, _ in new] == list(
            zip(slates.items[user][taken], feedback.ratings[user][taken], strict=True)
        )
        assert all(reason for _, _, reason in new)


def test_a_new_memory_is_recalled_but_never_for_the_item_itself(scripted_users):
    who, slates = np.array([4]), Slates.of_items(np.array([[3]]))
    feedback = scripted_users.respond(who, slates, row_seeds(0, who, who))
    feedback = feedback._replace(ratings=np.array([[5.0]]), taken=np.array([[True]]))
    scripted_users.remember(who, slates, feedback)
    itself, other = scripted_users.requests(who, np.array([[3, 4]]))
    assert "MEMORY" not in itself.suffix
    assert "MEMORY: Film D" in other.suffix
    assert "I gave 5" in other.suffix


def test_one_respond_is_one_engine_call_whatever_the_batch(population):
    engine = CountingEngine()
    users, who = PersonaUsers(population, engine), np.arange(5)
    users.respond(who, *slates_for(who))
    assert [len(call) for call in engine.calls] == [5 * 3]
    users.remember(who, slates_for(who)[0], users.respond(who, *slates_for(who)))
    assert len(engine.calls) == 2, "remembering asks nothing"


def test_every_request_carries_its_own_users_prefix_and_adapter(change, population):
    personas = [
        replace(p, adapter=name)
        for p, name in zip(population.personas, ("ann", None, "bob", "ann", None), strict=True)
    ]
    people = change(personas=personas, adapters={"ann": "a", "bob": "b"})
    asked = PersonaUsers(people, ScriptedEngine()).requests(
        np.array([3, 1]), np.array([[0, 1]] * 2)
    )
    assert [r.adapter for r in asked] == ["ann", "ann", None, None]
    assert all(personas[3].profile in r.prefix for r in asked[:2])
    assert all(personas[1].profile in r.prefix for r in asked[2:])


def test_satisfaction_moves_towards_the_slate_and_a_new_session_starts_afresh(population):
    users = PersonaUsers(
        population, ScriptedEngine(), behaviour=Behaviour(content_level=1.0, base_quit=0.5)
    )
    who = np.arange(5)
    slates, seeds = slates_for(who)
    untouched = users.snapshot()
    feedback = users.respond(who, slates, seeds)
    nothing = feedback._replace(taken=np.zeros_like(feedback.taken))
    users.remember(who, slates, nothing)
    assert users.snapshot() != untouched
    assert users.respond(who, slates, seeds).quits.sum() <= feedback.quits.sum()
    users.start_session(who)
    assert users.snapshot() == untouched


def test_without_persona_nobody_has_a_prefix_of_their_own(population):
    users = PersonaUsers(without(population, persona=True), ScriptedEngine())
    asked = users.requests(np.arange(5), np.zeros((5, 1), dtype=np.int64))
    assert len({r.prefix for r in asked}) == 1
    assert not any(p.profile in asked[0].prefix for p in population.personas)
    assert len({r.suffix for r in asked}) > 1, "memories are still told"


def test_without_memory_only_the_item_is_told(population):
    users = PersonaUsers(without(population, memory=True), ScriptedEngine())
    asked = users.requests(np.arange(4), np.full((4, 1), 11))
    assert not any("MEMORY" in r.suffix or "ALIKE" in r.suffix for r in asked)
    assert len({r.prefix for r in asked}) == 4


def test_without_both_everybody_answers_the_same(population):
    users = PersonaUsers(without(population, persona=True, memory=True), ScriptedEngine())
    chances = users.probabilities(np.arange(5), np.tile(np.arange(12), (5, 1)))
    np.testing.assert_array_equal(chances, chances[[0] * 5])


def test_without_nothing_is_the_same_population(population):
    assert without(population) == population


@pytest.mark.parametrize("item", [-1, 12])
def test_an_item_outside_the_catalogue_is_refused(scripted_users, item):
    with pytest.raises(
        ValueError, match=rf"items in \[0, 12\), got {min(item, 0)}\.\.{max(item, 0)}"
    ):
        scripted_users.probabilities(np.array([0]), np.array([[0, item]]))


def test_snapshots_of_another_population_are_refused(population, scripted_users, change):
    smaller = change(
        personas=population.personas[:4],
        history=replace(population.history, num_users=4),
    )
    taken = PersonaUsers(smaller, ScriptedEngine()).snapshot()
    before = scripted_users.snapshot()
    with pytest.raises(
        ValueError, match=r"restore wanted satisfaction of shape \(5,\), got \(4,\)"
    ):
        scripted_users.restore(taken)
    with pytest.raises(ValueError, match="bytes that snapshot"):
        scripted_users.restore(b"nonsense")
    assert scripted_users.snapshot() == before


def test_a_calibration_is_applied_unless_it_is_switched_off(population):
    """Without one, and with it off, answers are the model's own, bit for bit."""
    users, items = np.array([0, 1]), np.array([[0, 1], [2, 3]])
    plain = PersonaUsers(population, ScriptedEngine()).probabilities(users, items)
    own = Calibration(2.0, {0: 0.5})
    people = replace(population, calibration=own)
    found = PersonaUsers(people, ScriptedEngine()).probabilities(users, items)
    np.testing.assert_allclose(found, own.applied(plain, np.zeros((2, 2), dtype=int)))
    assert abs(found - plain).max() > 0.05
    off = PersonaUsers(people, ScriptedEngine(), calibrated=False).probabilities(users, items)
    assert (off == plain).all()


def test_who_becomes_another_persona_gets_its_temperature(population):
    people = replace(population, calibration=Calibration(1.0, {7: 3.0}))
    model = PersonaUsers(people, ScriptedEngine())
    user, items = np.array([0]), np.array([[0, 1]])
    before = model.probabilities(user, items)
    model.become(0, replace(people.personas[0], cluster=7))
    after = model.probabilities(user, items)
    np.testing.assert_allclose(after, Calibration(3.0).applied(before, np.zeros((1, 2), dtype=int)))

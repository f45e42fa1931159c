"""A student answers alone as in a batch, asks where it is in doubt, and fits its people alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from agents.inference.engine import Engine
from agents.inference.failures import FailedRequestsError
from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from agents.student.cascade_users import CascadeUsers
from agents.student.counting import students_counted
from agents.student.ensemble import NAMES, Ensemble
from agents.student.seen import NUMBERS, people_columns, see
from agents.student.student import Student, identity_of
from simenv.events import NUM_STARS, Slates
from simenv.testing.user_models import UserModelContract

USERS, ITEMS = np.array([0, 3]), np.array([[1, 2, 5], [7, 1, 0]])


def networks(population, members=3, width=8, seed=0):
    """Weights drawn at random."""
    rng = np.random.default_rng(seed)
    people = people_columns(population, population.personas).shape[1]
    items, d = population.vectors.shape
    shapes = {
        "of_numbers": (len(NUMBERS), width), "of_people": (people, width),
        "of_items": (d, width), "own_items": (items, width), "of_recalled": (d, width),
        "own_recalled": (items, width), "without": (width,), "first": (width,),
        "middle": (width, width), "second": (width,), "last": (width, NUM_STARS),
        "stars": (NUM_STARS,),
    }  # fmt: skip
    drawn = {name: rng.normal(size=(members, *shapes[name])) * 0.4 for name in NAMES}
    return {name: values.astype(np.float32) for name, values in drawn.items()}


@pytest.fixture
def student(population):
    return Student(networks(population), 0.02, identity_of(population), {"questions": 7})


class Asked(ScriptedEngine):
    """Counts what it is asked."""

    def __init__(self):
        super().__init__()
        self.requests = []

    def score(self, requests, choices):
        self.requests += requests
        return super().score(requests, choices)


class TestCascadeUsers(UserModelContract):
    num_items = 12

    @pytest.fixture
    def make_users(self, population, student):
        return lambda: CascadeUsers(population, ScriptedEngine(), student=student)


def cascade(population, student, unsure, engine=None):
    taught = replace(student, unsure=unsure)
    return CascadeUsers(population, engine or ScriptedEngine(), student=taught)


def doubts(population, student):
    users = PersonaUsers(population, ScriptedEngine())
    seen = see(users.told, users.memory, population.style.gist, USERS, ITEMS)
    ensemble = Ensemble(student.weights, population.vectors)
    return ensemble.guess(seen, ensemble.met(people_columns(population, population.personas)))


def test_the_first_layer_in_parts_is_the_layer_as_a_whole(population, student):
    users = PersonaUsers(population, ScriptedEngine())
    seen = see(users.told, users.memory, population.style.gist, USERS, ITEMS)
    people, vectors = people_columns(population, population.personas), population.vectors
    logs = []
    for m in range(3):
        w = {name: values[m].astype(np.float64) for name, values in student.weights.items()}
        hidden = seen.numbers @ w["of_numbers"] + people[seen.users] @ w["of_people"]
        hidden += vectors[seen.items] @ w["of_items"] + w["own_items"][seen.items] + w["first"]
        told = vectors[seen.recalled] @ w["of_recalled"] + w["own_recalled"][seen.recalled]
        hidden += np.where((seen.recalled >= 0)[:, None], told, w["without"])
        deeper = np.maximum(hidden, 0) @ w["middle"] + w["second"]
        logits = np.maximum(deeper, 0) @ w["last"] + w["stars"]
        logs.append(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))
    each = np.exp(logs)
    guess = doubts(population, student)
    np.testing.assert_allclose(guess.chances, each.mean(axis=0), atol=1e-5)
    divergences = (each * (np.array(logs) - np.log(each.mean(axis=0)))).sum(axis=2)
    np.testing.assert_allclose(guess.doubt, divergences.mean(axis=0), atol=1e-5)


def test_networks_that_agree_have_no_doubt(population):
    one = networks(population, members=1)
    weights = {name: np.concatenate([values, values]) for name, values in one.items()}
    guess = doubts(population, Student(weights, 0.0, "", {}))
    np.testing.assert_allclose(guess.doubt, 0.0, atol=1e-6)


def test_where_the_student_is_unsure_the_model_answers_and_nowhere_else(population, student):
    guess, engine = doubts(population, student), Asked()
    unsure = float(np.sort(guess.doubt)[2])  # three of six are above
    users = cascade(population, student, unsure, engine)
    with students_counted() as count:
        found = users.probabilities(USERS, ITEMS).reshape(-1, 5)
    asked = guess.doubt > unsure
    assert len(engine.requests) == 3
    assert (count.questions, count.asked, count.share_asked) == (6, 3, 0.5)
    model = PersonaUsers(population, ScriptedEngine()).probabilities(USERS, ITEMS).reshape(-1, 5)
    np.testing.assert_array_equal(found[asked], model[asked])
    np.testing.assert_array_equal(found[~asked], guess.chances[~asked])


def test_with_no_doubt_allowed_the_people_are_those_of_the_model(population, student):
    users = cascade(population, student, 0.0)
    model = PersonaUsers(population, ScriptedEngine())
    np.testing.assert_array_equal(
        users.probabilities(USERS, ITEMS), model.probabilities(USERS, ITEMS)
    )


def test_who_answers_does_not_depend_on_who_else_is_asked(population, student):
    users = cascade(population, student, float(np.median(doubts(population, student).doubt)))
    together = users.probabilities(USERS, ITEMS)
    for row, user in enumerate(USERS):
        for place in range(3):
            alone = users.probabilities(np.array([user]), ITEMS[row, place].reshape(1, 1))
            np.testing.assert_allclose(alone[0, 0], together[row, place], atol=1e-6)


def test_the_student_sees_new_memories_averages_and_profiles(population, student):
    users = cascade(population, student, 1e9)
    before = users.probabilities(USERS, ITEMS)
    users.hear(np.full(12, 1.5))
    heard = users.probabilities(USERS, ITEMS)
    assert np.abs(heard - before).max() > 1e-3
    slates = Slates.of_items(np.array([[8], [9]]))
    feedback = users.respond(USERS, slates, np.arange(2, dtype=np.uint64))
    taken = replace_taken(feedback)
    users.remember(USERS, slates, taken)
    lived = users.probabilities(USERS, ITEMS)
    assert np.abs(lived - heard).max() > 1e-6
    users.become(0, replace(users.population.personas[0], profile="Somebody else.", level=0.9))
    assert np.abs(users.probabilities(USERS, ITEMS)[0] - lived[0]).max() > 1e-3


def replace_taken(feedback):
    """The feedback as if everything had been taken and liked."""
    taken = np.ones_like(feedback.taken)
    return replace_fields(feedback, ratings=np.full(taken.shape, 5.0), taken=taken)


def replace_fields(feedback, **columns):
    if hasattr(feedback, "_replace"):
        return feedback._replace(**columns)
    return replace(feedback, **columns)


class Failing(Engine):
    """Fails on the second request."""

    facts = ScriptedEngine().facts

    def score(self, requests, choices):
        answers = ScriptedEngine().score(requests, choices)
        answers[1] = np.nan
        raise FailedRequestsError({1: "no"}, answers, "here")

    def generate(self, requests, sampling):
        return []


def test_an_error_of_the_model_names_the_row_of_the_caller(population, student):
    guess = doubts(population, student)
    users = cascade(population, student, float(np.sort(guess.doubt)[2]), Failing())
    with pytest.raises(FailedRequestsError) as error:
        users.probabilities(USERS, ITEMS)
    second = int(np.flatnonzero(guess.doubt > users.student.unsure)[1])
    assert error.value.failures == {second: "no"}
    assert np.isnan(error.value.answers[second]).all()
    assert np.isnan(error.value.answers).any(axis=1).sum() == 1
    assert len(error.value.answers) == ITEMS.size


def test_a_student_is_kept_and_read(student, population, tmp_path):
    student.save(tmp_path / "s")
    again = Student.load(tmp_path / "s")
    assert (again.unsure, again.identity, again.learnt) == (
        student.unsure, student.identity, {"questions": 7}
    )  # fmt: skip
    for name in NAMES:
        np.testing.assert_array_equal(again.weights[name], student.weights[name])
    again.check_fits(population)


def test_a_student_of_another_model_is_refused(student, population, change):
    other = change(style=replace(population.style, gist=3))
    with pytest.raises(ValueError, match="wanted the model, adapters, items and style that it"):
        CascadeUsers(other, ScriptedEngine(), student=student)
    with pytest.raises(ValueError, match="has others; distil it anew: personarec experiment=st"):
        student.check_fits(change(vectors=-population.vectors))


def test_adapters_that_learn_on_are_refused(student, population):
    users = cascade(population, student, 0.1)
    with pytest.raises(ValueError, match=r"got one that is trained further; leave users\.student"):
        users.put_on(USERS, "new", "folder")


def spoilt_head(folder, **fields):
    head = json.loads((folder / "student.json").read_text())
    (folder / "student.json").write_text(json.dumps(head | fields))


def spoilt_weights(folder, change):
    weights = load_file(folder / "student.safetensors")
    change(weights)
    save_file(weights, folder / "student.safetensors")


def with_digest(folder):
    from agents.student.student import _digest

    spoilt_head(folder, weights=_digest(folder / "student.safetensors"))


SPOILT = {
    "no head": (lambda f: (f / "student.json").unlink(), "student.json is missing"),
    "no weights": (lambda f: (f / "student.safetensors").unlink(), "safetensors is missing"),
    "torn head": (lambda f: (f / "student.json").write_text("{"), "is corrupt: wanted JSON"),
    "torn weights": (
        lambda f: (f / "student.safetensors").write_bytes(b"\x07" * 40),
        "student.safetensors is corrupt",
    ),
    "newer": (lambda f: spoilt_head(f, format=9), "wanted format 1, got 9"),
    "text as doubt": (lambda f: spoilt_head(f, unsure="no"), "wanted unsure as a number"),
    "a flag as doubt": (lambda f: spoilt_head(f, unsure=True), "wanted unsure as a number"),
    "negative doubt": (lambda f: spoilt_head(f, unsure=-1), "wanted unsure of at least 0, got -1"),
    "no identity": (lambda f: spoilt_head(f, identity=None), "identity as a text"),
    "nothing learnt": (lambda f: spoilt_head(f, learnt=[]), "learnt as an object"),
    "other weights": (
        lambda f: spoilt_weights(f, lambda w: w["last"].__iadd__(1)),
        "is not the file that student.json was written with",
    ),
    "a tensor less": (
        lambda f: spoilt_weights(f, lambda w: w.pop("last")), "wanted tensors of_numbers"
    ),
    "another shape": (
        lambda f: spoilt_weights(f, lambda w: w.update(second=w["second"][:, :3])),
        "wanted shapes that go together",
    ),
    "no number": (
        lambda f: (spoilt_weights(f, lambda w: w["last"].fill(np.nan)), with_digest(f)),
        "last wanted finite numbers in float32",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_student_is_refused_by_name(student, tmp_path, kind):
    student.save(tmp_path / "s")
    spoil, said = SPOILT[kind]
    spoil(tmp_path / "s")
    with pytest.raises((ValueError, FileNotFoundError), match=f"^student 's': .*{said}"):
        Student.load(tmp_path / "s")

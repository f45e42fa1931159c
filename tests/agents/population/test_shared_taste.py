"""People whose facets are mixed, and their peers, on disk: whole, or refused by the file's name."""

import json
import shutil
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import simenv  # noqa: F401
from agents.assembly import persona_users
from agents.inference.facets.mixtures import mixture_name
from agents.peers import Peers
from agents.population.population import Population
from agents.prompt_style import PromptStyle

GATES = [(0.7, 0.2, 0.1), (0.1, 0.2, 0.7), (0.2, 0.5, 0.3), (1.0, 0.0, 0.0), (0.3, 0.3, 0.4)]


@pytest.fixture
def mixed(change, population, facets_folder):
    """Five people, each with an own mixture of one adapter."""
    personas = [
        replace(p, adapter="facets", gate=gate)
        for p, gate in zip(population.personas, GATES, strict=True)
    ]
    return change(personas=personas, adapters={"facets": str(facets_folder)})


@pytest.fixture
def saved(mixed, tmp_path):
    mixed.save(tmp_path / "people")
    return tmp_path / "people"


def test_gates_come_back_as_they_were_and_answer_so(mixed, saved):
    again = Population.load(saved)
    assert [p.gate for p in again.personas] == GATES
    asked = np.arange(5), np.array([[10, 11]] * 5)
    before, after = (persona_users(people).probabilities(*asked) for people in (mixed, again))
    np.testing.assert_allclose(after, before, atol=1e-6)
    same = replace(again, personas=[replace(p, gate=GATES[0]) for p in again.personas])
    other = persona_users(same).probabilities(*asked)
    assert abs(other[1:] - after[1:]).max() > 1e-3, "a gate decides what is answered"


def test_every_person_is_asked_under_their_own_mixture(mixed):
    users = persona_users(mixed, "scripted")
    requests = users.requests(np.arange(5), np.array([[10]] * 5))
    assert [r.adapter for r in requests] == [mixture_name("facets", gate) for gate in GATES]


def test_an_environment_plays_people_with_facets(saved):
    env = gym.make_vec("PersonaRec-v0", num_envs=3, population=saved, slate_size=2)
    env.reset(seed=0)
    _, reward, *_ = env.step(env.action_space.sample())
    assert np.isfinite(reward).all()
    env.close()


def test_people_without_facets_have_no_file_of_gates(population, tmp_path):
    population.save(tmp_path / "plain")
    names = {path.name for path in (tmp_path / "plain").iterdir()}
    assert not {"gates.safetensors", "peers.safetensors"} & names
    style = json.loads((tmp_path / "plain" / "population.json").read_text())["style"]
    assert "peers" not in style, "earlier versions read it as before"


def test_somebody_who_becomes_another_is_asked_under_that_one_s_mixture(mixed):
    users = persona_users(mixed, "scripted")
    users.become(0, replace(users.population.personas[0], gate=GATES[1]))
    assert users.requests(np.array([0]), np.array([[10]]))[0].adapter.endswith("0.700000")
    users.put_on(np.array([0]), "later", "folder")
    assert users.requests(np.array([0]), np.array([[10]]))[0].adapter == "later"


def spoil(folder, tensors, name="gates.safetensors"):
    """Other numbers, and a head that does not know the file's hash."""
    save_file(tensors, folder / name)
    head = json.loads((folder / "population.json").read_text())
    head.pop("files"), head.pop("digest")
    (folder / "population.json").write_text(json.dumps(head))


@pytest.mark.parametrize(
    ("change_gates", "text"),
    [
        (lambda g: g * 1.5, "gates.safetensors, row 0: wanted a gate .* sum 1.5"),
        (lambda g: np.where(g > 0.6, np.nan, g), "row 0 of 'gates' holds NaN"),
        (lambda g: g[:4], "wanted tables with rows {'gates': 5}"),
        (lambda g: np.column_stack([g, 0 * g[:, :1]]), "person 0 .* a gate of 3 weights.* got 4"),
        (lambda g: g * (np.arange(5) != 2)[:, None], "person 2 .* a gate of 3 weights.* got 0"),
    ],
    ids=["sum", "nan", "rows", "facets", "nobody's"],
)
def test_gates_that_are_none_are_refused(saved, change_gates, text):
    gates = load_file(saved / "gates.safetensors")["gates"]
    spoil(saved, {"gates": np.ascontiguousarray(change_gates(gates))})
    with pytest.raises(ValueError, match=text):
        Population.load(saved)


def test_a_gate_file_of_another_run_is_known_by_its_hash(saved):
    gates = load_file(saved / "gates.safetensors")["gates"]
    save_file({"gates": gates[::-1].copy()}, saved / "gates.safetensors")
    with pytest.raises(ValueError, match=r"gates\.safetensors is not the file that was saved"):
        Population.load(saved)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gates.safetensors", "person 0 .* a gate of 3 weights"),
        ("adapters/facets/gate.safetensors", "person 0 .* a gate of 0 weights"),
        ("adapters/facets/adapter_model.safetensors", "adapter_model.safetensors"),
    ],
)
def test_a_file_that_is_gone_is_missed(saved, name, text):
    (saved / name).unlink()
    with pytest.raises((ValueError, FileNotFoundError), match=name.rpartition("/")[2]):
        Population.load(saved)
    head = json.loads((saved / "population.json").read_text())
    head["files"].pop(name), head.pop("digest")
    (saved / "population.json").write_text(json.dumps(head))
    with pytest.raises((ValueError, FileNotFoundError), match=text):
        Population.load(saved)


def test_facets_of_another_base_are_refused(mixed, facets_folder, tmp_path):
    folder = shutil.copytree(facets_folder, tmp_path / "facets")
    card = {"base": "other", "base_is_folder": True, "base_identity": "0" * 64, "facets": 3}
    (folder / "adapter_card.json").write_text(json.dumps(card))
    people = replace(mixed, adapters={"facets": str(folder)})
    with pytest.raises(ValueError, match="was trained on 'other'"):
        people.save(tmp_path / "people")


# -- peers --------------------------------------------------------------------------------------


@pytest.fixture
def with_peers(change):
    rng = np.random.default_rng(0)
    people = np.column_stack([rng.normal(3, 0.5, 5), np.ones(5)])
    items = np.column_stack([np.ones(12), rng.normal(0, 0.5, 12)])
    style = PromptStyle(verbatim=1, gist=4, peers=True)
    return change(peers=Peers(people, items), style=style)


def test_a_prompt_says_what_people_alike_gave(with_peers):
    suffix = persona_users(with_peers, "scripted").requests(np.array([1]), np.array([[3]]))[0]
    own, item = with_peers.peers.people[1], with_peers.peers.items[3]
    assert f"PEERS {own @ item:.1f}. " in suffix.suffix


def test_stars_of_peers_stay_between_one_and_five():
    peers = Peers(np.array([[-9.0], [9.0], [3.0]]), np.ones((1, 1)))
    assert peers.stars(np.arange(3), np.zeros((3, 1), int))[:, 0].tolist() == [1.0, 5.0, 3.0]


def test_peers_come_back_as_they_were(with_peers, tmp_path):
    with_peers.save(tmp_path / "people")
    again = Population.load(tmp_path / "people")
    assert again.style.peers
    np.testing.assert_allclose(again.peers.people, with_peers.peers.people, rtol=1e-6)
    asked = np.arange(5), np.array([[1, 2]] * 5)
    before, after = (
        persona_users(people, "scripted").requests(*asked) for people in (with_peers, again)
    )
    assert before == after


def test_a_style_that_shows_peers_wants_some(change):
    with pytest.raises(ValueError, match="wanted what people alike gave, got none"):
        persona_users(change(style=PromptStyle(peers=True)), "scripted")


def test_peers_of_other_people_are_refused(with_peers, tmp_path):
    with_peers.save(tmp_path / "people")
    tables = load_file(tmp_path / "people" / "peers.safetensors")
    fewer = {**tables, "people": tables["people"][:3].copy()}
    spoil(tmp_path / "people", fewer, "peers.safetensors")
    with pytest.raises(ValueError, match=r"peers\.safetensors: wanted tables with rows"):
        Population.load(tmp_path / "people")


def test_peers_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="peers wanted finite numbers"):
        Peers(np.array([[np.nan]]), np.ones((1, 1)))
    with pytest.raises(ValueError, match=r"people \(n, d\) and items \(m, d\)"):
        Peers(np.ones((2, 3)), np.ones((4, 2)))

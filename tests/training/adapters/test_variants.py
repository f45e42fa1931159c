"""The adapters of a table: who learns from whom, equal rows, nothing twice, and an environment."""

import pickle
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import simenv  # noqa: F401
from agents.assembly import persona_users
from agents.inference.local.local_engine import LocalEngine
from agents.inference.ray.tasks import Outcome
from agents.population.population import Population
from agents.prompt_style import PromptStyle
from simenv.data.synthetic import synthetic
from training.adapters.lora_presets import lora_preset
from training.adapters.variants import people_on, same_rows, train_variants
from training.populate import population_on
from training.spreading import one_by_one

QUICK = lora_preset("small", rank=2, epochs=3, blocks_per_step=4, learning_rate=0.05)
USERS = np.array([0, 1, 2, 3, 4, 5, 6, 6])  # whose the eight blocks are; user 7 has none
LABELS = np.array([0, 0, 1, 1, 2, 2, 3, 3])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("adapters")


@pytest.fixture(scope="module")
def variants(tiny_base, blocks, root):
    return train_variants(tiny_base, blocks, USERS, LABELS, QUICK, root)


@pytest.mark.slow
def test_every_user_has_the_adapter_of_their_group(variants):
    assert variants["none"].of_user == [None] * 8
    assert variants["single"].of_user == ["single"] * 8
    assert variants["single_all"].of_user == ["single_all"] * 8
    assert variants["persona"].of_user == [f"persona-{label}" for label in LABELS]
    assert sorted(variants["random"].of_user) == sorted(f"random-{label}" for label in LABELS)
    assert variants["random"].of_user != [f"random-{label}" for label in LABELS]


@pytest.mark.slow
def test_an_adapter_learns_from_the_rows_of_its_users(variants):
    """The first block has two rows, the others three."""
    rows = {a: card["rows"] for v in variants.values() for a, card in v.cards.items()}
    assert rows["single_all"] == 23
    assert [rows[f"persona-{g}"] for g in range(4)] == [2 + 3, 3 + 3, 3 + 3, 3 + 3]
    assert sum(rows[f"random-{g}"] for g in range(4)) == 23
    assert rows["single"] == round(23 / 4)


def test_rows_drawn_for_one_adapter_are_exactly_as_many_as_wanted(blocks):
    for wanted in range(1, 24):
        drawn = same_rows(blocks, wanted, np.random.default_rng(wanted))
        assert np.count_nonzero(drawn.weights) == wanted
        assert len(drawn.prefixes) <= wanted // 2 + 2
        assert set(drawn.prefixes) <= set(blocks.prefixes)
    assert blocks.weights.sum() == 23, "the blocks themselves are as they were"


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_nothing_is_trained_twice(
    tiny_base, blocks, root, variants, tmp_path
):
    def never(name, step, loss):
        raise AssertionError(f"{name} is trained already")

    again = train_variants(tiny_base, blocks, USERS, LABELS, QUICK, root, on_step=never)
    assert again["persona"].adapters == variants["persona"].adapters
    assert len(list(root.iterdir())) == len({f for v in variants.values() for f in v.adapters})

    trained = []

    def stop(name, step, loss):
        if name == "persona-2":
            raise KeyboardInterrupt
        trained.append(name)

    wanted = {"names": ["persona"]}
    with pytest.raises(KeyboardInterrupt):
        train_variants(tiny_base, blocks, USERS, LABELS, QUICK, tmp_path, on_step=stop, **wanted)
    assert set(trained) == {"persona-0", "persona-1"}
    rest = []
    train_variants(
        tiny_base, blocks, USERS, LABELS, QUICK, tmp_path,
        on_step=lambda name, *_: rest.append(name), **wanted,
    )  # fmt: skip
    assert set(rest) == {"persona-2", "persona-3"}


@pytest.mark.slow
def test_adapters_that_parts_train_are_found_and_each_is_a_part_once(
    tiny_base, blocks, root, variants, tmp_path
):
    begun, names = [], ["persona", "persona"]

    def spread(parts, begins):
        assert len(parts) == len({part.args[3] for part in parts.values()}) == 4
        return one_by_one(pickle.loads(pickle.dumps(parts)), begins)  # as they travel

    found = train_variants(
        tiny_base, blocks, USERS, LABELS, QUICK, tmp_path,
        names=names, spread=spread, on_step=lambda name, *step: begun.append((name, step[0])),
    )  # fmt: skip
    assert ("persona-0", 1) in begun
    for adapter, folder in variants["persona"].adapters.items():
        own = Path(found["persona"].adapters[adapter])
        assert own.name == Path(folder).name
        for file in ("adapter_model.safetensors", "adapter_config.json"):
            assert (own / file).read_bytes() == (Path(folder) / file).read_bytes()

    def nothing_left(parts, begins):
        assert parts == {}
        return one_by_one(parts, begins)

    train_variants(
        tiny_base, blocks, USERS, LABELS, QUICK, tmp_path, names=names, spread=nothing_left
    )


def test_an_adapter_that_stayed_on_another_machine_is_said(tiny_base, blocks, tmp_path):
    def lost(parts, begins):
        return (Outcome(name) for name in parts)

    with pytest.raises(FileNotFoundError, match=r"adapter persona-0 wanted .*all machines share"):
        train_variants(
            tiny_base, blocks, USERS, LABELS, QUICK, tmp_path, names=["persona"], spread=lost
        )


def test_what_does_not_fit_together_is_refused(tiny_base, blocks, root):
    def train(users=USERS, labels=LABELS, names=("none",)):
        train_variants(tiny_base, blocks, users, labels, QUICK, root, names=names)

    with pytest.raises(ValueError, match=r"wanted some of none, single, .* got \['double'\]"):
        train(names=["none", "double"])
    with pytest.raises(ValueError, match="a user for each of 8 blocks, got 7"):
        train(users=USERS[:7])
    with pytest.raises(ValueError, match="got 4 groups and a block of user 6; cluster all people"):
        train(labels=LABELS[:4])
    with pytest.raises(ValueError, match=r"adapter persona-3: .*at least one rating .* more users"):
        train(labels=np.array([0, 0, 1, 1, 2, 2, 2, 3]), names=["persona"])


@pytest.fixture(scope="module")
def population(tiny_base, variants):
    """Eight people on four trained adapters."""
    world = synthetic(7, num_users=8, num_items=40)
    people = population_on(world, str(tiny_base), PromptStyle())
    return people_on(people, variants["persona"], LABELS)


@pytest.mark.slow
def test_people_are_put_on_their_adapters(population):
    assert [p.cluster for p in population.personas] == LABELS.tolist()
    assert [p.adapter for p in population.personas] == [f"persona-{label}" for label in LABELS]


@pytest.mark.slow
def test_a_saved_population_keeps_its_trained_adapters(population, tmp_path):
    population.save(tmp_path / "people")
    loaded = Population.load(tmp_path / "people")
    assert [p.adapter for p in loaded.personas] == [p.adapter for p in population.personas]
    users, items = np.arange(8), np.tile(np.arange(3), (8, 1))
    answers = [persona_users(p).probabilities(users, items) for p in (population, loaded)]
    # vectors are kept in half precision, so what is recalled may differ in the last digit told
    np.testing.assert_allclose(answers[0], answers[1], atol=0.05)
    plain = replace(population, personas=[replace(p, adapter=None) for p in population.personas])
    assert np.abs(persona_users(plain).probabilities(users, items) - answers[0]).max() > 0.05


@pytest.mark.slow
def test_an_environment_asks_four_adapters_in_four_groups(population, tmp_path):
    population.save(tmp_path / "people")
    made = []

    def engine(model, adapters):
        made.append(LocalEngine(model, adapters))
        return made[-1]

    env = gym.make_vec(
        "PersonaRec-v0", num_envs=8, population=tmp_path / "people", engine=engine, slate_size=3
    )
    env.reset(seed=0)
    env.step(np.tile(np.arange(3), (8, 1)))
    assert sorted(made[0].adapters) == [f"persona-{g}" for g in range(4)]
    assert made[0].stats.requests == 8 * 3
    assert made[0].stats.adapter_switches <= 4, "once a group, however the users are mixed"
    env.close()

"""Facets learn what no prompt says: in a world of known groups they beat one adapter of their size.

Films are red, blue or green, which their titles tell, and each group of people loves another
colour. There is one genre, so profiles know nothing of it; only who agreed with whom does.
"""

import numpy as np
import pytest

from agents.assembly import persona_users
from agents.fidelity.error_measures import rmse_difference_interval
from agents.fidelity.held_out import rate
from agents.population.population import POCKET
from agents.prompt_style import PromptStyle
from simenv.catalog import Catalog
from simenv.data.splits import split_dataset
from simenv.events import InteractionLog, expected_stars
from training.adapters.lora_presets import lora_preset
from training.adapters.person_vectors import vectors_for
from training.adapters.variants import people_on, train_variants
from training.examples.raft import RaftSettings, raft_set
from training.groups.quality import cluster_quality
from training.populate import population_on

NUM_USERS, NUM_ITEMS, ROWS = 120, 90, 40
COLOURS = ("Red", "Blue", "Green")
GROUPS = np.arange(NUM_USERS) % 3
NOUNS = ("Lion", "Iron", "Dog", "House", "Train", "Wedding", "River", "Storm", "King", "Road")


def colour_world(seed=0):
    """People rate 40 of 90 films; their group's colour is worth 1.2 stars more than the others."""
    rng = np.random.default_rng(seed)
    nothing = ("",) * NUM_ITEMS
    catalog = Catalog(
        titles=tuple(f"The {COLOURS[i % 3]} {NOUNS[i // 3 % 10]}" for i in range(NUM_ITEMS)),
        years=np.full(NUM_ITEMS, 1990),
        genres=(("Drama",),) * NUM_ITEMS,
        casts=((),) * NUM_ITEMS,
        summaries=nothing,
    )
    users = np.repeat(np.arange(NUM_USERS), ROWS)
    items = np.concatenate([rng.permutation(NUM_ITEMS)[:ROWS] for _ in range(NUM_USERS)])
    liked = items % 3 == GROUPS[users]
    stars = 3.0 + np.where(liked, 1.2, -0.6) + rng.normal(0, 0.5, len(users))
    columns = users, items, np.clip(stars.round(), 1, 5)
    log = InteractionLog.from_columns(*columns, num_users=NUM_USERS, num_items=NUM_ITEMS)
    return split_dataset("colours", catalog, log, tuple(map(str, range(NUM_USERS))))


@pytest.mark.reliability
@pytest.mark.timeout(3600)
def test_facets_beat_one_adapter_of_their_size_and_shuffled_gates(tmp_path):
    world, style = colour_world(), PromptStyle().without_memory()
    model = str(POCKET / "model")
    raft = raft_set(world, style, RaftSettings(cuts=(0.5,), turns=12))
    vectors = vectors_for(("ratings", "others"), world, raft, [], 0)
    assert cluster_quality(vectors["ratings"].users, 3, known=GROUPS).known > 0.9
    names = ["none", "single_wide", "facets", "facets_shuffled"]
    variants = train_variants(
        model,
        raft.examples,
        raft.users,
        np.zeros(NUM_USERS, np.int64),
        lora_preset("small", rank=4, epochs=4, learning_rate=0.003),
        tmp_path,
        names=names,
        vectors=vectors,
        num_facets=3,
    )
    people = population_on(world, model, style)
    errors = {}
    for name, variant in variants.items():
        users = persona_users(people_on(people, variant, np.zeros(NUM_USERS, np.int64)))
        errors[name] = expected_stars(rate(users, world.test)) - world.test.ratings
        users.engine.close()
    for other in names[:2] + names[3:]:
        ends = rmse_difference_interval(errors["facets"], errors[other], world.test.users)
        print("facets -", other, ends)
        assert ends[1] < 0, other

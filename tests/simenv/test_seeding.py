import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simenv.seeding import row_seeds, uniforms

USERS = np.arange(20_000)
SEEDS = row_seeds(3, USERS, np.zeros_like(USERS))


def test_draws_are_uniform():
    draws = uniforms(SEEDS, 1, 4)
    assert ((draws >= 0) & (draws < 1)).all()
    counts = np.histogram(draws, bins=20, range=(0, 1))[0]
    expected = draws.size / 20
    assert (
        (counts - expected) ** 2 / expected
    ).sum() < 45  # chi-square with 19 degrees, p = 0.0007


def test_channels_places_users_and_steps_are_uncorrelated():
    pairs = {
        "channels": (uniforms(SEEDS, 1, 1)[:, 0], uniforms(SEEDS, 2, 1)[:, 0]),
        "places": tuple(uniforms(SEEDS, 1, 2).T),
        "users": (uniforms(SEEDS, 1, 1)[:-1, 0], uniforms(SEEDS, 1, 1)[1:, 0]),
        "steps": (
            uniforms(SEEDS, 1, 1)[:, 0],
            uniforms(row_seeds(3, USERS, USERS * 0 + 1), 1, 1)[:, 0],
        ),
        "roots": (
            uniforms(SEEDS, 1, 1)[:, 0],
            uniforms(row_seeds(4, USERS, USERS * 0), 1, 1)[:, 0],
        ),
    }
    for name, (a, b) in pairs.items():
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(len(a)), name


def test_no_two_users_or_steps_share_a_seed():
    users, steps = np.meshgrid(np.arange(500), np.arange(100))
    seeds = row_seeds(0, users.ravel(), steps.ravel())
    assert len(np.unique(seeds)) == seeds.size


@given(st.integers(-(2**70), 2**70), st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_a_seed_depends_on_its_own_row_only(root, users):
    together = row_seeds(root, np.array(users), np.arange(len(users)))
    alone = [row_seeds(root, np.array([u]), np.array([t]))[0] for t, u in enumerate(users)]
    assert together.tolist() == alone

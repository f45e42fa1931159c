"""How the log of a made world comes about: who met what, and what they gave."""

from dataclasses import replace

import numpy as np

from simenv.data.worlds.parameters import WorldParameters
from simenv.data.worlds.synthetic_truth import SyntheticTruth, sampled_stars
from simenv.events import BoolArray, FloatArray, InteractionLog


def logged_world(
    world: WorldParameters,
    truth: SyntheticTruth,
    diversity: FloatArray,
    marketing: FloatArray,
    rng: np.random.Generator,
    closed: BoolArray | None = None,
) -> tuple[InteractionLog, SyntheticTruth]:
    """Who met what: popularity and anticipated liking decide, the more so the larger the bias.

    Args:
        world: sizes, and how biased the log is.
        truth: who likes what; it comes back knowing how the log was made.
        diversity: (num_users,) in [0, 1]; the diverse go less by what they expect to like.
        marketing: (num_items,) popularity that has nothing to do with quality.
        rng: draws everything.
        closed: (num_items,) items that nobody can meet; None = all are open.
    """
    n, num_items = world.num_users, world.num_items
    lift = 0.4 * (truth.activity - 2)
    sizes = np.exp(world.mean_log_ratings + lift + world.sd_log_ratings * rng.standard_normal(n))
    sizes = np.clip(sizes, 20, int(0.6 * num_items)).astype(np.int64)
    if closed is not None:  # nobody rates more than there is to meet
        sizes = np.minimum(sizes, np.count_nonzero(~closed))
    popularity = marketing + 0.5 * truth.quality / max(world.quality_sd, 1e-9)
    liking = 1.2 * (1.3 - diversity[:, None]) * (truth.utilities - world.mean_rating)
    pull = world.logging_bias * (popularity + liking)
    if closed is not None:
        pull = np.where(closed, -np.inf, pull)
    keys = pull + rng.gumbel(size=(n, num_items))
    order = np.argsort(-keys, axis=1)
    users = np.repeat(np.arange(n), sizes)
    items = np.concatenate([rng.permutation(order[u, : sizes[u]]) for u in range(n)])
    stars = sampled_stars(truth, users, items, rng)
    log = InteractionLog.from_columns(users, items, stars, num_users=n, num_items=num_items)
    return log, replace(truth, pull=pull, num_logged=sizes)

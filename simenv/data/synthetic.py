"""A synthetic world with known truth and a log collected by a biased policy.

Items have genres, tones, a year, a cast and a quality, and a written summary that carries these in
words. Users have latent tastes, an activity, a conformity and a diversity. The response model is
stated in ``SyntheticTruth``; the log is missing not at random: people met what was popular and what
they expected to like, the more so the larger ``logging_bias``.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betaincinv

from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.data.splits import split_dataset
from simenv.data.synthetic_text import GENRES, PLAIN, TONES, foreign
from simenv.data.worlds.logs import logged_world
from simenv.data.worlds.parameters import WorldParameters
from simenv.data.worlds.synthetic_truth import SyntheticTruth
from simenv.data.worlds.taste_structure import TasteBlock, TasteStructure, Way
from simenv.domains.domain_file import domain_called
from simenv.events import FloatArray
from simenv.ranges import check_seed
from simenv.seeding import Stream, generator

__all__ = ["SyntheticTruth", "WorldParameters", "drawn_world", "synthetic"]

_CONFORMITY = (1.5, 4.0)  # of a beta distribution
_NUM_WAYS = 3  # conformities that a perfect reader tells apart


def synthetic(
    seed: int = 0,
    num_users: int = 400,
    num_items: int = 600,
    logging_bias: float = 1.0,
    fraction: float = 0.6,
    parameters: WorldParameters | None = None,
) -> Dataset:
    """Make a world and its split log.

    Args:
        seed: everything follows from it.
        num_users: people; ignored when ``parameters`` are given, as are the next two.
        num_items: films.
        logging_bias: 0 = logged at random, 1 = strongly by popularity and taste.
        fraction: of each user's rows, in time order, that are training rows.
        parameters: the kind of world, whole.

    Raises:
        TypeError: a parameter is no number.
        ValueError: a parameter is out of its range.
    """
    check_seed("a synthetic world", "a seed", seed)
    world = parameters or WorldParameters(
        num_users=num_users, num_items=num_items, logging_bias=logging_bias
    )
    rng = generator(seed, Stream.SYNTHETIC_WORLD)
    catalog, attributes = _make_items(world, rng)
    truth, diversity = _make_users(world, attributes, rng)
    log, truth = logged_world(world, truth, diversity, attributes.marketing, rng)
    ids = tuple(str(u) for u in range(world.num_users))
    return split_dataset(f"synthetic-{seed}", catalog, log, ids, fraction, truth)


@dataclass(frozen=True)
class _Attributes:
    """Latent attributes of the items; each row of a share matrix sums to 1 (or 0)."""

    genres: FloatArray  # (num_items, 18) shares
    tones: FloatArray  # (num_items, 8) shares
    actors: FloatArray  # (num_items, num_actors) shares
    era: FloatArray  # (num_items,) standardised year
    quality: FloatArray  # (num_items,)
    marketing: FloatArray  # (num_items,) popularity that has nothing to do with quality


def _make_items(world: WorldParameters, rng: np.random.Generator) -> tuple[Catalog, _Attributes]:
    n, bare = world.num_items, world.language == "bare"
    words = PLAIN if world.language == "plain" else foreign(rng)
    actors = words.people(rng, world.num_actors)
    genre_share = rng.dirichlet(np.full(len(GENRES), 2.0))
    genres, tones, casts = np.zeros((n, 18)), np.zeros((n, len(TONES))), np.zeros((n, len(actors)))
    titles, genre_names, cast_names, summaries = [], [], [], []
    taken: set[str] = set()
    for i in range(n):
        g = rng.choice(len(GENRES), size=rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]), replace=False,
                       p=genre_share)  # fmt: skip
        t = rng.choice(len(TONES), size=rng.choice([1, 2]), replace=False)
        a = rng.choice(len(actors), size=3, replace=False)
        genres[i, g], tones[i, t], casts[i, a] = 1 / len(g), 1 / len(t), 1 / 3
        names = tuple(sorted(GENRES[j] for j in g))
        titles.append(words.unused_title(rng, taken))
        genre_names.append(names)
        cast_names.append(() if bare else tuple(actors[j] for j in a))
        summaries.append("" if bare else words.summary(rng, tuple(t), names))
    years = (world.newest_year - rng.gamma(1.3, 12.0, size=n)).astype(np.int64)
    catalog = Catalog(
        tuple(titles),
        years,
        tuple(genre_names),
        tuple(cast_names),
        tuple(summaries),
        domain=domain_called(world.kind),
    )
    quality = world.quality_sd * rng.standard_normal(n)
    era = (years - years.mean()) / years.std()
    return catalog, _Attributes(genres, tones, casts, era, quality, rng.standard_normal(n))


def _make_users(
    world: WorldParameters, items: _Attributes, rng: np.random.Generator
) -> tuple[SyntheticTruth, FloatArray]:
    """The truth and every user's diversity in [0, 1]."""
    n = world.num_users
    shared = rng.standard_normal((3, len(GENRES)))  # tastes come in a few kinds, as in real logs
    kinds = rng.standard_normal((n, 3)) @ shared / np.sqrt(3)
    genre_taste = world.genre_sd * (0.6 * kinds + 0.8 * rng.standard_normal((n, len(GENRES))))
    taste = (
        genre_taste @ items.genres.T
        + world.tone_sd * rng.standard_normal((n, len(TONES))) @ items.tones.T
        + np.sqrt(3) * world.actor_sd * rng.standard_normal((n, world.num_actors)) @ items.actors.T
        + world.era_sd * rng.standard_normal((n, 1)) * items.era
    )
    generosity = world.user_sd * rng.standard_normal((n, 1))
    conformity = rng.beta(*_CONFORMITY, size=n)
    reputation = world.mean_rating + items.quality
    utilities = reputation + (1 - conformity[:, None]) * (generosity + taste)
    activity = 1 + np.searchsorted([0.6, 0.9], rng.random(n))
    truth = SyntheticTruth(
        utilities,
        world.noise_sd,
        activity.astype(np.int64),
        conformity,
        items.quality,
        structure=_structure(world, items, shared),
    )
    return truth, rng.random(n)


def _structure(world: WorldParameters, items: _Attributes, shared: FloatArray) -> TasteStructure:
    """What ``_make_users`` draws tastes from; ``shared`` (3, genres) are the kinds of taste."""
    kinds = 0.36 * shared.T @ shared / 3 + 0.64 * np.eye(len(GENRES))
    middles = betaincinv(*_CONFORMITY, (np.arange(_NUM_WAYS) + 0.5) / _NUM_WAYS)
    return TasteStructure(
        world.mean_rating,
        world.quality_sd,
        world.user_sd,
        world.noise_sd,
        (
            TasteBlock("genres", items.genres, world.genre_sd**2 * kinds),
            TasteBlock("tones", items.tones, world.tone_sd**2 * np.eye(len(TONES))),
            TasteBlock("cast", items.actors, 3 * world.actor_sd**2 * np.eye(world.num_actors)),
            TasteBlock("era", items.era[:, None], np.array([[world.era_sd**2]])),
        ),
        tuple(
            Way(f"conformity {c:.2f}", 1 / _NUM_WAYS, 1.0, 1 - c, np.full(4, 1 - c))
            for c in middles
        ),
    )


def drawn_world(seed: int, logging_bias: float | None = None) -> Dataset:
    """A world of a random kind: the training ground of models that must generalise to new ones.

    ``logging_bias`` stands in place of the drawn one, which is 1.5 at most; None = that one.
    """
    parameters = WorldParameters.drawn(generator(seed, Stream.WORLD_PARAMETERS))
    if logging_bias is not None:
        parameters = replace(parameters, logging_bias=logging_bias)
    dataset = synthetic(seed, parameters=parameters)
    return replace(dataset, name=f"drawn-{seed}")

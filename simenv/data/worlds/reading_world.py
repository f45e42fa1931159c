"""A made world that must be read: what people like of an item stands in its summary alone.

Beside genres, a year and a cast every item has one or two themes and a mood, which only its summary
tells, in words of one of three registers; tastes for them are as large as those for genres. People
decide in different ways: by story, by cast, by reputation, by era, or against the crowd. Some items
come out after the log ends, and some people have hardly rated anything yet.

The old kind is ``simenv.data.synthetic``. Who decides how, and every taste, stand in the data set's
truth, for tests and ceilings; users and policies never see them.
"""

from dataclasses import dataclass, replace

import numpy as np

from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.data.splits import COLD_ROWS, is_training_row, split_rows
from simenv.data.synthetic_text import GENRES, PLAIN
from simenv.data.worlds.logs import logged_world
from simenv.data.worlds.parameters import ReadingParameters
from simenv.data.worlds.reading_text import MOODS, REGISTERS, THEMES, liking, summary
from simenv.data.worlds.synthetic_truth import SyntheticTruth, sampled_stars
from simenv.data.worlds.taste_structure import TasteBlock, TasteStructure, Way
from simenv.domains.domain_file import domain_called
from simenv.events import BoolArray, FloatArray, IntArray, InteractionLog
from simenv.ranges import check_seed
from simenv.seeding import Stream, generator

__all__ = ["ReadingParameters", "drawn_reading_world", "reading_world"]

_LATER = 8  # cold items that everybody rates after the log
_HELD_OUT = 15  # rows that cold people rate at least beyond those they are known by

# Weights of quality, generosity and (genres, themes, moods, cast, era).
_WAYS = (
    Way("story", 0.35, 0.7, 1.0, np.array([0.8, 1.3, 1.3, 0.3, 0.5])),
    Way("cast", 0.15, 0.7, 1.0, np.array([0.8, 0.5, 0.5, 2.5, 0.5])),
    Way("reputation", 0.20, 1.6, 0.7, np.array([0.5, 0.4, 0.4, 0.3, 0.5])),
    Way("era", 0.15, 0.7, 1.0, np.array([0.8, 0.5, 0.5, 0.3, 3.0])),
    Way("contrarian", 0.15, -0.8, 1.0, np.array([1.0, 1.0, 1.0, 0.5, 0.5])),
)


@dataclass(frozen=True)
class _Items:
    """Latent attributes; each row of a share matrix sums to 1."""

    genres: FloatArray  # (num_items, 18) shares
    themes: FloatArray  # (num_items, 16) shares
    moods: FloatArray  # (num_items, 8)
    actors: FloatArray  # (num_items, num_actors) shares
    era: FloatArray  # (num_items,) standardised year
    quality: FloatArray
    marketing: FloatArray  # popularity that has nothing to do with quality


def reading_world(
    seed: int = 0,
    num_users: int = 400,
    num_items: int = 600,
    logging_bias: float = 1.0,
    fraction: float = 0.6,
    cold_items: float = 0.1,
    cold_people: float = 0.25,
    parameters: ReadingParameters | None = None,
) -> Dataset:
    """Make such a world and its split log.

    Args:
        seed: everything follows from it.
        num_users: people; ignored when ``parameters`` are given, as are the others but fraction.
        num_items: films.
        logging_bias: 0 = logged at random, 1 = strongly by popularity and taste.
        fraction: of each user's rows, in time order, that are training rows; cold people have the
            number of ``COLD_ROWS`` instead.
        cold_items: share of the films that come out after the log ends: they are in the catalogue
            and in no row of it. What people gave to them later is ``truth.later``.
        cold_people: share of the people with few training rows or none.
        parameters: the kind of world, whole.

    Raises:
        TypeError: a parameter is no number.
        ValueError: a share outside [0, 1), or another parameter out of its range.
    """
    check_seed("a reading world", "a seed", seed)
    world = parameters or ReadingParameters(
        num_users=num_users,
        num_items=num_items,
        logging_bias=logging_bias,
        cold_items=cold_items,
        cold_people=cold_people,
    )
    new, sparse = _cold(world, seed)
    catalog, items = _make_items(world, new, seed)
    truth, diversity = _make_people(world, items, seed)
    truth = replace(truth, cold_items=new, cold_people=sparse >= 0)
    rng = generator(seed, Stream.READING_LOG)
    log, truth = logged_world(world, truth, diversity, items.marketing, rng, closed=new)
    log, first = _shortened(log, sparse, fraction)
    truth = replace(truth, num_logged=np.diff(log.offsets()), later=_later(truth, new, seed))
    ids = tuple(str(user) for user in range(world.num_users))
    return split_rows(f"reading-{seed}", catalog, log, first, ids, truth)


def drawn_reading_world(seed: int, logging_bias: float | None = None) -> Dataset:
    """A world of a random kind that must be read: the training ground of models.

    ``logging_bias`` stands in place of the drawn one, which is 2 at most; None = that one.
    """
    parameters = ReadingParameters.drawn(generator(seed, Stream.READING_PARAMETERS))
    if logging_bias is not None:
        parameters = replace(parameters, logging_bias=logging_bias)
    return replace(reading_world(seed, parameters=parameters), name=f"drawn-reading-{seed}")


def _cold(world: ReadingParameters, seed: int) -> tuple[BoolArray, IntArray]:
    """Cold items (num_items,), and the training rows of cold people (num_users,), -1 = not cold."""
    rng = generator(seed, Stream.READING_COLD)
    new = np.zeros(world.num_items, dtype=bool)
    new[rng.permutation(world.num_items)[: round(world.cold_items * world.num_items)]] = True
    chosen = rng.permutation(world.num_users)[: round(world.cold_people * world.num_users)]
    sparse = np.full(world.num_users, -1, dtype=np.int64)
    sparse[chosen] = np.resize(COLD_ROWS, len(chosen))
    return new, sparse


def _make_items(world: ReadingParameters, new: BoolArray, seed: int) -> tuple[Catalog, _Items]:
    n, rng = world.num_items, generator(seed, Stream.READING_ITEMS)
    told = generator(seed, Stream.READING_SUMMARIES)
    actors = PLAIN.people(rng, world.num_actors)
    genre_share = rng.dirichlet(np.full(len(GENRES), 2.0))
    genres, themes = np.zeros((n, len(GENRES))), np.zeros((n, len(THEMES)))
    moods, casts = np.zeros((n, len(MOODS))), np.zeros((n, len(actors)))
    titles, summaries = [], []
    taken: set[str] = set()
    for i in range(n):
        g = rng.choice(len(GENRES), rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]), False, genre_share)
        t = rng.choice(len(THEMES), size=rng.choice([1, 2]), replace=False)
        m = int(rng.integers(len(MOODS)))
        genres[i, g], themes[i, t], moods[i, m] = 1 / len(g), 1 / len(t), 1.0
        casts[i, rng.choice(len(actors), size=3, replace=False)] = 1 / 3
        titles.append(PLAIN.unused_title(rng, taken))
        summaries.append(summary(told, t.tolist(), m, int(told.integers(len(REGISTERS)))))
    years = (world.newest_year - rng.gamma(1.3, 12.0, size=n)).astype(np.int64)
    years[new] = world.newest_year + 1
    catalog = Catalog(
        tuple(titles),
        years,
        tuple(tuple(sorted(GENRES[g] for g in np.flatnonzero(row))) for row in genres),
        tuple(tuple(actors[a] for a in np.flatnonzero(row)) for row in casts),
        tuple(summaries),
        domain=domain_called(world.kind),
    )
    era = (years - years.mean()) / years.std()
    quality = world.quality_sd * rng.standard_normal(n)
    return catalog, _Items(genres, themes, moods, casts, era, quality, rng.standard_normal(n))


def _make_people(
    world: ReadingParameters, items: _Items, seed: int
) -> tuple[SyntheticTruth, FloatArray]:
    """The truth and every user's diversity in [0, 1]."""
    n, rng = world.num_users, generator(seed, Stream.READING_TASTES)
    kinds = rng.standard_normal((3, len(GENRES) + len(THEMES)))  # tastes come in a few kinds
    structure = _structure(world, items, kinds)
    shares = np.array([way.share for way in _WAYS])
    groups = generator(seed, Stream.READING_WAYS).choice(len(_WAYS), size=n, p=shares)
    alike = 0.6 * rng.standard_normal((n, 3)) @ kinds / np.sqrt(3)
    alike += 0.8 * rng.standard_normal(alike.shape)
    tastes = [
        world.genre_sd * alike[:, : len(GENRES)],
        world.theme_sd * alike[:, len(GENRES) :],
        world.mood_sd * rng.standard_normal((n, len(MOODS))),
        np.sqrt(3) * world.actor_sd * rng.standard_normal((n, world.num_actors)),
        world.era_sd * rng.standard_normal((n, 1)),
    ]
    weights = np.array([way.blocks for way in _WAYS])[groups]  # (n, blocks)
    taste = sum(
        weights[:, b, None] * tastes[b] @ block.attributes.T
        for b, block in enumerate(structure.blocks)
    )
    quality, generous = (
        np.array([getattr(way, name) for way in _WAYS])[groups][:, None]
        for name in ("quality", "generosity")
    )
    generosity = generous * world.user_sd * rng.standard_normal((n, 1))
    utilities = world.mean_rating + quality * items.quality + generosity + taste
    truth = SyntheticTruth(
        utilities,
        world.noise_sd,
        (1 + np.searchsorted([0.6, 0.9], rng.random(n))).astype(np.int64),
        np.clip((quality[:, 0] - 0.7) / 1.2, 0.0, 0.9),
        items.quality,
        structure=structure,
        groups=groups.astype(np.int64),
        sayings=_sayings(weights, tastes, seed, domain_called(world.kind).again),
    )
    return truth, rng.random(n)


def _structure(world: ReadingParameters, items: _Items, kinds: FloatArray) -> TasteStructure:
    """What ``_make_people`` draws tastes from; genres and themes share the kinds of taste.

    Their blocks are told apart all the same: what a taste for a genre says of one for a theme is
    left out, so that a reader of genres alone knows its own block and no more.
    """
    of_genres, of_themes = kinds[:, : len(GENRES)], kinds[:, len(GENRES) :]

    return TasteStructure(
        world.mean_rating,
        world.quality_sd,
        world.user_sd,
        world.noise_sd,
        (
            TasteBlock("genres", items.genres, world.genre_sd**2 * _alike(of_genres)),
            TasteBlock("themes", items.themes, world.theme_sd**2 * _alike(of_themes)),
            TasteBlock("moods", items.moods, world.mood_sd**2 * np.eye(len(MOODS))),
            TasteBlock("cast", items.actors, 3 * world.actor_sd**2 * np.eye(world.num_actors)),
            TasteBlock("era", items.era[:, None], np.array([[world.era_sd**2]])),
        ),
        _WAYS,
    )


def _alike(kinds: FloatArray) -> FloatArray:
    """(d, d) covariance of tastes that come in a few ``kinds`` (3, d), at unit variance."""
    return np.asarray(0.36 * kinds.T @ kinds / 3 + 0.64 * np.eye(kinds.shape[1]))


def _sayings(
    weights: FloatArray, tastes: list[FloatArray], seed: int, verb: str
) -> tuple[str, ...]:
    """What everybody likes most, in words of a register of their own; items are to ``verb``."""
    rng = generator(seed, Stream.READING_SAYINGS)
    best = zip(tastes[1].argmax(axis=1), tastes[2].argmax(axis=1), strict=True)
    return tuple(
        liking(rng, int(t), int(m), int(rng.integers(len(REGISTERS))), verb) for t, m in best
    )


def _shortened(
    log: InteractionLog, sparse: IntArray, fraction: float
) -> tuple[InteractionLog, BoolArray]:
    """The log and its training rows (r,); cold people rated little, and little of it is known."""
    place = np.arange(len(log)) - log.offsets()[log.users]
    few = sparse[log.users]
    kept = (few < 0) | (place < few + _HELD_OUT)
    first = np.where(few >= 0, place < few, is_training_row(log, fraction))
    return log.take(kept), first[kept]


def _later(truth: SyntheticTruth, closed: BoolArray, seed: int) -> InteractionLog:
    """Ratings that everybody gave to a few cold items, by lot, after the log ended."""
    n, num_items = truth.utilities.shape
    rng, new = generator(seed, Stream.READING_LATER), np.flatnonzero(closed)
    met = np.argsort(rng.random((n, len(new))), axis=1)[:, :_LATER]
    users, items = np.repeat(np.arange(n), met.shape[1]), new[met].reshape(-1)
    stars = sampled_stars(truth, users, items, rng)
    return InteractionLog.from_columns(users, items, stars, num_users=n, num_items=num_items)

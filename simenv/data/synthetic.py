"""A synthetic world with known truth and a log collected by a biased policy.

Items have genres, tones, a year, a cast and a quality, and a written summary that carries these in
words. Users have latent tastes, an activity, a conformity and a diversity. The response model is
stated in ``SyntheticTruth``; the log is missing not at random: people met what was popular and what
they expected to like, the more so the larger ``logging_bias``.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.data.splits import split_dataset
from simenv.data.synthetic_text import GENRES, PLAIN, TONES, Words, foreign
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.seeding import Stream, generator

_STAR_EDGES = np.array([1.5, 2.5, 3.5, 4.5])  # a rating is the nearest star to a noisy utility


@dataclass(frozen=True)
class WorldParameters:
    """What kind of world it is; standard deviations are in stars."""

    num_users: int = 400
    num_items: int = 600
    num_actors: int = 120
    mean_rating: float = 3.5
    user_sd: float = 0.4  # how much people differ in generosity
    quality_sd: float = 0.5  # how much items differ in what everybody sees
    genre_sd: float = 0.7  # taste for genres
    tone_sd: float = 0.4  # taste for tones, which only the summary shows
    era_sd: float = 0.2  # taste for old or new
    actor_sd: float = 0.25  # taste for actors
    noise_sd: float = 0.75
    mean_log_ratings: float = 4.2  # of the number of ratings a user gives
    sd_log_ratings: float = 0.45
    logging_bias: float = 1.0  # 0 = people meet items at random
    newest_year: int = 2000
    kind: str = "movie"
    language: str = "plain"  # or "foreign" (made-up words), or "bare" (no cast, no summary)

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "WorldParameters":
        """A random kind of world, for training models that must read worlds they never saw."""
        return cls(
            num_users=int(rng.integers(120, 260)),
            num_items=int(np.exp(rng.uniform(np.log(250), np.log(1500)))),
            mean_rating=rng.uniform(3.2, 3.8),
            user_sd=rng.uniform(0.25, 0.55),
            quality_sd=rng.uniform(0.3, 0.7),
            genre_sd=rng.uniform(0.2, 0.9),
            tone_sd=rng.uniform(0.1, 0.5),
            era_sd=rng.uniform(0.0, 0.3),
            actor_sd=rng.uniform(0.0, 0.3),
            noise_sd=rng.uniform(0.65, 1.0),
            mean_log_ratings=rng.uniform(3.6, 4.8),
            sd_log_ratings=rng.uniform(0.3, 0.6),
            logging_bias=rng.uniform(0.0, 1.5),
            newest_year=int(rng.integers(1998, 2025)),
            kind=str(rng.choice(["movie", "movie", "movie", "book", "song", "game"])),
            language=str(rng.choice(["plain", "plain", "foreign", "bare"])),
        )


@dataclass(frozen=True)
class SyntheticTruth:
    """The response model: a rating is the nearest star to a noisy utility.

    utility = (1 - c) · personal + c · reputation, where reputation = mean + quality is what
    everybody sees, personal = reputation + generosity + taste, and c is the user's conformity.
    """

    utilities: FloatArray  # (num_users, num_items) mean of the noisy utility, in stars
    noise_sd: float
    activity: IntArray  # (num_users,) trait level 1, 2 or 3
    conformity: FloatArray  # (num_users,) c in [0, 1)
    quality: FloatArray  # (num_items,)
    pull: FloatArray | None = None  # (num_users, num_items) log-weight with which items were met
    num_logged: IntArray | None = None  # (num_users,) items met, training and held-out together

    def probabilities(self, users: IntArray, items: IntArray) -> FloatArray:
        """True distribution over stars of users (n,) for items (n, k): (n, k, 5)."""
        utility = self.utilities[np.asarray(users)[:, None], items]
        below = ndtr((_STAR_EDGES - utility[..., None]) / self.noise_sd)
        edges = np.concatenate(
            [np.zeros_like(below[..., :1]), below, np.ones_like(below[..., :1])], axis=-1
        )
        return np.diff(edges, axis=-1)

    def logging_chances(self) -> FloatArray:
        """Chance (num_users, num_items) that the log holds an item: what estimators weigh with.

        Items were met one after the other in proportion to exp(pull), as independent exponential
        clocks ring, until a user had enough; to good approximation that is every item that rings
        before the time at which so many are expected to have rung (Rosén, 1972).

        Raises:
            ValueError: this truth does not say how its log came about.
        """
        if self.pull is None or self.num_logged is None:
            raise ValueError(
                "logging_chances wanted a truth that knows how its log was made; make the world"
                " with simenv.data.synthetic.synthetic"
            )
        rates = np.exp(self.pull - self.pull.max(axis=1, keepdims=True))
        return _chances_of_ringing(rates, self.num_logged)


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
    """
    world = parameters or WorldParameters(
        num_users=num_users, num_items=num_items, logging_bias=logging_bias
    )
    rng = generator(seed, Stream.SYNTHETIC_WORLD)
    catalog, attributes = _make_items(world, rng)
    truth, diversity = _make_users(world, attributes, rng)
    log, truth = _make_log(world, truth, diversity, attributes.marketing, rng)
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
        titles.append(_unused_title(words, rng, taken))
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
        kind=world.kind,
    )
    quality = world.quality_sd * rng.standard_normal(n)
    era = (years - years.mean()) / years.std()
    return catalog, _Attributes(genres, tones, casts, era, quality, rng.standard_normal(n))


def _unused_title(words: Words, rng: np.random.Generator, taken: set[str]) -> str:
    """A title not used yet; sequels are numbered, as in life."""
    name = words.title(rng)
    part = 2
    unique = name
    while unique in taken:
        unique, part = f"{name} {part}", part + 1
    taken.add(unique)
    return unique


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
    conformity = rng.beta(1.5, 4.0, size=n)
    reputation = world.mean_rating + items.quality
    utilities = reputation + (1 - conformity[:, None]) * (generosity + taste)
    activity = 1 + np.searchsorted([0.6, 0.9], rng.random(n))
    truth = SyntheticTruth(
        utilities, world.noise_sd, activity.astype(np.int64), conformity, items.quality
    )
    return truth, rng.random(n)


def _make_log(
    world: WorldParameters,
    truth: SyntheticTruth,
    diversity: FloatArray,
    marketing: FloatArray,
    rng: np.random.Generator,
) -> tuple[InteractionLog, SyntheticTruth]:
    """Who met what: popularity and anticipated liking decide, the more so the larger the bias.

    The truth comes back knowing how.
    """
    n, num_items = world.num_users, world.num_items
    lift = 0.4 * (truth.activity - 2)
    sizes = np.exp(world.mean_log_ratings + lift + world.sd_log_ratings * rng.standard_normal(n))
    sizes = np.clip(sizes, 20, int(0.6 * num_items)).astype(np.int64)
    popularity = marketing + 0.5 * truth.quality / max(world.quality_sd, 1e-9)
    liking = 1.2 * (1.3 - diversity[:, None]) * (truth.utilities - world.mean_rating)
    pull = world.logging_bias * (popularity + liking)
    keys = pull + rng.gumbel(size=(n, num_items))
    order = np.argsort(-keys, axis=1)
    users = np.repeat(np.arange(n), sizes)
    items = np.concatenate([rng.permutation(order[u, : sizes[u]]) for u in range(n)])
    stars = _sample(truth, users, items, rng)
    log = InteractionLog.from_columns(users, items, stars, num_users=n, num_items=num_items)
    return log, replace(truth, pull=pull, num_logged=sizes)


def _chances_of_ringing(rates: FloatArray, num_rung: IntArray) -> FloatArray:
    """Chance (n, i) that a clock of ``rates`` (n, i) rings before ``num_rung`` (n,) are expected.

    The logarithm of each user's time is found by bisection.
    """
    low, high = np.full(len(rates), -20.0), np.full(len(rates), 60.0)
    for _ in range(60):
        middle = (low + high) / 2
        too_long = (1 - np.exp(-np.exp(middle)[:, None] * rates)).sum(1) > num_rung
        low, high = np.where(too_long, low, middle), np.where(too_long, middle, high)
    return np.asarray(1 - np.exp(-np.exp(low)[:, None] * rates))


def _sample(
    truth: SyntheticTruth, users: IntArray, items: IntArray, rng: np.random.Generator
) -> FloatArray:
    noisy = truth.utilities[users, items] + truth.noise_sd * rng.standard_normal(len(users))
    return np.clip(np.rint(noisy), 1, 5)


def drawn_world(seed: int) -> Dataset:
    """A world of a random kind: the training ground of models that must generalise to new ones."""
    parameters = WorldParameters.drawn(generator(seed, Stream.WORLD_PARAMETERS))
    dataset = synthetic(seed, parameters=parameters)
    return replace(dataset, name=f"drawn-{seed}")

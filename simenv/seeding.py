"""Where random numbers come from: hashes of (root, user, step, channel), and generators by stream.

Decisions of users and of the world are counter-based: every draw is a hash, no generator is shared,
so a draw does not depend on batch, order or shard. The hash is SplitMix64's finaliser (Steele, Lea,
Flood: Fast Splittable Pseudorandom Number Generators, 2014), applied once per mixed-in word. What
is drawn once a run, in a fixed order, comes from a ``generator`` with a stream of its own.

Channels and streams are all named here, so that no two draws share one by accident; a test reads
the source and fails where they do. ``np.random.default_rng(seed)`` without a stream belongs to
whoever was handed a seed of their own (it is stream 0, which has no name for that reason).
"""

from enum import IntEnum, unique

import numpy as np
from numpy.typing import ArrayLike

from simenv.events import FloatArray, IntArray, SeedArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


@unique
class Channel(IntEnum):
    """Draws of the world, from a seed for each (root, user, step)."""

    TEXT = 0  # tokens of a free answer
    RATING = 1  # stars
    TAKE = 2  # whether a shown item is watched
    QUIT = 3  # whether a visit ends
    SLOT = 1001  # who comes next into a slot of an environment
    CANDIDATE = 1002  # one candidate from each stratum of the catalogue
    ROTATION = 1003  # where the first stratum begins
    RETURN = 1004  # days until the next visit
    ATTENTION = 1005  # whether a tired or bored user still takes an item
    ARRIVAL = 2001  # whether somebody comes in a tick
    FIRST_VISIT = 2002  # when somebody comes first
    WORD_OF_MOUTH = 2101  # whether a friend hears of it
    TREND = 2102  # whether somebody meets the item of the day
    VIRAL = 2103  # whether somebody meets a viral item
    REASON = 2201  # the words of a reason
    PROFILE = 2202  # the words of a profile
    SPLIT = 3001  # which rows of a log without times are training rows
    EVIDENCE = 3002  # which half of a log's rows people are made of
    ODD_ROW = 3003  # which half gets the odd row
    FORM = 4001  # tokens of the blanks of a form
    OPTION_ORDER = 5001  # in which order a questionnaire's options are shown
    INTERVIEW_ANSWER = 5002  # which option of a questionnaire is chosen
    SPOKEN_ANSWER = 5003  # tokens of an answer to a questionnaire
    AWARENESS = 5004  # tokens of what is said of a test
    OPINION = 4101  # the words of an opinion that shows a trait
    STATEMENT = 4102  # the words of a statement that a trait classifier learns from
    EXCHANGE = 4103  # the words of a question to a person and of their answer
    GENERAL_QUESTION = 4104  # ordinary questions that are mixed with those to people
    TRAJECTORY = 4201  # stars of a simulated trajectory


@unique
class PolicyChannel(IntEnum):
    """Draws of a recommender. Its root comes from its own generator, so numbers may recur."""

    RANDOM_SLATE = 0
    EXPLORE = 1  # the coin of epsilon-greedy
    POSTERIOR = 2  # weights of Thompson sampling


@unique
class Stream(IntEnum):
    """Generators of draws that are made once a run, in a fixed order."""

    ACTIVITY = 1  # levels of scripted users
    YEARS = 2  # of a scripted catalogue
    SYNTHETIC_WORLD = 7
    WORLD_PARAMETERS = 11  # of which kind a synthetic world is
    LOG_WORLD = 13  # users of a training world that is cut from a log
    RAFT = 17
    COMPARED_PAIRS = 19  # of friends and strangers in a society
    ASKED_ROWS = 23  # rows of a log that are asked about in free text
    EVALUATED_USERS = 29
    AGREEMENT = 31  # bootstrap of the agreement between simulated and true orders
    JUDGED_USERS = 37
    JUDGED_SLATES = 41
    POSTERIOR_TASTES = 43
    WAVES = 53  # in which order users are asked
    SEARCH_HALVES = 59
    LOGGED_PLAY = 67
    LOGGED_USERS = 71
    NETWORK = 73  # seats in the social network
    DRIFT = 79  # of tastes, one generator a tick
    FORESIGHT_LOG = 1801  # what people met before their lives
    FORESIGHT_JUDGES = 1811  # who is played, and not learnt from
    BOARD_USERS = 1823  # of a leaderboard's world: who plays and who judges
    BOARD_SLATES = 1831  # of the panel that user models judge
    BRANCHES = 83  # of a counterfactual fork
    ASKED_TEST_ROWS = 97  # of each user, where not all are asked
    LINKED_SETS = 109  # people among whom a profile's owner is sought
    LINKED_SHUFFLE = 101  # profiles dealt out among people
    LINKED_OTHERS = 107  # on whom a reader of profiles learns
    LINKED_RESAMPLES = 103  # of people, for an interval
    ALIGNED_USERS = 801  # whose held-out rows are asked about
    VARIANT_USERS = 809  # who are asked once more with something of them changed
    PROBED_USERS = 811  # and about which items
    SHUFFLED_HISTORY = 821
    LIKED_OR_NOT = 823  # what is asked about in the like-or-dislike protocol
    SCENES = 827  # of five, of which one was taken, and the order of their letters
    UNSEEN_USERS = 829  # who are asked about items that their log would not have shown
    UNSEEN_ITEMS = 839
    RANDOM_SLATES = 89  # beside deliberately bad ones
    READING_ITEMS = 503  # of a world that must be read: attributes, titles, casts
    READING_SUMMARIES = 509
    READING_WAYS = 521  # how people decide
    READING_TASTES = 523
    READING_LOG = 541
    READING_COLD = 547  # which items and people are cold
    READING_LATER = 557  # ratings of cold items after the log
    READING_SAYINGS = 563  # what people say of themselves
    READING_PARAMETERS = 569  # of which kind such a world is
    UNSEEN_ROWS = 571  # rows of unseen worlds that a base model is asked about
    WORLD_MIX = 577  # which of a training's worlds must be read
    HIDDEN = 587  # items without ratings, summaries or casts in a training world
    FEW_ROWS = 593  # who of a training world keeps how few of their rows
    BIASED_WORLDS = 599  # which training worlds have a log of people who met hardly anything else
    KNOWN_ROWS_ITEMS = 751  # asked of people of whom little is known
    FACET_BLOCKS = 211  # in which order facets learn
    SWAPPED_PEOPLE = 223  # who answers in whose place
    SWAPPED_VECTORS = 227  # at whose vector a gate looks
    COLLUSION_USERS = 229
    COLLUSION_SLATES = 233
    SHARED_ROWS_USERS = 241  # asked how far they overrate who learnt from their rows
    SHARED_ROWS_SLATES = 251
    READ_PICKS = 257  # of whom picks are read for what items are like
    STUDENT_QUESTIONS = 263  # what a student's model is asked
    STUDENT_WEIGHTS = 269
    STUDENT_SLATES = 271  # over which a student and its model are timed
    RANDOM_NEURONS = 601  # silenced beside those that were found
    LEVEL_PEOPLE = 607  # whose traits are looked at on three levels
    LEVEL_ITEMS = 613  # about which people are asked with other averages
    LEVEL_RESAMPLES = 617  # of people, for intervals between levels
    SITUATION_RESAMPLES = 619  # of situations, for the interval of a score
    OPINION_SPLIT = 701  # which topics opinions are judged on
    OPINION_DEMONSTRATIONS = 709  # opinions that are shown in a prompt
    EDITED_OPINIONS = 739  # opinions that an edit is made of
    EDITOR_BATCHES = 719  # on which an editor network learns
    TRAIT_RATERS = 733  # who rates before and after a trait
    PERSONIFIED_PEOPLE = 1721  # who is trained to stay themselves
    PRESSURE_RESAMPLES = 1723  # of people, for the interval of a ratio
    SOURCE_SPLIT = 1709  # which passages of a life judge
    TRAIT_RESAMPLES = 727  # of seeds and topics, for an interval
    KEPT_BACK_ITEMS = 743  # of questionnaires, that a trait classifier does not learn from


def generator(seed: int, stream: Stream, *numbers: int) -> np.random.Generator:
    """The generator of one draw of a run; ``numbers`` set repetitions of the draw apart.

    A trailing 0 among ``numbers`` is as good as none: a stream always has them or never.
    """
    return np.random.default_rng([seed, stream, *numbers])


def mix(state: ArrayLike, word: ArrayLike) -> SeedArray:
    """Hash ``word`` into ``state``; both broadcast, the result is uint64."""
    with np.errstate(over="ignore"):
        z = np.asarray(state, dtype=np.uint64) + _GOLDEN * (
            np.asarray(word).astype(np.uint64) + np.uint64(1)
        )
        z = (z ^ (z >> np.uint64(30))) * _MIX1
        z = (z ^ (z >> np.uint64(27))) * _MIX2
        return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def row_seeds(root: int, users: IntArray, steps: IntArray) -> SeedArray:
    """One seed for each (user, step): (n,)."""
    return mix(mix(np.uint64(root % 2**64), users), steps)


def uniforms(seeds: SeedArray, channel: int, num_places: int) -> FloatArray:
    """Uniform draws in [0, 1) for every seed and place: (n, num_places).

    Args:
        seeds: (n,).
        channel: a ``Channel`` or ``PolicyChannel``; different ones give independent draws.
        num_places: independent draws for each seed.
    """
    base = mix(seeds, channel)[:, None]
    bits = mix(base, np.arange(num_places)[None, :])
    return np.asarray((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53)

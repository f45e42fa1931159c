"""Can a log speak of a policy at all? What must hold before any estimate is made.

It knows no estimator and no reward. Letters: ``n`` slates, ``k`` places.
"""

from typing import NamedTuple

import numpy as np

from recommenders.base import Recommender
from recommenders.off_policy.intervals import effective_size
from recommenders.off_policy.weighing import LoggedSlates, said
from simenv.events import BoolArray

_LEAST_SHARE = 0.05  # of the shown places, by effective size
_MOST_OUTSIDE = 0.0


class Support(NamedTuple):
    """What a log of n slates can say of a policy."""

    outside: float  # share of the policy's own slates with an item that could not be shown
    never: float  # share of logged places that the policy would never show
    least_chance: float  # smallest logged chance of a shown item
    largest_weight: float  # of a place: chance under the policy over the logged one
    effective_size: float  # (Σw)² / Σw², in shown places of n·k
    problems: tuple[str, ...]  # why estimates from it are not to be trusted; empty = none is seen

    @property
    def is_enough(self) -> bool:
        """Whether nothing speaks against estimates."""
        return not self.problems


def check_support(policy: Recommender, log: LoggedSlates, candidates: BoolArray) -> Support:
    """Look at a log before it values ``policy``; nothing is estimated and nothing changed.

    Args:
        policy: fitted, to be valued.
        log: with propensities.
        candidates: (n, num_items) what could have been shown; ``SimulatedLog.candidates``.

    Raises:
        ValueError: the log has no propensities, the candidates are of other slates, or an item was
            shown that is not among them.
        UnknownChancesError: the policy draws and cannot say its chances; a ``ValueError``.
    """
    shown, chances = log.slates.items, log.slates.propensities
    if chances is None:
        raise ValueError(
            "check_support wanted a log with propensities, got None; log with a policy that says"
            " them, such as Random or EpsilonGreedy"
        )
    if candidates.shape[:1] != shown.shape[:1] or not _among(candidates, shown).all():
        raise ValueError(
            f"check_support wanted the candidates of {len(shown)} slates with every shown item"
            f" among them, got shape {candidates.shape}; pass the log's own candidates"
        )
    own = said(policy, policy.propensities(log.observation, shown), log)
    weights = own / chances
    wanted = policy.recommend(log.observation, shown.shape[1], np.random.default_rng(0)).items
    found = Support(
        outside=float((~_among(candidates, wanted)).any(axis=1).mean()),
        never=float((own == 0).mean()),
        least_chance=float(chances.min()),
        largest_weight=float(weights.max()),
        effective_size=effective_size(weights),
        problems=(),
    )
    return found._replace(problems=tuple(_problems(found, shown.size)))


def _among(candidates: BoolArray, items: np.ndarray) -> BoolArray:
    """(n, k) whether items (n, k) are candidates."""
    return np.asarray(np.take_along_axis(candidates, items, axis=1), dtype=np.bool_)


def _problems(found: Support, places: int) -> list[str]:
    problems = []
    if found.outside > _MOST_OUTSIDE:
        problems.append(
            f"{found.outside:.0%} of the policy's slates hold an item that could not have been"
            " shown; no weight makes up for that"
        )
    if found.largest_weight == 0:
        problems.append("the policy would show nothing of what was logged, where it was logged")
    elif found.effective_size < _LEAST_SHARE * places:
        problems.append(
            f"the {places} logged places are worth {found.effective_size:.0f} of the policy's own;"
            " log with a policy that is closer to it, or log more"
        )
    return problems

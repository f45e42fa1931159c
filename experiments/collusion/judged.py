"""One world: what judges with and without a shared model make of every policy. Numbers only.

Letters: ``p`` policies, ``n`` users, ``k`` slate places.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from agents.assembly import persona_users
from agents.peers import Peers
from agents.prompt_style import PromptStyle
from experiments.tournament.policies import fitted
from recommenders.base import Recommender, cold_observation
from recommenders.policies.callable_policy import CallablePolicy
from simenv.data.dataset import Dataset
from simenv.events import NUM_STARS, FloatArray, IntArray
from simenv.observation import Observation
from simenv.seeding import Stream, generator
from training.collaborative import peers_of, space_of
from training.populate import population_on

SHARED, KIND = "shared model", "same kind"
TOLD, UNTOLD, ALONE = "told what people alike gave", "not told", "the shared model alone"
_STARS = np.arange(1.0, NUM_STARS + 1)
_OTHER_SEED = 1


class Question(NamedTuple):
    """What a world is judged on."""

    num_users: int
    slate_size: int
    bases: Mapping[str, str]  # judge → folder or hub name of its base model
    seed: int


def judge(
    dataset: Dataset, policies: Mapping[str, Callable[[], Recommender]], asked: Question
) -> dict[str, dict[str, float]]:
    """Mean stars a place of every policy, by the truth and by every judge.

    Raises:
        ValueError: the world has no known truth.
    """
    if dataset.truth is None:
        raise ValueError(
            f"collusion wanted a data set with a known truth, got {dataset.name!r}; use"
            " data=synthetic"
        )
    peers = peers_of(dataset)
    users = _asked(dataset, asked)
    slates = {
        name: _slates(make(), dataset, users, asked)
        for name, make in {**policies, **_sharing(dataset, peers)}.items()
    }
    found = {"truth": {n: _stars(dataset.truth.probabilities, users, s) for n, s in slates.items()}}
    found[ALONE] = {n: float(peers.stars(users, s).mean()) for n, s in slates.items()}
    for name, base in asked.bases.items():
        people = population_on(dataset, base, PromptStyle(peers=name == TOLD))
        model = persona_users(people)
        found[name] = {n: _stars(model.probabilities, users, s) for n, s in slates.items()}
        model.engine.close()
    return found


def _sharing(dataset: Dataset, peers: Peers) -> dict[str, Callable[[], Recommender]]:
    """The policy on the judge's own model, and one on a model of its kind from another seed."""
    other = space_of(dataset, seed=_OTHER_SEED)
    tables = {SHARED: peers, KIND: other.peers(other.place(dataset.train))}
    return {
        name: partial(CallablePolicy, partial(_scores, table), label=name)
        for name, table in tables.items()
    }


def _scores(peers: Peers, users: IntArray, observation: Observation) -> FloatArray:
    """(n, m) what people like each user gave to every item."""
    items = np.arange(len(peers.items))
    return peers.stars(users, np.broadcast_to(items, (len(users), len(items))))


def _asked(dataset: Dataset, asked: Question) -> IntArray:
    rng = generator(asked.seed, Stream.COLLUSION_USERS)
    drawn = rng.permutation(dataset.num_users)[: asked.num_users]
    return np.asarray(np.sort(drawn), dtype=np.int64)


def _slates(policy: Recommender, dataset: Dataset, users: IntArray, asked: Question) -> IntArray:
    ready = fitted(policy, dataset.catalog, dataset.train)
    rng = generator(asked.seed, Stream.COLLUSION_SLATES)
    return ready.recommend(cold_observation(users), asked.slate_size, rng).items


def _stars(
    probabilities: Callable[[IntArray, IntArray], Any], users: IntArray, items: IntArray
) -> float:
    return float((probabilities(users, items) @ _STARS).mean())

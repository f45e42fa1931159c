"""One world: what every judge makes of every policy, and what the truth is. Numbers only.

Letters: ``p`` policies, ``n`` users, ``k`` slate places, ``q`` distinct items shown to a user.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from experiments.people.people import People, true_users
from experiments.people.predictor_users import non_personal, ridge
from experiments.tournament.policies import fitted
from experiments.worlds.cross_fitting import merged
from experiments.worlds.easy_mode import ask, by_reader, easy_mode
from experiments.worlds.knowable import PERFECT, knowable, read, reader_users
from experiments.worlds.knowable import USERS as USERS
from recommenders.base import Recommender, cold_observation
from recommenders.evaluation.ranking_metrics import user_metrics
from recommenders.off_policy.estimators import estimate_weighted
from recommenders.off_policy.intervals import OverlapWarning
from recommenders.off_policy.weighing import WeightedLog
from simenv.data.dataset import Dataset
from simenv.data.evidence import Evidence, Views, views_of
from simenv.data.rating_baselines import BiasModel
from simenv.events import FloatArray, IntArray
from simenv.seeding import Stream, generator
from simenv.user_model import UserModel

NON_PERSONAL = "non-personal users"
RIDGE = "ridge users"
OFFLINE = "NDCG"
_ESTIMATORS = ("IPS", "SNIPS", "DR")  # DM asks no log, and SWITCH-DR is near DR
_PANEL = 64  # users asked in one call


class Task(NamedTuple):
    """What a world is judged on."""

    num_users: int  # asked; offline and off-policy figures use all
    slate_size: int
    min_rating: float  # held-out stars that count as relevant
    seed: int
    evidence: Evidence = "shared"  # what people are made of; see ``simenv.data.evidence``


def judge_world(
    dataset: Dataset,
    policies: Mapping[str, Callable[[], Recommender]],
    make_people: Callable[[Dataset], People],
    task: Task,
) -> dict[str, Any]:
    """Values of all policies by all judges, and the easy-mode checks, as JSON types.

    Under evidence that is not shared the world is judged twice, and figures are the means of both.

    Returns:
        ``policies`` (p names), ``failed`` (name → message), ``truth`` (p), ``judges`` (name → p
        values), ``truth_of_all_users`` (p), ``easy_mode`` and ``knowable`` (see there), ``card``,
        and how many ``exposures`` the simulated users answered.

    Raises:
        ValueError: the world has no known truth, or fewer than two policies work.
    """
    views = views_of(dataset, task.evidence, task.seed)
    return merged([_judged(view, policies, make_people, task) for view in views])


def _judged(
    view: Views,
    policies: Mapping[str, Callable[[], Recommender]],
    make_people: Callable[[Dataset], People],
    task: Task,
) -> dict[str, Any]:
    """See ``judge_world``: policies learn from one side of the view, judges know the other."""
    dataset = view.people
    everybody = np.arange(dataset.num_users)
    shown, failed, ndcg = _slates(view.policies, policies, everybody, task)
    if len(shown) < 2:
        raise ValueError(
            f"a world wanted at least two policies that work, got {len(shown)}; failed: {failed}"
        )
    items = np.stack(list(shown.values()))
    rng = generator(task.seed, Stream.JUDGED_USERS)
    asked = np.sort(rng.permutation(dataset.num_users)[: task.num_users]).astype(np.int64)
    true = true_users(dataset)
    judges = {OFFLINE: ndcg, **off_policy(view.policies, items)}
    readers = read(dataset)
    others = {NON_PERSONAL: non_personal(dataset), RIDGE: ridge(dataset)}
    read_by = reader_users(dataset, readers) if readers else {}
    others |= read_by
    for name, who in others.items():
        judges[name] = _values(who.model, asked, items[:, asked], task.seed)
    people = make_people(dataset)
    try:
        judges[USERS] = _values(people.model, asked, items[:, asked], task.seed)
        k, seed = task.slate_size, task.seed
        easy = easy_mode(people.model, true, dataset, asked, k, seed)
        easy |= by_reader(read_by.get(PERFECT), true, dataset, asked, k, seed)
        known = knowable(people.model, dataset, readers, asked, task.seed) if readers else {}
    finally:
        if people.engine is not None:
            people.engine.close()
    return {
        "policies": list(shown),
        "failed": failed,
        "truth": _rounded(_values(true, asked, items[:, asked], task.seed)),
        "truth_of_all_users": _rounded(_values(true, everybody, items, task.seed)),
        "judges": {name: _rounded(values) for name, values in judges.items()},
        "easy_mode": easy,
        "knowable": known,
        "card": people.card,
        "exposures": int(sum(len(u) for u in _panel_items(items[:, asked]))),
    }


def _slates(
    dataset: Dataset,
    policies: Mapping[str, Callable[[], Recommender]],
    users: IntArray,
    task: Task,
) -> tuple[dict[str, IntArray], dict[str, str], FloatArray]:
    """First slates (n, k) of every policy that works, the errors of the others, and NDCG (p,)."""
    shown, failed, ndcg = {}, {}, []
    for name, make in policies.items():
        try:
            policy = fitted(make(), dataset.catalog, dataset.train)
            rng = generator(task.seed, Stream.JUDGED_SLATES)
            slates = policy.recommend(cold_observation(users), task.slate_size, rng)
            found = user_metrics(policy, dataset, task.slate_size, task.min_rating)
        except Exception as error:  # whatever a policy does wrong, the others must be judged
            failed[name] = f"{type(error).__name__}: {error}"
            continue
        shown[name] = slates.items
        ndcg.append(float(found.ndcg.mean()))
    return shown, failed, np.array(ndcg)


def off_policy(dataset: Dataset, items: IntArray) -> dict[str, FloatArray]:
    """IPS, SNIPS and DR values (p,) of slates (p, n, k) from held-out rows.

    A held-out rating of a slate's item stands for all that the log might have held: it is weighted
    by one over the chance that the item, unseen in training, was met later. Values are stars a
    place. DR's reward model is item average + user offset, learnt from training rows.
    """
    truth: Any = dataset.truth
    met = truth.logging_chances()
    share = np.diff(dataset.train.offsets()) / np.maximum(truth.num_logged, 1)
    chances = met * (1 - share[:, None]) / (1 - met * share[:, None])
    held_out = dataset.test.to_csr().toarray()
    users = np.arange(dataset.num_users)
    model = BiasModel().fit(dataset.train)
    values: dict[str, list[float]] = {name: [] for name in _ESTIMATORS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverlapWarning)  # small overlap is what is being judged
        for slates in items:
            rewards = np.take_along_axis(held_out, slates, axis=1)
            likely = np.take_along_axis(chances, slates, axis=1)
            weights = np.divide(rewards > 0, likely, out=np.zeros(likely.shape), where=likely > 0)
            predicted = model.predict(users[:, None], slates)
            log = WeightedLog(users, rewards, weights, predicted, predicted)
            for name, estimate in estimate_weighted(log, _ESTIMATORS).items():
                values[name].append(estimate.value)
    return {name: np.array(found) for name, found in values.items()}


def _values(model: UserModel, users: IntArray, items: IntArray, seed: int) -> FloatArray:
    """Mean expected stars (p,) of slates (p, n, k); every distinct item is asked about once."""
    values = np.zeros(items.shape)
    distinct = _panel_items(items)
    for start in range(0, len(users), _PANEL):
        chunk = slice(start, start + _PANEL)
        wide = max(len(own) for own in distinct[chunk])
        asked = np.array([np.resize(own, wide) for own in distinct[chunk]])
        expected = ask(model, users[chunk], asked, seed).expected
        for row, own in enumerate(distinct[chunk]):
            places = np.searchsorted(own, items[:, start + row])
            values[:, start + row] = expected[row][places]
    return np.asarray(np.nanmean(values, axis=(1, 2)))  # an answer that failed is no value


def _panel_items(items: IntArray) -> list[IntArray]:
    """The distinct items that slates (p, n, k) show to each of the n users, ascending."""
    return [np.unique(items[:, user]) for user in range(items.shape[1])]


def _rounded(values: FloatArray) -> list[float | None]:
    return [round(float(v), 6) if np.isfinite(v) else None for v in values]

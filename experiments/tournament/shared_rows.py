"""How far people who share rows with a policy overrate it: the collusion figure of a comparison.

Everybody's training rows are cut in two, and policies learn from one half. People made of that half
and people made of the other one, told as much, value the same slates; then the halves are swapped.
It asks people of its own and leaves those of the comparison alone.

Letters: ``n`` users, ``p`` policies, ``k`` slate places, ``q`` items asked of a user.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from omegaconf import DictConfig

from experiments.people.people import People
from experiments.reporting.formatting import rounded, rounded_ends
from experiments.reporting.progress import progress_bar
from experiments.tournament.policies import fitted
from experiments.tournament.setting import Setting, kept_people
from recommenders.base import Recommender, cold_observation
from recommenders.evaluation.statistics import mean_interval
from simenv.data.dataset import Dataset
from simenv.data.evidence import views_of
from simenv.data.splits import stacked
from simenv.events import FloatArray, IntArray, Slates
from simenv.seeding import Stream, generator, row_seeds
from simenv.user_model import UserModel

Makers = Mapping[str, Callable[[], Recommender]]
_PANEL = 64  # users asked in one call


def measured_collusion(
    cfg: DictConfig, people: People, makers: Makers, setting: Setting
) -> dict[str, Any] | None:
    """The collusion figure of a comparison of ``makers`` before ``people``.

    Args:
        cfg: ``cfg.experiment.collusion_users`` of the setting's users are asked; 0 = nobody.
        people: who answer; they are not asked themselves.
        makers: name → what makes an unfitted policy.
        setting: of the comparison.

    Returns:
        See ``collusion``. None where nobody is to be asked, where the truth itself answers, and
        where people bring their memories with them, so that they cannot be made of half of them.
    """
    count = int(cfg.experiment.get("collusion_users", 0))
    if not count or people.card["kind"] == "scripted" or cfg.users.get("population"):
        return None
    order = generator(setting.seed, Stream.SHARED_ROWS_USERS).permutation(setting.users)
    users = np.sort(order[:count]).astype(np.int64)
    with progress_bar("collusion", total=2) as tick:
        tick("people made of one half of the rows")
        whole, size = setting.whole or setting.dataset, setting.slate_size
        found = collusion(kept_people(cfg), makers, whole, users, size, setting.seed, tick)
    return found


def collusion(
    make_people: Callable[[Dataset], People],
    makers: Makers,
    dataset: Dataset,
    users: IntArray,
    slate_size: int,
    seed: int,
    tick: Callable[..., None] = lambda text, advance=0: None,
) -> dict[str, Any] | None:
    """What policies are worth more to people made of the rows they learnt from, than to others.

    Args:
        make_people: users of a data set, who know its training rows.
        makers: name → what makes an unfitted policy.
        dataset: whose training rows are cut.
        users: (n,) who are asked.
        slate_size: items (k) of the first slate of every policy, which is judged.
        seed: of the halves and the draws.
        tick: is told how far it is.

    Returns:
        ``users``, and ``policies``: name → ``shared`` and ``independent`` stars of both kinds of
        people, their ``difference`` with its ``ci95`` over users, and ``beside_others`` with its
        ``ci95``: the difference minus the mean of all policies'. What all have in common changes
        no order. Policies that failed are left out; None where fewer than two are left.
    """
    views = views_of(dataset, "independent", seed)
    shown = [_first_slates(view.policies, makers, users, slate_size, seed) for view in views]
    names = [name for name in makers if all(name in slates for slates in shown)]
    if len(names) < 2:
        return None
    slates = [np.stack([own[name] for name in names]) for own in shown]
    values = np.zeros((2, 2, len(names), len(users)))  # whose people, whose slates
    for own, view in enumerate(views):
        values[own] = _judged(make_people(view.people), users, slates, seed)
        tick("people made of the other half", advance=1)
    independent = (values[0, 0] + values[1, 1]) / 2  # the people of a view know the other half
    shared = (values[1, 0] + values[0, 1]) / 2
    return {"users": len(users), "policies": _figures(names, shared, independent)}


def _first_slates(
    dataset: Dataset, makers: Makers, users: IntArray, k: int, seed: int
) -> dict[str, IntArray]:
    """The first slate (n, k) of every policy that works."""
    log, found = stacked(dataset.train, dataset.background), {}
    for name, make in makers.items():
        try:
            policy = fitted(make(), dataset.catalog, log)
            rng = generator(seed, Stream.SHARED_ROWS_SLATES)
            found[name] = policy.recommend(cold_observation(users), k, rng).items
        except Exception:  # the comparison itself says what went wrong
            continue
    return found


def _judged(people: People, users: IntArray, slates: Sequence[IntArray], seed: int) -> FloatArray:
    """Mean stars (v, p, n) that these people expect of the slates (p, n, k) of each of v fits."""
    try:
        return np.stack([user_values(people.model, users, own, seed) for own in slates])
    finally:
        if people.engine is not None:
            people.engine.close()


def user_values(model: UserModel, users: IntArray, items: IntArray, seed: int) -> FloatArray:
    """Mean expected stars (p, n) of slates (p, n, k); every distinct item is asked about once.

    NaN where no answer about a slate came.
    """
    values = np.zeros(items.shape)
    distinct = [np.unique(items[:, user]) for user in range(items.shape[1])]
    for start in range(0, len(users), _PANEL):
        chunk = slice(start, start + _PANEL)
        wide = max(len(own) for own in distinct[chunk])
        asked = np.array([np.resize(own, wide) for own in distinct[chunk]])  # (n, q)
        seeds = row_seeds(seed, users[chunk], np.zeros_like(users[chunk]))
        stars = model.respond(users[chunk], Slates.of_items(asked), seeds).expected
        for row, own in enumerate(distinct[chunk]):
            values[:, start + row] = stars[row][np.searchsorted(own, items[:, start + row])]
    answered = np.isfinite(values)
    sums, counts = np.where(answered, values, 0.0).sum(axis=2), answered.sum(axis=2)
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))


def _figures(
    names: Sequence[str], shared: FloatArray, independent: FloatArray
) -> dict[str, dict[str, Any]]:
    """Of values (p, n) by both kinds of people; a user without an answer counts for no policy."""
    apart = shared - independent
    whole = np.isfinite(apart).all(axis=0)
    apart, shared, independent = apart[:, whole], shared[:, whole], independent[:, whole]
    beside = apart - apart.mean(axis=0)
    found = {}
    for row, name in enumerate(names):
        own, other = mean_interval(apart[row]), mean_interval(beside[row])
        found[name] = {
            "shared": rounded(shared[row].mean()),
            "independent": rounded(independent[row].mean()),
            "difference": rounded(own.mean),
            "ci95": rounded_ends(own.low, own.high),
            "beside_others": rounded(other.mean),
            "beside_others_ci95": rounded_ends(other.low, other.high),
        }
    return found

"""Plays the sessions: fit and offline metrics first, then users in waves that all policies share.

What is kept of them stands in ``sessions``; what it means is said in ``summary``.
"""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import combinations
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from agents.inference.engine import Engine
from experiments.reporting.progress import Tick, progress_bar
from experiments.tournament.policies import introduced
from experiments.tournament.sessions import Session, mean_ratings, of_users
from experiments.tournament.setting import Setting
from experiments.tournament.stopping import Meter
from experiments.tournament.timed import Timed
from recommenders.base import Recommender, cold_observation
from recommenders.evaluation.ranking_metrics import UserMetrics, user_metrics
from recommenders.evaluation.statistics import paired_contrast
from simenv.data.splits import stacked
from simenv.env.rollout import Rollout, rollout
from simenv.events import FloatArray, IntArray
from simenv.seeding import Stream, generator
from simenv.user_model import UserModel

_PROBED = 64


def play(
    policies: Mapping[str, Callable[[], Recommender]], setting: Setting, tick: Tick
) -> tuple[list[Session], Meter]:
    """Every policy through every phase; one that fails is recorded and the others go on.

    The users' state at the start is the same for every policy, and is brought back at the end.

    Under two views everybody plays both before the next users come, and a policy that fails under
    one has failed.

    Returns:
        The sessions, over the users that were asked, and the account of what asking cost.

    Raises:
        ValueError: the budget of exposures is below what a single user may cost.
    """
    views, places = setting.views, setting.max_steps * setting.slate_size
    meter = Meter(setting.stopping, len(setting.users), places * len(policies) * len(views))
    starts = [view.simulated.snapshot() for view in views]
    sides = [
        [_Player(_fit(name, make, view, tick), view) for name, make in policies.items()]
        for view in views
    ]
    players = [_Pair(own) for own in zip(*sides, strict=True)]
    order = generator(setting.seed, Stream.WAVES).permutation(len(setting.users))
    while num := meter.next_wave():
        users = np.sort(setting.users[order[meter.asked : meter.asked + num]])
        before, tokens = time.perf_counter(), _tokens(setting.engine)
        exposures = sum(player.simulate(users, tick) for player in players)
        seconds = time.perf_counter() - before
        spent = _tokens(setting.engine) - tokens
        meter.count(num, exposures, seconds, spent, _widest(players))
        for player in players:
            player.play_truth(users, tick)
    sessions = [player.finish() for player in players]
    for view, start in zip(views, starts, strict=True):
        view.simulated.restore(start)
    return sessions, meter


def play_all(
    policies: Mapping[str, Callable[[], Recommender]], setting: Setting
) -> tuple[list[Session], Meter]:
    """``play`` with a progress bar of its own."""
    with progress_bar("policies", total=len(policies) * ticks_per_policy(setting)) as tick:
        return play(policies, setting, tick)


def ticks_per_policy(setting: Setting) -> int:
    """By how much one policy moves the bar: one for fitting, one for each user asked; by view."""
    return len(setting.views) * (1 + len(setting.users))


def _fit(name: str, make: Callable[[], Recommender], setting: Setting, tick: Tick) -> Session:
    session = Session(name)
    phase = "fit"
    tick(f"{name}: fit")
    try:
        policy = introduced(make(), setting.dataset.catalog)
        log = stacked(setting.dataset.train, setting.dataset.background)
        before = time.perf_counter()
        policy.fit(log)
        session.fit_seconds = time.perf_counter() - before
        session.policy = policy
        phase = "offline"
        first = cold_observation(setting.users[:_PROBED])  # bad slates are found early
        Timed(name, policy).recommend(first, setting.slate_size, np.random.default_rng(0))
        _measure_offline(session, policy, setting)
    except Exception as error:  # whatever a policy does wrong, the others must be measured
        session.error = _described(phase, error)
    tick(f"{name}: fit", advance=1)
    return session


def _described(phase: str, error: Exception) -> dict[str, str]:
    return {"phase": phase, "message": f"{type(error).__name__}: {error}"}


def _measure_offline(session: Session, policy: Recommender, setting: Setting) -> None:
    if not len(setting.dataset.test):  # nothing was held out, so nothing can be measured
        return
    found = user_metrics(policy, setting.dataset, setting.top, setting.min_rating, setting.users)
    rows = np.searchsorted(setting.users, found.users)
    for metric in UserMetrics._fields:
        if metric not in ("users", "items"):
            values = np.full(len(setting.users), np.nan)
            values[rows] = getattr(found, metric)
            session.offline[f"{metric}@{setting.top}"] = values


class _Player:
    """One policy before simulated and true users, wave after wave; learners go on learning."""

    def __init__(self, session: Session, setting: Setting) -> None:
        self.session, self.setting = session, setting
        policy = session.policy
        worlds = ("simulated", "true") if policy is not None else ()
        self._learners = {
            world: Timed(session.name, copy.deepcopy(policy)) for world in worlds if policy
        }
        self._rngs = {w: np.random.default_rng(setting.seed) for w in ("simulated", "true")}
        self._waves: dict[str, list[Rollout]] = {"simulated": [], "true": []}
        self._counted = 0.0  # seconds of the policy that are taken out of ``play_seconds``

    def simulate(self, users: IntArray, tick: Tick) -> int:
        """Play the users (n,) with simulated ones; returns the exposures."""
        before = time.perf_counter()
        played = self._play("simulated", self.setting.simulated, users)
        if played is None:
            return 0
        own = self._learners["simulated"]
        policy_seconds = own.recommend_seconds + own.update_seconds
        self.session.play_seconds += time.perf_counter() - before
        self.session.play_seconds -= policy_seconds - self._counted
        self._counted = policy_seconds
        self.session.recommend_seconds = own.recommend_seconds
        self.session.refit_seconds = own.update_seconds
        tick(f"{self.session.name}: {len(users)} users", advance=len(users))
        return int(played.alive.sum() * played.items.shape[2])

    def play_truth(self, users: IntArray, tick: Tick) -> None:
        """The same with the true users, where they are known."""
        if self.setting.true is not None:
            self._play("true", self.setting.true, users)

    def means(self) -> FloatArray | None:
        """Mean expected stars (n,) of the simulated users so far; None after a failure."""
        if self.session.error is not None or not self._waves["simulated"]:
            return None
        return np.concatenate([mean_ratings(w) for w in self._waves["simulated"]])

    def finish(self) -> None:
        """Hand the roll-outs over, rows by ascending user."""
        self.session.simulated = _joined(self._waves["simulated"])
        self.session.true = _joined(self._waves["true"])
        if self.session.offline and self.session.simulated is not None:
            kept = np.searchsorted(self.setting.users, self.session.simulated.users)
            offline = self.session.offline.items()
            self.session.offline = {metric: values[kept] for metric, values in offline}

    def _play(self, world: str, model: UserModel, users: IntArray) -> Rollout | None:
        if self.session.error is not None:
            return None
        learner = self._learners[world]
        try:
            env = self.setting.make_env(
                model,
                self.setting.dataset.catalog,
                num_envs=len(users),
                max_episode_steps=self.setting.max_steps,
                autoreset_mode=AutoresetMode.DISABLED,
            )
            seed, rng = self.setting.seed, self._rngs[world]
            played = rollout(env, learner, seed=seed, users=users, rng=rng)
        except Exception as error:  # whatever a policy does wrong, the others must be measured
            self.session.error = _described(world, error)
            self._waves = {"simulated": [], "true": []}
            return None
        self._waves[world].append(played)
        return played


class _Pair:
    """One policy under one view or two: who plays is asked under each."""

    def __init__(self, players: Sequence[_Player]) -> None:
        self._players = players

    def simulate(self, users: IntArray, tick: Tick) -> int:
        """Play the users (n,) with simulated ones; returns the exposures."""
        return sum(one.simulate(users, tick) for one in self._players if self._error() is None)

    def play_truth(self, users: IntArray, tick: Tick) -> None:
        """The same with the true users, where they are known."""
        for one in self._players:
            if self._error() is None:
                one.play_truth(users, tick)

    def means(self) -> FloatArray | None:
        """Mean expected stars (n,) of the simulated users so far; None after a failure."""
        found = [own for one in self._players if (own := one.means()) is not None]
        return of_users(found) if len(found) == len(self._players) else None

    def finish(self) -> Session:
        """The sessions of all views as one."""
        for one in self._players:
            one.finish()
        first, *others = (one.session for one in self._players)
        if others and (error := self._error()):
            first, *others = (replace(s, simulated=None, true=None, error=error)
                              for s in (first, *others))  # fmt: skip
        return replace(first, swapped=others[0]) if others else first

    def _error(self) -> dict[str, str] | None:
        """What went wrong under either view."""
        return next((one.session.error for one in self._players if one.session.error), None)


def _joined(waves: Sequence[Rollout]) -> Rollout | None:
    """The roll-outs of distinct users as one, rows by ascending user; None of none."""
    if not waves:
        return None
    order = np.argsort(np.concatenate([w.users for w in waves]))
    columns: dict[str, Any] = {}
    for column in fields(Rollout):
        parts = [getattr(w, column.name) for w in waves]
        missing = any(part is None for part in parts)
        columns[column.name] = None if missing else np.concatenate(parts)[order]
    return Rollout(**columns)


def _widest(players: Sequence[_Pair]) -> float:
    """The largest half-interval of the paired differences of all policies, in stars."""
    values = [v for v in (player.means() for player in players) if v is not None]
    widths = [
        (contrast.high - contrast.low) / 2
        for contrast in (paired_contrast(a, b) for a, b in combinations(values, 2))
    ]
    return max(widths, default=0.0)


def _tokens(engine: Engine | None) -> int:
    """Prompt tokens that an engine has read so far; 0 if there is none or it does not count."""
    stats = None if engine is None else engine.stats
    return 0 if stats is None else stats.prompt_tokens

"""Plays the sessions: fit and offline metrics first, then users in waves that all policies share.

It measures and keeps per-user values; what they mean is said in ``summary``.
"""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.vector import AutoresetMode

from agents.inference.engine import Engine
from experiments.reporting.progress import Tick, progress_bar
from experiments.tournament.policies import introduced
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

if TYPE_CHECKING:
    import pandas as pd

_PROBED = 64


@dataclass
class Session:
    """What one policy got; entries stay empty after a failure."""

    name: str
    fit_seconds: float = np.nan
    recommend_seconds: float = 0.0  # of making slates for the simulated users
    refit_seconds: float = 0.0  # of learning from them
    play_seconds: float = 0.0  # of asking them, without the policy's own time
    offline: dict[str, FloatArray] = field(default_factory=dict)  # metric -> (n,), NaN: no target
    simulated: Rollout | None = None
    true: Rollout | None = None
    error: dict[str, str] | None = None  # {phase, message}
    policy: Recommender | None = None  # as fitted; it never plays itself, learners are copies


def play(
    policies: Mapping[str, Callable[[], Recommender]], setting: Setting, tick: Tick
) -> tuple[list[Session], Meter]:
    """Every policy through every phase; one that fails is recorded and the others go on.

    The users' state at the start is the same for every policy, and is brought back at the end.

    Returns:
        The sessions, over the users that were asked, and the account of what asking cost.

    Raises:
        ValueError: the budget of exposures is below what a single user may cost.
    """
    places = setting.max_steps * setting.slate_size
    meter = Meter(setting.stopping, len(setting.users), places * len(policies))
    start = setting.simulated.snapshot()
    sessions = [_fit(name, make, setting, tick) for name, make in policies.items()]
    players = [_Player(session, setting) for session in sessions]
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
    for player in players:
        player.finish()
    setting.simulated.restore(start)
    return sessions, meter


def play_all(
    policies: Mapping[str, Callable[[], Recommender]], setting: Setting
) -> tuple[list[Session], Meter]:
    """``play`` with a progress bar of its own."""
    with progress_bar("policies", total=len(policies) * ticks_per_policy(setting)) as tick:
        return play(policies, setting, tick)


def ticks_per_policy(setting: Setting) -> int:
    """By how much one policy moves the bar: one for fitting, one for each user asked."""
    return 1 + len(setting.users)


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


def mean_ratings(played: Rollout) -> FloatArray:
    """Mean expected stars (n,) over everything each user was shown; what policies are ranked by.

    Places whose answer failed are left out; NaN for a user without any answer.
    """
    places = played.answered
    stars = np.where(places, played.expected, 0.0).sum(axis=(1, 2))
    sizes = places.sum(axis=(1, 2))
    means = np.divide(stars, sizes, out=np.full(len(stars), np.nan), where=sizes > 0)
    return np.asarray(means)


def interactions(sessions: Sequence[Session]) -> "pd.DataFrame":
    """Every slate of every session, with the ``policy`` and the ``world`` that answered."""
    import pandas as pd

    frames = [
        played.to_frame().assign(policy=session.name, world=world)
        for session in sessions
        for world, played in (("simulated", session.simulated), ("true", session.true))
        if played is not None
    ]
    together = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    for column in together.columns.intersection(["policy", "world"]):
        together[column] = together[column].astype("category")
    return together


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


def _widest(players: Sequence[_Player]) -> float:
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

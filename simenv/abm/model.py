"""``PersonaSociety``: a Mesa model whose agents are answered for in one batch a tick.

It knows no language model and no recommender: users are a ``UserModel``, the policy is whatever
``simenv.policy`` describes. Letters: ``U`` all users, ``I`` all items, ``n`` users awake,
``k`` slate places, ``g`` genres.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from simenv.values.extras import needing

with needing("a society of users"):
    import mesa

from simenv.abm.activation import Activation, ReturnTimes
from simenv.abm.agents import Person
from simenv.abm.faults import Answered, TooManyFailuresError, ask_tolerantly
from simenv.abm.happenings import Happenings
from simenv.abm.keeping import checkpoint
from simenv.abm.keeping.journal import Journal, TickRecord, no_tick
from simenv.abm.living_users import reflect_if_due, refresh_if_due
from simenv.abm.moving_world import MovingWorld
from simenv.abm.recommender_side import Platform, Shown
from simenv.abm.settings import SocietySettings, check_fits, check_traits, choose_root
from simenv.abm.shocks import Shock
from simenv.abm.social import Social, SocialSettings
from simenv.abm.tally import Tally
from simenv.abm.time_series import Curves
from simenv.catalog import Catalog
from simenv.events import FloatArray, IntArray, InteractionLog, SeedArray, Slates
from simenv.item_averages import ItemAverages
from simenv.observation import Observation, take_rows
from simenv.policy import LearningPolicy
from simenv.seeding import row_seeds
from simenv.snapshots import Arrays
from simenv.user_model import UserModel

_PATIENCE = 7  # ticks that somebody who has seen everything waits before looking again


class PersonaSociety(mesa.Model):  # type: ignore[misc]
    """Many users, one recommender, one slate a tick for everybody awake.

    A new society starts from the beginning: users and world are reset and the policy is fitted. The
    same arguments give the same run, whatever ran before.

    Args:
        user_model: who answers; one ``respond`` a tick for all who are awake.
        policy: what recommends.
        catalog: of all items, those not yet released included.
        log: ratings known before the first tick; its users are the people of the society.
        averages: that people see beside each item before the first tick; None = of ``log``.
        activity: (U,) trait level 1, 2 or 3; None = 2 for everybody.
        groups: (U,) persona groups, from 0; None = everybody in one.
        settings: see ``SocietySettings``.
        activation: who is awake; None = ``ReturnTimes``.
        social: network, word of mouth and trends; None = the defaults.
        shocks: what happens from outside, and when.
        world: hears of averages and shocks every tick; None = the world stands still.
        seed: of every draw; None draws one, kept as ``root``, so that each run of Mesa's
            ``batch_run(iterations=…)`` is another. A run that is resumed keeps its own.
        folder: where log and checkpoints go; None = nothing is written.
        resume: go on from the folder's last checkpoint, if there is one.

    Raises:
        ValueError: sizes do not fit together, the folder holds another run, or users are to be
            refreshed who cannot be.
    """

    def __init__(
        self,
        user_model: UserModel,
        policy: LearningPolicy,
        catalog: Catalog,
        log: InteractionLog,
        *,
        averages: ItemAverages | None = None,
        activity: IntArray | None = None,
        groups: IntArray | None = None,
        settings: SocietySettings | None = None,
        activation: Activation | None = None,
        social: SocialSettings | None = None,
        shocks: Sequence[Shock] = (),
        world: MovingWorld | None = None,
        seed: int | None = None,
        folder: str | Path | None = None,
        resume: bool = False,
    ) -> None:
        saved = checkpoint.saved_root(folder) if resume and seed is None else None
        seed = choose_root(seed if saved is None else saved)
        super().__init__(seed=seed)
        num_users = log.num_users
        self.root = seed
        self.settings = settings or SocietySettings()
        check_fits(user_model, catalog, log, self.settings)
        self.user_model, self.world, self.catalog = user_model, world, catalog
        self.first_averages = averages or ItemAverages.of(log, catalog)
        self.groups = check_traits("groups", groups, num_users, 0)
        self.folder = None if folder is None else Path(folder)
        resuming = self.folder is not None and checkpoint.prepare(self.folder, resume)
        self.journal = Journal(self.folder)
        self.activation = activation or ReturnTimes()
        self.activation.start(seed, check_traits("activity", activity, num_users, 2))
        self.social = Social(social or SocialSettings(), self.groups, len(catalog), seed)
        self.user_model.reset()
        if world is not None:
            world.reset()
        self.platform = Platform(
            policy, catalog, log, slate_size=self.settings.slate_size,
            history_length=self.settings.history_length, refit_every=self.settings.refit_every,
            log_budget=self.settings.log_budget,
            seconds_per_tick=86_400 / self.activation.ticks_per_day, fit=not resuming,
        )  # fmt: skip
        self.tally = Tally(num_users, self.first_averages)
        self.curves = Curves(catalog, log, self.groups, self.social.edges(), seed)
        self.datacollector = mesa.DataCollector(model_reporters=self.curves.reporters())
        self.happenings = Happenings(shocks, len(catalog))
        self.last = no_tick(0, self.settings.slate_size)
        self.user_seconds = self.total_seconds = 0.0
        self.present = np.ones(num_users, dtype=np.bool_)  # whose agents were not removed
        people = Person.create_agents(self, num_users, np.arange(num_users))
        self._policy_file: str | None = None
        if resuming and self.folder is not None:
            self._policy_file = checkpoint.load(self, self.folder)
            self.happenings.run(self.steps)
            people.select(lambda person: not self.present[person.user]).do("remove")

    def deregister_agent(self, agent: mesa.Agent) -> None:
        """See ``mesa.Model``; a person who is removed is never asked again."""
        super().deregister_agent(agent)
        if isinstance(agent, Person):
            self.present[agent.user] = False

    def arrays(self) -> Arrays:
        """What the society itself keeps; a checkpoint writes it and writes into it."""
        return self.tally.arrays() | self.curves.arrays() | {"present": self.present}

    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree with to be continued, in JSON."""
        return {
            "seed": self.root,
            "num_users": len(self.groups),
            "num_items": len(self.catalog),
            "policy": type(self.platform.policy).__name__,
            "settings": asdict(self.settings),
            "social": asdict(self.social.settings),
            "shocks": [
                asdict(shock) | {"items": list(shock.items)} for shock in self.happenings.shocks
            ],
        }

    def step(self) -> None:
        """One tick: events, who is awake, one answer for all of them, and what follows from it.

        Raises:
            TooManyFailuresError: too many users failed; the state is saved if there is a folder.
        """
        started, tick = perf_counter(), self.steps
        shown = self._show(tick)
        reason = self._play(tick, shown) if len(shown.users) else self._rest(tick)
        self.user_seconds += refresh_if_due(self.user_model, tick, self.settings.refresh_every)
        self.curves.measure(self.last, len(shown.saturated))
        self.datacollector.collect(self)
        self.journal.add(self.last)
        most = self.settings.max_failed_share * max(1, len(shown.users))
        too_many = self.last.slates_unanswered > most
        if self.folder is not None and (too_many or tick % self.settings.checkpoint_every == 0):
            self.save()
        self.total_seconds += perf_counter() - started
        if too_many:
            self._stop(len(shown.users), reason)

    def _stop(self, num_asked: int, reason: str) -> None:
        self.running = False
        raise TooManyFailuresError(
            f"tick {self.steps} wanted at most {self.settings.max_failed_share:.0%} of its users"
            f" to fail, but {self.last.slates_unanswered:g} of {num_asked} did, the first with"
            f" {reason!r};"
            " mend the cause and resume"
            + (f" {self.folder.name!r}" if self.folder else " (nothing was saved: no folder)")
        )

    def _show(self, tick: int) -> Shown:
        """What happens from outside, who is awake, and what they are shown."""
        self.happenings.run(tick)
        if self.world is not None:
            self.world.advance(tick, self.averages(), self.happenings.effects.shift)
        awake = self.activation.awake(tick, self.happenings.effects.boost)
        awake = awake[self.present[awake]]
        self.platform.available = self.happenings.effects.available
        shown = self.platform.show(awake, self.rng)
        if len(shown.saturated):
            later = np.full(len(shown.saturated), tick + _PATIENCE)
            self.activation.postpone(shown.saturated, later)
        return shown

    def _rest(self, tick: int) -> str:
        self.last = no_tick(tick, self.settings.slate_size)
        if self.settings.refit_every and tick % self.settings.refit_every == 0:
            self.platform.fit(tick)
            self._policy_file = None
        return ""

    def _play(self, tick: int, shown: Shown) -> str:
        """Ask those awake and take their answers in; returns why the first of them failed."""
        users = shown.users
        seeds = row_seeds(self.root, users, np.full(len(users), tick))
        slates, sources = self.social.mix_in(
            users, shown.slates, seeds, shown.allowed, self.happenings.effects.viral
        )
        arrivals = self.tally.arrivals(users)
        answered = self._ask(users, slates, seeds, arrivals)
        ok = answered.ok
        self._postpone_failed(tick, users[~ok])
        kept, feedback = Slates(slates.items[ok], slates.scores[ok]), answered.feedback
        self.last = TickRecord(tick, users[ok], kept, sources[ok], feedback, users[~ok])
        observation = take_rows(shown.observation, np.flatnonzero(ok))
        self._live(tick, seeds[ok], observation)
        num_returns = int((self.tally.visits[arrivals] > 1).sum())
        self.curves.take_in(users[ok], kept.items, feedback, num_returns)
        reflect_if_due(self.user_model, tick, self.settings.reflect_every, self.tally.unreflected)
        return answered.reason

    def _ask(
        self, users: IntArray, slates: Slates, seeds: SeedArray, arrivals: IntArray
    ) -> Answered:
        started = perf_counter()
        self.user_model.start_session(arrivals)
        most = int(self.settings.max_failed_share * len(users))
        answered = ask_tolerantly(self.user_model, users, slates, seeds, most)
        if answered.ok.any():
            kept = Slates(slates.items[answered.ok], slates.scores[answered.ok])
            self.user_model.remember(users[answered.ok], kept, answered.feedback)
        self.user_seconds += perf_counter() - started
        return answered

    def _postpone_failed(self, tick: int, failed: IntArray) -> None:
        """Those who failed try again later, and later still each time."""
        failures = self.tally.failures
        failures[failed] += 1
        if len(failed):
            self.activation.postpone(failed, tick + 2 ** np.minimum(failures[failed], 10))

    def _live(self, tick: int, seeds: SeedArray, observation: Observation) -> None:
        """Everything that follows from the answers of ``self.last``."""
        users, slates, feedback = self.last.users, self.last.slates, self.last.feedback
        self.tally.take_in(users, slates.items, feedback)
        stars = self.tally.satisfaction[users]
        self.activation.take_in(tick, users, stars, feedback.quits, seeds)
        self.social.spread(users, slates.items, feedback, seeds)
        num_fits = len(self.platform.refits)
        if len(users):
            self.platform.take_in(tick, users, observation, slates, feedback)
        if len(self.platform.refits) > num_fits or self.platform.policy.learns_online:
            self._policy_file = None

    def averages(self) -> FloatArray:
        """(I,) stars that people see beside each item now."""
        return self.tally.averages() if self.settings.herding else self.first_averages.fair

    def schedule(self, tick: int, function: Callable[..., Any], *args: Any) -> None:
        """Call ``function(*args)`` at the start of a coming tick.

        Mesa's events hold weak references: give a method or a function that lives elsewhere, no
        lambda. Shocks survive a checkpoint; what is scheduled here must be scheduled again.

        Raises:
            ValueError: the tick has passed.
        """
        if tick <= self.steps:
            raise ValueError(f"schedule wanted a tick after {self.steps}, got {tick}")
        self.happenings.add(tick, function, *args)

    def save(self) -> None:
        """Write a checkpoint now.

        Raises:
            RuntimeError: the society has no folder.
        """
        if self.folder is None:
            raise RuntimeError("save wanted a society with a folder, got one without; give folder=")
        self._policy_file = checkpoint.save(self, self.folder, self._policy_file)

    def finish(self) -> None:
        """Save, and write the whole log as ``interactions.parquet``."""
        self.save()
        assert self.folder is not None
        self.journal.join(self.folder / "interactions.parquet")

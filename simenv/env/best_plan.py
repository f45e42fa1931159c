"""The best plan for a life among items that tempt and items that nourish, by dynamic programming.

Exact where a life has few states: everybody alike, two kinds of items, satisfaction that looks at
the last slate alone, and a horizon in slates. Letters: ``T`` slates of a life at most, ``k`` slate
places, ``L`` levels of weariness above none; an action is how many of the k places tempt.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
from scipy.special import ndtr

from simenv.events import FloatArray, IntArray, expected_stars
from simenv.users.behaviour import Behaviour
from simenv.users.lives import Life
from simenv.users.visit_effects import VisitEffects
from simenv.users.weariness import Wear, tilted

_FINEST = 1000  # steps of weariness finer than this are no levels
NOURISHING, TEMPTING = 0, 1

Choice = Callable[["Visit"], IntArray]  # (…) how many places tempt, for states of shape (…)


@dataclass(frozen=True)
class Visit:
    """States of a life, as arrays that broadcast."""

    shown: IntArray  # slates of the life so far
    slates: IntArray  # of this visit so far
    tempted: IntArray  # tempting places of this visit so far
    level: IntArray  # of weariness, in [0, L]


@dataclass(frozen=True)
class ForesightModel:
    """The decision problem: what is paid is the number of places taken.

    Args:
        chances: (5,) what everybody thinks of every item, before temptation and weariness.
        slate_size: k.
        max_steps: T.
        wear: temptation and its price.
        life: of the returns; its limit in days must not cut a life short.
        behaviour: with ``satisfaction_memory`` 0.
        effects: of a visit; its window must hold a life's places.
        activity: of everybody.

    Raises:
        ValueError: a setting gives a life more states than these.
    """

    chances: FloatArray
    slate_size: int
    max_steps: int
    wear: Wear
    life: Life
    behaviour: Behaviour
    effects: VisitEffects
    activity: int = 2

    def __post_init__(self) -> None:
        places, longest = self.max_steps * self.slate_size, self.max_steps * self.life.gone_after
        wanted = {
            "behaviour.satisfaction_memory": (self.behaviour.satisfaction_memory == 0, "0"),
            "effects.window": (self.effects.window >= places, f"at least {places}"),
            "life.days": (self.life.days >= longest, f"at least {longest:g}"),
            "wear.wear and wear.rest": (
                all(abs(round(s * _FINEST) - s * _FINEST) < 1e-9 for s in self._steps()),
                f"multiples of {1 / _FINEST:g}",
            ),
        }
        for name, (holds, what) in wanted.items():
            if not holds:
                raise ValueError(
                    f"ForesightModel wanted {name} {what}, so that a life has few states; set it,"
                    " or compare by playing instead of by the plan"
                )

    @property
    def num_levels(self) -> int:
        """L: weariness is a multiple of 1/L."""
        return lcm(*(Fraction(s).limit_denominator(_FINEST).denominator for s in self._steps()))

    def _steps(self) -> tuple[float, float]:
        return self.wear.wear, self.wear.rest

    def level_of(self, weariness: FloatArray) -> IntArray:
        """Levels (…) of weariness (…)."""
        return np.rint(np.asarray(weariness) * self.num_levels).astype(np.int64)

    def stars(self) -> FloatArray:
        """(2, L + 1) expected stars of a nourishing and a tempting item, by level."""
        toll = self.wear.toll * np.arange(self.num_levels + 1) / self.num_levels
        lift = self.wear.lift * np.array([0.0, 1.0])
        pull = lift[:, None] - toll
        return expected_stars(tilted(np.broadcast_to(self.chances, (*pull.shape, 5)), pull))

    def places(self, state: Visit, action: IntArray) -> tuple[FloatArray, FloatArray]:
        """What a slate pays (…) with its nourishing and with its tempting items on top."""
        stars, behaviour = self.stars(), self.behaviour
        take = behaviour.take_chance(stars.reshape(-1, 1)).reshape(stars.shape)  # if looked at
        nourished = self.slate_size * state.slates - state.tempted
        length = np.maximum(np.hypot(state.tempted, nourished), 1.0)
        tired = (1 - self.effects.fatigue) ** state.slates
        taken = [
            tired * (1 - self.effects.boredom * shown / length) * take[kind][state.level]
            for kind, shown in ((NOURISHING, nourished), (TEMPTING, state.tempted))
        ]
        looks = np.concatenate([[0.0], behaviour.examine_decay ** np.arange(self.slate_size)])
        seen = np.cumsum(looks)  # looks at the first places
        whole, rest = seen[-1], self.slate_size - action
        top_nourishing = seen[rest] * taken[NOURISHING] + (whole - seen[rest]) * taken[TEMPTING]
        top_tempting = seen[action] * taken[TEMPTING] + (whole - seen[action]) * taken[NOURISHING]
        return np.asarray(top_nourishing), np.asarray(top_tempting)

    def pays(self, state: Visit, action: IntArray) -> FloatArray:
        """Places (…) that are taken of the coming slate, in the better order."""
        return np.maximum(*self.places(state, action))

    def leaves(self, state: Visit, action: IntArray) -> tuple[FloatArray, FloatArray]:
        """Chances (…) that the visit ends after the slate, and that it was the last one if so."""
        stars = self.stars()[:, state.level]
        share = action / self.slate_size
        mean = share * stars[TEMPTING] + (1 - share) * stars[NOURISHING]
        quits = self.behaviour.quit_chance(mean, np.array(self.activity))
        share = (state.tempted + action) / (self.slate_size * (state.slates + 1))
        visit = share * stars[TEMPTING] + (1 - share) * stars[NOURISHING]
        life = self.life
        median = np.log2(life.median_days) + life.doublings_per_star * (life.content_level - visit)
        apart = np.log(2.0) * (np.log2(life.gone_after) - median)
        return quits, np.asarray(1 - ndtr(apart / life.spread))

    def wearied(self, state: Visit, action: IntArray) -> IntArray:
        """Levels (…) with which the next visit begins, if this slate ends the visit."""
        tempted = state.tempted + action
        nourished = self.slate_size * (state.slates + 1) - tempted
        wear, rest = (round(step * self.num_levels) for step in self._steps())
        moved = state.level + wear * tempted - rest * nourished
        return np.asarray(np.clip(moved, 0, self.num_levels), dtype=np.int64)


@dataclass(frozen=True)
class Plan:
    """What is best in every state, and what a life is worth from there."""

    value: float  # places taken in a life, expected
    actions: tuple[IntArray, ...]  # by slates of the life: (slates + 1, k·slates + 1, L + 1)

    def choose(self, state: Visit) -> IntArray:
        """How many places tempt in the states (n,)."""
        rows = zip(state.shown, state.slates, state.tempted, state.level, strict=True)
        return np.array([self.actions[t][v, a, w] for t, v, a, w in rows], dtype=np.int64)


def best_plan(model: ForesightModel) -> Plan:
    """The plan with the largest expected number of places taken in a life."""
    return _backward(model, None)


def worth(model: ForesightModel, choice: Choice) -> float:
    """Places taken in a life, expected, of whoever acts by ``choice``."""
    return _backward(model, choice).value


def greedy(model: ForesightModel) -> Choice:
    """What pays most now: the oracle of the next slate."""

    def choose(state: Visit) -> IntArray:
        actions = np.arange(model.slate_size + 1)
        shape = np.broadcast_shapes(*(np.shape(part) for part in vars(state).values()))
        pays = np.stack([model.pays(state, np.full(shape, a)) for a in actions])
        return np.asarray(pays.argmax(axis=0), dtype=np.int64)

    return choose


def _backward(model: ForesightModel, choice: Choice | None) -> Plan:
    """From the last slate to the first; without a choice the best action of every state."""
    k, size = model.slate_size, model.num_levels + 1
    after = np.zeros((model.max_steps + 1, k * model.max_steps + 1, size))
    actions: list[IntArray] = []
    for shown in range(model.max_steps - 1, -1, -1):
        state = _states(model, shown)
        found = np.stack([_worth(model, state, a, after) for a in range(k + 1)])
        chosen = found.argmax(axis=0) if choice is None else choice(state)
        actions.append(chosen)
        after = np.take_along_axis(found, chosen[None], axis=0)[0]
    return Plan(float(after[0, 0, 0]), tuple(reversed(actions)))


def _states(model: ForesightModel, shown: int) -> Visit:
    """Every state after so many slates: (slates + 1, k·slates + 1, L + 1), some out of reach."""
    grid = (shown + 1, model.slate_size * shown + 1, model.num_levels + 1)
    slates, tempted, level = np.indices(grid, dtype=np.int64)
    return Visit(
        np.full(grid, shown), slates, np.minimum(tempted, model.slate_size * slates), level
    )


def _worth(model: ForesightModel, state: Visit, tempting: int, after: FloatArray) -> FloatArray:
    """Of one action in every state, if the rest of the life is worth ``after``."""
    action = np.full(state.level.shape, tempting)
    quits, gone = model.leaves(state, action)
    back = after[0, 0, model.wearied(state, action)]
    stays = after[state.slates + 1, state.tempted + action, state.level]
    return np.asarray(model.pays(state, action) + (1 - quits) * stays + quits * (1 - gone) * back)

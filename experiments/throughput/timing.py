"""Clocks: ways of asking side by side, and the environment's step."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from agents.inference.engine import Request
from agents.inference.local.local_engine import LocalEngine
from agents.inference.metering.meter import EngineFigures, EngineMeter
from agents.persona_users import PersonaUsers
from experiments.throughput.ways import MASKED, Way
from simenv.env.vector_env import RecVectorEnv
from simenv.events import FloatArray

Spread = dict[str, float]  # median, min, max


def race(
    ways: Mapping[str, Way],
    draw: Callable[[int], list[Request]],
    rounds: int,
    most: Mapping[str, int],
    warm: int = 1,
) -> dict[str, Any]:
    """Every way answers the same requests, turn by turn.

    Args:
        ways: the first is the one whose ratios are reported.
        draw: the requests of a round; the answers to round 0 are compared.
        rounds: timed rounds.
        most: of a way, the requests it is given at most; those not named get all.
        warm: rounds before the clock starts, as users in the middle of a run have met slates.

    Returns:
        ``rates`` (requests per second), ``ratios`` (the first way over each other) and
        ``largest_difference`` from ``padded``, or from one forward under a mask (nats), by way.
    """
    first, *others = ways
    met = draw(0)
    answers = {name: way(met[: most.get(name)]) for name, way in ways.items()}
    rates = timed_rates(ways, draw, rounds, most, warm)
    twin = MASKED if MASKED in ways else "padded"
    return {
        "rates": {name: spread(own) for name, own in rates.items()},
        "ratios": {
            name: spread(a / b for a, b in zip(rates[first], rates[name], strict=True))
            for name in others
        },
        "largest_difference": {
            name: _difference(own, answers[twin])
            for name, own in answers.items()
            if not np.isnan(own).any()
        },
    }


def timed_rates(
    ways: Mapping[str, Way],
    draw: Callable[[int], list[Request]],
    rounds: int,
    most: Mapping[str, int],
    warm: int,
) -> dict[str, list[float]]:
    """Requests per second of every way in every timed round."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(1, warm + rounds):
        asked = draw(number)
        for name, way in ways.items():
            part = asked[: most.get(name)]
            started = time.perf_counter()
            way(part)
            if number >= warm:
                rates[name].append(len(part) / (time.perf_counter() - started))
    return rates


class StepClock:
    """Environments of ``num_users`` each and the times of their steps, with random slates."""

    def __init__(self, crews: Sequence[PersonaUsers], slate: int, seed: int = 0) -> None:
        """``crews``: people for each environment, all on one ``LocalEngine``, shared or not."""
        engine = crews[0].engine
        assert isinstance(engine, LocalEngine)
        catalog = crews[0].population.catalog
        self.num_users, self.slate = crews[0].num_users, slate
        self._engine, self._num_items = engine, len(catalog)
        self._envs = [
            RecVectorEnv(people, catalog, num_envs=self.num_users, slate_size=slate)
            for people in crews
        ]
        for number, env in enumerate(self._envs):
            env.reset(seed=seed + number)
        self._rng = np.random.default_rng(seed)
        self._parts: list[EngineFigures] = []

    def step(self, timed: bool) -> None:
        """One step of each; a step in which nobody was asked (all restart) counts as none."""
        for env in self._envs:
            slates = [
                self._rng.choice(self._num_items, self.slate, replace=False)
                for _ in range(self.num_users)
            ]
            meter = EngineMeter(self._engine)
            env.step(np.array(slates))
            figures = meter.read()
            if timed and figures["exposures"]:
                self._parts.append(figures)

    @property
    def costs(self) -> FloatArray:
        """Seconds an exposure of every timed step."""
        return np.array([p["seconds"] / (p["exposures"] or 1) for p in self._parts])

    def figures(self, peak: float) -> dict[str, Any]:
        """Of all timed steps.

        Returns:
            ``exposures_per_second`` and ``share_outside_model`` over the steps, ``step_seconds``
            (p50, p95), and sums and means of the engine's figures, the utilisation of ``peak``
            (FLOP/s) among them.
        """
        seconds, rate = [p["seconds"] for p in self._parts], self._mean("flops_per_second")
        return {
            "num_users": self.num_users,
            "slate": self.slate,
            "exposures_per_second": spread(1 / self.costs),
            "share_outside_model": spread(1 - (p["model_share"] or 0) for p in self._parts),
            "step_seconds": {f"p{q}": float(np.percentile(seconds, q)) for q in (50, 95)},
            "tokens_per_exposure": self._mean("prompt_tokens_per_exposure"),
            "cached_share": self._mean("cached_share"),
            "padding_waste": self._mean("padding_waste"),
            "adapter_switches": sum(p["adapter_switches"] or 0 for p in self._parts),
            "prefix_hit_rate": self._engine.cache_stats.hit_rate,
            "flops_per_second": rate,
            "utilisation": rate / peak,
        }

    def _mean(self, key: str) -> float:
        """Over all timed steps, weighted by exposures."""
        weights = np.array([p["exposures"] for p in self._parts], dtype=np.float64)
        weights /= weights.sum()
        return float(sum(w * p[key] for w, p in zip(weights, self._parts, strict=True)))  # type: ignore[literal-required]


def cost_ratio(many: StepClock, few: StepClock) -> dict[str, Any]:
    """Cost of an exposure among many users over that among few, by steps of the same turns."""
    turns = len(many.costs)
    own = few.costs[: len(few.costs) // turns * turns].reshape(turns, -1)
    return {
        "many": many.num_users,
        "few": few.num_users,
        **spread(many.costs / np.median(own, axis=1)),
    }


def spread(values: Iterable[float]) -> Spread:
    """Median, least and most."""
    array = np.array(list(values))
    return {
        "median": float(np.median(array)),
        "min": float(array.min()),
        "max": float(array.max()),
    }


def _difference(own: FloatArray, other: FloatArray) -> float:
    both = min(len(own), len(other))
    return float(np.abs(own[:both] - other[:both]).max())

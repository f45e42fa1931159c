"""Clocks: ways of asking side by side, the environment's step, and the peak of the machine."""

import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch

from agents.inference.engine import Request
from agents.inference.local import LocalEngine
from agents.persona_users import PersonaUsers
from experiments.throughput.ways import Way
from simenv.events import FloatArray
from simenv.vector_env import RecVectorEnv

Spread = dict[str, float]  # median, min, max


def race(
    ways: Mapping[str, Way],
    draw: Callable[[int], list[Request]],
    rounds: int,
    most: Mapping[str, int],
) -> dict[str, Any]:
    """Every way answers the same requests, turn by turn.

    Args:
        ways: the first is the one whose ratios are reported.
        draw: the requests of a round; round 0 warms up and is compared, not timed.
        rounds: timed rounds.
        most: of a way, the requests it is given at most; those not named get all.

    Returns:
        ``rates`` (requests per second), ``ratios`` (the first way over each other) and
        ``largest_difference`` from ``padded`` (nats), by way.
    """
    first, *others = ways
    warm = draw(0)
    answers = {name: way(warm[: most.get(name)]) for name, way in ways.items()}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(1, rounds + 1):
        asked = draw(number)
        for name, way in ways.items():
            part = asked[: most.get(name)]
            started = time.perf_counter()
            way(part)
            rates[name].append(len(part) / (time.perf_counter() - started))
    return {
        "rates": {name: spread(own) for name, own in rates.items()},
        "ratios": {
            name: spread(a / b for a, b in zip(rates[first], rates[name], strict=True))
            for name in others
        },
        "largest_difference": {
            name: _difference(own, answers["padded"])
            for name, own in answers.items()
            if not np.isnan(own).any()
        },
    }


def step_rate(people: PersonaUsers, num_users: int, slate: int, steps: int, seed: int) -> Any:
    """Exposures per second through ``env.step`` with distinct random slates, after one step.

    Returns:
        ``exposures_per_second`` and ``share_outside_model`` over the steps, ``step_seconds`` (p50,
        p95), and counts of the engine: prompt tokens an exposure, ``cached_share``,
        ``padding_waste``, ``adapter_switches``, ``hit_rate`` of the prefix cache since its start.
    """
    engine = people.engine
    assert isinstance(engine, LocalEngine)
    env = RecVectorEnv(people, people.population.catalog, num_envs=num_users, slate_size=slate)
    env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    rates, outside, clocked = [], [], []
    before = vars(engine.stats).copy()
    for step in range(steps + 1):
        noise = rng.random((num_users, len(people.population.catalog)))
        actions = np.argpartition(noise, slate, axis=1)[:, :slate]
        inside, answered = engine.stats.model_seconds, engine.stats.requests
        started = time.perf_counter()
        env.step(actions)
        seconds = time.perf_counter() - started
        if step and engine.stats.requests > answered:
            rates.append((engine.stats.requests - answered) / seconds)
            clocked.append(seconds)
            outside.append(1 - (engine.stats.model_seconds - inside) / seconds)
    done = {key: value - before[key] for key, value in vars(engine.stats).items()}
    return {
        "num_users": num_users,
        "slate": slate,
        "exposures_per_second": spread(rates),
        "share_outside_model": spread(outside),
        "step_seconds": {
            "p50": float(np.percentile(clocked, 50)),
            "p95": float(np.percentile(clocked, 95)),
        },
        "adapter_switches": done["adapter_switches"],
        "hit_rate": engine.cache_stats.hit_rate,
        "tokens_per_exposure": done["prompt_tokens"] / done["requests"],
        "cached_share": done["cached_tokens"] / done["prompt_tokens"],
        "padding_waste": done["padding_tokens"] / done["run_tokens"],
        "flops_per_second": done["flops"] / done["model_seconds"],
    }


def peak_flops(seconds: float = 0.5) -> float:
    """Best float32 multiply-adds (as 2 operations) per second of square products of 1,024."""
    a, best = torch.randn(1024, 1024), 0.0
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        started = time.perf_counter()
        torch.mm(a, a)
        best = max(best, 2 * 1024**3 / (time.perf_counter() - started))
    return best


def peak_memory() -> int:
    """Most bytes this process has held in main memory so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


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

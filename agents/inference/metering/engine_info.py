"""``info["engine"]`` on request: what the language model's work cost, beside every step."""

import time
from collections import deque
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper

from agents.inference.engine import Engine
from agents.inference.metering.meter import EngineFigures, EngineMeter

_STEPS_KEPT = 10_000


class _WithFigures:
    """What the two wrappers share: a seed restarts the counting, every step says what it cost."""

    env: Any
    _watch: "_Watch"

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See ``Env.reset``; a seed also restarts the counting."""
        self._watch.restart_if(seed is not None)
        found: tuple[Any, dict[str, Any]] = self.env.reset(seed=seed, options=options)
        return found

    def step(self, action: Any) -> Any:
        """See ``Env.step``."""
        started = time.perf_counter()
        *rest, info = self.env.step(action)
        return *rest, {**info, "engine": self._watch.figures(started)}


class EngineInfo(_WithFigures, gym.Wrapper[Any, Any, Any, Any]):
    """Adds ``engine`` to the info of every step of a single environment.

    It holds ``EngineFigures`` since the first ``reset`` or the last with a seed, with
    ``step_seconds`` those of whole steps, prompts, memory and environment included.

    Args:
        env: any environment.
        engine: the one that its users ask.
    """

    def __init__(self, env: gym.Env[Any, Any], engine: Engine) -> None:
        super().__init__(env)
        self._watch = _Watch(engine)


class VectorEngineInfo(_WithFigures, VectorWrapper):
    """The same for a batch: one ``engine`` for all of its rows, so no array and no mask."""

    def __init__(self, env: VectorEnv[Any, Any, Any], engine: Engine) -> None:
        super().__init__(env)
        self._watch = _Watch(engine)


class _Watch:
    """A meter, and the seconds of whole steps."""

    def __init__(self, engine: Engine) -> None:
        self._meter = EngineMeter(engine)
        self._seconds: deque[float] = deque(maxlen=_STEPS_KEPT)

    def restart_if(self, seeded: bool) -> None:
        if seeded:
            self._meter.restart()
            self._seconds.clear()

    def figures(self, started: float) -> EngineFigures:
        self._seconds.append(time.perf_counter() - started)
        p50, p95 = np.percentile(self._seconds, (50, 95))
        figures = self._meter.read()
        figures["step_seconds"] = {"p50": float(p50), "p95": float(p95)}
        return figures

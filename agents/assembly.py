"""Puts people, engine and world together: the entry points that ``gym.make`` and Hydra name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from agents.inference.engine import Engine
from agents.inference.metering.engine_info import EngineInfo, VectorEngineInfo
from agents.inference.scripted import ScriptedEngine
from agents.inference.server.server_engine import ServerEngine
from agents.persona_users import PersonaUsers
from agents.population.fidelity_gate import let_in
from agents.population.population import POCKET, SHIPPED, Population
from simenv.env.options import EnvSettings
from simenv.env.single_env import RecEnv
from simenv.env.vector_env import RecVectorEnv
from simenv.values.extras import needing

MakeEngine = Callable[..., Engine]


def persona_users(
    population: Population,
    engine: MakeEngine | str = "local",
    **settings: Any,
) -> PersonaUsers:
    """People who answer through an engine.

    Args:
        population: who they are and what they run on.
        engine: ``local``, ``server`` (at OPENAI_BASE_URL), ``scripted``, or a callable
            (model, adapters) → engine.
        settings: of ``PersonaUsers`` (memory, behaviour, calibrated).
    """
    return PersonaUsers(population, make_engine(population, engine), **settings)


def make_engine(population: Population, engine: MakeEngine | str = "local") -> Engine:
    """The engine that runs a population's base model and adapters.

    Raises:
        ModuleNotFoundError: it needs a library that is not installed; says the line that does.
        ValueError: the name is none of ``local``, ``server`` and ``scripted``.
    """
    if callable(engine):
        return engine(population.model, adapters=population.adapters)
    makers: dict[str, Callable[[], Engine]] = {
        "local": lambda: _local(population),
        "server": lambda: ServerEngine(population.model, population.adapters),
        "scripted": ScriptedEngine,
    }
    if engine not in makers:
        raise ValueError(f"engine wanted one of {sorted(makers)} or a callable, got {engine!r}")
    return makers[engine]()


def _local(population: Population) -> Engine:
    """Imported when it is asked for: it brings torch, which takes seconds and may be missing."""
    with needing("engine='local' runs a language model", "pass engine='scripted' or 'server'"):
        from agents.inference.local.local_engine import LocalEngine
    return LocalEngine(population.model, population.adapters)


def make_env(
    population: str | Path | Population | None = None,
    engine: MakeEngine | str = "local",
    session_steps: int | None = None,
    engine_info: bool = False,
    model: str | Path | None = None,
    allow_low_fidelity: bool = False,
    calibrated: bool = True,
    **settings: Unpack[EnvSettings],
) -> RecEnv | EngineInfo:
    """``PersonaRec-v0``: one user a time.

    Args:
        population: a population, its folder, hub id or name in the package (``readers``,
            ``pocket``); None = the shipped one, with ``engine="server"`` that of ``pocket``, whom a
            server can read.
        engine: see ``make_engine``.
        session_steps: slates a session may have; ``gym.make`` keeps ``max_episode_steps`` for its
            own wrapper, so this name works everywhere.
        engine_info: whether ``info["engine"]`` holds what every step cost: exposures a
            second, tokens, cache, padding, memory (``EngineFigures``).
        model: ``smollm2``, or folder or hub name of any causal language model, which the people are
            put on instead of their own; their profiles and memories stay, their adapters do not.
            Without ``population`` these are the people of ``pocket``.
        allow_low_fidelity: people whose fidelity card says ``fail`` are used all the same; see
            ``agents.population.fidelity_gate``.
        calibrated: whether answers are calibrated, where the population says how.
        settings: of the environment (``slate_size``, ``reward``, …).

    Raises:
        LowFidelityError: the people failed, and nobody said that they may be used all the same.
    """
    users = _users(population, engine, model, allow_low_fidelity, calibrated)
    env = RecEnv(users, users.population.catalog, **_settings(users, settings, session_steps))
    return EngineInfo(env, users.engine) if engine_info else env


def make_vector_env(
    num_envs: int = 1,
    population: str | Path | Population | None = None,
    engine: MakeEngine | str = "local",
    session_steps: int | None = None,
    autoreset_mode: Any = None,
    engine_info: bool = False,
    model: str | Path | None = None,
    allow_low_fidelity: bool = False,
    calibrated: bool = True,
    **settings: Unpack[EnvSettings],
) -> RecVectorEnv | VectorEngineInfo:
    """``PersonaRec-v0`` as a native batch: one engine call a step for all users; see `make_env`."""
    users = _users(population, engine, model, allow_low_fidelity, calibrated)
    more = {} if autoreset_mode is None else {"autoreset_mode": autoreset_mode}
    env = RecVectorEnv(
        users,
        users.population.catalog,
        num_envs=num_envs,
        **more,
        **_settings(users, settings, session_steps),
    )
    return VectorEngineInfo(env, users.engine) if engine_info else env


def _users(
    population: str | Path | Population | None,
    engine: MakeEngine | str,
    model: str | Path | None,
    allow_low_fidelity: bool,
    calibrated: bool,
) -> PersonaUsers:
    if population is None:
        population = POCKET if model is not None or engine == "server" else SHIPPED
    if not isinstance(population, Population):
        population = Population.load(population)
    if model is not None:
        population = population.on_model(model)
    people = let_in(population, allow_low_fidelity)
    return persona_users(people, engine, calibrated=calibrated)


def _settings(users: PersonaUsers, settings: EnvSettings, session_steps: int | None) -> EnvSettings:
    complete: EnvSettings = {**settings}
    if session_steps is not None:
        complete["max_episode_steps"] = session_steps
    complete.setdefault("on_close", users.engine.close)
    return complete


def without(population: Population, *, persona: bool = False, memory: bool = False) -> Population:
    """An ablated population: ``persona=True`` leaves Ms out, ``memory=True`` leaves Ml out."""
    style = population.style
    if persona:
        style = style.without_persona()
    if memory:
        style = style.without_memory()
    return replace(population, style=style)

"""``--dry-run``: questions, tokens, time, memory and cost of a command, before anything long.

A package says what its command would do, from the settings alone: ``questions(cfg, known)`` how
many it asks, ``trainings(cfg)`` what it trains, and ``asked_users(cfg, engine)`` who answers (and
what is ``known``) where they are not ``users`` of ``data``. What a question costs here is measured
by a small trial. It writes nothing, and asks no server: a server's tokens are counted in letters.
"""

import functools
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from agents.inference.engine import Request
from agents.inference.metering.machine import peak_device_memory, peak_memory
from agents.inference.metering.meter import EngineMeter
from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from experiments.command_line.experiments_said import Said, said_of
from experiments.people.people import People
from experiments.reporting.progress import duration
from experiments.reporting.result import Result
from experiments.reporting.terminal import text_table
from simenv.data.dataset import Dataset
from simenv.events import FloatArray

if TYPE_CHECKING:
    from experiments.people.training_trials import Training

_WARM, _FEW, _MANY = 4, 8, 64  # users of the trial, asked in this order
_SLATE = 5  # items of each
_LONG = 2.0  # seconds from which the few are enough
_LETTERS_A_TOKEN = 4.0
_NOTHING = "Nothing was run, and nothing was written."
_NO_MODEL = "no language model is asked"


class Trial(NamedTuple):
    """What a question costs here; None where it cannot be known without asking a server."""

    asked: int
    tokens: float | None  # of a prompt
    cached: float | None  # share of them that is not computed again, in [0, 1]
    seconds: float | None


class Asking(NamedTuple):
    """How many questions, and what one costs; why there are none."""

    questions: int
    tried: Trial | None
    why: str = ""


def run(cfg: DictConfig) -> Result:
    """What ``cfg`` would cost, as lines; the command itself is not run."""
    package = _package_of(cfg)
    asking = _asking(cfg, package)
    trainings: Sequence[Training] = package.trainings(cfg) if hasattr(package, "trainings") else []
    said = said_of(str(cfg.experiment.run))
    if asking.tried is None and not trainings:
        return _unasked(cfg, said, asking.why)
    tried = {} if asking.tried is None else asking.tried._asdict()
    values = {
        "experiment": str(cfg.experiment.name), "questions": asking.questions, **tried,
        "trainings": [{**one._asdict(), "seconds": one.seconds} for one in trainings],
        "peak_memory_bytes": peak_memory(),
    }  # fmt: skip
    rows = [row for one in trainings for row in _training_rows(one)]
    if asking.tried is not None:
        why = "fewer where users leave early or are asked the same again"
        about = f"about {asking.questions:,}, {why}"
        rows += [("questions", about), *_costs(cfg, asking.questions, asking.tried)]
    rows.append(("memory", _memory()))
    return Result(values, lines=[_table(cfg, rows), _NOTHING])


def _package_of(cfg: DictConfig) -> ModuleType:
    return import_module(str(cfg.experiment.run).rpartition(".")[0].rpartition(".")[0])


def _asking(cfg: DictConfig, package: ModuleType) -> Asking:
    """What is asked; nobody but the few of the trial is."""
    if not hasattr(package, "questions"):
        return Asking(0, None, "it does not count its questions")
    if hasattr(package, "asked_users"):
        asked: tuple[PersonaUsers, Any] | None = package.asked_users(cfg, _engine(cfg))
        if asked is None:
            return Asking(0, None, _NO_MODEL)
        own, known = asked
        with closing(own.engine):
            return Asking(package.questions(cfg, known), _trial(own))
    dataset: Dataset = instantiate(cfg.data)
    questions = package.questions(cfg, dataset)  # refuses what nobody could play before asking
    model = _people(cfg)(dataset).model
    if not isinstance(model, PersonaUsers):
        return Asking(0, None, _NO_MODEL)
    return Asking(questions, _trial(model))


def _unasked(cfg: DictConfig, said: Said, why: str) -> Result:
    """Where there is nothing to count, what the package says of itself."""
    rows = [("needs", said.needs or "nothing more"), ("takes", said.takes), ("questions", why)]
    return Result({"experiment": str(cfg.experiment.name), "takes": said.takes},
                  lines=[_table(cfg, rows), _NOTHING])  # fmt: skip


def _table(cfg: DictConfig, rows: Sequence[tuple[str, str]]) -> Any:
    return text_table(["what", "about"], rows, f"{cfg.experiment.name} would cost", num_texts=2)


class _Counted(ScriptedEngine):
    """Answers in place of a server, and counts the letters that it would have been sent."""

    def __init__(self) -> None:
        super().__init__()
        self.letters = 0

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        self.letters += sum(len(one.prefix) + len(one.suffix) for one in requests)
        return super().score(requests, choices)


def _engine(cfg: DictConfig) -> Callable[..., Any]:
    """Makes the engine of the command; no server is asked in a trial."""
    if _serves(OmegaConf.to_container(cfg.engine, resolve=True)):
        return lambda model, adapters=None: _Counted()
    made: Callable[..., Any] = instantiate(cfg.engine)
    return made


def _people(cfg: DictConfig) -> Callable[[Dataset], People]:
    """Who answers; no server is asked in a trial."""
    make: Callable[[Dataset], People] = instantiate(cfg.users)
    engine: Any = OmegaConf.to_container(cfg.engine, resolve=True)
    if isinstance(make, functools.partial) and "engine" in make.keywords and _serves(engine):
        return functools.partial(make, engine=lambda model, adapters=None: _Counted())
    return make


def _serves(engine: Any) -> bool:
    inside = isinstance(engine, dict) and engine.get("engine")
    return isinstance(engine, dict) and ("base_url" in engine or bool(inside and _serves(inside)))


def _trial(model: PersonaUsers) -> Trial:
    """Some users about items drawn for the trial; nobody remembers it."""
    rng = np.random.default_rng(0)
    people, engine = model.population, model.engine
    known = np.unique(people.history.users)

    def ask(count: int) -> tuple[int, float]:
        users = known[np.arange(count) % len(known)]
        items = rng.integers(len(people.catalog), size=(len(users), _SLATE))
        started = time.perf_counter()
        model.probabilities(users, items)
        return items.size, time.perf_counter() - started

    ask(_WARM)
    meter = EngineMeter(engine)
    before = engine.letters if isinstance(engine, _Counted) else 0
    asked, seconds = ask(_FEW)
    if seconds < _LONG:
        meter.restart()
        before = engine.letters if isinstance(engine, _Counted) else 0
        asked, seconds = ask(_MANY)
    if isinstance(engine, _Counted):
        return Trial(asked, (engine.letters - before) / asked / _LETTERS_A_TOKEN, None, None)
    figures = meter.read()
    return Trial(asked, figures["prompt_tokens_per_exposure"], figures["cached_share"],
                 seconds / asked)  # fmt: skip


def _training_rows(one: "Training") -> list[tuple[str, str]]:
    tokens = "" if one.tokens is None else f" with {one.tokens:,.0f} tokens"
    return [
        (f"training: {one.what}", f"{one.steps:,} steps, {one.questions:,} ratings{tokens}"),
        ("time", f"{duration(one.seconds)}, at {one.step_seconds:.2f} s a step (some tried here),"
         " if nothing of it is there yet"),
    ]  # fmt: skip


def _costs(cfg: DictConfig, questions: int, tried: Trial) -> list[tuple[str, str]]:
    tokens = None if tried.tokens is None else questions * tried.tokens
    rows = [("tokens", "this engine does not count them")]
    if tokens is not None:
        new = "" if tried.cached is None else f", {1 - tried.cached:.0%} of them computed"
        rows = [("tokens", f"{tokens:,.0f} in prompts{new} ({tried.tokens:,.0f} a question)")]
    seconds = None if tried.seconds is None else questions * tried.seconds
    if seconds is None:
        rows.append(("time", "unknown: a server answers, and it was not asked"))
    else:
        rate = questions / max(seconds, 1e-9)
        rows.append(
            ("time", f"{duration(seconds)} of asking, at {rate:,.0f} questions a second"
             f" ({tried.asked} tried here); fitting policies comes on top")
        )  # fmt: skip
    return [*rows, ("cost", _price(cfg, seconds, tokens))]


def _price(cfg: DictConfig, seconds: float | None, tokens: float | None) -> str:
    budget = cfg.get("budget") or {}
    an_hour = float(budget.get("price_per_hour") or 0.0)
    a_million = float(budget.get("price_per_million_tokens") or 0.0)
    if not an_hour and not a_million:
        known = "price_per_hour" in budget
        return "no price was given" + (" (budget.price_per_hour=…)" if known else "")
    cost = an_hour * (seconds or 0.0) / 3600 + a_million * (tokens or 0.0) / 1e6
    return f"{cost:,.2f}, by the prices of the command"


def _memory() -> str:
    device = peak_device_memory()
    on_device = "" if device is None else f", and {device / 2**30:.1f} GiB on the GPU"
    return f"{peak_memory() / 2**30:.1f} GiB{on_device}, at the peak of the trial"

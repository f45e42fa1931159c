"""One command for a GPU: build a model of the paper's shape, check it, time it, state the peak.

Run::

    personarec experiment=throughput_gpu

1. *Check*, before anything is timed: the same widths with a few layers, in float32. Prefixes from
   the cache and every way to put an adapter to work against whole prompts with the adapter beside
   the weights, at most ``check.tolerance`` (nats) apart; then the format that is timed against it.
2. *Build*: random weights of the whole shape, adapters of the paper's rank on query and key.
3. *Time*: a slate for every user, new items every round, prefixes warm as in the middle of a run;
   exposures a second, 2 x weights x real tokens run a second, and the share of the matrix product's
   peak that this is. The adapter modes take turns on one engine, in every round.
4. *vLLM*, where it is installed: the same weights, adapters and tokens, its prefix cache on.

With no GPU it ends with an error that says so. ``experiment.device=cpu`` and a small shape run the
same code anywhere (a test does); what that prints says nothing of a GPU.
"""

import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import RenderableType
from rich.text import Text

from agents.inference.local.adapter_modes import AdapterMode
from agents.inference.local.local_engine import LocalEngine
from agents.inference.metering.machine import peak_flops, upload_bandwidth
from agents.inference.metering.meter import EngineFigures, EngineMeter, in_words
from agents.population.population import POCKET
from agents.prompts import RATING_CHOICES
from experiments.reporting.progress import Tick, progress_bar
from experiments.reporting.result import Result
from experiments.throughput import vllm_way
from experiments.throughput.random_models import (
    ModelShape,
    PromptSizes,
    random_adapters,
    random_model,
    random_prompts,
)
from experiments.throughput.timing import spread
from simenv.events import FloatArray

NEEDS = "an NVIDIA GPU"
_CHECKED: tuple[AdapterMode, ...] = ("switch", "merged", "merge_in_out", "mixed")


def run(cfg: DictConfig) -> Result:
    """Check, then time.

    Raises:
        RuntimeError: the device is not there; nothing was done.
        ArithmeticError: the check failed; nothing was timed.
    """
    settings: Any = OmegaConf.to_container(cfg.experiment, resolve=True)
    device = require_device(settings["device"])
    with (
        tempfile.TemporaryDirectory(dir=settings["scratch"]) as scratch,
        progress_bar("throughput_gpu", 4 + settings["rounds"]) as tick,
    ):
        values = _measured(settings, device, Path(scratch), tick)
    return Result(values, lines=_lines(values))


def _measured(
    settings: dict[str, Any], device: torch.device, scratch: Path, tick: Tick
) -> dict[str, Any]:
    values = {
        "experiment": settings["name"],
        "device": _name(device),
        "dtype": settings["dtype"],
        "setting": {key: settings[key] for key in ("shape", "rank", "num_adapters", "prompts")},
        "check": _check(settings, device, scratch / "check", tick),
        "peak_flops": peak_flops(device, settings["dtype"]),
        "upload_bytes_per_second": upload_bandwidth(device),
    }
    return values | _race(settings, device, scratch / "whole", values["peak_flops"], tick)


def require_device(name: str) -> torch.device:
    """The device of that name.

    Raises:
        RuntimeError: it is not there.
    """
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built for CPUs"
        raise RuntimeError(
            f"throughput_gpu wanted an NVIDIA GPU that torch can use, got none (torch"
            f" {torch.__version__}, {built}); run it on a GPU host with a CUDA build of torch."
            " Nothing was measured"
        )
    return device


def _check(
    settings: dict[str, Any], device: torch.device, scratch: Path, tick: Tick
) -> dict[str, Any]:
    """How far every fast way is from float32 whole prompts, on a few layers of the same widths."""
    tick("checking a few layers against float32")
    scores = _scores_of_few_layers(settings, device, scratch)
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False  # or float32 would be none
    truth = scores(dtype="float32", reuse_prefixes=False, adapter_mode="switch")
    found = {m: _apart(scores(dtype="float32", adapter_mode=m), truth) for m in _CHECKED}
    torch.backends.cuda.matmul.allow_tf32 = before
    tolerance = settings["check"]["tolerance"]
    if not max(found.values()) <= tolerance:
        raise ArithmeticError(
            f"the check wanted every way within {tolerance} of float32 whole prompts, got"
            f" {found}; do not trust this device's figures"
        )
    timed = scores(dtype=settings["dtype"])
    tick("checked", advance=1)
    return {"largest_difference": found, settings["dtype"]: _apart(np.exp(timed), np.exp(truth))}


def _scores_of_few_layers(
    settings: dict[str, Any], device: torch.device, scratch: Path
) -> Callable[..., FloatArray]:
    """What an engine with the given options answers to the second of two equal calls."""
    asked = settings["check"]
    shape = ModelShape(**settings["shape"])._replace(layers=asked["layers"])
    folder = random_model(shape, scratch, POCKET / "model", "float32", str(device))
    adapters = random_adapters(folder, 2, settings["rank"], scratch)
    sizes = PromptSizes(**{**settings["prompts"], "users": asked["users"]})

    def scores(**options: Any) -> FloatArray:
        engine = LocalEngine(folder, adapters, device=str(device), fast=False, **options)
        with closing(engine):
            prompts = random_prompts(engine.tokenizer, sizes, [*adapters], seed=0)
            return [engine.score(prompts, RATING_CHOICES) for _ in range(2)][-1]

    return scores


def _race(
    settings: dict[str, Any], device: torch.device, scratch: Path, peak: float, tick: Tick
) -> dict[str, Any]:
    """The adapter modes on one engine, then vLLM where it can run."""
    tick("building the model and its adapters")
    shape, sizes = ModelShape(**settings["shape"]), PromptSizes(**settings["prompts"])
    folder = random_model(shape, scratch, POCKET / "model", settings["dtype"], str(device))
    adapters = random_adapters(folder, settings["num_adapters"], settings["rank"], scratch)
    tick("built", advance=1)
    room = _cache_bytes(shape, sizes, settings["dtype"])
    found = {"modes": _race_modes(settings, device, folder, adapters, room, peak, tick)}
    if device.type == "cuda":
        torch.cuda.empty_cache()  # the engine's memory, for vLLM
    tick("vLLM")
    can_race = vllm_way.installed() and device.type == "cuda"
    if can_race:
        found["vllm"] = vllm_way.race(folder, adapters, sizes, settings["rounds"])
    tick("done", advance=1)
    return {**found, "not_raced": {} if can_race else {"vllm": vllm_way.NOT_RACED}}


def _race_modes(
    settings: dict[str, Any],
    device: torch.device,
    folder: Path,
    adapters: dict[str, Path],
    cache_bytes: int,
    peak: float,
    tick: Tick,
) -> dict[str, Any]:
    engine = LocalEngine(
        folder,
        adapters,
        device=str(device),
        dtype=settings["dtype"],
        token_budget=settings["token_budget"],
        cache_bytes=cache_bytes,
        fast=False,
    )
    with closing(engine):
        return _timed(engine, PromptSizes(**settings["prompts"]), settings, peak, tick)


def _timed(
    engine: LocalEngine, sizes: PromptSizes, settings: dict[str, Any], peak: float, tick: Tick
) -> dict[str, Any]:
    """By mode, rounds of a slate for everybody; the first warms up and fills the cache."""
    parts: dict[str, list[EngineFigures]] = {mode: [] for mode in settings["modes"]}
    for number in range(settings["rounds"] + 1):
        prompts = random_prompts(engine.tokenizer, sizes, engine.adapters, seed=number)
        for mode in settings["modes"]:
            tick(f"round {number}, adapters {mode}")
            engine.adapter_mode = mode
            meter = EngineMeter(engine)
            engine.score(prompts, RATING_CHOICES)
            if number:
                parts[mode].append(meter.read(peak))
        tick("done", advance=1)
    return {mode: _summary(own) for mode, own in parts.items()}


def _summary(timed: list[EngineFigures]) -> dict[str, Any]:
    return {
        "exposures_per_second": spread(_known(p["exposures_per_second"] for p in timed)),
        "utilisation": spread(_known(p["utilisation"] for p in timed)),
        "last": timed[-1],
    }


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _cache_bytes(shape: ModelShape, sizes: PromptSizes, dtype: str) -> int:
    """Room for every user's prefix."""
    width = shape.width // shape.heads * shape.key_heads
    numbers = 2 * shape.layers * width * sizes.prefix_tokens * sizes.users
    return int(1.05 * numbers * getattr(torch, dtype).itemsize)


def _apart(own: Any, truth: Any) -> float:
    return float(np.abs(own - truth).max())


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _lines(values: dict[str, Any]) -> list[RenderableType]:
    dtype, differences = values["dtype"], values["check"]["largest_difference"]
    found: list[RenderableType] = [
        f"Check: every way within {max(differences.values()):.1e} nats of float32 whole prompts;"
        f" {dtype} moves a probability by at most {values['check'][dtype]:.3f}."
    ]
    for mode, figures in values["modes"].items():
        rate, share = figures["exposures_per_second"], figures["utilisation"]
        found.append(
            f"adapters {mode}: {rate['median']:.0f} exposures/s"
            f" ({rate['min']:.0f}-{rate['max']:.0f}), {share['median']:.1%} of the measured"
            f" {dtype} peak of {values['peak_flops'] / 1e12:.2f} TFLOP/s"
        )
        found.append(Text(f"  {in_words(figures['last'])}", style="dim"))
    if "vllm" in values:
        found.append(f"vLLM: {values['vllm']['median']:.0f} exposures/s")
    found += [f"{rival}: {why}" for rival, why in values["not_raced"].items()]
    return [*found, f"Device: {values['device']}."]

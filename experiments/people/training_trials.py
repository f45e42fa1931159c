"""What a training will take on this machine: steps and questions from the settings, time by trial.

Of every kind a few steps are done in a folder that is thrown away; the rest is counted.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from omegaconf import DictConfig

from agents.prompt_style import PromptStyle
from experiments.people.base_models import (
    model_named,
    pocket_config,
    training_worlds,
)
from experiments.people.distilled import distil, fitting_raft_set, made_distiller
from experiments.people.persona_adapters import PersonaSettings, persona_settings
from experiments.reporting.progress import progress_bar
from simenv.data.dataset import Dataset
from training.adapters.lora import train_lora
from training.adapters.lora_presets import LoraPreset
from training.adapters.variants import Planned, planned
from training.base.batches import WorldSource, batches
from training.base.pocket_model import PocketConfig, new_model
from training.base.pocket_training import PocketTrainer
from training.distillation.tellers import Teller, style_for, teller
from training.examples.from_log import Examples, chosen_blocks

TRIED_STEPS = 3  # the first, which warms everything up, does not count
_GROUPS = 4  # of people where the elbow is still to be found


class Training(NamedTuple):
    """One training, as it would be if nothing were there yet."""

    what: str
    steps: int
    step_seconds: float
    questions: int  # learnt from, all rounds together
    tokens: float | None  # read in their prompts, what a prefix shares counted once a block

    @property
    def seconds(self) -> float:
        """Of all of it."""
        return self.steps * self.step_seconds


def pocket_training(cfg: DictConfig, dataset: Dataset | None) -> Training:
    """Of the pocket model that ``train_pocket`` would train for the same arguments."""
    config = pocket_config(cfg)
    worlds = training_worlds(cfg.experiment, dataset)
    with progress_bar("trial of the pocket model", total=2) as tick:
        tick("a training world")
        batch_seconds, tokens = _batches_of_a_world(config, worlds)
        tick("some steps", advance=1)
        seconds = batch_seconds + _pocket_step(config, worlds, cfg.experiment.initial)
        tick("some steps", advance=1)
    return Training(
        "pocket model",
        config.num_steps,
        seconds,
        config.num_steps * config.users_per_step * config.turns_per_user,
        None if tokens is None else tokens * config.num_steps,
    )


def _batches_of_a_world(config: PocketConfig, worlds: WorldSource) -> tuple[float, float | None]:
    """Seconds of preparing a batch, and the tokens in it; None where texts are read in blocks."""
    tokenizer = _tokenizer(model_named(None))
    in_blocks = config.style.reading == "blocks"
    one_world = replace(config, min_pool=1)
    made = 0
    started = time.perf_counter()

    def counted(world: int) -> Dataset:
        nonlocal made
        made += 1
        return worlds(world)

    found: list[Any] = []
    for batch in batches(one_world, counted, tokenizer=tokenizer if in_blocks else None):
        if made > 1:
            break
        found.append(batch)
    seconds = (time.perf_counter() - started) / 2 / len(found)  # two worlds were made
    if in_blocks:
        return seconds, None
    return seconds, _tokens(tokenizer, found[0])


def _pocket_step(config: PocketConfig, worlds: WorldSource, initial: str | None) -> float:
    """Seconds of an update of a model of that shape."""
    few = replace(config, num_steps=TRIED_STEPS, min_pool=1)
    with tempfile.TemporaryDirectory() as folder:
        start = initial and model_named(initial)
        if not start and config.style.reading == "whole":
            start = str(_untrained(config, Path(folder) / "untrained"))
        trainer = PocketTrainer(few, Path(folder) / "tried", worlds, initial=start)
        spent = [0.0]
        trainer.train(lambda step, loss: spent.append(trainer.seconds))
    return (spent[-1] - spent[1]) / (len(spent) - 2) if len(spent) > 2 else spent[-1]


def _untrained(config: PocketConfig, folder: Path) -> Path:
    """A model of the shape with the shipped tokenizer, so that none has to be made for a trial."""
    tokenizer = _tokenizer(model_named(None))
    new_model(config, len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(model: str) -> Any:
    from agents.inference.local.loading import load_tokenizer  # heavy: transformers

    return load_tokenizer(model)


def _tokens(tokenizer: Any, examples: Examples) -> float:
    texts = [*examples.prefixes, *examples.suffixes]
    found = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return float(sum(map(len, found)))


def adapter_training(
    cfg: DictConfig, dataset: Dataset, model: str, variants: Sequence[str], style: PromptStyle
) -> Training:
    """Of the adapters that ``train_personas`` would train for the same arguments.

    Profiles that a model would write are written without one here; groups are taken to be of equal
    size.
    """
    settings = persona_settings(cfg, tuple(variants), style)
    with progress_bar("trial of the adapters", total=2) as tick:
        tick("writing the examples")
        examples, plan, tokens = _planned(cfg, dataset, model, settings)
        tick("some steps", advance=1)
        seconds = seconds_of_a_step(model, examples, settings.preset) if plan.steps else 0.0
        tick("some steps", advance=1)
    return Training("adapters", plan.steps, seconds, plan.rows, plan.rows * tokens)


def _planned(
    cfg: DictConfig, dataset: Dataset, model: str, settings: PersonaSettings
) -> tuple[Examples, Planned, float]:
    """The examples, what would be learnt from them, and the mean tokens of a prompt."""
    distiller = made_distiller(cfg, dataset)
    style = style_for(distiller, settings.style)
    if not isinstance(distiller, Teller):
        distiller = teller(style, dataset.catalog, dataset.averages)
    report = distil(distiller, dataset)
    raft, tokens = fitting_raft_set(dataset, model, style, settings.raft, report)
    labels = np.arange(dataset.num_users) % (settings.num_clusters or _GROUPS)
    plan = planned(
        raft.examples, raft.users, labels, settings.preset, settings.variants, settings.seed
    )
    return raft.examples, plan, tokens.mean


def seconds_of_a_step(base: str, examples: Examples, preset: LoraPreset) -> float:
    """Seconds of a step of an adapter's training.

    Args:
        base: folder or hub name of the model.
        examples: to learn from; some of them are.
        preset: of the training.
    """
    num_blocks = min(TRIED_STEPS * preset.blocks_per_step, len(examples.prefixes))
    few = chosen_blocks(examples, np.arange(num_blocks))
    ends = [time.perf_counter()]
    with tempfile.TemporaryDirectory() as folder:
        train_lora(
            base,
            few,
            replace(preset, epochs=1),
            Path(folder) / "tried",
            on_step=lambda step, loss: ends.append(time.perf_counter()),
        )
    counted = ends[1:] if len(ends) > 2 else ends
    return (counted[-1] - counted[0]) / (len(counted) - 1)

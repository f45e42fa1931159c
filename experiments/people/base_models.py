"""Base models that people are put on: named by the config, or a pocket model trained here."""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from omegaconf import DictConfig, OmegaConf

from agents.population.folder import HEAD, INSIDE, names_inside
from agents.population.population import POCKET
from agents.prompt_style import PromptStyle
from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import public_text
from simenv.data.dataset import Dataset
from training.base.batches import WorldSource
from training.base.few_rows import FewRows
from training.base.hiding import Hiding
from training.base.log_worlds import LogWorlds
from training.base.pocket_model import PocketConfig
from training.base.pocket_training import PocketTrainer
from training.base.world_mix import WorldMix
from training.distillation.in_words.words_distiller import WordsDistiller


class Base(NamedTuple):
    """A base model and how it came about."""

    model: str  # folder or hub name
    training: dict[str, Any]  # empty where nothing was trained


def model_named(name: str | None) -> str:
    """Folder or hub name of a model that is there.

    None, ``shipped`` or ``pocket`` is the small one in the package that reads whole prompts,
    ``readers`` the one that reads in blocks.

    Raises:
        OSError: there is no such model.
        ValueError: a file of it is corrupt or asks for code, or it is a population.
    """
    if name in (None, "shipped"):
        return str(POCKET / "model")
    if name in names_inside():
        return str(INSIDE / name / "model")
    from agents.inference.local.loading import load_shape  # heavy: transformers

    if (Path(name) / HEAD).is_file():
        raise ValueError(
            f"slm wanted a model, got the population {public_text(name)}; name the model in it,"
            f" {public_text(name)}/model, or take its people with users.population"
        )
    load_shape(name)  # now, before hours of other work
    return name


def pocket_config(cfg: DictConfig) -> PocketConfig:
    """The shape and training that the config asks for; ``debug=tiny`` makes both tiny.

    A model whose people are told by ``distiller=words`` learns to read words.
    """
    if cfg.get("debug") == "tiny":
        return PocketConfig.tiny()
    chosen: Any = OmegaConf.to_container(cfg.experiment.pocket, resolve=True)
    peers = cfg.experiment.get("peers", False)
    style = replace(PromptStyle(**chosen.pop("style", {})), peers=peers)
    parts = {"hiding": Hiding, "few_rows": FewRows}
    made: dict[str, Any] = {name: make(**chosen.pop(name, {})) for name, make in parts.items()}
    words = str(cfg.get("distiller", {}).get("_target_")).endswith(WordsDistiller.__name__)
    style = replace(style, told="words") if words else style
    return PocketConfig(**chosen, style=style, **made)


def train_pocket(cfg: DictConfig, dataset: Dataset | None) -> Base:
    """Train the pocket model into ``output_dir/pocket``, or finish a training that was stopped.

    Args:
        cfg: of the run; ``experiment`` holds ``worlds``, ``reading_share``, ``biased_share``,
            ``users_per_world``, ``initial`` and ``pocket``.
        dataset: whose people outside the draw are learnt from; None = drawn synthetic worlds.

    Raises:
        ValueError: the data set has nobody outside the draw.
    """
    from agents.inference.local.loading import choose_device  # heavy: transformers

    settings, config = cfg.experiment, pocket_config(cfg)
    folder = Path(cfg.output_dir) / "pocket"
    worlds = training_worlds(settings, dataset)
    initial = settings.initial and model_named(settings.initial)
    device = choose_device("auto").type
    trainer = PocketTrainer(
        config, folder, worlds, device, initial=initial, workers=settings.workers
    )
    with progress_bar("pocket", total=config.num_steps) as tick:
        tick("training", advance=trainer.step)
        trainer.train(lambda step, loss: tick(f"loss {loss:.3f}", advance=1))
    return Base(str(folder / "model"), _training(trainer))


def training_worlds(settings: DictConfig, dataset: Dataset | None) -> WorldSource:
    """Made worlds as the experiment's ``settings`` mix them, or those of a data set's people."""
    if dataset is None:
        return WorldMix(settings.reading_share, settings.biased_share)
    return worlds_of(dataset, settings.users_per_world)


def _training(trainer: PocketTrainer) -> dict[str, Any]:
    config = trainer.config
    return {
        "steps": trainer.step,
        "ratings": trainer.step * config.users_per_step * config.turns_per_user,
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
        "seed": config.seed,
        "last_loss": float(np.mean(trainer.losses[-100:])),
        "training_seconds": round(trainer.seconds),
    }


def worlds_of(dataset: Dataset, users_per_world: int) -> LogWorlds:
    """Worlds of the people in ``dataset.background``, whom nobody evaluates.

    Raises:
        ValueError: the data set has no background.
    """
    if dataset.background is None:
        raise ValueError(
            f"experiment.worlds=log wanted people outside the evaluated draw, {dataset.name!r} has"
            " none; set data.min_ratings, data.max_ratings or data.num_users, and"
            " data.regime=population"
        )
    return LogWorlds(dataset.catalog, dataset.background, users_per_world)

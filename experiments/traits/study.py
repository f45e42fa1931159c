"""What a study of traits is made of: opinions, labels, instruments and settings, read off a config.

It trains nothing and asks nobody.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from agents.inference.engine import Sampling
from agents.inference.server.retries import Patience
from experiments.people.base_models import model_named
from experiments.reporting.progress import progress_bar
from training.adapters.lora_presets import LoraPreset, lora_preset
from training.distillation.ledger import Prices
from training.distillation.priced_client import ClientSettings
from training.distillation.with_model import OpenAIDistiller
from training.opinion_qa.grammar import written_offline
from training.opinion_qa.opinions import (
    POLES,
    Label,
    Opinion,
    all_labels,
    split_by_topic,
    topics_of,
)
from training.opinion_qa.reading import read_opinions
from training.opinion_qa.topics import TOPICS
from training.opinion_qa.with_model import WriterSettings, written_by_model
from training.traits.classifier import Source, TraitClassifier, states_of
from training.traits.editor_network import EditorSettings
from training.traits.evaluation import Instruments
from training.traits.judges import ClassifierJudge, EngineJudge, Judge
from training.traits.speaker import Speaker

BASE = "smollm2"  # where the command names none
OFFLINE = "offline"
JUDGED_BY: Source = "items"  # what a judge learns from; the classifier's source is another


@dataclass(frozen=True)
class Study:
    """One study; see ``conf/experiment/traits.yaml``."""

    base: str
    opinions: list[Opinion]
    labels: list[Label]  # that the opinions show
    methods: tuple[str, ...]
    intensities: tuple[float, ...]
    pairs: bool
    seeds: tuple[int, ...]
    test_share: float
    preset: LoraPreset
    shown: int
    editor: EditorSettings
    judge: str
    sampling: Sampling
    emojis: bool  # whether every adapter's are studied
    folder: Path  # of adapters and of what was measured

    @property
    def traits(self) -> list[str]:
        """Those of the labels, each once."""
        return list(dict.fromkeys(label.trait for label in self.labels))


def study_of(cfg: DictConfig) -> Study:
    """The study that a config asks for.

    Raises:
        ValueError: an unknown trait or pole, or opinions that show none of those asked for.
    """
    settings = cfg.experiment
    wanted = all_labels(settings.traits, settings.poles)
    opinions = _opinions(cfg, wanted)
    labels = [label for label in wanted if any(o.label == label for o in opinions)]
    if len(labels) < 2:
        raise ValueError(
            f"experiment.opinions wanted opinions of at least two of {len(wanted)} traits and"
            f" poles, got {len(labels)}; add traits or poles, or give another file"
        )
    if "steering" in settings.methods:
        _check_poles(labels)
    if settings.emojis and "adapter" not in settings.methods:
        raise ValueError(
            "experiment.emojis=true wanted adapters whose emojis are studied, got"
            f" experiment.methods={list(settings.methods)}; add adapter to them"
        )
    training: Any = OmegaConf.to_container(settings.training, resolve=True)
    study = Study(
        base=model_named(settings.slm or BASE),
        opinions=[o for o in opinions if o.label in labels],
        labels=labels,
        methods=tuple(settings.methods),
        intensities=tuple(settings.intensities),
        pairs=settings.pairs,
        seeds=tuple(np.atleast_1d(settings.seeds).tolist()),
        test_share=settings.test_share,
        preset=lora_preset(**training),
        shown=settings.shown,
        editor=EditorSettings(steps=settings.editor_steps, shown=settings.shown),
        judge=settings.judge,
        sampling=Sampling(settings.max_new_tokens, settings.temperature),
        emojis=settings.emojis,
        folder=Path(cfg.output_dir),
    )
    split_by_topic(study.opinions, study.test_share, study.seeds[0])  # now, before hours of work
    return study


def _check_poles(labels: list[Label]) -> None:
    """Raise unless every trait has both poles, whose difference is a direction."""
    for trait in dict.fromkeys(label.trait for label in labels):
        missing = [pole for pole in POLES if Label(trait, pole) not in labels]
        if missing:
            raise ValueError(
                f"steering wanted opinions of both poles of every trait, got none of {missing[0]}"
                f" {trait}; take experiment.poles=[high,low], or leave steering out of"
                " experiment.methods"
            )


def instruments_of(study: Study, speaker: Speaker) -> Instruments:
    """Classifier and judge, which have learnt from no text in common.

    The one tells the study's labels apart and learns from statements; the other knows both poles
    and learns from items of questionnaires and situations, or is asked for a digit.
    """
    return Instruments(TraitClassifier(study.labels), _judge(study, speaker), study.traits)


def _judge(study: Study, speaker: Speaker) -> Judge:
    if study.judge == "digits":
        from agents.inference.local.local_engine import LocalEngine

        return EngineJudge(LocalEngine(study.base))
    features = states_of(speaker) if study.judge == "states" else None
    return ClassifierJudge(TraitClassifier(all_labels(study.traits), features, source=JUDGED_BY))


def _opinions(cfg: DictConfig, labels: list[Label]) -> list[Opinion]:
    """From a file or the Hub, by a model, or offline."""
    settings = cfg.experiment
    topics = TOPICS[:: max(1, len(TOPICS) // (settings.num_topics or len(TOPICS)))]
    topics = topics[: settings.num_topics]
    if settings.written_by_model:
        return _by_model(cfg, labels, topics)
    if settings.opinions == OFFLINE:
        return written_offline(labels, topics, settings.forms)
    found = read_opinions(settings.opinions).opinions
    kept = set(topics_of(found)[: settings.num_topics])
    return [opinion for opinion in found if opinion.topic in kept]


def _by_model(cfg: DictConfig, labels: list[Label], topics: Any) -> list[Opinion]:
    """By the model of ``distiller=openai``, within its budget."""
    given = cfg.distiller
    if get_object(given._target_) is not OpenAIDistiller:
        raise ValueError(
            "experiment.written_by_model=true wanted distiller=openai, which names the model, its"
            f" prices and its cache, got {given._target_}; add distiller=openai"
        )
    settings = _writer_settings(given)
    with progress_bar("opinions", total=len(labels) * len(topics)) as tick:
        written = written_by_model(
            labels, topics, cfg.experiment.forms, settings, lambda text: tick(text, advance=1)
        )
    return written.cleaned.opinions


def _writer_settings(given: DictConfig) -> WriterSettings:
    """Those of ``distiller=openai``, as far as opinions need them."""
    client = ClientSettings(
        given.model or os.environ.get("OPENAI_MODEL", ""),
        given.max_tokens,
        given.limit_field,
        given.temperature,
        given.seed,
    )
    return WriterSettings(
        client,
        Prices(given.input_price, given.output_price),
        given.max_cost,
        given.cache,
        given.base_url,
        given.concurrency,
        given.timeout,
        Patience(given.tries, given.first_wait, given.longest_wait),
    )

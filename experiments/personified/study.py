"""What a study of people who stay themselves is made of, read off a config. It trains nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from agents.inference.engine import Sampling
from agents.inference.server.retries import Patience
from agents.population.adapters import base_identity
from experiments.people.base_models import model_named
from experiments.personified.published import with_published
from training.adapters.lora_presets import LoraPreset, lora_preset
from training.distillation.ledger import Prices
from training.distillation.priced_client import ClientSettings
from training.distillation.with_model import OpenAIDistiller
from training.opinion_qa.with_model import WriterSettings
from training.personified.judging.judges import judge_named
from training.personified.judging.stances import RULES, Judge
from training.personified.preference_tuning import DpoSettings, dpo_settings
from training.personified.preferences import Rejected
from training.personified.prompts import Telling
from training.personified.retrieval import Budgets
from training.personified.whole_model import WholeSettings, whole_settings

BASE = "smollm2"  # where the command names none
_TOLD = Telling()
RATINGS = "ratings"


@dataclass(frozen=True)
class Variant:
    """One way of making people, whole or without a part.

    Attributes:
        trained: False = the base, told by the prompt alone.
        talks: lessons are conversations too; False = ratings alone.
        telling: of prompts and answers.
        separate: kinds of material stand apart.
        induction: false premises, their twins and pressed ratings are learnt.
        dpo: preferences follow.
    """

    trained: bool = True
    talks: bool = True
    telling: Telling = _TOLD
    separate: bool = True
    induction: bool = True
    dpo: bool = True

    @property
    def tuned_as(self) -> str:
        """What lessons it is tuned on, before any preference: equal names, equal adapters."""
        parts = {
            "rater": not self.talks,
            "no_label": not self.telling.label,
            "no_analysis": not self.telling.analysis,
            "no_induction": not self.induction,
            "no_classes": not self.separate,
        }
        return " ".join(name for name, is_so in parts.items() if is_so) or "whole"


WHOLE = "personified"
PROMPT, RATER = "prompt", "rater"
VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        PROMPT: Variant(trained=False, dpo=False),
        RATER: Variant(talks=False, induction=False, dpo=False),
        WHOLE: Variant(),
        "no_dpo": Variant(dpo=False),
        "no_label": Variant(telling=Telling(label=False)),
        "no_analysis": Variant(telling=Telling(analysis=False)),
        "no_induction": Variant(induction=False),
        "no_classes": Variant(separate=False),
    }
)


@dataclass(frozen=True)
class Study:
    """One study; see ``conf/experiment/personified.yaml``."""

    base: str
    corpora: str  # ``ratings``, a folder of texts or a file
    people: int
    stages: int
    most: int
    budgets: Budgets
    most_alike: float
    test_share: float
    writer: WriterSettings | None  # None = grammars
    seeds: tuple[int, ...]
    variants: tuple[str, ...]
    preset: LoraPreset
    whole: WholeSettings | None  # all weights are tuned; None = an adapter of ``preset``
    dpo: DpoSettings
    rejected: tuple[Rejected, ...]
    per_general: int
    rating_turns: int
    judge: Judge
    judged_by: tuple[str, ...]  # what names a judge that is not the rules: path, model
    pressed: int
    argued: int
    sampling: Sampling
    rated_rows: int
    folder: Path  # of adapters and of what was measured

    @property
    def passes(self) -> int:
        """Over all lessons."""
        return self.preset.epochs if self.whole is None else self.whole.epochs

    def budgets_of(self, variant: Variant) -> Budgets:
        """The words that a variant recalls."""
        return replace(self.budgets, separate=variant.separate)


def study_of(cfg: DictConfig) -> Study:
    """The study that a config asks for.

    Raises:
        OSError: there is no such model.
        ValueError: an unknown setting, preset or judge, a model without ``distiller=openai``, or
            nothing that texts can show.
    """
    settings = with_published(cfg.experiment)
    training: Any = OmegaConf.to_container(settings.training, resolve=True)
    dpo: Any = OmegaConf.to_container(settings.dpo, resolve=True)
    return Study(
        base=model_named(settings.slm or BASE),
        corpora=str(settings.corpora),
        people=settings.people,
        stages=settings.stages,
        most=settings.most,
        budgets=Budgets(settings.objective_words, settings.subjective_words),
        most_alike=settings.most_alike,
        test_share=settings.test_share,
        writer=_writer(cfg.distiller) if settings.written_by_model else None,
        seeds=tuple(np.atleast_1d(settings.seeds).tolist()),
        variants=_shown_by(str(settings.corpora), tuple(settings.variants)),
        preset=lora_preset(**training),
        whole=whole_settings(settings.whole) if settings.whole else None,
        dpo=dpo_settings(**dpo),
        rejected=tuple(settings.rejected),
        per_general=settings.per_general,
        rating_turns=settings.rating_turns,
        judge=judge_named(settings.judge, settings.nli),
        judged_by=_judged_by(settings.judge, settings.nli),
        pressed=settings.pressed,
        argued=settings.argued,
        sampling=Sampling(settings.max_new_tokens, settings.temperature),
        rated_rows=settings.rated_rows,
        folder=Path(cfg.output_dir),
    )


def _shown_by(corpora: str, variants: tuple[str, ...]) -> tuple[str, ...]:
    """Texts hold no ratings, so nobody is trained on ratings alone."""
    found = tuple(v for v in variants if corpora == RATINGS or v != RATER)
    if not found:
        raise ValueError(
            f"experiment.variants=[{RATER}] wanted people of ratings to train on ratings alone, got"
            f" experiment.corpora={corpora}; name other variants, or experiment.corpora={RATINGS}"
        )
    return found


def _judged_by(judge: str, model: str | None) -> tuple[str, ...]:
    """Two classifiers are two judges, whatever both are called."""
    if judge == RULES:
        return ()
    return (judge, base_identity(model)) if model else (judge,)


def _writer(given: DictConfig) -> WriterSettings:
    """Those of ``distiller=openai``, as far as exchanges need them."""
    if get_object(given._target_) is not OpenAIDistiller:
        raise ValueError(
            "experiment.written_by_model=true wanted distiller=openai, which names the model, its"
            f" prices and its cache, got {given._target_}; add distiller=openai"
        )
    client = ClientSettings(
        given.model or os.environ.get("OPENAI_MODEL", ""), given.max_tokens, given.limit_field,
        given.temperature, given.seed,
    )  # fmt: skip
    return WriterSettings(
        client, Prices(given.input_price, given.output_price), given.max_cost, given.cache,
        given.base_url, given.concurrency, given.timeout,
        Patience(given.tries, given.first_wait, given.longest_wait),
    )  # fmt: skip

"""Trains, asks and compares; the question and the score stand in the package docstring.

Files: ``report.md``, ``said.csv`` (what was said, by way), ``adapters/``, ``cells/``, ``emojis/``,
``results.json`` and ``config.yaml``.
"""

from dataclasses import replace
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig

from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import public_text
from experiments.reporting.result import Result
from experiments.traits.cells import Cells, measured
from experiments.traits.emoji_figures import emoji_figures, emoji_sentences
from experiments.traits.emoji_study import studied
from experiments.traits.figures import figures
from experiments.traits.forecast import forecast
from experiments.traits.rated import rated
from experiments.traits.sentences import sentences
from experiments.traits.study import Study, instruments_of, study_of
from experiments.traits.tables import main_table, page
from experiments.traits.ways import names_of
from simenv.data.dataset import Dataset
from training.opinion_qa.opinions import split_by_topic, topics_of
from training.opinion_qa.slice_by_hand import SLICE
from training.traits.evaluation import Instruments
from training.traits.judges import checked
from training.traits.speaker import Speaker


def run(cfg: DictConfig) -> Result:
    """The study of ``cfg.experiment``; with ``dry_run`` only how long it would take."""
    study = study_of(cfg)
    if cfg.get("debug") == "tiny":
        study = replace(study, seeds=study.seeds[:1], intensities=study.intensities[:1])
    speaker = Speaker.load(study.base)
    if study.emojis:
        speaker.emoji_guard.check_any()  # now, before hours of work
    settings = cfg.experiment
    if settings.dry_run:
        told = forecast(study, speaker, settings.rated_users, settings.rated_rows)
        values = {"experiment": settings.name, "forecast": told._asdict()}
        return Result(values, lines=[f"It takes {told}."])
    instruments = instruments_of(study, speaker)
    judged = checked(instruments.judge, [s for s in SLICE if s.label.trait in study.traits])
    with progress_bar("traits", total=_num_cells(study)) as tick:
        cells = measured(study, speaker, instruments, lambda text: tick(text, advance=1))
    values = {
        "experiment": settings.name,
        **_facts(study),
        "classifier": _classifier(study, instruments),
        "judge": {**judged._asdict(), **({} if judged.pairs else {"right": None, "gap": None})},
        **figures(study, cells),
        "ratings": _ratings(cfg, study, speaker),
    }
    if study.emojis:
        values["emojis"] = _emojis(study, speaker, cells)
    values["sentences"] = [*sentences(values), *emoji_sentences(values)]
    return Result(
        values,
        pages={"report.md": page},
        frames={"said.csv": _said(cells)},
        lines=[main_table(values), *values["sentences"]],
    )


def _num_cells(study: Study) -> int:
    return len(study.seeds) * len(study.labels) * (1 + len(names_of(study)))


def _facts(study: Study) -> dict[str, Any]:
    return {
        "base": public_text(study.base),
        "labels": [str(label) for label in study.labels],
        "traits": study.traits,
        "seeds": list(study.seeds),
        "opinions": len(study.opinions),
        "topics": len(topics_of(study.opinions)),
        "preset": {
            name: getattr(study.preset, name)
            for name in ("rank", "alpha", "dropout", "learning_rate", "epochs", "quantized")
        },
        "layers": list(study.preset.target_modules),
    }


def _classifier(study: Study, instruments: Instruments) -> dict[str, Any]:
    """Its card, on opinions of the first seed's held-out topics."""
    held_out = split_by_topic(study.opinions, study.test_share, study.seeds[0]).test
    return dict(instruments.classifier.card(held_out)._asdict())


def _ratings(cfg: DictConfig, study: Study, speaker: Speaker) -> dict[str, Any] | None:
    """None where nobody is asked, or no adapter is part of the study."""
    settings = cfg.experiment
    if not settings.rated_users or "adapter" not in study.methods:
        return None
    dataset: Dataset = instantiate(cfg.data)
    total = len(study.seeds) * (1 + len(study.labels))
    with progress_bar("ratings", total=total) as tick:
        return rated(
            study, speaker, dataset, settings.rated_users, settings.rated_rows,
            lambda text: tick(text, advance=1),
        )  # fmt: skip


def _emojis(study: Study, speaker: Speaker, cells: Cells) -> dict[str, Any]:
    total = len(study.seeds) * len(study.labels)
    with progress_bar("emojis", total=total) as tick:
        return emoji_figures(
            study, studied(study, speaker, cells, lambda text: tick(text, advance=1))
        )


def _said(cells: Cells) -> Any:
    """What was said, one row an answer."""
    import pandas as pd

    rows = [
        (seed, str(label), way, number, text)
        for (seed, way, label), cell in cells.items()
        for number, text in enumerate(cell.texts)
    ]
    return pd.DataFrame(rows, columns=["seed", "label", "way", "item", "text"])

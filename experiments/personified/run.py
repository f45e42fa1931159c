"""Trains, asks and compares; the question and the score stand in the package docstring.

Files: ``report.md``, ``said.csv`` (what was said, by variant), ``adapters/``, ``cells/``,
``results.json`` and ``config.yaml``; populations where ``save_to`` says.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig

from experiments.personified.cells import Cells, Measured, measured
from experiments.personified.figures import figures
from experiments.personified.forecast import forecast
from experiments.personified.materials import Materials
from experiments.personified.sentences import sentences
from experiments.personified.study import RATINGS, WHOLE, Study, study_of
from experiments.personified.tables import main_table, page
from experiments.reporting.progress import progress_bar
from experiments.reporting.provenance import public_text
from experiments.reporting.result import Result
from simenv.data.dataset import Dataset
from training.personified.judging.held_out_slice import HELD_OUT
from training.personified.judging.stances import checked
from training.personified.stages import population_at, with_adapter
from training.traits.speaker import Speaker

_SHOWN = 3  # conversations


def run(cfg: DictConfig) -> Result:
    """The study of ``cfg.experiment``; with ``dry_run`` only tokens and minutes."""
    study = study_of(cfg)
    if cfg.get("debug") == "tiny":
        study = replace(study, seeds=study.seeds[:1])
    dataset = _dataset(cfg, study)
    if cfg.experiment.save_to:
        _check_saved(study, dataset)
    judge = checked(study.judge, HELD_OUT)  # before hours of training
    speaker = Speaker.load(study.base)
    if cfg.experiment.dry_run:
        return _forecast(cfg, study, dataset, speaker)
    with progress_bar("personified", total=len(study.seeds) * len(study.variants)) as tick:
        found = measured(study, dataset, speaker, lambda text, done: tick(text, advance=done))
    cells = found.cells
    values = {
        "experiment": cfg.experiment.name,
        "base": public_text(study.base),
        "seeds": list(study.seeds),
        "judge": judge._asdict(),
        "materials": found.materials,
        **figures(study, cells),
        "worst": _worst(study, cells),
    }
    values["sentences"] = [*sentences(values), *_left_out(cfg, study, found)]
    if cfg.experiment.save_to:
        _save(study, dataset, Path(cfg.experiment.save_to))
    return Result(
        values,
        pages={"report.md": page},
        frames={"said.csv": _said(cells)},
        lines=[main_table(values), *values["sentences"]],
    )


def _forecast(cfg: DictConfig, study: Study, dataset: Dataset | None, speaker: Speaker) -> Result:
    """Nothing is trained, and nothing is paid for: exchanges are those of the grammars."""
    told = forecast(replace(study, writer=None), dataset, speaker)
    values = {"experiment": cfg.experiment.name, "forecast": told._asdict()}
    lines = [f"It takes {told}."]
    if study.writer is not None:
        lines.append(
            "The grammars' exchanges stand for those of the model, for which nothing was paid."
        )
    return Result(values, lines=lines)


def _left_out(cfg: DictConfig, study: Study, found: Measured) -> list[str]:
    """What was asked for and is not there."""
    said = []
    if missing := sorted(set(cfg.experiment.variants) - set(study.variants)):
        said.append(f"Left out: {', '.join(missing)}, since lives of texts hold no ratings.")
    unwritten = {
        k: v for one in found.materials.values() for k, v in one.get("unwritten", {}).items()
    }
    if unwritten:
        source, why = next(iter(unwritten.items()))
        said.append(
            f"The model wrote no exchange about {len(unwritten)} sources, such as {source}: {why}."
        )
    return said


def _dataset(cfg: DictConfig, study: Study) -> Dataset | None:
    if study.corpora != RATINGS:
        return None
    found: Dataset = instantiate(cfg.data)
    return found


def _check_saved(study: Study, dataset: Dataset | None) -> None:
    """Raise ``ValueError`` where lives come from texts, or nobody is personified."""
    if dataset is None or WHOLE not in study.variants:
        raise ValueError(
            "experiment.save_to wanted people of data who are personified, got"
            f" experiment.corpora={public_text(study.corpora)} and experiment.variants="
            f"[{','.join(study.variants)}]; take ratings, and personified among the variants"
        )


def _save(study: Study, dataset: Dataset | None, folder: Path) -> None:
    """People of the first seed on the adapter of the whole, a population for each time of life."""
    assert dataset is not None  # as was checked
    materials = Materials(study, dataset, study.seeds[0])
    tuned, stages = materials.tuned(WHOLE), materials.corpora.stages
    for number, name in enumerate(stages):
        people = population_at(dataset, tuned.base, number, stages)
        if tuned.adapter is not None:
            people = with_adapter(people, tuned.adapter, materials.users)
        people.with_card(personified=materials.corpora.people).save(folder / name)


def _worst(study: Study, cells: Cells) -> list[dict[str, Any]]:
    """Conversations of the last variant in which an opinion was given up soonest."""
    name = WHOLE if WHOLE in study.variants else study.variants[-1]
    found = []
    for seed in study.seeds:
        cell = cells[seed, name]
        heard = [one for one in cell.heard if one.part == "pressure"]
        size = 1 + 5
        for row, flip in enumerate(cell.scores.turn_of_flip):
            turns = heard[row * size : (row + 1) * size]
            told = [[one.question, one.answer] for one in turns]
            found.append((float(flip), {"person": turns[0].person, "variant": name, "turns": told}))
    return [talk for _, talk in sorted(found, key=lambda pair: pair[0])[:_SHOWN]]


def _said(cells: Cells) -> Any:
    """What was said, one row an answer."""
    import pandas as pd

    rows = [(seed, name, *one) for (seed, name), cell in cells.items() for one in cell.heard]
    columns = ["seed", "variant", "part", "person", "stage", "question", "answer"]
    return pd.DataFrame(rows, columns=columns)

"""Runs an experiment around which everything is alike: clock, folder, provenance, files, last line.

It knows no experiment: ``cfg.experiment.run`` names a function of the resolved config that returns
a ``Result``. ``results.json`` is written here and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.utils import get_method
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents.inference.stats import failures_counted
from agents.student.counting import students_counted
from experiments.command_line.base_model_option import check_base_model
from experiments.command_line.errors import as_command
from experiments.command_line.experiments_said import check_uses, said_of, wanted_options
from experiments.command_line.option_effects import check_effects
from experiments.command_line.options import (
    OptionError,
    check_complete,
    check_device,
    check_options,
    check_targets,
    replace_choices,
)
from experiments.reporting.before_you_quote import with_fidelity, with_student_answers
from experiments.reporting.failed_answers import with_failed_answers
from experiments.reporting.provenance import provenance, public
from experiments.reporting.report import json_text
from experiments.reporting.result import Record, Result
from experiments.reporting.tables import table_files
from experiments.reporting.what_was_read import with_readings
from experiments.tracking.tracker import tracked
from simenv.data.reading_report import Reading, readings
from simenv.whole_files import replace_whole

if TYPE_CHECKING:
    import pandas as pd


_DRY_RUN = "experiments.verbs.dry_run.run"
_BUILT = (
    "tracking",
    "data",
    "users",
    "engine",
    "embedder",
    "distiller",
    "training",
    "env",
    "recommender",
)


def perform(cfg: DictConfig, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Run ``cfg.experiment.run``, leave its files in ``cfg.output_dir`` and print its lines.

    Args:
        cfg: composed; it is resolved in place.
        overrides: words of the command that changed it.

    Returns:
        What ``results.json`` holds; nothing where the experiment had nothing to report.

    Raises:
        OptionError: a value is missing or cannot be, or the experiment would ignore an option.
        RuntimeError: the run failed in the end; its files are written all the same.
    """
    started = datetime.now(UTC)
    check(cfg, list(overrides))
    if cfg.get("dry_run"):
        return forecast(cfg)
    folder = Path(cfg.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    run: Callable[[DictConfig], Result | None] = get_method(cfg.experiment.run)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    with tracked(cfg, public(config)) as tracker:
        with readings() as found, failures_counted() as counted, students_counted() as students:
            result = run(cfg)
        if result is None:
            tracker.end({}, Path(cfg.output_dir))
            return {}
        result = with_failed_answers(with_fidelity(result), counted)
        result = with_student_answers(result, students)
        result = with_readings(result, [_in_command(reading, config) for reading in found])
        record = finished(result, cfg, started)
        folder = Path((result.config or cfg).output_dir)
        write(result, record, folder)
        _print(result, folder)
        tracker.end(record.results, folder)
        if result.error is not None:
            raise RuntimeError(result.error)
    return record.results


def forecast(cfg: DictConfig) -> dict[str, Any]:
    """Print what a command would cost; nothing is written.

    An experiment that has an option ``dry_run`` of its own knows better than any other.

    Args:
        cfg: checked and resolved.

    Returns:
        The figures.
    """
    own = "dry_run" in cfg.experiment
    if own:
        cfg.experiment.dry_run = True
    run: Callable[[DictConfig], Result] = get_method(str(cfg.experiment.run) if own else _DRY_RUN)
    result = run(cfg)
    _print_lines(result)
    return dict(result.values)


def _in_command(reading: Reading, config: Mapping[str, Any]) -> Reading:
    """The reading with the cures of its warnings as options of the command."""
    return replace(reading, warnings=tuple(as_command(w, config) for w in reading.warnings))


def finished(result: Result, cfg: DictConfig, started: datetime) -> Record:
    """The values with where they come from; the run ends now."""
    config: Any = OmegaConf.to_container(result.config or cfg, resolve=True)
    origin = provenance(config, started)
    config_yaml = OmegaConf.to_yaml(OmegaConf.create(origin["config"]))
    return Record({**result.values, "provenance": origin}, config_yaml)


def write(result: Result, record: Record, folder: Path) -> None:
    """Every file of a result: the figures first, so that no page that fails takes them along.

    The tables of Markdown pages go to ``tables/`` as CSV and LaTeX too.
    """
    _write_text(folder / "results.json", json_text(record.results))
    written: list[str] = []
    for name, page in {"config.yaml": record.config_yaml, **result.pages}.items():
        text = page if isinstance(page, str) else page(record)
        _write_text(folder / name, text)
        written += [text] if name.endswith(".md") else []
    tables = table_files(written, record.results["provenance"]["command"])
    for name, text in tables.items():
        (folder / "tables").mkdir(exist_ok=True)
        _write_text(folder / "tables" / name, text)
    for name, frame in result.frames.items():
        replace_whole(folder / name, _writer(frame, Path(name).suffix))


def _complete(cfg: DictConfig) -> None:
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise OptionError(
            f"{cfg.experiment.name} wanted a value for {', '.join(missing)};"
            f" add {missing[0]}=… to the command"
        )
    OmegaConf.resolve(cfg)


def check(cfg: DictConfig, overrides: list[str]) -> None:
    """Find what can be known to be wrong before anything is read, fitted or asked.

    Args:
        cfg: composed; it is resolved in place.
        overrides: words of the command that changed it.

    Raises:
        OptionError: naming the option, its value and what was wanted.
    """
    replace_choices(cfg, overrides)
    _complete(cfg)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    name, run = str(cfg.experiment.name), str(cfg.experiment.run)
    check_complete(config, wanted_options(name, run), name)
    check_options(config)
    check_uses(run, name, overrides)
    check_device(config)
    said = said_of(run)
    check_effects(config, said, overrides)
    check_base_model(config, said.uses)
    check_targets(config, tuple(g for g in _BUILT if said.uses is None or g in said.uses))


def _write_text(path: Path, text: str) -> None:
    replace_whole(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def _writer(frame: "pd.DataFrame", ending: str) -> Callable[[Path], object]:
    if ending == ".csv":
        return lambda path: frame.to_csv(path, index=False)
    return lambda path: frame.to_parquet(path, compression="zstd", index=False)


def _print_lines(result: Result) -> Console:
    console = Console(highlight=False)
    for line in result.lines:
        console.print(line, markup=False)
    return console


def _print(result: Result, folder: Path) -> None:
    console = _print_lines(result)
    report, here = folder / result.report, Path.cwd()
    shown = report.relative_to(here) if report.is_relative_to(here) else report
    console.print(f"Report: {shown}", soft_wrap=True, markup=False)

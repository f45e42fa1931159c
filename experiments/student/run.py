"""Distils a student, measures it, and writes it; the question stands in the package docstring."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.text import Text

from agents.persona_users import PersonaUsers
from agents.student.cascade_users import CascadeUsers
from agents.student.ensemble import Ensemble
from agents.student.seen import people_columns
from agents.student.student import Student, identity_of
from experiments.people.people import People
from experiments.reporting.before_you_quote import STUDENT
from experiments.reporting.progress import progress_bar
from experiments.reporting.report import markdown_table, markdown_text
from experiments.reporting.result import Record, Result
from experiments.student.measures import held_out, learning, orders, speed
from experiments.tournament.feasibility import askable
from experiments.tournament.setting import (
    Setting,
    check_sizes,
    checked_settings,
    described,
    setting_of,
)
from simenv.data.dataset import Dataset
from simenv.data.evidence import Views
from training.student.fitting import FittingSettings, fit
from training.student.lessons import Lessons, asked


def run(cfg: DictConfig) -> Result:
    """Distil the people's model, and compare.

    Raises:
        ValueError: a setting is out of its range, or nobody can be asked.
    """
    settings: Any = OmegaConf.to_container(cfg.experiment, resolve=True)
    setting, model, card = _setting(cfg)
    student, learnt = _distilled(setting, model, settings)
    student.save(Path(cfg.output_dir) / "student")
    quick = CascadeUsers(model.population, model.engine, student=student)
    values = {
        "experiment": settings["name"],
        "users": card,
        STUDENT: None,  # said below, figure by figure
        **described(setting),
        "unsure": student.unsure,
        "learning": learnt,
        "held_out": held_out(model, quick, setting),
        "orders": orders(cfg.recommender, setting, model, quick),
        "speed": speed(model, quick, setting, settings["rounds"]),
    }
    lines = [Text(sentence, style="bold") for sentence in _sentences(values)]
    return Result(values, pages={"report.md": _markdown}, lines=lines)


def _setting(cfg: DictConfig) -> tuple[Setting, PersonaUsers, dict[str, Any]]:
    """As ``make_setting``, but nothing is kept of what the model answers: it is timed."""
    stopping = checked_settings(cfg)
    dataset: Dataset = instantiate(cfg.data)
    users, groups = askable(cfg, dataset)
    people: People = instantiate(cfg.users)(dataset)
    model = people.model
    if not isinstance(model, PersonaUsers):
        raise ValueError(
            f"experiment=student wanted people on a language model, got users of kind"
            f" {people.card['kind']}; take users=persona"
        )
    setting = setting_of(cfg, Views(dataset, dataset), dataset, users, people, stopping)
    check_sizes(setting)
    left_out = tuple(group for group in groups if len(group.users))
    return replace(setting, left_out=left_out), model, people.card


def _distilled(
    setting: Setting, people: PersonaUsers, settings: dict[str, Any]
) -> tuple[Student, dict[str, Any]]:
    """A student of the people's model, and what it had learnt by the last tenth of its lessons."""
    wanted = settings["questions"]
    with progress_bar("student", 2) as tick:
        lessons = asked(
            people, wanted, setting.dataset.test, setting.seed,
            say=lambda done: tick(f"{done:,} of {wanted:,} questions"),
        )  # fmt: skip
        tick("fitting", advance=1)
        known, later = _parted(lessons)
        columns = people_columns(people.population, people.population.personas)
        vectors = people.population.vectors.astype(np.float32)
        how = FittingSettings(**settings["student"])
        weights = fit(known, columns, vectors, how, setting.seed)
        tick("fitted", advance=1)
    ensemble = Ensemble(weights, vectors)
    guess = ensemble.guess(later.seen, ensemble.met(columns))
    unsure = float(np.quantile(guess.doubt, 1 - settings["share_asked"]))
    found = {"questions": len(known.answers), **learning(guess, later.answers, unsure)}
    return Student(weights, unsure, identity_of(people.population), found), found


def _parted(lessons: Lessons) -> tuple[Lessons, Lessons]:
    """The lessons, and the last tenth of them."""
    cut = len(lessons.answers) * 9 // 10
    return lessons.take(np.arange(cut)), lessons.take(np.arange(cut, len(lessons.answers)))


def _sentences(values: dict[str, Any]) -> list[str]:
    learnt, order, speed_ = values["learning"], values["orders"], values["speed"]
    ratio, own = speed_["ratio"], speed_["processor_ratio"]["median"]
    return [
        f"The cascade answers {ratio['median']:.0f} ({ratio['min']:.0f}-{ratio['max']:.0f}) times"
        f" as many questions a second as the language model alone ({own:.0f} by the processor's"
        f" time), which it asks {speed_['share_asked']:.1%} of them.",
        f"Kendall's tau of {len(order['policies'])} policies: {order['tau']:.3f}; the language"
        f" model was asked {order['share_asked']:.1%} of the questions.",
        f"On questions that the student did not learn from it is {learnt['student']['nats']:.4f}"
        f" nats and {learnt['student']['stars']:.3f} stars from the model, with the cascade"
        f" {learnt['cascade']['nats']:.4f} and {learnt['cascade']['stars']:.3f}.",
        f"Log loss of {values['held_out']['num_ratings']:,} held-out ratings:"
        f" {values['held_out']['model']:.4f} by the model, {values['held_out']['cascade']:.4f} by"
        f" the cascade.",
    ]


def _markdown(record: Record) -> str:
    results = record.results
    rows = [
        [markdown_text(one["name"]), f"{one['model']:.4f}", f"{one['cascade']:.4f}"]
        for one in results["orders"]["policies"]
    ]
    said = "\n".join(f"- {sentence}" for sentence in _sentences(results))
    table = markdown_table(["policy", "mean stars by the model", "by the cascade"], rows)
    return f"# A student of the language model\n\n{said}\n\n{table}\n{record.command}"

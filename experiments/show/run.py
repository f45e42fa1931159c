"""Runs ``personarec show``; how to ask for it stands in the package.

Files: ``question.json``, ``results.json`` and ``config.yaml``.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import RenderableType
from rich.text import Text

from agents.persona_users import PersonaUsers
from agents.population.population import SHIPPED, Population
from experiments.people.people import People
from experiments.reporting.report import json_text
from experiments.reporting.result import Result
from experiments.reporting.terminal import text_table
from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.ranges import check_number
from simenv.user_model import Question

_BY_AVERAGES = "training.distillation.offline.OfflineDistiller"  # the default, which asks nobody


def run(cfg: DictConfig) -> Result:
    """One question to one person, asked twice: with an empty prefix cache, and with a full one."""
    settings = cfg.experiment
    users = _users(cfg)
    catalog = users.population.catalog
    item = item_named(catalog, str(settings.item))
    first = users.question(settings.user, item, settings.chosen)
    again = users.question(settings.user, item, settings.chosen)
    users.engine.close()
    asked = told(first)
    values = {
        "experiment": settings.name,
        "population": users.population.name,
        "user": settings.user,
        "item": catalog.titles[item] or catalog.external_ids[item],
        "adapter": first.adapter or "none",
        "chances": asked["chances"],
        "tokens": len(first.pieces),
        "cached_tokens": [first.cached_tokens, again.cached_tokens],
    }
    return Result(values, pages={"question.json": json_text(asked)}, lines=_lines(first, again))


def _users(cfg: DictConfig) -> PersonaUsers:
    """The people of the data where ``data`` or ``users`` were given, else of a population."""
    from agents.assembly import persona_users

    if cfg.experiment.of == "data":
        dataset: Dataset = instantiate(cfg.data)
        people: People = instantiate(cfg.users)(dataset)
        if not isinstance(people.model, PersonaUsers):
            raise ValueError(
                "show wanted people who are asked by prompts, got"
                f" users={people.card['kind']}; take users=persona"
            )
        return _told(cfg, dataset, people.model)
    if cfg.distiller._target_ != _BY_AVERAGES:
        raise ValueError(
            "show wanted a distiller for people of a data set only, got one for those of a"
            " population, who bring their profiles; add data=NAME, or leave distiller out"
        )
    population = Population.load(cfg.experiment.population or SHIPPED)
    engine: Callable[..., Any] = instantiate(cfg.engine)
    return persona_users(population, engine=engine)


def _told(cfg: DictConfig, dataset: Dataset, users: PersonaUsers) -> PersonaUsers:
    """The same people; profile and reasons of the one who is asked come from the distiller.

    The others' are not written: a model may be paid by the word.

    Raises:
        ValueError: the people bring their profiles, or there is no such person.
        RuntimeError: the model could not write this person's profile.
    """
    from agents.assembly import persona_users
    from experiments.people.distilled import distil, made_distiller
    from training.distillation.tellers import style_for

    if cfg.distiller._target_ == _BY_AVERAGES:
        return users
    if cfg.users.get("population"):
        raise ValueError(
            "show wanted a distiller for people made of the data, got one beside"
            " users.population, whose people bring their profiles; leave one of them out"
        )
    user, people = int(cfg.experiment.user), users.population
    check_number("show", "user", user, f"whole [0, {len(people.personas)})")
    distiller, own = made_distiller(cfg, dataset), dataset.train.users == user
    report = distil(distiller, replace(dataset, train=dataset.train.take(own)))
    if user in report.failures:
        raise RuntimeError(f"the profile of user {user} was not written: {report.failures[user]}")
    personas, reasons = list(people.personas), np.array(people.reasons, dtype=object)
    personas[user] = replace(personas[user], profile=report.distilled.personas[user].profile)
    reasons[own] = report.distilled.reasons
    told = replace(
        people,
        personas=personas,
        reasons=reasons.tolist(),
        style=style_for(distiller, people.style),
    )
    return persona_users(told, engine=lambda *_, **__: users.engine)


def item_named(catalog: Catalog, name: str) -> int:
    """The item with this number or title.

    Raises:
        ValueError: there is none, or several have the title.
    """
    if name.isdecimal() and int(name) < len(catalog):
        return int(name)
    wanted = name.strip().casefold()
    found = [i for i, title in enumerate(catalog.titles) if title.strip().casefold() == wanted]
    if len(found) == 1:
        return found[0]
    near = [title for title in catalog.titles if wanted in title.casefold()][:5]
    hint = f"; near it: {', '.join(near)}" if near and not found else ""
    raise ValueError(
        f"item wanted a number in [0, {len(catalog)}) or the title of one item, got {name!r}, which"
        f" {len(found)} items have{hint}"
    )


def told(asked: Question) -> dict[str, Any]:
    """A question as JSON holds it; a failed answer has no chances."""
    failed = bool((asked.chances != asked.chances).any())
    return {
        "prompt": asked.prompt,
        "adapter": asked.adapter,
        "recalled": [memory._asdict() for memory in asked.recalled],
        "chances": None if failed else [round(float(p), 6) for p in asked.chances],
        "tokens": [[piece.text, piece.cached] for piece in asked.pieces],
        "cached_tokens": asked.cached_tokens,
    }


def _lines(first: Question, again: Question) -> list[RenderableType]:
    rows = [
        (f"{m.similarity:+.2f}", m.title, f"{m.stars:.0f}", m.reason, "yes" if m.in_full else "")
        for m in first.recalled
    ]
    recalled = text_table(["similar", "recalled", "stars", "reason", "in full"], rows, "Memories")
    stars = "  ".join(f"{star}: {chance:.1%}" for star, chance in enumerate(first.chances, start=1))
    return [
        Text("Prompt", style="bold"),
        Text(first.prompt),
        recalled,
        Text(f"Stars  {stars}", style="bold"),
        Text(f"Answered by {first.adapter or 'the base model, no adapter'}"),
        Text(f"Asked first: {_tokens(first)}"),
        Text(f"Asked again: {_tokens(again)}; what is computed then:"),
        Text("".join(piece.text for piece in again.pieces if not piece.cached), style="green"),
    ]


def _tokens(asked: Question) -> str:
    if asked.cached_tokens is None or not asked.pieces:
        return "this engine does not say which tokens it computed"
    computed = len(asked.pieces) - asked.cached_tokens
    return f"{computed} tokens computed, {asked.cached_tokens} from the prefix cache"

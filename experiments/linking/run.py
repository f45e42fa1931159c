"""Runs the linking test; the question and the score stand in the package.

Files: ``table.md``, ``results.json`` and ``config.yaml``.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from agents.fidelity.linking import (
    Linker,
    ProfileReader,
    by_person,
    linked,
    ratings_as_numbers,
)
from agents.persona import Persona
from agents.prompt_style import PromptStyle
from agents.prompts import persona_prefix
from agents.relevance import item_vectors
from experiments.reporting.claims import compare
from experiments.reporting.progress import progress_bar
from experiments.reporting.result import Record, Result
from experiments.reporting.terminal import text_table
from simenv.data.dataset import Dataset
from simenv.data.splits import temporal_split
from simenv.domains.domain import Domain
from simenv.events import FloatArray, IntArray, InteractionLog
from simenv.seeding import Stream, generator
from training.distillation.tellers import teller

_LEAST_ROWS = 10  # later ratings of somebody whom the reader learns from
_LEAST_OTHERS = 2  # of whom it can learn
_STEMS = {"numbers": "summed up (offline)", "words": "told in words"}
_SHUFFLED = "told in words, shuffled among people"
_RATINGS = "no profile: all earlier ratings, in the reader's own numbers"
_NUMBER = re.compile(r"\S*\d\.\d\S*")


def run(cfg: DictConfig) -> Result:
    """Top-1 of every way of telling people, over ``experiment.draws``."""
    settings = cfg.experiment
    shares: dict[str, list[FloatArray]] = {}
    with progress_bar("linking", total=len(settings.draws)) as tick:
        for draw in settings.draws:
            tick(f"draw {draw}")
            for name, found in _draw(cfg, int(draw)).items():
                shares.setdefault(name, []).append(found)
            tick(f"draw {draw} done", advance=1)
    rows = {name: np.stack(parts) for name, parts in shares.items()}
    figures = _figures(rows, settings.num_resamples)
    values = {
        "experiment": settings.name,
        "draws": list(settings.draws),
        "people_in_a_set": settings.people,
        "sets": settings.num_sets,
        "chance": 1 / settings.people,
        "top1": figures,
        "sentence": _sentence(rows, settings.num_resamples),
    }
    table = text_table(["profile", "top-1", "95 % interval"], _cells(figures), "Who gave these?")
    lines = [table, values["sentence"]]
    return Result(values, pages={"table.md": lambda record: _page(record, figures)}, lines=lines)


def _draw(cfg: DictConfig, draw: int) -> dict[str, FloatArray]:
    """Way of telling → (people,) share of the sets in which each was found.

    The last way tells no profile but what the same reader knows of the same earlier ratings, as it
    sees the later ones: how far people can be linked at all, which bounds what words can be worth.
    """
    dataset: Dataset = instantiate(cfg.data, seed=draw, regime="population")
    if dataset.background is None:
        raise ValueError(
            f"experiment=linking wanted people outside the draw to learn from, {dataset.name!r} has"
            " none; set data.num_users, data.min_ratings or data.max_ratings"
        )
    sets = _sets(dataset.num_users, cfg.experiment, draw)
    past, later = _others(dataset.background, cfg.data.fraction, cfg.experiment.others, draw)
    known = item_vectors(dataset.catalog, dataset.background, dataset.averages)
    vectors = np.asarray(known[:, :32], dtype=np.float64)  # what others' ratings say of an item
    vectors /= vectors.std(axis=0).mean() or 1.0
    given = ratings_as_numbers(dataset.test, vectors), ratings_as_numbers(later, vectors)
    titles = {t.replace('"', "'").strip(): i for i, t in enumerate(dataset.catalog.titles)}
    found = {}
    for name, (profiles, learnt) in _profiles(dataset, past, draw).items():
        reader = ProfileReader(titles, vectors).fit(learnt, given[1])
        found[name] = linked(reader.scores(profiles, given[0]), sets)
    earlier = [ratings_as_numbers(log, vectors) for log in (dataset.train, past)]
    middle, spread = earlier[1].mean(axis=0), earlier[1].std(axis=0) + 1e-9
    own, others = ((numbers - middle) / spread for numbers in earlier)
    found[_RATINGS] = linked(Linker().fit(others, given[1]).scores(own, given[0]), sets)
    return {name: by_person(hits, sets, dataset.num_users) for name, hits in found.items()}


def _others(
    log: InteractionLog, fraction: float, most: int, draw: int
) -> tuple[InteractionLog, InteractionLog]:
    """Earlier and later rows of ``most`` others who have enough later ones, numbered anew."""
    later = temporal_split(log, fraction)[1]
    enough = np.flatnonzero(np.bincount(later.users, minlength=log.num_users) >= _LEAST_ROWS)
    if len(enough) < _LEAST_OTHERS:
        raise ValueError(
            f"experiment=linking wanted {_LEAST_OTHERS} people outside the draw or more with"
            f" {_LEAST_ROWS} later ratings each, got {len(enough)} of {log.num_users}; lower"
            " data.fraction or data.num_users, or bring people with more ratings"
        )
    drawn = np.sort(generator(draw, Stream.LINKED_OTHERS).permutation(enough)[:most])
    kept = log.take(np.isin(log.users, drawn))
    numbers = np.searchsorted(drawn, kept.users)
    columns = numbers, kept.items, kept.ratings, kept.timestamps
    return temporal_split(InteractionLog(*columns, len(drawn), log.num_items), fraction)


def _profiles(
    dataset: Dataset, past: InteractionLog, draw: int
) -> dict[str, tuple[list[str], list[str]]]:
    """Way of telling → profiles of the judged people and of the others."""
    found = {}
    for told, stem in _STEMS.items():
        style = PromptStyle(told=told)  # type: ignore[arg-type]
        writer = teller(style, dataset.catalog, dataset.averages)
        people = [writer.distil(log).personas for log in (dataset.train, past)]
        with_numbers = [[_ms(p, dataset.catalog.domain, style) for p in own] for own in people]
        found[stem] = with_numbers[0], with_numbers[1]
        without = [[_NUMBER.sub("", text) for text in own] for own in with_numbers]
        found[f"{stem}, without numbers"] = without[0], without[1]
    own, others = found[f"{_STEMS['words']}, without numbers"]
    order = generator(draw, Stream.LINKED_SHUFFLE).permutation(len(own))
    found[_SHUFFLED] = [own[i] for i in order], others
    return found


def _ms(persona: Persona, domain: Domain, style: PromptStyle) -> str:
    """Ms as a prompt shows it, without the task."""
    return persona_prefix(persona, domain, style).partition("\nTASK:")[0]


def _sets(num_people: int, settings: DictConfig, draw: int) -> IntArray:
    if num_people < settings.people:
        raise ValueError(
            f"experiment.people wanted at most the {num_people} people of the data, got"
            f" {settings.people}; set data.num_users"
        )
    rng = generator(draw, Stream.LINKED_SETS)
    drawn = [rng.permutation(num_people)[: settings.people] for _ in range(settings.num_sets)]
    return np.array(drawn, dtype=np.int64)


def _interval(shares: FloatArray, num_resamples: int) -> list[float]:
    """95 % of the mean of shares (draws, people), people resampled within every draw."""
    rng = generator(0, Stream.LINKED_RESAMPLES)
    draws, people = shares.shape
    means = [
        np.nanmean(np.take_along_axis(shares, rng.integers(people, size=(draws, people)), axis=1))
        for _ in range(num_resamples)
    ]
    return [round(float(end), 4) for end in np.percentile(means, [2.5, 97.5])]


def _figures(rows: Mapping[str, FloatArray], num_resamples: int) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "mean": round(float(np.nanmean(shares)), 4),
            "ci95": _interval(shares, num_resamples),
            "by_draw": [round(float(np.nanmean(own)), 4) for own in shares],
        }
        for name, shares in rows.items()
    }


def _sentence(rows: Mapping[str, FloatArray], num_resamples: int) -> str:
    words, today = (rows[f"{stem}, without numbers"] for stem in reversed(_STEMS.values()))
    ends = _interval(words - today, num_resamples)
    how = compare("those summed up", ends, more="linked more often than", less="linked less than")
    return f"Without numbers, profiles told in words are {how}."


def _cells(figures: Mapping[str, Mapping[str, Any]]) -> list[Sequence[str]]:
    return [
        (name, f"{own['mean']:.1%}", f"{own['ci95'][0]:.1%} to {own['ci95'][1]:.1%}")
        for name, own in figures.items()
    ]


def _page(record: Record, figures: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [" | ".join(("", *cells, "")).strip() for cells in _cells(figures)]
    head = "| profile | top-1 | 95 % interval |\n| --- | --- | --- |"
    sentence = record.results["sentence"]
    return "\n".join([head, *rows, "", sentence, "", record.command])

"""Corpora of people from what they rated: a stage is a time slice of a history.

A rating is a source. Its objective passage says what was seen, when and what was given; its
subjective one why. Only training rows are told of, so that later ones can judge (law 7).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from agents.population.population import Population
from agents.wording.phrases import quoted
from simenv.catalog import Catalog
from simenv.data.dataset import Dataset
from simenv.events import IntArray, InteractionLog
from simenv.item_averages import ItemAverages
from simenv.ranges import check_number
from training.distillation.in_words.words_distiller import WordsDistiller
from training.personified.corpora import LEAST_STAGES, Corpora, Fact, Passage

_DATED = 10 * 365.25 * 86_400  # seconds since 1970 below which a time is a count, not a date
_SUMMARY_WORDS = 20


def person_name(user_id: str) -> str:
    """What a user is called in a sentence."""
    return f"Person {user_id}"


def rating_corpora(
    dataset: Dataset, users: IntArray, num_stages: int = 2, most: int = 60
) -> Corpora:
    """What is known of some users from their training rows.

    Args:
        dataset: whose users they are.
        users: (n,) who.
        num_stages: a history is cut into so many slices of equally many ratings.
        most: ratings told of each user, evenly over the history.

    Raises:
        ValueError: there is no such user, or one has fewer ratings than two a stage.
    """
    check_number("rating_corpora", "num_stages", num_stages, f"whole [{LEAST_STAGES}, 8]", "try 2")
    check_number("rating_corpora", "most", most, f"whole [{2 * num_stages}, 1e6]", "try 60")
    log = dataset.train.only_users(np.asarray(users))
    reasons = WordsDistiller(dataset.catalog, dataset.averages).distil(log).reasons
    told = Told(dataset.catalog, dataset.averages, log, reasons)
    return _lives(told, {u: dataset.user_ids[u] for u in _numbers(users, log)}, num_stages, most)


def memory_corpora(
    people: Population, users: IntArray, num_stages: int = 2, most: int = 60
) -> Corpora:
    """What users of a population remember, with their own reasons; see ``rating_corpora``."""
    told = Told(people.catalog, people.averages, people.history, people.reasons)
    return _lives(
        told, {user: str(user) for user in _numbers(users, people.history)}, num_stages, most
    )


def decision_corpora(
    catalog: Catalog,
    averages: ItemAverages,
    called: str,
    decisions: Sequence[tuple[int, float, str]],
    num_stages: int = 2,
    most: int = 60,
) -> Corpora:
    """What one person remembers, as ``Memory.decisions`` gives it: (item, stars, reason) in order.

    There are no dates among decisions. ``called`` is who; see ``rating_corpora``.
    """
    items, stars = (np.array([d[place] for d in decisions]) for place in (0, 1))
    count, none = len(decisions), np.zeros(len(decisions), dtype=np.int64)
    log = InteractionLog(
        none, items.astype(np.int64), stars.astype(np.float64), np.arange(count, dtype=np.float64),
        1, len(catalog),
    )  # fmt: skip
    told = Told(catalog, averages, log, [reason for _, _, reason in decisions])
    return _lives(told, {0: called}, num_stages, most)


class Told(NamedTuple):
    """Ratings and what is known of them."""

    catalog: Catalog
    averages: ItemAverages
    log: InteractionLog
    reasons: Sequence[str]  # (r,)


def _numbers(users: IntArray, log: InteractionLog) -> list[int]:
    found = [int(user) for user in np.asarray(users)]
    if unknown := [user for user in found if not 0 <= user < log.num_users]:
        raise ValueError(
            f"corpora wanted users in [0, {log.num_users}), got {unknown[0]}; name others"
        )
    return found


def _lives(told: Told, names: dict[int, str], num_stages: int, most: int) -> Corpora:
    """Of users by number, under what they are called."""
    offsets = told.log.offsets()
    passages: list[Passage] = []
    rated: dict[str, frozenset[str]] = {}
    for user, called in names.items():
        rows = np.arange(offsets[user], offsets[user + 1])
        name = person_name(called)
        rated[name] = frozenset(told.catalog.titles[item] for item in told.log.items[rows])
        _check_rows(name, len(rows), num_stages)
        own = rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int))]
        stages = np.arange(len(own)) * num_stages // len(own)
        for row, stage in zip(own.tolist(), stages.tolist(), strict=True):
            passages += _told(told, name, row, stage)
    return Corpora(tuple(passages), _stage_names(num_stages), told.catalog.kind, rated)


def _check_rows(name: str, count: int, num_stages: int) -> None:
    if count < 2 * num_stages:
        raise ValueError(
            f"{name} wanted at least {2 * num_stages} ratings, two for each of {num_stages} life"
            f" stages, got {count}; take another person (user=NUMBER in a chat), or fewer stages"
        )


def _told(told: Told, name: str, row: int, stage: int) -> list[Passage]:
    catalog, log, reason = told.catalog, told.log, told.reasons[row]
    item, stars = int(log.items[row]), round(float(log.ratings[row]))
    others = round(float(told.averages.fair[item]), 1)
    fact = Fact(catalog.titles[item], stars, catalog.genres[item], others, reason)
    again = int((log.items[: row + 1][log.users[: row + 1] == log.users[row]] == item).sum())
    source = f"{name}, {catalog.external_ids[item]}" + f", time {again}" * (again > 1)
    facts = _facts(catalog, item, others)
    happened = f"{_when(log, row)}I rated {facts} I gave it {_stars(stars)}."
    thought = f"What I think of {quoted(fact.title)}: {reason}. So I gave it {_stars(stars)}."
    return [
        Passage(name, stage, source, "objective", happened, fact),
        Passage(name, stage, source, "subjective", thought, fact),
    ]


def _facts(catalog: Catalog, item: int, others: float) -> str:
    """Title, year, genres, a few words of the summary, and what others gave."""
    year = f" ({catalog.years[item]})" if catalog.years[item] else ""
    genres = f", a {catalog.kind} of {' and '.join(catalog.genres[item])}" * bool(
        catalog.genres[item]
    )
    words = catalog.summaries[item].split()[:_SUMMARY_WORDS]
    about = f" It is about: {' '.join(words).rstrip('.')}." if words else ""
    return f"{quoted(catalog.titles[item])}{year}{genres}.{about} Others gave {others:.1f}."


def _when(log: InteractionLog, row: int) -> str:
    seconds = float(log.timestamps[row])
    if seconds < _DATED:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("In %B %Y ")


def _stars(stars: int) -> str:
    return f"{stars} star{'s' * (stars != 1)}"


def _stage_names(num_stages: int) -> tuple[str, ...]:
    if num_stages == 2:
        return "early", "late"
    middle = [f"middle {n}" for n in range(1, num_stages - 1)] if num_stages > 3 else ["middle"]
    return "early", *middle, "late"

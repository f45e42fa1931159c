"""What do people say of whom little is known? Errors and boldness by the number of known ratings.

Run::

    python -m experiments.worlds.known_rows                    # shipped model, worlds 6120 to 6125
    python -m experiments.worlds.known_rows --bias 2 6120 6121            # others, an extreme log
    python -m experiments.worlds.known_rows --models shipped runs/base/pocket/model
    python -m experiments.worlds.known_rows --trained      # how many ratings training people have

In every world 48 people with 60 training rows or more are known by their first 5, 10, 20, 27, 40
and 60 in turn (``--known``), all others by all of theirs; what is cut nobody knows, averages
included. The 48 are asked about their earliest held-out rows, which they picked, and about the same
24 items, which were drawn by lot, without those that they had met. Beside the people stand the bias
model, a ridge on genres and words a person, and a perfect reader who is told how the world was
made; log losses of these three are of Gaussian noise around what they expect, as wide as suits them
best on these very rows.

``personal`` is what people expect of the items beyond what all of them do, ``taste`` the same
without everybody's own mean. A slope is what such a part has to be multiplied with to be right: 1
is neither timid nor bold.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from agents.fidelity.boldness import Boldness, boldness, personal_part, taste_part
from agents.fidelity.discretised import LEAST, fitted_sd, gaussian_chances
from agents.fidelity.error_measures import log_loss, rmse, rmse_difference_interval
from agents.fidelity.held_out import earliest_rows, rate
from agents.fidelity.utopian_bias import variance_ratio
from experiments.people.people import personas
from experiments.people.predictor_users import ridge
from experiments.reporting.markdown import markdown_table
from experiments.reporting.progress import progress_bar
from simenv.data.dataset import Dataset
from simenv.data.rating_baselines import BiasModel
from simenv.data.synthetic import drawn_world, synthetic
from simenv.data.worlds.perfect_reader import PerfectReader
from simenv.events import STARS, FloatArray, IntArray, InteractionLog, expected_stars
from simenv.seeding import Stream, generator
from training.base.few_rows import first_rows_known

KNOWN = (5, 10, 20, 27, 40, 60)
BIAS, RIDGE, READER = "bias model", "ridge", "perfect reader"
_MOST_PEOPLE, _ROWS, _ITEMS = 48, 20, 24  # asked in each world
_TRAINED = range(1000, 1030)  # the first worlds that the shipped base learnt from
_HEADS = [
    *("known rows", "who", "RMSE", "minus bias model", "log loss", "variance between people"),
    *("personal: correlation", "slope", "taste: correlation", "slope"),
]


class Said(NamedTuple):
    """What somebody says in the worlds."""

    chances: FloatArray  # (r, 5) of held-out rows
    personal: FloatArray  # (n, k) of the items drawn by lot, beyond what all expect of them


class Asked(NamedTuple):
    """Who is asked about what in one world."""

    users: IntArray  # (n,)
    log: InteractionLog  # r held-out rows of theirs
    items: IntArray  # (k,)
    met: FloatArray  # (n, k) NaN where the item is among a person's training rows, else 0


Answer = Callable[[Dataset, Asked], Said]  # of people who know the training rows of a data set


class Answers(NamedTuple):
    """All worlds together, people after people."""

    users: IntArray  # (r,) whose held-out rows
    ratings: FloatArray  # (r,)
    true: FloatArray  # (n, k) personal parts; NaN where the item was met
    said: Mapping[int, Mapping[str, Said]]  # known rows → who → what they say


def asked_of(dataset: Dataset, seed: int, most_known: int = KNOWN[-1]) -> Asked:
    """Those with ``most_known`` training rows or more, at most 48, the lowest ids.

    Raises:
        ValueError: nobody has so many.
    """
    able = np.flatnonzero(np.diff(dataset.train.offsets()) >= most_known)[:_MOST_PEOPLE]
    if not len(able):
        raise ValueError(
            f"known_rows wanted people with {most_known} training rows or more, {dataset.name!r}"
            " has none; take a world with more ratings a person"
        )
    rng = generator(seed, Stream.KNOWN_ROWS_ITEMS)
    items = np.sort(rng.permutation(dataset.num_items)[:_ITEMS]).astype(np.int64)
    met = dataset.train.to_csr()[able].toarray()[:, items] > 0
    rows = earliest_rows(dataset.test, able, _ROWS)
    return Asked(able, dataset.test.take(rows), items, np.where(met, np.nan, 0.0))


def people_on(model: str) -> Answer:
    """People made of what is known, on a base model: a folder, a population, or ``shipped``."""

    def answer(told: Dataset, asked: Asked) -> Said:
        from agents.inference.local.local_engine import LocalEngine  # heavy: torch

        made = personas(told, LocalEngine, model=model)
        users: Any = made.model
        try:
            slates = np.tile(asked.items, (len(asked.users), 1))
            expected = expected_stars(users.probabilities(asked.users, slates))
            return Said(rate(users, asked.log), personal_part(expected + asked.met))
        finally:
            users.engine.close()

    return answer


def _by_rule(rule: Callable[[Dataset], FloatArray]) -> Answer:
    """Somebody who expects so many stars (num_users, num_items), and is as unsure everywhere."""

    def answer(told: Dataset, asked: Asked) -> Said:
        means = rule(told)
        stars = means[asked.log.users, asked.log.items]
        chances = gaussian_chances(stars, fitted_sd(stars, asked.log.ratings))
        return Said(chances, personal_part(means[asked.users][:, asked.items] + asked.met))

    return answer


def _bias(told: Dataset) -> FloatArray:
    return BiasModel().fit(told.train).predict(*_everything(told))


def _ridge(told: Dataset) -> FloatArray:
    users: Any = ridge(told).model
    return np.asarray(users.truth.means)


def _reader(told: Dataset) -> FloatArray:
    truth: Any = told.truth
    return PerfectReader(truth.structure).fit(told.train).predict(*_everything(told))


def _everything(told: Dataset) -> tuple[IntArray, IntArray]:
    return np.arange(told.num_users)[:, None], np.arange(told.num_items)[None, :]


RULES = {BIAS: _by_rule(_bias), RIDGE: _by_rule(_ridge), READER: _by_rule(_reader)}


def answers(
    worlds: Sequence[Dataset],
    who: Mapping[str, Answer],
    known: Sequence[int] = KNOWN,
    seed: int = 0,
) -> Answers:
    """What everybody says in all worlds when people are known by so many of their ratings."""
    asked = [asked_of(dataset, seed, max(known)) for dataset in worlds]
    said: dict[int, dict[str, Said]] = {}
    with progress_bar("known rows", total=len(known) * len(worlds)) as tick:
        for number in known:
            parts: dict[str, list[Said]] = {name: [] for name in who}
            for dataset, own in zip(worlds, asked, strict=True):
                tick(f"{dataset.name}: {number} rows")
                most = np.full(dataset.num_users, len(dataset.train))
                most[own.users] = number
                told = first_rows_known(dataset, most)
                for name, answer in who.items():
                    parts[name].append(answer(told, own))
                tick(f"{dataset.name}: {number} rows", advance=1)
            said[number] = {name: Said(*map(np.concatenate, zip(*own, strict=True)))
                            for name, own in parts.items()}  # fmt: skip
    shifts = np.cumsum([0, *(dataset.num_users for dataset in worlds)])
    return Answers(
        np.concatenate([own.log.users + shift for own, shift in zip(asked, shifts, strict=False)]),
        np.concatenate([own.log.ratings for own in asked]),
        np.concatenate([_truth(d, own) for d, own in zip(worlds, asked, strict=True)]),
        said,
    )


def _truth(dataset: Dataset, asked: Asked) -> FloatArray:
    """(n, k) personal part of the true stars of the items drawn by lot."""
    truth: Any = dataset.truth
    slates = np.tile(asked.items, (len(asked.users), 1))
    stars = truth.probabilities(asked.users, slates) @ STARS
    return personal_part(stars + asked.met)


def table(found: Answers) -> str:
    """Everybody's figures at every number of known rows, as Markdown."""
    rows = []
    for number, said in found.said.items():
        bias = _errors(found, said[BIAS])
        for name, own in said.items():
            errors = _errors(found, own)
            parts = [
                boldness(part(own.personal), part(found.true)) for part in (np.asarray, taste_part)
            ]
            rows.append(
                [
                    *(str(number), name, f"{rmse(errors):.3f}"),
                    "" if name == BIAS else _difference(found, errors, bias),
                    f"{log_loss(np.log(np.maximum(own.chances, LEAST)), found.ratings):.3f}",
                    f"{variance_ratio(own.chances, found.ratings, found.users):.2f}",
                    *(cell for part in parts for cell in (f"{part.correlation:.2f}", _slope(part))),
                ]
            )
    return markdown_table(_HEADS, rows)


def compared(found: Answers, first: str, other: str) -> str:
    """RMSE of one minus that of another, with the interval over people, as Markdown."""
    rows = [
        [str(number), _difference(found, _errors(found, said[other]), _errors(found, said[first]))]
        for number, said in found.said.items()
    ]
    return markdown_table(["known rows", f"RMSE of {other} minus that of {first}"], rows)


def _errors(found: Answers, said: Said) -> FloatArray:
    return expected_stars(said.chances) - found.ratings


def _difference(found: Answers, errors: FloatArray, others: FloatArray) -> str:
    low, high = rmse_difference_interval(errors, others, found.users)
    return f"{rmse(errors) - rmse(others):+.3f} ({low:+.3f} to {high:+.3f})"


def _slope(part: Boldness) -> str:
    return f"{part.slope:.2f} ({part.ci95[0]:.2f} to {part.ci95[1]:.2f})"


def trained_on(worlds: Sequence[Dataset]) -> str:
    """How many training rows people have, as Markdown."""
    counts = np.concatenate([np.diff(dataset.train.offsets()) for dataset in worlds])
    shares = (0, 5, 25, 50, 75, 95, 100)
    heads = ["people", *(f"{share} %" for share in shares), "below 20"]
    cells = [f"{own:.0f}" for own in np.percentile(counts, shares)]
    return markdown_table(heads, [[str(len(counts)), *cells, f"{(counts < 20).mean():.0%}"]])


def main(words: Sequence[str]) -> str:
    """All tables, as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m experiments.worlds.known_rows")
    parser.add_argument("worlds", nargs="*", type=int, default=list(range(6120, 6126)))
    parser.add_argument("--models", nargs="+", default=["shipped"], help="folders, or shipped")
    parser.add_argument("--known", nargs="+", type=int, default=list(KNOWN), help="known ratings")
    parser.add_argument("--bias", type=float, default=1.0, help="of the logs")
    parser.add_argument("--trained", action="store_true", help="count training people's ratings")
    asked = parser.parse_args(words)
    if asked.trained:
        return trained_on([drawn_world(seed) for seed in _TRAINED])
    worlds = [synthetic(seed, logging_bias=asked.bias) for seed in asked.worlds]
    people = {model: people_on(model) for model in asked.models}
    found = answers(worlds, {**people, **RULES}, asked.known)
    first, *others = people
    return "\n".join([table(found), *(compared(found, first, other) for other in others)])


if __name__ == "__main__":
    print(main(sys.argv[1:]))

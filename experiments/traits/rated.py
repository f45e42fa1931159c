"""Do people with a trait still rate as they did? The same rows, asked before and after."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from agents.assembly import persona_users
from agents.fidelity.error_measures import calibration_error, rmse, rmse_difference_interval
from agents.fidelity.held_out import earliest_rows, rate
from agents.population.population import Population
from agents.prompt_style import PromptStyle
from experiments.reporting.formatting import rounded, rounded_ends
from experiments.traits.study import Study
from experiments.traits.ways import Ways
from simenv.data.dataset import Dataset
from simenv.events import FloatArray, InteractionLog, expected_stars
from simenv.seeding import Stream, generator
from training.opinion_qa.opinions import split_by_topic
from training.populate import population_on
from training.traits.composition import people_with_trait
from training.traits.speaker import Speaker

_LOW = 2.0  # stars: what utopian people never give


class Answers(NamedTuple):
    """Distributions (r, 5) of the people, and the errors (r,) of their means."""

    chances: FloatArray
    errors: FloatArray


def rated(
    study: Study,
    speaker: Speaker,
    dataset: Dataset,
    num_users: int,
    most_rows: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Errors, calibration and utopian bias of the same people without and with each label.

    A seed draws its own people; figures with a label are pooled over seeds.

    Args:
        study: whose adapters.
        speaker: the base model.
        dataset: whose users rate; targets are test rows.
        num_users: how many are drawn.
        most_rows: of each, the earliest.
        say: gets what is asked.
    """
    before: list[Answers] = []
    after: dict[str, list[Answers]] = {str(label): [] for label in study.labels}
    logs: list[InteractionLog] = []
    for seed in study.seeds:
        order = generator(seed, Stream.TRAIT_RATERS).permutation(dataset.num_users)
        rows = earliest_rows(dataset.test, np.sort(order[:num_users]), most_rows)
        logs.append(dataset.test.take(rows))
        people = population_on(dataset, study.base, PromptStyle())
        say(f"seed {seed}, ratings without a trait")
        before.append(_asked(people, logs[-1]))
        train = split_by_topic(study.opinions, study.test_share, seed).train
        ways = Ways(study, speaker, train, seed)
        for label in study.labels:
            say(f"seed {seed}, ratings, {label}")
            folder = ways.trained(label)
            place = folder.with_name(f"{folder.name}-people")
            after[str(label)].append(_asked(people_with_trait(people, folder, place), logs[-1]))
    return {
        "num_users": min(num_users, dataset.num_users),
        "num_ratings": sum(map(len, logs)),
        "before": _figures(before, logs),
        "after": {name: _compared(before, own, logs) for name, own in after.items()},
    }


def _asked(people: Population, log: InteractionLog) -> Answers:
    users = persona_users(people)
    try:
        chances = rate(users, log)
    finally:
        users.engine.close()
    return Answers(chances, expected_stars(chances) - log.ratings)


def _figures(answers: list[Answers], logs: list[InteractionLog]) -> dict[str, float | None]:
    """RMSE, ECE, mean shift of the ratings (utopian bias), low stars said and given."""
    errors = np.concatenate([a.errors for a in answers])
    chances = np.concatenate([a.chances for a in answers])
    ratings = np.concatenate([log.ratings for log in logs])
    return {
        "rmse": rounded(rmse(errors)),
        "ece": rounded(calibration_error(chances, ratings)),
        "bias": rounded(float(errors.mean())),
        "low_stars": rounded(float(chances[:, : int(_LOW)].sum(axis=1).mean())),
        "low_stars_given": rounded(float((ratings <= _LOW).mean())),
    }


def _compared(
    before: list[Answers], after: list[Answers], logs: list[InteractionLog]
) -> dict[str, Any]:
    """As ``_figures``, with the change of the RMSE and its interval over people of all seeds."""
    errors, others = (np.concatenate([a.errors for a in own]) for own in (after, before))
    users = np.concatenate([log.users + 10**9 * n for n, log in enumerate(logs)])
    change = rmse(errors) / rmse(others) - 1
    low, high = rmse_difference_interval(errors, others, users)
    return {
        **_figures(after, logs),
        "rmse_change": rounded(change),
        "rmse_difference_ci95": rounded_ends(low, high),
    }

"""Choices: liked or never met, and which of five was taken, beside policies on the same questions.

What is asked comes from ``agents.fidelity``; policies learn from training rows and the background.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from agents.choices import LETTERS, choice_requests
from agents.embedding import TfidfSvdEmbedder
from agents.fidelity.error_measures import mean_interval
from agents.fidelity.five_way import SIZE, Scenes, hits, scenes
from agents.fidelity.like_dislike import LikeQuestions, like_questions, like_scores
from agents.persona_users import PersonaUsers
from experiments.alignment.asked import Asked
from experiments.predictors.matrix_factorisation import BiasedMF
from experiments.reporting.formatting import tidy
from experiments.reporting.progress import Tick
from recommenders.base import Recommender, cold_observation
from recommenders.policies.ease import EASE
from simenv.data.dataset import Dataset
from simenv.data.rating_baselines import BiasModel
from simenv.data.splits import stacked
from simenv.events import FloatArray, IntArray, expected_stars
from simenv.seeding import Stream, generator

PEOPLE = "simulated users"
NEGATIVES = (1, 3, 9)
OWN, MATCHED = "as in the paper", "equally popular"
LETTERS_WAY, STARS_WAY = "simulated users, by letters", "simulated users, by their stars"
FIRST_LETTER, BY_CHANCE = "first letter", "random"
_YES = 0.5  # chance of four stars or five with which somebody says yes

Scores = Callable[[IntArray, IntArray], FloatArray]  # users (n,), items (n, k) -> (n, k)


def rivals(dataset: Dataset, users: IntArray) -> dict[str, Scores]:
    """Policy → how much it would show items to users; those alike for everybody come first."""
    known = stacked(dataset.train, dataset.background)
    counts, fair = dataset.averages.counts.astype(np.float64), dataset.averages.fair
    ease = _policy_scores(EASE().meet_catalog(dataset.catalog).fit(known), users, dataset)
    bias, factors = BiasModel().fit(known), BiasedMF().fit(known)
    return {
        "popularity": lambda u, i: counts[i],
        "item average": lambda u, i: fair[i],
        "bias model": lambda u, i: bias.predict(u[:, None], i),
        "matrix factorisation": lambda u, i: factors.predict(*np.broadcast_arrays(u[:, None], i)),
        "EASE": lambda u, i: ease[u[:, None], i],
    }


def _policy_scores(policy: Recommender, users: IntArray, dataset: Dataset) -> FloatArray:
    """(num_users, num_items) scores of unmet items; the least where a policy would not come to."""
    met = np.bincount(dataset.train.users, minlength=dataset.num_users)[users]
    k = dataset.num_items - int(met.max(initial=0))
    rng = np.random.default_rng(0)
    slates = policy.recommend(cold_observation(users), k, rng)
    found = np.full((dataset.num_users, dataset.num_items), slates.scores.min(initial=0.0))
    found[users[:, None], slates.items] = slates.scores
    return found


def like_or_dislike(
    asked: Asked, scored: Mapping[str, Scores], most: int, tick: Tick
) -> dict[str, dict[str, Any]]:
    """Negatives → 1:m → who answers → accuracy, precision, recall, F1 and AUC, means over people.

    As many get a yes as are liked; the people also with their own yes, from a chance of a half of
    four stars or more on.
    """
    found: dict[str, dict[str, Any]] = {}
    for kind in (OWN, MATCHED):
        found[kind] = {}
        for m in NEGATIVES:
            tick(f"1:{m}, negatives {kind}")
            questions = _questions(asked, m, kind == MATCHED, most)
            table = {"num_users": len(questions.users), "scores": {}}
            if len(questions.users):
                table["scores"] = _like_table(asked.model, questions, scored)
            found[kind][f"1:{m}"] = tidy(table)
            tick(f"1:{m}, negatives {kind}", advance=1)
    return found


def _questions(asked: Asked, negatives: int, matched: bool, most: int) -> LikeQuestions:
    dataset = asked.dataset
    rng = generator(asked.seed, Stream.LIKED_OR_NOT, negatives, 1 + int(matched))
    counts = dataset.averages.counts
    return like_questions(
        dataset.train, dataset.test.only_users(asked.users), counts, rng, negatives,
        matched=matched, most_users=most,
    )  # fmt: skip


def _like_table(
    model: PersonaUsers, questions: LikeQuestions, scored: Mapping[str, Scores]
) -> dict[str, dict[str, Any]]:
    chances = model.probabilities(questions.users, questions.items)
    said = {PEOPLE: expected_stars(chances)}
    said |= {name: own(questions.users, questions.items) for name, own in scored.items()}
    table = {name: like_scores(scores, questions.liked) for name, scores in said.items()}
    table[f"{PEOPLE}, own yes"] = like_scores(chances[..., 3:].sum(axis=-1), questions.liked, _YES)
    own = table[PEOPLE].accuracy
    return {
        name: {
            **{measure: _mean(values) for measure, values in scores._asdict().items()},
            "accuracy_ci95": mean_interval(scores.accuracy),
            "lead_ci95": None if name.startswith(PEOPLE) else mean_interval(own - scores.accuracy),
        }
        for name, scores in table.items()
    }


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def five_way(
    asked: Asked, scored: Mapping[str, Scores], num_scenes: int, tick: Tick
) -> dict[str, Any]:
    """Who answers → share of scenes in which the taken item was named, and the people's lead.

    Both ways of asking the people have their own lead: choosing the better of the two here would
    flatter them.
    """
    dataset = asked.dataset
    contents = np.asarray(TfidfSvdEmbedder().embed(dataset.catalog.texts()), dtype=np.float64)
    rng = generator(asked.seed, Stream.SCENES)
    shown = scenes(dataset, contents, rng, num_scenes)
    if not len(shown.users):
        return {"num_scenes": 0, "accuracy": {}}
    tick("five to choose from")
    found = _named(asked.model, shown, scored)
    table = {
        name: {
            "accuracy": _mean(own),
            "ci95": mean_interval(own),
            "lead_by_letter_ci95": _lead(found, LETTERS_WAY, own),
            "lead_by_stars_ci95": _lead(found, STARS_WAY, own),
        }
        for name, own in found.items()
    }
    tick("five to choose from", advance=1)
    ready: dict[str, Any] = tidy({"num_scenes": len(shown.users), "accuracy": table})
    return ready


def _lead(found: Mapping[str, FloatArray], way: str, own: FloatArray) -> Any:
    """Interval of the lead of a way of asking; None where the people were not asked so."""
    return mean_interval(found[way] - own) if way in found else None


def _named(
    model: PersonaUsers, shown: Scenes, scored: Mapping[str, Scores]
) -> dict[str, FloatArray]:
    """Who answers → (s,) whether the taken item was named, in part where several were."""
    stars = expected_stars(model.probabilities(shown.users, shown.items))
    reads_letters = model.population.style.reading == "whole"  # in blocks there are digits alone
    said = {LETTERS_WAY: _by_letters(model, shown)} if reads_letters else {}
    said[STARS_WAY] = stars
    said |= {name: own(shown.users, shown.items) for name, own in scored.items()}
    return {
        **{name: hits(scores, shown.taken) for name, scores in said.items()},
        FIRST_LETTER: (shown.taken == 0).astype(np.float64),
        BY_CHANCE: np.full(len(shown.taken), 1 / SIZE),
    }


def _by_letters(model: PersonaUsers, shown: Scenes) -> FloatArray:
    requests = choice_requests(model, shown.users, shown.items)
    return np.asarray(model.engine.score(requests, LETTERS))

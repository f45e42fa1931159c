"""What a base model's answers are worth in a world it never saw: on rated items, and on new ones.

It asks without any adapter, so that what is measured is the base. A constant stands beside it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.fidelity.error_measures import log_loss, rmse
from agents.prompt_style import PromptStyle
from simenv.data.dataset import Dataset
from simenv.data.worlds.synthetic_truth import SyntheticTruth
from simenv.events import NUM_STARS, FloatArray, InteractionLog, expected_stars
from simenv.seeding import Stream, generator
from training.base.pocket_model import answer_chances
from training.examples.from_log import ExampleWriter, Questions, later_rows

_TURNS = 8  # rows asked of everybody
_LEAST = 1e-9  # probability in a log loss, so that one sure error does not make it infinite


def unseen_losses(
    bases: Mapping[str, tuple[Any, Any, PromptStyle]], dataset: Dataset, seed: int = 0
) -> dict[str, dict[str, dict[str, float]]]:
    """Losses of base models on held-out rows and on cold items.

    Args:
        bases: name → tokenizer, model and the style in which it is asked.
        dataset: a world that must be read; only its training rows are told.
        seed: draws the held-out rows.

    Returns:
        ``held out`` (what people chose) and, where the world has later rows, ``cold items`` (put
        before them by lot, rated by nobody) → predictor → ``log_loss`` in nats and ``rmse``.
        Beside the bases: ``constant``, the distribution of training ratings, and ``best constant``,
        that of the answers themselves, which nobody can know.
    """
    writers = {base: ExampleWriter(dataset, style=style) for base, (*_, style) in bases.items()}
    asked = {"held out": later_rows(dataset, _TURNS, generator(seed, Stream.UNSEEN_ROWS))}
    truth = dataset.truth
    if isinstance(truth, SyntheticTruth) and truth.later is not None and len(truth.later):
        asked["cold items"] = _suggested(truth.later)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, questions in asked.items():
        ratings = questions.ratings.reshape(-1)
        chances = {
            "constant": _frequencies(dataset.train.ratings, len(ratings)),
            "best constant": _frequencies(ratings, len(ratings)),
        }
        for base, (tokenizer, model, style) in bases.items():
            answers = answer_chances(model, tokenizer, writers[base].write(questions, style))
            chances[base] = answers.reshape(-1, NUM_STARS)
        found[name] = {base: _figures(said, ratings) for base, said in chances.items()}
    return found


def _suggested(log: InteractionLog) -> Questions:
    """All rows of a log that holds equally many of everybody, as questions about suggestions."""
    users = np.unique(log.users)
    items = log.items.reshape(len(users), -1)
    ones = np.ones(items.shape)
    return Questions(users, items, log.ratings.reshape(items.shape), ones < 0, ones)


def _frequencies(ratings: FloatArray, num_rows: int) -> FloatArray:
    """(num_rows, 5) the distribution of ratings, in every row."""
    counts = np.bincount(ratings.round().astype(np.int64) - 1, minlength=NUM_STARS)
    return np.tile(counts / counts.sum(), (num_rows, 1))


def _figures(chances: FloatArray, ratings: FloatArray) -> dict[str, float]:
    surprise = log_loss(np.log(np.maximum(chances, _LEAST)), ratings)
    return {"log_loss": surprise, "rmse": rmse(expected_stars(chances) - ratings)}

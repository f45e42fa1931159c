"""What a handful of users were shown and why they answered so: for readers, not for figures."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.persona_users import Asks
from experiments.tournament.sessions import Session, stars_of
from experiments.tournament.setting import Setting
from recommenders.evaluation.statistics import mean_interval
from simenv.data.dataset import Dataset
from simenv.events import IntArray, Slates
from simenv.seeding import row_seeds
from simenv.user_model import Explains, UserModel

NUM_USERS = 5


def trace_of_best(sessions: Sequence[Session], setting: Setting) -> dict[str, Any] | None:
    """``policy``, the best by the simulated users, and the traces of its first ``users``.

    Under two views the traces are those of the first.
    """
    means = {
        i: mean_interval(stars).mean
        for i, s in enumerate(sessions)
        if (stars := stars_of(s)) is not None
    }
    if not means:
        return None
    best = sessions[max(means, key=lambda i: means[i])]
    users = trace(best, setting.simulated, setting.dataset, setting.seed)
    return {"policy": best.name, "users": users}


def trace(
    session: Session, model: UserModel, dataset: Dataset, seed: int, most: int = NUM_USERS
) -> list[dict[str, Any]]:
    """The first slate of a policy as its first users met it.

    Args:
        session: played; its users are taken in order.
        model: in the state in which sessions began; it is asked again and not changed.
        dataset: names the users and the items.
        seed: of the sessions.
        most: users.

    Returns:
        One dict a user: ``user``, ``id`` (as the source calls it), ``profile`` (Ms; None if the
        users have none), and ``items``: ``title``, ``genres``, ``recalled`` (Ml), ``prompt`` (None
        without a language model), ``probabilities`` of one to five stars, ``expected``, ``stars``
        (0 = not taken).
    """
    played = session.simulated
    if played is None:
        return []
    users, items, catalog = played.users[:most], played.items[:most, 0], dataset.catalog
    model.start_session(users)
    seeds = row_seeds(seed, users, np.zeros_like(users))
    feedback = model.respond(users, Slates.of_items(items), seeds)
    prompts, knowledge = _prompts(model, users, items), _knowledge(model, users, items)

    def item(row: int, place: int) -> dict[str, Any]:
        number = int(items[row, place])
        return {
            "title": catalog.titles[number],
            "genres": list(catalog.genres[number]),
            "recalled": knowledge[row][1][place],
            "prompt": prompts[row][place],
            "probabilities": np.round(feedback.probabilities[row, place], 4).tolist(),
            "expected": round(float(feedback.expected[row, place]), 3),
            "stars": int(played.ratings[row, 0, place]),
        }

    return [
        {
            "user": int(user),
            "id": dataset.user_ids[user],
            "profile": knowledge[row][0],
            "items": [item(row, place) for place in range(items.shape[1])],
        }
        for row, user in enumerate(users)
        if not feedback.failed[row].any()  # an answer that failed explains nothing
    ]


def _prompts(model: Any, users: IntArray, items: IntArray) -> list[list[str | None]]:
    if not isinstance(model, Asks):
        return [[None] * items.shape[1]] * len(users)
    asked = [request.prefix + request.rest for request in model.requests(users, items)]
    k = items.shape[1]
    return [list(asked[row * k : (row + 1) * k]) for row in range(len(users))]


def _knowledge(model: Any, users: IntArray, items: IntArray) -> list[tuple[str | None, list[str]]]:
    if not isinstance(model, Explains):
        return [(None, [""] * items.shape[1])] * len(users)
    known = model.explain(users, items)
    return [(one.profile, list(one.recalled)) for one in known]

"""Errors of generated text: the paper reads what a model says, ours reads its distribution."""

from typing import NamedTuple

import numpy as np

from agents.fidelity.answers import stars_said
from agents.fidelity.error_measures import mae, rmse
from agents.inference.engine import Sampling
from agents.persona_users import PersonaUsers
from simenv.events import FloatArray, InteractionLog
from simenv.seeding import Stream, generator

PAPER = Sampling(max_new_tokens=4, temperature=0.3, top_k=50)
_UNRELATED = 3.0  # stars that stand for an answer without a rating


class Said(NamedTuple):
    """Generated answers, scored; URR is the share of answers in which no rating is found."""

    rmse: float  # unrelated answers left out; NaN if all are
    mae: float
    rmse_imputed: float  # unrelated answers count as three stars
    mae_imputed: float
    urr: float
    num_rows: int


def said(model: PersonaUsers, log: InteractionLog, num_rows: int, seed: int) -> Said:
    """Ask for text about some rows of a log, as the paper does (four tokens, T 0.3, top-k 50).

    Args:
        model: who is asked; changes nothing.
        log: rated rows.
        num_rows: how many are asked, drawn at random.
        seed: of the draw and of the answers.
    """
    rng = generator(seed, Stream.ASKED_ROWS)
    rows = np.sort(rng.permutation(len(log))[:num_rows])
    requests = model.requests(log.users[rows], log.items[rows][:, None], chosen=True)
    seeded = [request._replace(seed=seed + i) for i, request in enumerate(requests)]
    texts = [answer.text for answer in model.engine.generate(seeded, PAPER)]
    return score_said(stars_said(texts), log.ratings[rows])


def score_said(stars: FloatArray, ratings: FloatArray) -> Said:
    """Errors of stars (r,), NaN where no rating was said, against ratings (r,)."""
    unrelated = np.isnan(stars)
    strict = (stars - ratings)[~unrelated]
    imputed = np.where(unrelated, _UNRELATED, stars) - ratings
    return Said(
        rmse(strict),
        mae(strict),
        rmse(imputed),
        mae(imputed),
        float(unrelated.mean()) if len(ratings) else float("nan"),
        len(ratings),
    )

"""From an engine to stars: ours reads the distribution, the paper's reads what is said."""

import re
from typing import NamedTuple

import numpy as np

from agents.inference.engine import Sampling
from agents.persona_users import PersonaUsers
from simenv.events import FloatArray, InteractionLog
from simenv.seeding import Stream, generator

PAPER = Sampling(max_new_tokens=4, temperature=0.3, top_k=50)
_UNRELATED = 3.0  # stars that stand for an answer without a rating


class Said(NamedTuple):
    """Generated answers, scored; URR is the share of answers in which no rating is found."""

    rmse: float  # unrelated answers left out
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
        num_rows: how many are asked, by lot.
        seed: of the lot and of the answers.
    """
    rng = generator(seed, Stream.ASKED_ROWS)
    rows = np.sort(rng.permutation(len(log))[:num_rows])
    requests = model.requests(log.users[rows], log.items[rows][:, None], chosen=True)
    seeded = [request._replace(seed=seed + i) for i, request in enumerate(requests)]
    stars = parsed([c.text for c in model.engine.generate(seeded, PAPER)])
    return _score(stars, log.ratings[rows])


def parsed(texts: list[str]) -> FloatArray:
    """(n,) the first digit from 1 to 5 in each text; NaN where there is none."""
    found = [re.search(r"[1-5]", text) for text in texts]
    return np.array([float(match.group()) if match else np.nan for match in found])


def _score(stars: FloatArray, ratings: FloatArray) -> Said:
    unrelated = np.isnan(stars)
    strict = (stars - ratings)[~unrelated]
    imputed = np.where(unrelated, _UNRELATED, stars) - ratings
    return Said(
        float(np.sqrt(np.mean(strict**2))) if len(strict) else np.nan,
        float(np.mean(np.abs(strict))) if len(strict) else np.nan,
        float(np.sqrt(np.mean(imputed**2))),
        float(np.mean(np.abs(imputed))),
        float(unrelated.mean()),
        len(ratings),
    )

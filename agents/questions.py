"""One question whole: the prompt, what was recalled, the answer, and which tokens were computed.

It asks the engine once and changes no memory; the engine's prefix cache fills as it always does.
"""

from collections.abc import Sequence

import numpy as np

from agents.inference.engine import Engine, Request, Tokenizes
from agents.inference.tokens import Tokens
from agents.inference.wrapped.engine_wrapper import EngineWrapper
from agents.memory.base import Memory
from agents.prompt_style import PromptStyle
from agents.prompts import RATING_CHOICES
from simenv.events import FloatArray
from simenv.user_model import Piece, Question, RecalledMemory


def asked(
    engine: Engine,
    request: Request,
    recalled: Sequence[RecalledMemory],
) -> Question:
    """Ask a request about stars and say all there is to say of it.

    Args:
        engine: answers it; one that counts nothing (a server, a replay) leaves unknown which
            tokens were computed.
        request: of one person and one item.
        recalled: what stands in it, in full or summed up.
    """
    before = _cached(engine)
    logs = np.asarray(engine.score([request], RATING_CHOICES))[0]
    after = _cached(engine)
    kept = None if before is None or after is None else after - before
    return Question(
        prompt=request.prefix + request.rest,
        adapter=request.adapter,
        recalled=list(recalled),
        chances=_chances(logs),
        pieces=_pieces(engine, request, kept),
        cached_tokens=kept,
    )


def recollections(
    memory: Memory, titles: Sequence[str], style: PromptStyle, user: int, item: int
) -> list[RecalledMemory]:
    """What the user recalls about the item, the most similar first."""
    if not style.recalled:
        return []
    found = memory.recall(np.array([user]), np.array([[item]]), style.recalled)
    columns = (found.items, found.ratings, found.similarities, found.rows)
    rows = zip(*(column[0, 0].tolist() for column in columns), strict=True)
    return [
        RecalledMemory(titles[own], stars, memory.reason(user, row), near, place < style.verbatim)
        for place, (own, stars, near, row) in enumerate(rows)
        if own >= 0
    ]


def _chances(logs: FloatArray) -> FloatArray:
    """(5,) chances of one to five stars; NaN where the answer failed."""
    chances = np.exp(logs)
    return np.asarray(chances / chances.sum())


def _cached(engine: Engine) -> int | None:
    stats = engine.stats
    return None if stats is None else stats.cached_tokens


def _pieces(engine: Engine, request: Request, kept: int | None) -> list[Piece]:
    """The prompt token by token; what an engine keeps are its first tokens."""
    while isinstance(engine, EngineWrapper):
        engine = engine.inner
    if kept is None or not isinstance(engine, Tokenizes):
        return []
    [ids] = Tokens(engine.tokenizer).whole([request])
    return [
        Piece(str(engine.tokenizer.decode([token])), place < kept)
        for place, token in enumerate(ids)
    ]

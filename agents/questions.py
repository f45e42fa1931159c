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
    before = _counted(engine)
    logs = np.asarray(engine.score([request], RATING_CHOICES))[0]
    after, ids = _counted(engine), _ids(engine, request)
    kept = None
    if before is not None and after is not None:
        cached, run = (int(own) for own in np.subtract(after, before))
        # Blocks that were read before are in no count: what was not run was kept.
        kept = max(0, len(ids) - run) if request.item else cached
    return Question(
        prompt=request.prefix + request.rest,
        adapter=request.adapter,
        recalled=list(recalled),
        chances=_chances(logs),
        pieces=[] if kept is None else _pieces(engine, ids, kept),
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


def _counted(engine: Engine) -> tuple[int, int] | None:
    """Tokens kept and tokens run so far."""
    stats = engine.stats
    return None if stats is None else (stats.cached_tokens, stats.run_tokens)


def _innermost(engine: Engine) -> Engine:
    while isinstance(engine, EngineWrapper):
        engine = engine.inner
    return engine


def _ids(engine: Engine, request: Request) -> list[int]:
    """The prompt's tokens; none where an engine cannot say."""
    own = _innermost(engine)
    return Tokens(own.tokenizer).whole([request])[0] if isinstance(own, Tokenizes) else []


def _pieces(engine: Engine, ids: Sequence[int], kept: int) -> list[Piece]:
    """The prompt token by token; what an engine keeps are its first tokens."""
    own = _innermost(engine)
    if not isinstance(own, Tokenizes):
        return []
    return [
        Piece(str(own.tokenizer.decode([token])), place < kept) for place, token in enumerate(ids)
    ]

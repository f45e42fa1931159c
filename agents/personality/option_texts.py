"""How likely the words of options are, behind a situation and without one. It scores no trait.

No option is listed, so none has a place or a digit that a model could prefer. A sentence that is
common anyway would win everywhere, and so would a short one: what counts is by how much the
situation (and who is asked) makes the words of an option likelier than they are to the base model
that was told of no situation and of nobody, a token.

    score = mean over tokens of [log p(token | who, situation, before) - log p(token | before)]

Source: domain-conditional PMI of Holtzman et al., "Surface Form Competition" (EMNLP 2021, arXiv
2104.08315), by token as the length-normalised likelihood of Brown et al. (arXiv 2005.14165).

Letters: ``n`` people, ``m`` situations, ``k`` options.
"""

from collections.abc import Sequence

import numpy as np

from agents.inference.engine import Engine, GivesTokenLogs, Request
from agents.inference.wrapped.engine_wrapper import EngineWrapper
from agents.interviews.frames import Frame
from agents.interviews.instruments import Instrument
from simenv.events import FloatArray
from simenv.values.plain_text import one_line

TASK = "You are told a situation. Say in one sentence what you do."


def reader_in(engine: Engine) -> GivesTokenLogs | None:
    """The engine, or the one inside it, that says how likely words are; None = there is none."""
    while isinstance(engine, EngineWrapper) and not isinstance(engine, GivesTokenLogs):
        engine = engine.inner
    return engine if isinstance(engine, GivesTokenLogs) else None


def gain_a_token(behind: FloatArray, alone: FloatArray) -> float:
    """Mean of log p behind a situation minus log p without one, over an option's tokens (tokens,).

    >>> round(gain_a_token(np.log([0.5, 0.2]), np.log([0.25, 0.1])), 6)  # twice as likely a token
    0.693147
    """
    return float((behind - alone).mean())


def option_scores(
    reader: GivesTokenLogs,
    people: Sequence[tuple[str, str | None]],
    situations: Instrument,
    frame: Frame,
) -> FloatArray:
    """(n, m, k) what a situation adds to the likelihood of each option's words, in nats a token.

    Args:
        reader: says how likely words are.
        people: (n,) what is told of each, and the adapter.
        situations: m, each with k options.
        frame: what stands around a context and a question.
    """
    texts = [[f" {one_line(o)}" for o in situations.options_of(i)] for i in situations.items]
    said = [text for own in texts for text in own]
    nobody = Request(frame.before(TASK), frame.question(""))
    alone = reader.token_logs([nobody] * len(said), said)
    asked = [
        Request(frame.before(f"{told}\n{TASK}".strip()), _question(item.text, frame), adapter)
        for told, adapter in people
        for item, own in zip(situations.items, texts, strict=True)
        for _ in own
    ]
    behind = reader.token_logs(asked, said * len(people))
    gains = [gain_a_token(one, alone[i % len(said)]) for i, one in enumerate(behind)]
    return np.array(gains).reshape(len(people), len(texts), -1)


def _question(situation: str, frame: Frame) -> str:
    return frame.question(f"SITUATION: {one_line(situation)}")

"""The probe of tokens: people are asked for what stands for a trait, and the answers are counted.

It knows engines by their seam. Source: the in-context probe of From Text to Emoji (arXiv
2409.10245), which looks for emojis among the 50 most frequent tokens.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import regex

from agents.emojis.detection import emojis_in, graphemes, has_emoji
from agents.inference.engine import Engine, Request, Sampling

MOST = 50
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['\u2019-][\p{L}\p{M}\p{N}]+)*")


class ProbedTokens(NamedTuple):
    """What was said for a trait."""

    tokens: list[tuple[str, int]]  # word or emoji and how often, at most ``MOST``
    num_emojis: int  # of these tokens

    @property
    def emojis(self) -> list[tuple[str, int]]:
        """The emojis among the tokens."""
        return [(token, times) for token, times in self.tokens if has_emoji(token)]


def probe_question(label: str) -> str:
    """What is asked; ``label`` says the trait in words, as ``outgoing and talkative``."""
    return f"List words, signs and symbols that stand for somebody who is {label}:"


def probe(
    engine: Engine,
    questions: Sequence[Request],
    *,
    num_answers: int = 20,
    sampling: Sampling | None = None,
) -> ProbedTokens:
    """Ask each question so many times, with seeds of its own, and count what is said.

    Args:
        engine: answers; the requests name their adapters.
        questions: prompts that ask for tokens, see ``probe_question``.
        num_answers: of each question.
        sampling: how to draw; None = 60 tokens at temperature 0.7, top-k 50.
    """
    numbers = range(num_answers)
    asked = [one._replace(seed=one.seed + number) for one in questions for number in numbers]
    how = sampling or Sampling(max_new_tokens=60, temperature=0.7)
    return most_frequent([answer.text for answer in engine.generate(asked, how)])


def most_frequent(texts: Sequence[str], most: int = MOST) -> ProbedTokens:
    """The most frequent words (in lower case) and emojis of texts, equal counts by name."""
    counts = Counter(token for text in texts for token in _tokens(text))
    tokens = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
    return ProbedTokens(tokens, sum(has_emoji(token) for token, _ in tokens))


def _tokens(text: str) -> list[str]:
    emojis = emojis_in(text)
    kept = set(emojis)
    words = "".join(" " if sign in kept else sign for sign in graphemes(text))
    return [*_WORD.findall(words.lower()), *emojis]

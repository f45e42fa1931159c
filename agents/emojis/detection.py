"""Emojis in text, counted as people see them: one grapheme each. It knows no model.

What is an emoji is Unicode's own rule (UTS #51): a grapheme that is shown as one by default, or
that a variation selector, a keycap, a flag or a joined sequence makes one. A sign that is text by
default (``©``, ``™``, ``❤`` without its selector) is none.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import regex

from agents.prompt_budget import sentences

_GRAPHEME = regex.compile(r"\X")
_SHOWN = regex.compile(
    r"\p{Emoji_Presentation}(?!\uFE0E)|(?![0-9#*])\p{Emoji}\uFE0F|[0-9#*]\uFE0F?\u20E3"
)


class EmojiRates(NamedTuple):
    """How often texts hold emojis; a rate over nothing is NaN."""

    num_texts: int
    with_emoji: int  # texts with at least one
    num_emojis: int
    num_sentences: int  # an empty text has none, any other at least one
    most_used: list[tuple[str, int]]  # emoji and times used, the most frequent first

    @property
    def instance_rate(self) -> float:
        """Share of the texts with at least one emoji."""
        return self.with_emoji / self.num_texts if self.num_texts else float("nan")

    @property
    def per_sentence(self) -> float:
        """Emojis over sentences, of all texts together; may exceed 1."""
        return self.num_emojis / self.num_sentences if self.num_sentences else float("nan")


def graphemes(text: str) -> list[str]:
    r"""What a reader sees as single signs (UAX #29).

    >>> [len(sign) for sign in graphemes("a\N{SNOWMAN}\ufe0f")]
    [1, 2]
    """
    found: list[str] = _GRAPHEME.findall(text)
    return found


def emojis_in(text: str) -> list[str]:
    r"""The emojis of a text in order, each a grapheme: a family or a flag is one.

    >>> len(emojis_in("yes \U0001f44d\U0001f3fd, 5 \N{TRADE MARK SIGN}"))
    1
    """
    if not _SHOWN.search(text):
        return []
    return [sign for sign in graphemes(text) if _SHOWN.search(sign)]


def has_emoji(text: str) -> bool:
    """Whether a text holds at least one emoji."""
    return _SHOWN.search(text) is not None


def without_emojis(text: str) -> str:
    """The text without its emojis; blanks around them stay."""
    if not has_emoji(text):
        return text
    return "".join(sign for sign in graphemes(text) if not _SHOWN.search(sign))


def num_sentences(text: str) -> int:
    """Sentences of a text, line by line; emojis neither end one nor are one.

    A text that says something, be it an emoji alone, has at least one.
    """
    lines = (sentences(" ".join(line.split())) for line in without_emojis(text).splitlines())
    return max(sum(map(len, lines)), int(bool(text.strip())))


def emoji_rates(texts: Sequence[str]) -> EmojiRates:
    """How often texts (n,) hold emojis: the instance rate and the emoji-to-sentence ratio.

    Source: the two readings of "emoji statistics" in From Text to Emoji (arXiv 2409.10245).
    """
    found = [emojis_in(text) for text in texts]
    used = Counter(sign for own in found for sign in own)
    return EmojiRates(
        num_texts=len(texts),
        with_emoji=sum(map(bool, found)),
        num_emojis=sum(map(len, found)),
        num_sentences=sum(map(num_sentences, texts)),
        most_used=sorted(used.items(), key=lambda pair: (-pair[1], pair[0])),
    )

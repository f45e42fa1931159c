"""How a prompt keeps within the tokens it may have: whole sentences go, the last ones first.

It counts with the tokenizer in the model's folder, and with an estimate where there is none, so
that a population's prompts are the same whichever engine answers. It knows no persona and no item.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agents.prompt_style import PromptStyle

CountTokens = Callable[[str], int]

_FIXED = 120  # tokens for the task, the item's own line, the numbers and the cue
_LEAST = 200  # a smaller budget would leave out all that tells people apart
# Shares of what is left.
PROFILE_SHARE, MEMORY_SHARE, SUMMARY_SHARE, CAST_SHARE = 0.55, 0.15, 0.2, 0.1
_END = re.compile(r"[.!?]\"?\s+(?=[\"'(]?[A-Z0-9])")
_SHORT = re.compile(r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Jr|Sr|Lt|Col|Gen|Capt|Sgt|Prof|vs|No|Vol)\.$")


@dataclass(frozen=True)
class Budget:
    """The tokens that one request may have.

    Attributes:
        limit: of the whole request, at least 200.
        count: tokens of a text.

    Raises:
        ValueError: the limit is smaller.
    """

    limit: int
    count: CountTokens

    def __post_init__(self) -> None:
        if self.limit < _LEAST:
            raise ValueError(
                f"a budget of tokens wanted at least {_LEAST}, got {self.limit}; 0 is the context"
                " of the model"
            )

    def profile(self, text: str) -> str:
        """The first sentences of a profile, as many as its share holds."""
        return self._first(text, PROFILE_SHARE)

    def summary(self, text: str) -> str:
        """The first sentences of a summary; some words and an ellipsis if not one fits."""
        kept = self._first(text, SUMMARY_SHARE)
        return kept or cut_words(text, int(self._most(SUMMARY_SHARE)), self.count)

    def cast(self, names: Sequence[str]) -> list[str]:
        """The first people of an item, as many as their share holds."""
        return _fitting(names, self._most(CAST_SHARE), self.count, ", ")

    def memories(self, lines: Sequence[str]) -> str:
        """The first memories, as many as their share holds."""
        return "".join(_fitting(lines, self._most(MEMORY_SHARE), self.count, ""))

    def _most(self, share: float) -> float:
        return share * (self.limit - _FIXED)

    def _first(self, text: str, share: float) -> str:
        most = self._most(share)
        if len(text.encode()) <= most:  # no tokenizer makes more tokens than bytes
            return text
        return " ".join(_fitting(sentences(text), most, self.count, " "))


def budget_of(style: PromptStyle, model: str) -> Budget | None:
    """The budget of a style on a model (folder or hub name); None = there is no limit.

    Blocks are read apart, so there is nothing that they share; each is cut by itself.
    """
    if style.reading == "blocks":
        return None
    context = context_of(model) if style.told == "words" else 0
    limit = min(style.budget or context, context or style.budget)
    return Budget(limit, token_counter(model)) if limit else None


def sentences(text: str) -> list[str]:
    """The sentences of a text; none ends within quotation marks or behind an abbreviation.

    >>> sentences('I loved "Dr. No. Again" and J. R. Ewing. Once.')
    ['I loved "Dr. No. Again" and J. R. Ewing.', 'Once.']
    """
    found, start = [], 0
    for end in _END.finditer(text):
        sentence = text[start : end.end()].rstrip()
        if sentence.count('"') % 2 == 0 and not _SHORT.search(sentence):
            found.append(sentence)
            start = end.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found


def cut_words(text: str, most: int, count: CountTokens) -> str:
    """The first words of a text and an ellipsis, within ``most`` tokens; maybe nothing."""
    words = text.split()
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if count(f"{' '.join(words[:middle])}…") <= most:
            low = middle
        else:
            high = middle - 1
    return f"{' '.join(words[:low])}…" if low else ""


def _fitting(parts: Sequence[str], most: float, count: CountTokens, between: str) -> list[str]:
    """The first parts that stay within ``most`` tokens together."""
    kept: list[str] = []
    for part in parts:
        if count(between.join([*kept, part])) > most:
            break
        kept.append(part)
    return kept


def context_of(model: str) -> int:
    """Most tokens of a prompt, as the model's folder says; 0 = not known."""
    try:
        config = json.loads((Path(model) / "config.json").read_text(encoding="utf-8"))
        found = config.get("max_position_embeddings", 0)
    except (OSError, ValueError, AttributeError):
        return 0
    return found if isinstance(found, int) else 0


@lru_cache(maxsize=8)
def token_counter(model: str) -> CountTokens:
    """Counts with the tokenizer of a model's folder, or by ``estimated_tokens`` without one."""
    file = Path(model) / "tokenizer.json"
    if not file.is_file():
        return estimated_tokens
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))

    @lru_cache(maxsize=2**14)
    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    return count


def estimated_tokens(text: str) -> int:
    """More tokens than usual tokenizers make of English: one for every three bytes."""
    return math.ceil(len(text.encode()) / 3)

"""From texts to token ids, each piece once; it knows no model."""

import re
from collections.abc import Sequence
from typing import Any

from agents.inference.engine import Request

_KEPT = 200_000  # texts whose ids are kept; then the store starts afresh
_KEPT_LINES = 50_000  # likewise; most lines with numbers come once
_CUT = re.compile(r"(?<=\S\n)(?=[A-Z])|(?<=\w\.)(?= [A-Z])")
_ENDS = ("word", "Jo 1999", "4.", "so!", "(x)", "'s", '"', "é", "中", "-", "+0.4", "…", ":", ",")
_STOPS = ("word.", "Jo 1999.", "+0.4.", "é.", "中.", "A.", "_.")
_STARTS = ("A", "MOVIE: It, average 3.2.", "Zoë's", "I")


class Tokens:
    """A tokenizer whose results are kept.

    Suffixes repeat their lines and sentences (items, memories) in ever new combinations, so they
    are encoded piece by piece where the tokenizer puts a token boundary before a line, and before
    the space of a sentence, that begins with a capital. That is tried out at construction on ends
    and starts of every kind, and one whole text of every call is compared; the first difference
    ends it for good.
    """

    def __init__(self, tokenizer: Any) -> None:
        """``tokenizer``: of Hugging Face."""
        self.tokenizer = tokenizer
        self._prefixes: dict[str, list[int]] = {}
        self._pieces: dict[str, list[int]] = {}
        self._known: dict[str, list[int]] = {}  # lines
        self._ends_line: dict[int, bool] = {}
        self._calls = 0
        self.by_pieces = self._pieces_stand_alone()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts without the tokens that begin or end a text."""
        if not texts or not self.by_pieces:
            return self._kept(texts)
        split = [_lines(text) for text in texts]
        self._learn({line for lines in split for line in lines})
        ids = [[i for line in lines for i in self._known[line]] for lines in split]
        self._calls += 1
        audited = self._calls % len(texts)
        if ids[audited] != self._whole([texts[audited]])[0]:
            self.by_pieces = False
            return self._kept(texts)
        return ids

    def prefix(self, text: str) -> list[int]:
        """Token ids of a prefix, begun as the tokenizer begins a text; never empty."""
        if text not in self._prefixes:
            if len(self._prefixes) >= _KEPT:
                self._prefixes.clear()
            ids = list(self.tokenizer(text)["input_ids"])
            self._prefixes[text] = ids or [self.tokenizer.bos_token_id or 0]
        return self._prefixes[text]

    def whole(self, requests: Sequence[Request]) -> list[list[int]]:
        """Token ids of whole prompts."""
        suffixes = self.encode([r.suffix for r in requests])
        return [self.prefix(r.prefix) + s for r, s in zip(requests, suffixes, strict=True)]

    def choices(self, choices: Sequence[str]) -> tuple[list[int], list[int]]:
        """(tokens that all choices begin with, the one token by which each differs).

        Raises:
            ValueError: two choices differ in no such token.
        """
        ids = self._kept(choices)
        lead = 0
        while all(len(x) > lead + 1 for x in ids) and len({x[lead] for x in ids}) == 1:
            lead += 1
        last = [x[lead] for x in ids]
        if len(set(last)) < len(choices):
            raise ValueError(
                f"choices must differ in one token, got {list(choices)} as {ids};"
                " use single digits or letters"
            )
        return ids[0][:lead], last

    def first_line(self, ids: list[int]) -> int:
        """How many tokens the first of several lines has; 0 where there is one line only."""
        for place, token in enumerate(ids):
            if token not in self._ends_line:
                self._ends_line[token] = str(self.tokenizer.decode([token])).endswith("\n")
            if self._ends_line[token]:
                return place + 1 if place + 1 < len(ids) else 0
        return 0

    def text(self, ids: Sequence[int]) -> str:
        """What token ids say."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    @property
    def ends(self) -> list[int]:
        """Tokens that end an answer."""
        end = self.tokenizer.eos_token_id
        return [] if end is None else [int(end)]

    def _learn(self, lines: set[str]) -> None:
        """Has the ids of all these lines in ``_known``."""
        if len(self._known) + len(lines) > _KEPT_LINES:
            self._known.clear()
        split = {line: _CUT.split(line) for line in lines if line not in self._known}
        pieces = list({piece for parts in split.values() for piece in parts})
        ids = dict(zip(pieces, self._kept(pieces), strict=True))
        self._known.update(
            {line: [i for part in parts for i in ids[part]] for line, parts in split.items()}
        )

    def _kept(self, texts: Sequence[str]) -> list[list[int]]:
        new = list(dict.fromkeys(text for text in texts if text not in self._pieces))
        if len(self._pieces) + len(new) > _KEPT:
            self._pieces.clear()
            new = list(dict.fromkeys(texts))
        if new:
            self._pieces.update(zip(new, self._whole(new), strict=True))
        return [self._pieces[text] for text in texts]

    def _whole(self, texts: Sequence[str]) -> list[list[int]]:
        encoded = self.tokenizer(
            list(texts),
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        return [list(ids) for ids in encoded["input_ids"]]

    def _pieces_stand_alone(self) -> bool:
        pairs = [(end + "\n", start) for end in _ENDS for start in _STARTS]
        pairs += [(stop, " " + start) for stop in _STOPS for start in _STARTS]
        together = self._whole([first + second for first, second in pairs])
        firsts = self._whole([first for first, _ in pairs])
        seconds = self._whole([second for _, second in pairs])
        return together == [a + b for a, b in zip(firsts, seconds, strict=True)]


def _lines(text: str) -> list[str]:
    """The text where ``_CUT`` cuts behind an end of line, many times as fast."""
    lines, (line, *rest) = [], text.split("\n")
    for part in rest:
        if line and not line[-1].isspace() and "A" <= part[:1] <= "Z":
            lines.append(line + "\n")
            line = part
        else:
            line += "\n" + part
    return [*lines, line]

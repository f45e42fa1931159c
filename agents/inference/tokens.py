"""From texts to token ids, each piece once; it knows no model."""

import itertools
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from agents.emojis.token_bytes import token_bytes
from agents.emojis.token_guard import EmojiGuard
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

    What a tokenizer puts around every text (an end, a second beginning, a space of its own) would
    stand in the middle of a prompt: it is found at construction and left out.
    """

    def __init__(
        self,
        tokenizer: Any,
        num_embeddings: int | None = None,
        full: Callable[[], Any] | None = None,
    ) -> None:
        """Try the tokenizer out.

        Args:
            tokenizer: of Hugging Face, or one that encodes and decodes as it does.
            num_embeddings: tokens that the model knows; None = whatever comes.
            full: gives Hugging Face's where ``tokenizer`` is not; None = it is.
        """
        self._reader, self._full = tokenizer, full
        self._num_embeddings = num_embeddings
        self._ending = self._ending_of(add_special_tokens=True)
        self._plain_ending = self._ending_of(add_special_tokens=False)
        self._plain_beginning = self._ending_of(add_special_tokens=False, step=-1)[::-1]
        self._anchor, self._anchor_ids = self._find_anchor()
        self._prefixes: dict[str, list[int]] = {}
        self._pieces: dict[str, list[int]] = {}
        self._known: dict[str, list[int]] = {}  # lines
        self._ends_line: dict[int, bool] = {}
        self._calls = 0
        self.by_pieces = self._pieces_stand_alone()

    @property
    def reader(self) -> Any:
        """What reads the texts: Hugging Face's tokenizer, or one that encodes as it does."""
        return self._reader

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer as Hugging Face has it."""
        return self._reader if self._full is None else self._full()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts without the tokens that begin or end a text.

        Raises:
            ValueError: a text has a token that the model does not know.
        """
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
        """Token ids of a prefix, begun once as the tokenizer begins a text, not ended; never empty.

        Raises:
            ValueError: as ``encode`` does.
        """
        if text not in self._prefixes:
            if len(self._prefixes) >= _KEPT:
                self._prefixes.clear()
            ids = _without(list(self._reader(text)["input_ids"]), self._ending)
            begin = self._reader.bos_token_id
            while len(ids) > 1 and ids[0] == ids[1] == begin:
                del ids[0]
            self._prefixes[text] = self._known_to_model(text, ids or [begin or 0])
        return self._prefixes[text]

    def whole(self, requests: Sequence[Request]) -> list[list[int]]:
        """Token ids of whole prompts."""
        suffixes = self.encode([r.rest for r in requests])
        return [self.prefix(r.prefix) + s for r, s in zip(requests, suffixes, strict=True)]

    def answers(self, answers: Sequence[str]) -> list[list[int]]:
        """Token ids of words that are said, none of them empty.

        Raises:
            ValueError: an answer has no token.
        """
        found = self._kept(answers)
        if empty := [row for row, ids in enumerate(found) if not ids]:
            raise ValueError(
                f"token_logs wanted words behind every prompt, got none in row {empty[0]}; leave"
                " the row out"
            )
        return found

    def choices(self, choices: Sequence[str]) -> tuple[list[int], list[int]]:
        """(tokens that all choices begin with, the one token by which each differs).

        A cue ends in a colon. Where a colon and the blank behind it are one token, no text goes on
        with a blank of its own, so the choices are read without theirs.

        Raises:
            ValueError: two choices differ in no such token, or go on after it.
        """
        spellings = [list(choices), [choice.strip() for choice in choices]]
        found = [(own, _one_token_each(self._kept(own))) for own in spellings]
        whole = [(own, split) for own, split in found if split is not None]
        if not whole:
            raise ValueError(
                f"choices must differ in one token, got {list(choices)} as {self._kept(choices)};"
                " use single digits or letters"
            )
        fitting = (split for own, split in whole if self._follow_a_colon(own, split))
        return next(fitting, whole[0][1])

    def _follow_a_colon(self, choices: list[str], split: tuple[list[int], list[int]]) -> bool:
        """Whether a text in which they stand behind a colon has these very tokens."""
        lead, last = split
        colon = self._in_place([":"])[0]
        told = self._in_place([":" + choice for choice in choices])
        return told == [colon + lead + [token] for token in last]

    def first_line(self, ids: list[int]) -> int:
        """How many tokens the first of several lines has; 0 where there is one line only."""
        for place, token in enumerate(ids):
            if token not in self._ends_line:
                self._ends_line[token] = str(self._reader.decode([token])).endswith("\n")
            if self._ends_line[token]:
                return place + 1 if place + 1 < len(ids) else 0
        return 0

    def text(self, ids: Sequence[int]) -> str:
        """What token ids say."""
        return str(self._reader.decode(ids, skip_special_tokens=True))

    @cached_property
    def emoji_guard(self) -> EmojiGuard:
        """Says which tokens would show an emoji."""
        return EmojiGuard(token_bytes(self.tokenizer))

    @property
    def ends(self) -> list[int]:
        """Tokens that end an answer."""
        end = self._reader.eos_token_id
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
        found = self._in_place(texts)
        return [self._known_to_model(text, ids) for text, ids in zip(texts, found, strict=True)]

    def _in_place(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts as they are in the middle of a prompt."""
        anchored = self._raw([self._anchor + text for text in texts])
        lead = len(self._anchor_ids)
        parted = [ids[:lead] == self._anchor_ids for ids in anchored]
        found = [ids[lead:] for ids in anchored]
        if not all(parted):  # the anchor has grown together with the text
            bare = self._raw(texts)
            found = [a if cut else b for a, b, cut in zip(found, bare, parted, strict=True)]
        return found

    def _raw(self, texts: Sequence[str]) -> list[list[int]]:
        encoded = self._reader(
            list(texts),
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        bare = (_without(list(ids), self._plain_ending) for ids in encoded["input_ids"])
        begin = self._plain_beginning
        return [_without(ids[::-1], begin[::-1])[::-1] if begin else ids for ids in bare]

    def _ending_of(self, add_special_tokens: bool, step: int = 1) -> list[int]:
        """The special tokens that end every text, as far as two texts show it; -1 = begin it."""
        special = {*getattr(self._reader, "all_special_ids", ())}
        special.discard(getattr(self._reader, "unk_token_id", None))
        ends = []
        for text in ("A", "4:"):
            ids = list(self._reader(text, add_special_tokens=add_special_tokens)["input_ids"])
            tail = list(itertools.takewhile(special.__contains__, ids[::step][::-1]))
            ends.append(tail[::-1])
        return ends[0] if ends[0] == ends[1] else []

    def _find_anchor(self) -> tuple[str, list[int]]:
        """A text to put before others, and its ids; empty where the tokenizer adds nothing there.

        Behind it a text is encoded as it is in the middle of a prompt.
        """
        unknown = getattr(self._reader, "unk_token_id", None)
        for anchor in ("\n", ":", "."):
            together, alone, text = self._raw([anchor + "A", anchor, "A"])
            if together == alone + text:
                return "", []
            if together[: len(alone)] == alone and unknown not in alone:
                return anchor, alone
        return "", []

    def _known_to_model(self, text: str, ids: list[int]) -> list[int]:
        """The ids themselves; raises unless the model has an embedding for each."""
        if self._num_embeddings is not None and ids and max(ids) >= self._num_embeddings:
            worst = max(ids)
            raise ValueError(
                f"the tokenizer makes token {worst} ({self._reader.decode([worst])!r}) of"
                f" {text[:60]!r}, but the model has embeddings for tokens 0 to"
                f" {self._num_embeddings - 1} alone; use the tokenizer the model was trained with"
            )
        return ids

    def _pieces_stand_alone(self) -> bool:
        pairs = [(end + "\n", start) for end in _ENDS for start in _STARTS]
        pairs += [(stop, " " + start) for stop in _STOPS for start in _STARTS]
        together = self._in_place([first + second for first, second in pairs])
        firsts = self._in_place([first for first, _ in pairs])
        seconds = self._in_place([second for _, second in pairs])
        return together == [a + b for a, b in zip(firsts, seconds, strict=True)]


def _one_token_each(ids: list[list[int]]) -> tuple[list[int], list[int]] | None:
    """What all begin with, and the one token each then has for itself; None if they do not."""
    lead = 0
    while all(len(x) > lead + 1 for x in ids) and len({x[lead] for x in ids}) == 1:
        lead += 1
    last = [x[lead] for x in ids if len(x) == lead + 1]
    return (ids[0][:lead], last) if len(set(last)) == len(ids) else None


def _without(ids: list[int], ending: list[int]) -> list[int]:
    """The ids without their ending, where they have it."""
    cut = len(ids) - len(ending)
    return ids[:cut] if ending and ids[cut:] == ending else ids


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

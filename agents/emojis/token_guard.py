"""Which tokens would show an emoji: those to weigh in a next token, and to keep out at decoding.

It knows bytes and numbers only. A token may be part of a character, so what it shows depends on the
bytes that stand open before it. Letters: ``n`` texts, ``v`` tokens of a vocabulary.
"""

import codecs
from collections.abc import Sequence
from typing import Any

import numpy as np
import regex

from simenv.events import BoolArray

# Stricter than what is counted: pictures that are text by default are kept out as well, since many
# screens show them in colour, and what turns a text sign into a picture has no other use.
_PICTURE = regex.compile(r"(?![\u0000-\u25FF])\p{Extended_Pictographic}|\p{Emoji_Presentation}")
_MAKES_ONE = "\ufe0f\u20e3"
_OPENS_ONE = b"\xf0\x9f"  # U+1F000 to U+1FFFF: pictures, and little that anybody writes else


class EmojiGuard:
    """The tokens that begin, hold or complete an emoji.

    Args:
        pieces: the bytes that each token writes (v,), see ``token_bytes``.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = list(pieces)
        first = np.array([piece[0] if piece else 0 for piece in pieces], dtype=np.int64)
        self._goes_on = np.flatnonzero((first >= 0x80) & (first < 0xC0))
        self._barred: dict[bytes, BoolArray] = {}

    def barred(self, open_bytes: bytes = b"") -> BoolArray:
        """(v,) whether each token would show an emoji after text that ends in ``open_bytes``.

        Args:
            open_bytes: of a character that is not complete; empty = the text is.
        """
        if open_bytes not in self._barred:
            if open_bytes:
                found = self.barred().copy()
                tokens = self._goes_on.tolist()
                found[self._goes_on] = [_shows(open_bytes + self._pieces[t]) for t in tokens]
            else:
                found = np.array([_shows(piece) for piece in self._pieces], dtype=np.bool_)
            self._barred[open_bytes] = found
        return self._barred[open_bytes]

    def after(self, said: Sequence[Sequence[int]], width: int) -> BoolArray:
        """(n, width) whether each token would show an emoji after the tokens said so far.

        Args:
            said: token ids of n texts; before them stands complete text.
            width: of the logits; tokens beyond the tokenizer's show nothing.
        """
        found = np.zeros((len(said), width), dtype=np.bool_)
        size = min(width, len(self._pieces))
        for row, tokens in enumerate(said):
            found[row, :size] = self.barred(self._open(tokens))[:size]
        return found

    def check_any(self) -> None:
        """Refuse a vocabulary in which emojis have no place: their chance would be 0 for ever.

        Raises:
            ValueError: no token by itself shows or begins an emoji.
        """
        if not self.barred().any():
            raise ValueError(
                "a study of emojis wanted a model with tokens that show or begin an emoji, got a"
                f" vocabulary of {len(self._pieces)} tokens without any; take another model, or"
                " experiment.emojis=false"
            )

    def mass(self, chances: Any) -> Any:
        """Probability (n,) of a next token that shows an emoji, of distributions (n, v or more).

        Args:
            chances: an array of numpy or a tensor, wherever it lies; what comes back is the same.
        """
        tokens = np.flatnonzero(self.barred()[: chances.shape[-1]])
        return chances[..., tokens].sum(-1)

    def _open(self, tokens: Sequence[int]) -> bytes:
        """The bytes of a character that the last tokens began; a character has at most four."""
        last = [self._pieces[t] if t < len(self._pieces) else b"" for t in tokens[-4:]]
        return _split(b"".join(last))[1]


def _shows(data: bytes) -> bool:
    text, rest = _split(data)
    shown = _PICTURE.search(text) is not None or any(sign in text for sign in _MAKES_ONE)
    return shown or rest[:2] == _OPENS_ONE


def _split(data: bytes) -> tuple[str, bytes]:
    """The text of complete characters, and the bytes of one that is not complete at the end."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    return decoder.decode(data), decoder.getstate()[0]

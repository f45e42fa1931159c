"""The bytes that each token of a vocabulary writes. It knows tokenizers of Hugging Face, no model.

Tokenizers of bytes (GPT-2's and its heirs) spell a byte as a letter; those of pieces (Llama 2,
Mistral) spell a blank as ``▁`` and a byte that no piece holds as ``<0xF0>``.
"""

import re
from functools import cache
from typing import Any

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_BLANK = "\u2581"


def token_bytes(tokenizer: Any) -> list[bytes]:
    """What every token id writes (v,), v = tokens of the tokenizer; special tokens write nothing.

    Args:
        tokenizer: of Hugging Face.
    """
    size = len(tokenizer)
    names = tokenizer.convert_ids_to_tokens(list(range(size)))
    special = set(tokenizer.all_special_ids)
    of_bytes = _spells_bytes(tokenizer)
    return [
        b"" if name is None or number in special else _written(name, of_bytes)
        for number, name in enumerate(names)
    ]


def _written(name: str, of_bytes: bool) -> bytes:
    letters = _letters()
    if of_bytes and all(letter in letters for letter in name):
        return bytes(letters[letter] for letter in name)
    if not of_bytes and (found := _BYTE.fullmatch(name)):
        return bytes([int(found[1], 16)])
    return name.replace(_BLANK, " ").encode("utf-8", errors="surrogatepass")


def _spells_bytes(tokenizer: Any) -> bool:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return hasattr(tokenizer, "byte_decoder")
    return "ByteLevel" in repr(backend.decoder) or "ByteLevel" in repr(backend.pre_tokenizer)


@cache
def _letters() -> dict[str, int]:
    """Letter → byte: bytes that print stand for themselves, the others for letters from 256 on."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printed]
    hidden = {chr(256 + place): byte for place, byte in enumerate(others)}
    return {chr(byte): byte for byte in printed} | hidden

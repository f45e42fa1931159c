"""Prompts as token ids, for servers that take them: the same tokens that ``LocalEngine`` runs."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from agents.inference.engine import Request


class PromptTokens:
    """Prefix and suffix are tokenised apart, the prefix begun as the tokenizer begins a text.

    Args:
        name: folder with ``tokenizer.json``, or hub name.

    Raises:
        ModuleNotFoundError: tokenizers is not installed.
        ValueError: ``name`` is neither.
    """

    def __init__(self, name: str) -> None:
        try:
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "tokenizer=… needs tokenizers: pip install 'personarec[serve]'", name="tokenizers"
            ) from error
        file = Path(name) / "tokenizer.json"
        self._all = Tokenizer.from_file(str(file)) if file.exists() else _from_hub(name)
        self._all.no_padding()
        self._all.no_truncation()
        self._prefix = lru_cache(maxsize=100_000)(lambda text: tuple(self._all.encode(text).ids))

    def prompt(self, request: Request) -> list[int]:
        """Token ids of a whole prompt."""
        return [*self._prefix(request.prefix), *self._plain(request.suffix)]

    def lead(self, choices: Sequence[str]) -> list[int]:
        """The tokens that all choices begin with; each must differ by one token after them."""
        ids = [self._plain(choice) for choice in choices]
        lead = 0
        while all(len(x) > lead + 1 for x in ids) and len({x[lead] for x in ids}) == 1:
            lead += 1
        if any(len(x) != lead + 1 for x in ids) or len({x[lead] for x in ids}) < len(choices):
            raise ValueError(
                f"choices must differ in one token, got {list(choices)} as {ids};"
                " use single digits or letters"
            )
        return ids[0][:lead]

    def _plain(self, text: str) -> list[int]:
        return list(self._all.encode(text, add_special_tokens=False).ids)


def _from_hub(name: str) -> Any:
    from huggingface_hub import hf_hub_download
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(hf_hub_download(name, "tokenizer.json"))
    except Exception as error:  # the Rust side raises bare Exceptions
        raise ValueError(
            f"tokenizer {Path(name).name!r} wanted a folder with tokenizer.json or a hub name;"
            f" got neither ({type(error).__name__})"
        ) from error

"""Keys and passwords among the words of a command: kept out of what Hydra prints and writes."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from agents.inference.server.masking import (
    Masker,
    masked_argument,
    masked_text,
    secrets_of_config,
)

_SWEEP = {"-m", "--multirun"}


def check_sweep(words: Sequence[str]) -> str | None:
    """What is wrong with a sweep that holds a secret, which Hydra would write; None = nothing."""
    found = [word for word in words if masked_argument(word) != word]
    if not found or not _SWEEP & set(words):
        return None
    return (
        f"{masked_argument(found[0])}: a sweep writes its command into multirun.yaml, and a key"
        " would stand in it; give the key in the environment (OPENAI_API_KEY)"
    )


@contextmanager
def masked_streams(words: Sequence[str]) -> Iterator[None]:
    """Both streams without the secrets of ``words`` while the block lasts; plain if there is none.

    Hydra prints the words of a run that failed, and the whole config where it is asked to.
    """
    secret = [word for word in words if masked_argument(word) != word]
    with ExitStack() as stack:
        if secret:
            pairs = (word.lstrip("+~").partition("=") for word in secret)
            values = [{name.rpartition(".")[2]: value.strip("'\"")} for name, _, value in pairs]
            mask = Masker(secrets_of_config(values))
            stack.enter_context(redirect_stdout(_Masked(sys.stdout, mask)))
            stack.enter_context(redirect_stderr(_Masked(sys.stderr, mask)))
        yield


class _Masked:
    """A stream that masks what is written to it; all else is the stream's own."""

    def __init__(self, stream: Any, mask: Masker) -> None:
        self._stream, self._mask = stream, mask

    def write(self, text: str) -> int:
        """The masked text."""
        self._stream.write(self._mask(masked_text(text)))
        return len(text)

    def writelines(self, lines: Sequence[str]) -> None:
        """One after another."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

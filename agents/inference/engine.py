"""The seam to a language model: text in, numbers or text out. It knows no users and no items."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from simenv.events import FloatArray


class Request(NamedTuple):
    """One question. ``prefix`` is what many requests share; the two are tokenised apart."""

    prefix: str
    suffix: str
    adapter: str | None = None  # name of a loaded adapter; None = the base model
    seed: int = 0  # of this request's own draws, for ``generate``


class Completion(NamedTuple):
    """One generated answer."""

    text: str
    num_tokens: int


@dataclass(frozen=True)
class Sampling:
    """How ``generate`` draws; the defaults are the paper's decoding (section 5)."""

    max_new_tokens: int = 4
    temperature: float = 0.3  # 0 = greedy
    top_k: int = 50


class Engine(Protocol):
    """Whatever answers. Answers come in the caller's order and depend on their request alone."""

    @property
    def description(self) -> str:
        """What answers, for reports: kind of engine and model."""
        ...

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities (n, c) of the choices, given that one of them is said.

        Raises:
            KeyError: a request names an adapter that is not loaded.
            ValueError: a prompt is longer than the model's context, or choices share a token.
        """
        ...

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """Free text for every request."""
        ...

    def close(self) -> None:
        """Release the model; the engine answers no more."""
        ...


class UnknownAdapterError(KeyError):
    """A request names an adapter that the engine does not have."""

    def __init__(self, wanted: str, known: Sequence[str]) -> None:
        names = ", ".join(sorted(known)) or "none"
        super().__init__(
            f"no adapter {wanted!r} is loaded (loaded: {names});"
            " load it with the population or name one of these"
        )

    def __str__(self) -> str:
        return str(self.args[0])

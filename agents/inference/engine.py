"""The seam to a language model: text in, numbers or text out. It knows no users and no items.

``Engine`` declares everything that callers use, so that no caller looks inside one. A new engine
inherits from it, gives ``facts``, ``score`` and ``generate``, and subclasses ``EngineContract`` of
``agents.testing.engine`` for its tests; one that changes another inherits from ``EngineWrapper``.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from agents.inference.stats import AnswerStats, EngineStats, FailureStats
from simenv.events import FloatArray
from simenv.ranges import check_flag, check_number


class PastDecision(NamedTuple):
    """A memory as blocks: its own text, read behind that of its item."""

    item: str
    text: str


Past = tuple[PastDecision, ...]


class Request(NamedTuple):
    """One question. ``prefix`` is what many requests share; the two are tokenised apart.

    A question with an ``item`` is read in blocks: profile (the prefix), item and memories each once
    and alone, and the suffix is a cue that attends to them, but to no memory of the very item.
    """

    prefix: str
    suffix: str
    adapter: str | None = None  # name of a loaded adapter; None = the base model
    seed: int = 0  # of this request's own draws, for ``generate``
    item: str = ""
    past: Past = ()

    @property
    def rest(self) -> str:
        """All that stands behind the prefix, as one text; memories stand behind their items."""
        if not self.item:
            return self.suffix
        told = "".join(decision.item + decision.text for decision in self.past)
        return told + self.item + self.suffix


class Completion(NamedTuple):
    """One generated answer."""

    text: str
    num_tokens: int


@dataclass(frozen=True)
class Sampling:
    """How ``generate`` draws; the defaults are the paper's decoding (section 5).

    ``emojis=False`` draws no token that would show an emoji, as far as ``EmojiGuard`` knows them.

    Raises:
        TypeError: a setting is no number, or ``emojis`` neither True nor False.
        ValueError: the temperature is negative, or a count is below 1.
    """

    max_new_tokens: int = 4
    temperature: float = 0.3  # 0 = greedy
    top_k: int = 50  # 0 = all tokens
    emojis: bool = True

    def __post_init__(self) -> None:
        check_number("Sampling", "max_new_tokens", self.max_new_tokens, "whole [1, 1e9]", "try 4")
        check_number("Sampling", "temperature", self.temperature, "[0, inf)", "0 is greedy")
        check_number("Sampling", "top_k", self.top_k, "whole [0, 1e9]", "0 is all tokens")
        check_flag("Sampling", "emojis", self.emojis)


class EngineFacts(NamedTuple):
    """What can be said of an engine without asking it; an empty text = not known."""

    description: str  # for reports: kind of engine and model, nothing secret
    identity: str = ""  # what decides the answers beside the weights; for cache keys
    device: str = ""  # where the model runs, as torch names it
    dtype: str = ""  # number format of the weights, as ``float32``
    context: int | None = None  # most tokens of a prompt
    reads_blocks: bool = False  # whether requests with an item are understood
    masks_failures: bool = False  # a failed request is NaN or "", no error; see ``last_failures``


@runtime_checkable
class Tokenizes(Protocol):
    """An engine whose tokens can be counted before anything is asked."""

    facts: EngineFacts
    context: int  # most tokens of a prompt
    tokenizer: Any  # Hugging Face's, of texts to ids


@runtime_checkable
class GivesTokenLogs(Protocol):
    """An engine that says how likely given words are; a server gives digits and text alone."""

    def token_logs(self, requests: Sequence[Request], answers: Sequence[str]) -> list[FloatArray]:
        """Log-probabilities (tokens,) of each answer's tokens, of all that may be said there.

        Args:
            requests: (n,) prompts.
            answers: (n,) the words behind each, with the blank before them.

        Raises:
            KeyError: a request names an adapter that is not loaded.
            ValueError: an answer is empty, or is longer with its prompt than the model's context.
        """
        ...


class Engine(Protocol):
    """Whatever answers. Answers come in the caller's order and depend on their request alone."""

    @property
    @abstractmethod
    def facts(self) -> EngineFacts:
        """What is known of the engine; after ``close`` too."""
        ...

    @abstractmethod
    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities (n, c) of the choices, given that one of them is said.

        A row is NaN only where the engine masks failures and the request failed.

        Raises:
            KeyError: a request names an adapter that is not loaded.
            ValueError: a prompt is longer than the model's context, or choices share a token.
        """
        ...

    @abstractmethod
    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """Free text for every request; raises as ``score`` does.

        Raises:
            ValueError: emojis are to be kept out, and somebody else draws the tokens.
        """
        ...

    def close(self) -> None:
        """Release the model; the engine answers no more. Closing twice is no error."""
        return None

    @property
    def description(self) -> str:
        """See ``EngineFacts.description``."""
        return self.facts.description

    @property
    def stats(self) -> EngineStats | None:
        """What the model did so far; None where it is not counted (a server, a replay)."""
        return None

    @property
    def answer_stats(self) -> AnswerStats | None:
        """What an answer cache did so far; None where there is none."""
        return None

    @property
    def failure_stats(self) -> FailureStats | None:
        """How many requests failed so far; None where a failure is an error."""
        return None

    @property
    def last_failures(self) -> Mapping[int, str]:
        """Row of the last call → why it failed; empty unless the engine masks failures."""
        return {}


class UnknownAdapterError(KeyError):
    """A request names an adapter that the engine does not have."""

    def __init__(self, wanted: str, known: Sequence[str]) -> None:
        self.wanted, self.known = wanted, tuple(known)
        names = ", ".join(sorted(known)) or "none"
        super().__init__(
            f"no adapter {wanted!r} is loaded (loaded: {names});"
            " load it with the population or name one of these"
        )

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it is the same error in another process."""
        return type(self), (self.wanted, self.known)

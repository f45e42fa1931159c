"""One question to a chat endpoint: from the cache where it was paid for, else priced and sent.

It knows no profile and no user. Failures come as ``Lost``, for ``dispatch`` to try again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agents.inference.server.client import Caller, Rejection, ServerClient
from agents.inference.server.retries import Lost
from training.distillation.cache import Answer, PaidAnswers, cache_key
from training.distillation.distiller_prompts import Message
from training.distillation.ledger import Bill, Ledger, OverBudgetError, TokenCount

_CALLER = Caller("distiller=openai", "docs/how-to/distil_with_a_model.md")
_TEMPLATE_TOKENS = 16  # more than a chat template adds to a message


@dataclass(frozen=True)
class ClientSettings:
    """What decides an answer beside the prompt; part of every cache key.

    Attributes:
        model: its name at the endpoint.
        max_tokens: most that one answer may have; what a request reserves of ``max_cost``.
        limit_field: what the endpoint calls that; OpenAI's newer models want
            ``max_completion_tokens``.
        temperature: None leaves it out, for models that refuse it.
        seed: None leaves it out; another seed asks everything anew.
    """

    model: str
    max_tokens: int = 4096
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: float | None = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.limit_field not in ("max_tokens", "max_completion_tokens"):
            raise ValueError(
                "limit_field wanted 'max_tokens' or 'max_completion_tokens', got"
                f" {self.limit_field!r}"
            )
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens wanted at least 1, got {self.max_tokens}; try 4096")

    def body(self, messages: Sequence[Message], response_format: dict[str, Any]) -> dict[str, Any]:
        """The request; it holds no key and no address."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(messages),
            "response_format": response_format,
            self.limit_field: self.max_tokens,
        }
        optional = {"temperature": self.temperature, "seed": self.seed}
        return body | {name: value for name, value in optional.items() if value is not None}


def most_tokens(body: dict[str, Any], max_tokens: int) -> TokenCount:
    """Upper bounds of what a request reads and writes: no tokenizer makes two tokens of a byte."""
    text = json.dumps([body["messages"], body["response_format"]], ensure_ascii=False)
    read = len(text.encode()) + _TEMPLATE_TOKENS * len(body["messages"])
    return TokenCount(read, max_tokens)


class PricedClient:
    """Answers by the cache first, else by the endpoint.

    Args:
        cache: of paid answers.
        ledger: that every request is booked in.
        base_url: None = OPENAI_BASE_URL. The key is OPENAI_API_KEY and stands nowhere else.
        timeout: seconds that one try may take.

    Raises:
        ModuleNotFoundError: the extra ``serve`` is not installed.
        ValueError: no URL.
    """

    def __init__(
        self, cache: PaidAnswers, ledger: Ledger, base_url: str | None, timeout: float
    ) -> None:
        self._cache, self._ledger = cache, ledger
        self._client = ServerClient(base_url, None, timeout, _CALLER)

    def ask(self, body: dict[str, Any], max_tokens: int) -> Answer:
        """The answer to ``body``, now in the cache.

        Raises:
            Lost: this try failed, or ``max_cost`` is reached.
        """
        key = cache_key(body)
        kept = self._cache.get(key)
        if kept is not None:
            self._ledger.cached()
            return kept
        try:
            with self._ledger.request(most_tokens(body, max_tokens)) as bill:
                answer = self._send(body, bill)
                self._cache.put(key, answer)  # before the bill is closed: paid is kept
        except OverBudgetError as error:
            raise Lost(str(error), again=False, blame="all") from None
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, body: dict[str, Any], bill: Bill) -> Answer:
        try:
            payload = self._client.post("chat", body, _rejection)
            bill.used = _usage(payload)
            text, cut = _content(payload)
        except Lost as lost:
            bill.refused = lost.refused
            raise
        except ValueError as error:
            raise self._client.malformed(error) from None
        return Answer(self._client.without_keys(text), cut)


def _rejection(status: int) -> Rejection:
    """An endpoint without this model or without structured output refuses everybody."""
    cure = f"; see {_CALLER.how_to} for models and structured output"
    return Rejection(cure, "all" if status == 404 else "server")


def _usage(payload: Any) -> TokenCount | None:
    """What the server counted; None if it did not."""
    usage = payload.get("usage") if isinstance(payload, dict) else None
    if not isinstance(usage, dict):
        return None
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if isinstance(read, int) and isinstance(written, int) and min(read, written) >= 0:
        return TokenCount(read, written)
    return None


def _content(payload: Any) -> tuple[str, bool]:
    """(text, whether it was cut); a refusal is an empty text.

    Raises:
        ValueError: not the protocol's form.
    """
    try:
        choice = payload["choices"][0]
        content, reason = choice["message"]["content"], choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise ValueError("the answer has no choices[0].message.content") from None
    if not isinstance(content, str | None):
        raise ValueError(f"content wanted a text, got {type(content).__name__}")
    return content or "", reason == "length"

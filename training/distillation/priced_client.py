"""One question to a chat endpoint through the ``openai`` client: cached, priced, keys kept secret.

It knows no profile and no user. Failures come as ``Lost``, for ``dispatch`` to try again.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from agents.inference.server.dispatch import Lost
from agents.inference.server.server_engine import _retry_after as retry_after
from training.distillation.cache import Answer, PaidAnswers, cache_key
from training.distillation.distiller_prompts import Message
from training.distillation.ledger import Bill, Ledger, OverBudgetError, Tokens

_HOW_TO = "docs/how-to/distil_with_a_model.md"
_PASSING = frozenset({408, 409, 425, 429})  # and every 5xx: asking again may help
_TEMPLATE_TOKENS = 16  # more than a chat template adds to a message


@dataclass(frozen=True)
class Settings:
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


def most_tokens(body: dict[str, Any], max_tokens: int) -> Tokens:
    """Upper bounds of what a request reads and writes: no tokenizer makes two tokens of a byte."""
    told = json.dumps([body["messages"], body["response_format"]], ensure_ascii=False)
    return Tokens(len(told.encode()) + _TEMPLATE_TOKENS * len(body["messages"]), max_tokens)


class ChatClient:
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
        url, self._where = _address(base_url or os.environ.get("OPENAI_BASE_URL"))
        self._key = os.environ.get("OPENAI_API_KEY", "")
        self._timeout, self._cache, self._ledger = timeout, cache, ledger
        self._openai = _openai()
        self._client = self._openai.OpenAI(
            base_url=url, api_key=self._key or "EMPTY", max_retries=0, timeout=timeout
        )

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
            raw = self._client.chat.completions.with_raw_response.create(**body)
            payload = json.loads(raw.http_response.content)
            bill.used = _usage(payload)
            text, cut = _said(payload)
        except self._openai.OpenAIError as error:
            raise self._lost(error, bill) from None
        except ValueError as error:
            reason = self._public(f"not the protocol's answer: {error}")
            raise Lost(reason, again=True) from None
        return Answer(self._public(text, None), cut)

    def _lost(self, error: Any, bill: Bill) -> Lost:
        """What a failed try means; the text holds nothing secret."""
        if isinstance(error, self._openai.APITimeoutError):
            return Lost(f"no answer from {self._where} within {self._timeout:g} s", again=True)
        if isinstance(error, self._openai.APIStatusError):
            bill.refused = True
            return self._refused(error)
        bill.refused = "Connect" in type(error.__cause__).__name__
        cause = error.__cause__ or error
        cure = f"start it or set OPENAI_BASE_URL, see {_HOW_TO}"
        reason = self._public(f"no server answers at {self._where} ({cause}); {cure}")
        return Lost(reason, again=True, blame="all" if bill.refused else "server")

    def _refused(self, error: Any) -> Lost:
        status = int(error.status_code)
        if status in (401, 403):
            return Lost(f"the server said {status}; set OPENAI_API_KEY", again=False, blame="all")
        again = status in _PASSING or status >= 500
        cure = "" if again else f"; see {_HOW_TO} for models and structured output"
        return Lost(
            self._public(f"the server said {status}: {error.message}") + cure,
            again=again,
            wait=retry_after(error.response.headers.get("retry-after")),
            blame="all" if status == 404 else "server",
        )

    def _public(self, text: str, most: int | None = 500) -> str:
        """Without the key, should a server send it back."""
        return (text.replace(self._key, "***") if self._key else text)[:most]


def _usage(payload: Any) -> Tokens | None:
    """What the server counted; None if it did not."""
    usage = payload.get("usage") if isinstance(payload, dict) else None
    if not isinstance(usage, dict):
        return None
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if isinstance(read, int) and isinstance(written, int) and min(read, written) >= 0:
        return Tokens(read, written)
    return None


def _said(payload: Any) -> tuple[str, bool]:
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


def _openai() -> Any:
    try:
        import openai
        import tenacity  # noqa: F401  needed when the first try fails; better said now
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"distiller=openai needs {error.name}: pip install 'personarec[serve]'", name=error.name
        ) from error
    return openai


def _address(url: str | None) -> tuple[str, str]:
    """(URL, host:port for messages, without user and password)."""
    if not url:
        raise ValueError(
            "distiller=openai wanted a URL: set OPENAI_BASE_URL, for example"
            f" https://api.openai.com/v1 (see {_HOW_TO}); nothing is sent to a default"
        )
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("base_url wanted http://HOST:PORT/v1 or https://…, got something else")
    return url, f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def open_cache(folder: str | Path) -> PaidAnswers:
    """The cache of paid answers in ``folder``, made where it is missing."""
    return PaidAnswers(Path(folder).expanduser())

"""A connection to an OpenAI-compatible server: address, key, and what a failed try means.

It knows no engine, no profile and no price. The ``openai`` client does the talking with its own
retries off; failures come as ``Lost``, for ``dispatch`` to try again. A key is sent and never
shown: not in errors, not in logs and not in what a server sends back.
"""

import json
import math
import os
import re
from collections.abc import Callable
from email.utils import mktime_tz, parsedate_tz
from time import time
from typing import Any, Literal, NamedTuple, NoReturn
from urllib.parse import urlsplit

from agents.inference.server.guarded_http import RefusedAnswerError, guarded_client
from agents.inference.server.masking import MASK, LogMasker, Masker, masked_text, secrets_of_url
from agents.inference.server.retries import Lost
from simenv.ranges import check_number

_PASSING = frozenset({408, 409, 425, 429})  # and every 5xx: asking again may help
_LONGEST_REASON = 500  # characters of a server's message that are kept
_LOOK = 5.0  # seconds in which a server must say that it is there
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class Caller(NamedTuple):
    """Who connects, for error messages."""

    setting: str  # as ``engine=server``
    how_to: str  # page of the docs


class Rejection(NamedTuple):
    """What a refused request means to its caller."""

    cure: str  # what to do, begun with ``;``; empty if there is nothing to say
    blame: str  # see ``Lost``


class ServerClient:
    """Sends JSON bodies and returns JSON answers; may be used from several threads.

    Args:
        base_url: with its path, as ``http://localhost:8000/v1``; None = OPENAI_BASE_URL.
        api_key: None = OPENAI_API_KEY, or none at all.
        timeout: seconds that one try may take in all, however slowly the answer comes.
        caller: who connects.

    Attributes:
        where: host:port, without user and password.

    Raises:
        ModuleNotFoundError: the extra ``serve`` is not installed.
        ValueError: no URL, or none of http and https, a masked key, or no seconds.
    """

    def __init__(
        self, base_url: str | None, api_key: str | None, timeout: float, caller: Caller
    ) -> None:
        url, self.where = _address(base_url or os.environ.get("OPENAI_BASE_URL"), caller)
        key = api_key or os.environ.get("OPENAI_API_KEY") or ""
        _refuse_masked(url, key)
        check_number(caller.setting, "timeout", timeout, "(0, inf)", "give it in seconds")
        self._mask = Masker([key, *secrets_of_url(url)])
        self._logs = LogMasker(self._mask)
        self._timeout, self._caller = timeout, caller
        self._openai = _import_openai(caller)
        self._client = self._connection(url, key or "EMPTY", timeout)
        self._logs.attach()

    def __deepcopy__(self, memo: dict[int, Any]) -> "ServerClient":
        """The same settings with connections of its own."""
        twin = object.__new__(ServerClient)
        twin.__dict__.update(self.__dict__)
        twin._client = self._connection(self._client.base_url, self._client.api_key, self._timeout)
        return twin

    def _connection(self, url: Any, key: str, timeout: float) -> Any:
        return self._openai.OpenAI(
            base_url=url,
            api_key=key,
            max_retries=0,
            timeout=timeout,
            http_client=guarded_client(self._openai, timeout),
        )

    def __reduce__(self) -> NoReturn:
        """Refused: a pickle would hold the key.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"pickle wanted something without a key, got a connection of {self._caller.setting};"
            " build the environment or engine anew in the other process"
        )

    def post(
        self,
        endpoint: Literal["completions", "chat"],
        body: dict[str, Any],
        rejection: Callable[[int], Rejection],
    ) -> Any:
        """The server's answer as plain JSON; the client's own models would not check it.

        Args:
            endpoint: which of the two.
            body: of the request.
            rejection: HTTP status that no other try will change → what that means.

        Raises:
            Lost: this try failed; its text holds nothing secret.
        """
        client = self._client.chat if endpoint == "chat" else self._client
        try:
            answer = client.completions.with_raw_response.create(**body)
            payload = json.loads(answer.http_response.content, object_pairs_hook=_named_once)
        except self._openai.APITimeoutError:
            reason = f"no answer from {self.where} within {self._timeout:g} s"
            raise Lost(reason, again=True) from None
        except RefusedAnswerError as error:
            raise Lost(self.public(str(error)), again=error.again) from None
        except self._openai.APIStatusError as error:
            raise self._refused(error, rejection) from None
        except self._openai.OpenAIError as error:
            raise self._unreached(error) from None
        except RecursionError:
            raise self.malformed(ValueError("JSON nested too deep")) from None
        except ValueError as error:
            raise self.malformed(error) from None
        self._refuse_error(payload, rejection)
        return payload

    def is_alive(self) -> bool:
        """Whether the server answers when it is asked for its models, soon and without a fault."""
        seconds = min(self._timeout, _LOOK)
        looking = self._connection(self._client.base_url, self._client.api_key, seconds)
        try:
            looking.models.list()
        except self._openai.APIStatusError as error:
            return int(error.status_code) < 500 or int(error.status_code) == 501  # it has no list
        except (self._openai.OpenAIError, RefusedAnswerError, ValueError):
            return False
        finally:
            looking.close()
        return True

    def malformed(self, error: Exception) -> Lost:
        """A failed try whose answer does not have the protocol's form."""
        return Lost(self.public(f"not the protocol's answer: {error}"), again=True)

    def public(self, text: str) -> str:
        """A server's message in one line, cut, without keys, should it send them back."""
        return _CONTROL.sub(" ", masked_text(self._mask(text)))[:_LONGEST_REASON]

    def without_keys(self, text: str) -> str:
        """What a model wrote, whole, without the keys that it was asked with."""
        return self._mask(text)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._logs.detach()

    def _refuse_error(self, payload: Any, rejection: Callable[[int], Rejection]) -> None:
        """Raise if an answer of status 200 is an error all the same."""
        error = payload.get("error") if isinstance(payload, dict) else None
        if not error:
            return
        said = error.get("message", error) if isinstance(error, dict) else error
        code = error.get("code") if isinstance(error, dict) else None
        status = code if type(code) is int and 400 <= code < 600 else 0
        again = not status or status in _PASSING or status >= 500
        meaning = Rejection("", "server") if again else rejection(status)
        reason = self.public(f"the server sent an error instead of an answer: {said}")
        raise Lost(reason + meaning.cure, again=again, blame=meaning.blame)

    def _unreached(self, error: Any) -> Lost:
        if isinstance(error.__cause__, RefusedAnswerError):
            refusal = error.__cause__
            return Lost(self.public(str(refusal)), again=refusal.again)
        refused = "Connect" in type(error.__cause__).__name__
        start = f"start it or set base_url or OPENAI_BASE_URL, see {self._caller.how_to}"
        cure = start if refused else "see the server's log"
        reason = f"no server answers at {self.where} ({error.__cause__ or error}); {cure}"
        blame = "all" if refused else "server"
        return Lost(self.public(reason), again=True, blame=blame, refused=refused)

    def _refused(self, error: Any, rejection: Callable[[int], Rejection]) -> Lost:
        status = int(error.status_code)
        if status in (401, 403):
            reason = f"the server said {status}; set OPENAI_API_KEY"
            return Lost(reason, again=False, blame="all", refused=True)
        again = status in _PASSING or status >= 500
        meaning = Rejection("", "server") if again else rejection(status)
        return Lost(
            self.public(f"the server said {status}: {error.message}") + meaning.cure,
            again=again,
            wait=_retry_after(error.response.headers.get("retry-after")),
            blame=meaning.blame,
            refused=True,
        )


def _import_openai(caller: Caller) -> Any:
    try:
        import openai
        import tenacity  # noqa: F401  needed when the first try fails; better said now
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{caller.setting} needs {error.name}: pip install 'personarec[serve]'",
            name=error.name,
        ) from error
    return openai


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; one that says two things under one name says nothing."""
    node = dict(pairs)
    if len(node) < len(pairs):
        raise ValueError("a JSON object names a field twice")
    return node


def _refuse_masked(url: str, key: Any) -> None:
    """A key that was read from a recorded config is none, nor is anything but a text."""
    if not isinstance(key, str):  # a config makes a number of digits, and a list of brackets
        raise ValueError(
            f"api_key wanted a text, got one of type {type(key).__name__}; put quotes around it, or"
            " better give it as OPENAI_API_KEY"
        )
    if key == MASK or MASK in url:
        raise ValueError(
            f"base_url or api_key holds {MASK}, which stands for a key that was masked when the"
            " config was recorded; give the key again, best as OPENAI_API_KEY"
        )
    if not key.isascii() or any(letter.isspace() for letter in key):
        raise ValueError(
            "api_key wanted ASCII letters without blanks, got others; check OPENAI_API_KEY"
        )


def _address(url: str | None, caller: Caller) -> tuple[str, str]:
    """(URL, host:port for messages, without user and password)."""
    if not url:
        raise ValueError(
            f"{caller.setting} wanted a URL: set base_url or OPENAI_BASE_URL, for example"
            f" http://localhost:8000/v1 (see {caller.how_to}); nothing is sent to a default"
        )
    if isinstance(url, str) and set("/?#") & set(url.partition("://")[2].rpartition("@")[0]):
        raise ValueError(
            "base_url wanted /, ?, # and @ percent-encoded in a password (%2F, %3F, %23, %40), got"
            " one of them before an @; write them so"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except (AttributeError, TypeError, ValueError):  # no text; its text may hold a password
        host = port = None
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError("base_url wanted http://HOST:PORT/v1 or https://…, got something else")
    return url, f"{host}:{port or (443 if parts.scheme == 'https' else 80)}"


def _retry_after(header: str | None) -> float | None:
    """Seconds from a Retry-After header, which gives seconds or a date; None if neither."""
    try:
        seconds = float(header or "none")
        return None if math.isnan(seconds) else max(0.0, seconds)
    except ValueError:
        return _until(header or "")


def _until(date: str) -> float | None:
    """Seconds until an HTTP date; None if it is none."""
    try:
        fields = parsedate_tz(date)
        return max(0.0, mktime_tz(fields) - time()) if fields else None
    except (ValueError, OverflowError, IndexError, TypeError):
        return None

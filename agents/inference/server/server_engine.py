"""Any OpenAI-compatible server as an engine: vLLM, llama-cpp-python, and what speaks like them.

An adapter is asked for as a model of its name (vLLM's ``--enable-lora`` convention). Digits are
read from the log-probabilities of one generated token. Keys are never told: not in errors, reports
or caches, and a config has no place for one (use OPENAI_API_KEY).
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from email.utils import mktime_tz, parsedate_tz
from pathlib import Path
from time import time
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np

from agents.inference.engine import (
    Completion,
    Engine,
    EngineFacts,
    Request,
    Sampling,
    UnknownAdapterError,
)
from agents.inference.failures import Answers, DeadServerError, FailedRequestsError
from agents.inference.plan import make_plan
from agents.inference.server import server_answers as answers
from agents.inference.server.dispatch import Lost, Outcome, Patience, dispatch
from agents.inference.server.prompt_tokens import PromptTokens
from simenv.events import FloatArray

_PASSING = frozenset({408, 409, 425, 429})  # and every 5xx: asking again may help
_HOW_TO = "docs/how-to/run_on_a_server.md"


class ServerEngine(Engine):
    """One base model and its adapters on a server.

    Requests are sent in the order of the plan (adapter, then prefix), many at once, so that the
    server's own prefix cache finds neighbours; a failed one does not lose the others.

    Args:
        model: the base model; its name on the server where ``served_model`` is None.
        adapters: names that the server has adapters under (a mapping's keys do).
        served_model: name of the base model on the server, if another.
        base_url: with its path, as ``http://localhost:8000/v1``; None = OPENAI_BASE_URL.
        api_key: None = OPENAI_API_KEY, or none at all.
        endpoint: ``completions``; ``chat`` for servers that have nothing else (the prompt goes as
            one user message through the model's chat template).
        top: log-probabilities to ask for; vLLM's limit is 20 unless started with --max-logprobs.
        lead: what stands between the prompt and the digit's own token: ``' '`` for models that
            write a blank and a digit as two tokens (an error says so). Not with ``tokenizer``.
        tokenizer: folder or hub name of the model's tokenizer: prompts are sent as its token ids,
            prefix and suffix apart, exactly as ``LocalEngine`` runs them; None = as text.
        concurrency: most requests on their way.
        timeout: seconds that one try may take.
        tries: most tries of one request; see ``Patience``, as for the two waits.
        first_wait: seconds.
        longest_wait: seconds.

    Raises:
        ModuleNotFoundError: the extra ``serve`` is not installed.
        ValueError: no URL, or settings that do not go together.
    """

    def __init__(
        self,
        model: str | Path,
        adapters: Iterable[str] | None = None,
        *,
        served_model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        endpoint: Literal["completions", "chat"] = "completions",
        top: int = 20,
        lead: str = "",
        tokenizer: str | None = None,
        concurrency: int = 32,
        timeout: float = 60.0,
        tries: int = 5,
        first_wait: float = 0.5,
        longest_wait: float = 60.0,
    ) -> None:
        if endpoint not in ("completions", "chat"):
            raise ValueError(f"endpoint wanted 'completions' or 'chat', got {endpoint!r}")
        if tokenizer and (lead or endpoint == "chat"):
            raise ValueError("tokenizer=… goes with endpoint='completions' and without lead")
        self.served_model = served_model or str(model)
        self.adapters = tuple(adapters or ())
        self.endpoint, self.top, self.lead = endpoint, top, lead
        self.concurrency = concurrency
        self.patience = Patience(tries, first_wait, longest_wait)
        self._tokens = PromptTokens(tokenizer) if tokenizer else None
        url, self._where = _address(base_url or os.environ.get("OPENAI_BASE_URL"))
        self._key = api_key or os.environ.get("OPENAI_API_KEY") or "EMPTY"
        self._timeout = timeout
        self._openai = _openai()
        self._client = self._openai.OpenAI(
            base_url=url, api_key=self._key, max_retries=0, timeout=timeout
        )

    @property
    def facts(self) -> EngineFacts:
        """``server`` and the model's name there; the identity names all that shapes an answer."""
        return EngineFacts(
            description=f"server {Path(self.served_model).name}",
            identity=f"{self._where} {self.served_model} {self.endpoint} {self.top} {self.lead!r}",
        )

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``.

        Raises:
            UnknownAdapterError: before anything is sent.
            DeadServerError: nobody answers there any more; a ``FailedRequestsError``.
            FailedRequestsError: some requests failed; it carries the answers of all others.
        """
        if len({choice.strip() for choice in choices}) < len(choices):
            raise ValueError(f"choices must differ in more than blanks, got {list(choices)}")
        lead: str | list[int] = self._tokens.lead(choices) if self._tokens else self.lead
        read = answers.completion_top if self.endpoint == "completions" else answers.chat_top

        def ask(request: Request) -> FloatArray:
            payload = self._post(request, lead, max_tokens=1, temperature=0, **self._logprobs())
            return answers.choice_scores(read(payload), choices)

        outcome = self._dispatch(requests, ask)
        scores = np.full((len(requests), len(choices)), -np.log(max(len(choices), 1)))
        for row, answer in outcome.answers.items():
            scores[row] = answer
        self._raise_failures(outcome, scores)
        return scores

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``; raises as ``score`` does.

        ``top_k`` is no part of OpenAI's own protocol: 0 leaves it out, for servers that refuse it.
        """
        read = answers.completion_text if self.endpoint == "completions" else answers.chat_text
        more = {"extra_body": {"top_k": sampling.top_k}} if sampling.top_k else {}

        def ask(request: Request) -> Completion:
            payload = self._post(
                request,
                [] if self._tokens else "",
                max_tokens=sampling.max_new_tokens,
                temperature=sampling.temperature,
                seed=int(request.seed) % 2**31,
                **more,
            )
            return read(payload)

        outcome = self._dispatch(requests, ask)
        said = [outcome.answers.get(row, Completion("", 0)) for row in range(len(requests))]
        self._raise_failures(outcome, said)
        return said

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # -- sending -----------------------------------------------------------------------------

    def _dispatch(self, requests: Sequence[Request], ask: Callable[[Request], Any]) -> Outcome:
        for request in requests:
            if request.adapter is not None and request.adapter not in self.adapters:
                raise UnknownAdapterError(request.adapter, self.adapters)
        lengths = np.array([len(r.prefix) + len(r.suffix) for r in requests], dtype=np.int64)
        adapters, prefixes = [r.adapter for r in requests], [r.prefix for r in requests]
        order = make_plan(adapters, prefixes, lengths, token_budget=2**31).order.tolist()

        def ask_row(row: int) -> Any:
            try:
                return ask(requests[row])
            except Exception as error:
                raise self._lost(error, requests[row]) from None

        return dispatch(order, ask_row, self.concurrency, self.patience)

    def _logprobs(self) -> dict[str, Any]:
        if self.endpoint == "completions":
            return {"logprobs": self.top}
        return {"logprobs": True, "top_logprobs": self.top}

    def _post(self, request: Request, lead: Any, **settings: Any) -> Any:
        """The server's answer as plain JSON; the client's own models would not check it."""
        model = request.adapter or self.served_model
        if self.endpoint == "chat":
            message = {"role": "user", "content": request.prefix + request.suffix + lead}
            create, prompt = self._client.chat.completions, {"messages": [message]}
        else:
            text = self._tokens.prompt(request) if self._tokens else request.prefix + request.suffix
            create, prompt = self._client.completions, {"prompt": text + lead}
        answer = create.with_raw_response.create(model=model, **prompt, **settings)
        return json.loads(answer.http_response.content)

    # -- failing -----------------------------------------------------------------------------

    def _lost(self, error: Exception, request: Request) -> Lost:
        """What a failed try means; the text holds nothing secret."""
        openai = self._openai
        if isinstance(error, openai.APITimeoutError):
            return Lost(f"no answer from {self._where} within {self._timeout:g} s", again=True)
        if isinstance(error, openai.APIConnectionError):
            refused = "Connect" in type(error.__cause__).__name__
            cure = f"start it or set base_url, see {_HOW_TO}" if refused else "see the server's log"
            reason = f"no server answers at {self._where} ({error.__cause__}); {cure}"
            return Lost(self._public(reason), again=True, blame="all" if refused else "server")
        if isinstance(error, openai.APIStatusError):
            return self._refused(error, request)
        if isinstance(error, answers.UnusableAnswerError | FloatingPointError):
            return Lost(self._public(str(error)), again=False)
        if isinstance(error, answers.MalformedAnswerError | ValueError):
            return Lost(self._public(f"not the protocol's answer: {error}"), again=True)
        raise error

    def _refused(self, error: Any, request: Request) -> Lost:
        status = int(error.status_code)
        reason = f"the server said {status}: {error.message}"
        if status in (401, 403):
            return Lost(f"the server said {status}; set OPENAI_API_KEY", again=False, blame="all")
        if status == 404:
            name = request.adapter or self.served_model
            reason += f"; the server must hold a model named {name!r} ({_HOW_TO})"
        again = status in _PASSING or status >= 500
        blame = "server" if again else "request"
        wait = _retry_after(error.response.headers.get("retry-after"))
        return Lost(self._public(reason), again=again, wait=wait, blame=blame)

    def _public(self, text: str) -> str:
        """Without the key, should a server send it back; and not without end."""
        return text.replace(self._key, "***")[:500]

    def _raise_failures(self, outcome: Outcome, told: Answers) -> None:
        if outcome.failures:
            kind = DeadServerError if outcome.gave_up else FailedRequestsError
            raise kind(outcome.failures, told, f"the server at {self._where}")


def _openai() -> Any:
    try:
        import openai
        import tenacity  # noqa: F401  needed when the first try fails; better said now
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"engine=server needs {error.name}: pip install 'personarec[serve]'", name=error.name
        ) from error
    return openai


def _address(url: str | None) -> tuple[str, str]:
    """(URL, host:port for messages, without user and password)."""
    if not url:
        raise ValueError(
            "engine=server wanted a URL: set base_url or OPENAI_BASE_URL, for example"
            f" http://localhost:8000/v1 (see {_HOW_TO})"
        )
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("base_url wanted http://HOST:PORT/v1 or https://…, got something else")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return url, f"{parts.hostname}:{port}"


def _retry_after(header: str | None) -> float | None:
    """Seconds from a Retry-After header, which tells seconds or a date; None if neither."""
    try:
        return max(0.0, float(header or "none"))
    except ValueError:
        date = parsedate_tz(header) if header else None
        return max(0.0, mktime_tz(date) - time()) if date else None

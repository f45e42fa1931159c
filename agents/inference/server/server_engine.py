"""Any OpenAI-compatible server as an engine: vLLM, llama-cpp-python, and what speaks like them.

An adapter is asked for as a model of its name (vLLM's ``--enable-lora`` convention). Digits are
read from the log-probabilities of one generated token. Keys are never shown: not in errors, reports
or caches, and a config has no place for one (use OPENAI_API_KEY).
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from agents.inference.engine import (
    Completion,
    Engine,
    EngineFacts,
    Request,
    Sampling,
    UnknownAdapterError,
)
from agents.inference.facets.mixtures import refuse_mixture
from agents.inference.failures import Answers, DeadServerError, FailedRequestsError
from agents.inference.grouping import make_plan
from agents.inference.server import server_answers as answers
from agents.inference.server.client import Caller, Rejection
from agents.inference.server.endpoints import Answer, Endpoints
from agents.inference.server.prompt_tokens import PromptTokens
from agents.inference.server.retries import Attempt, Lost, Patience, dispatch
from simenv.events import FloatArray
from simenv.ranges import check_number

_CALLER = Caller("engine=server", "docs/how-to/run_on_a_server.md")


class ServerEngine(Engine):
    """One base model and its adapters on a server.

    Requests are sent in the order of the plan (adapter, then prefix), many at once, so that the
    server's own prefix cache finds neighbours; a failed one does not lose the others.

    Args:
        model: the base model; its name on the server where ``served_model`` is None.
        adapters: names that the server has adapters under (a mapping's keys do).
        served_model: name of the base model on the server, if another.
        base_url: with its path, as ``http://localhost:8000/v1``; None = OPENAI_BASE_URL. Several =
            servers of the same model and adapters: a person's questions go to one of them, and on
            to others while it fails; see ``Endpoints``.
        api_key: None = OPENAI_API_KEY, or none at all.
        endpoint: ``completions``; ``chat`` for servers that have nothing else (the prompt goes as
            one user message through the model's chat template).
        least_mass: share of all that the model may say next that must lie on the choices; with
            less, the request has failed.
        top: log-probabilities to ask for; vLLM's limit is 20 unless started with --max-logprobs.
        lead: what stands between the prompt and the digit's own token: ``' '`` for models that
            write a blank and a digit as two tokens (an error says so). Not with ``tokenizer``.
        tokenizer: folder or hub name of the model's tokenizer: prompts are sent as its token ids,
            prefix and suffix apart, exactly as ``LocalEngine`` runs them; None = as text.
        concurrency: most requests on their way.
        timeout: seconds that one try of one server may take in all.
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
        base_url: str | Sequence[str] | None = None,
        api_key: str | None = None,
        endpoint: Literal["completions", "chat"] = "completions",
        least_mass: float = answers.LEAST_MASS,
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
        check_number("engine=server", "top", top, "whole [1, 1e6]", "try 20")
        check_number("engine=server", "concurrency", concurrency, "whole [1, 1e6]", "try 32")
        check_number("engine=server", "least_mass", least_mass, "[0, 1)", "try 0.05")
        self.served_model = served_model or str(model)
        self.adapters = tuple(adapters or ())
        self.endpoint, self.top, self.lead = endpoint, top, lead
        self.least_mass, self.concurrency = least_mass, concurrency
        self.patience = Patience(tries, first_wait, longest_wait)
        self._tokens = PromptTokens(tokenizer) if tokenizer else None
        self._client = Endpoints(base_url, api_key, timeout, _CALLER)

    @property
    def facts(self) -> EngineFacts:
        """``server`` and the model's name there; the identity names all that shapes an answer."""
        settings = f"{self.endpoint} {self.top} {self.lead!r} {self.least_mass} {answers.READING}"
        return EngineFacts(
            description=f"server {Path(self.served_model).name}",
            identity=f"{self._client.where} {self.served_model} {settings}",
        )

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """See ``Engine.score``.

        Raises:
            UnknownAdapterError: before anything is sent.
            DeadServerError: the server answers no request any more; a ``FailedRequestsError``.
            FailedRequestsError: some requests failed; it carries the answers of all others.
        """
        if len({choice.strip() for choice in choices}) < len(choices):
            raise ValueError(f"choices must differ in more than blanks, got {list(choices)}")
        lead: str | list[int] = self._tokens.lead(choices) if self._tokens else self.lead

        def read(payload: Any) -> FloatArray:
            return answers.choice_scores(answers.next_token(payload), choices, self.least_mass)

        def ask(request: Request) -> FloatArray:
            return self._post(request, lead, read, max_tokens=1, temperature=0, **self._logprobs())

        attempt = self._dispatch(requests, ask)
        scores = np.full((len(requests), len(choices)), np.nan)
        for row, answer in attempt.answers.items():
            scores[row] = answer
        self._raise_failures(attempt, scores)
        return scores

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """See ``Engine.generate``; raises as ``score`` does.

        ``top_k`` is no part of OpenAI's own protocol: 0 leaves it out, for servers that refuse it.

        Raises:
            ValueError: emojis are to be kept out, which the server's own drawing does not know.
        """
        if not sampling.emojis:
            raise ValueError(
                "emojis=False wanted an engine that draws its tokens itself, got engine=server,"
                " whose server draws them; take engine=local, or remove emojis from what is said"
                " (agents.emojis.detection.without_emojis)"
            )
        read = answers.completion_text if self.endpoint == "completions" else answers.chat_text
        more = {"extra_body": {"top_k": sampling.top_k}} if sampling.top_k else {}

        def ask(request: Request) -> Completion:
            said = self._post(
                request,
                [] if self._tokens else "",
                read,
                max_tokens=sampling.max_new_tokens,
                temperature=sampling.temperature,
                seed=int(request.seed) % 2**31,
                **more,
            )
            return said._replace(text=self._client.without_keys(said.text))

        attempt = self._dispatch(requests, ask)
        said = [attempt.answers.get(row, Completion("", 0)) for row in range(len(requests))]
        self._raise_failures(attempt, said)
        return said

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # -- sending -----------------------------------------------------------------------------

    def _dispatch(self, requests: Sequence[Request], ask: Callable[[Request], Any]) -> Attempt:
        for request in requests:
            if request.adapter is not None and request.adapter not in self.adapters:
                refuse_mixture(request.adapter)
                raise UnknownAdapterError(request.adapter, self.adapters)
        lengths = np.array([len(r.prefix) + len(r.suffix) for r in requests], dtype=np.int64)
        adapters, prefixes = [r.adapter for r in requests], [r.prefix for r in requests]
        order = make_plan(adapters, prefixes, lengths, token_budget=2**31).order.tolist()

        return dispatch(order, lambda row: ask(requests[row]), self.concurrency, self.patience)

    def _logprobs(self) -> dict[str, Any]:
        if self.endpoint == "completions":
            return {"logprobs": self.top}
        return {"logprobs": True, "top_logprobs": self.top}

    def _post(
        self, request: Request, lead: Any, read: Callable[[Any], Answer], **settings: Any
    ) -> Answer:
        """What a server answers to one request, read from its JSON."""
        model = request.adapter or self.served_model
        if self.endpoint == "chat":
            message = {"role": "user", "content": request.prefix + request.suffix + lead}
            prompt: dict[str, Any] = {"messages": [message]}
        else:
            text = self._tokens.prompt(request) if self._tokens else request.prefix + request.suffix
            prompt = {"prompt": text + lead}

        def rejection(status: int) -> Rejection:
            other = "chat" if self.endpoint == "completions" else "completions"
            cure = f"; the server must hold a model named {model!r}, or"
            cure += f" have this endpoint: try endpoint={other} ({_CALLER.how_to})"
            return Rejection(cure if status in (404, 405, 501) else "", "request")

        body, asked = {"model": model, **prompt, **settings}, (request.adapter, request.prefix)
        return self._client.post(asked, self.endpoint, body, rejection, self._checked(read))

    def _checked(self, read: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
        """``read`` whose errors say whether another try may help."""

        def checked(payload: Any) -> Answer:
            try:
                return read(payload)
            except (answers.UnusableAnswerError, FloatingPointError) as error:
                raise Lost(self._client.public(str(error)), again=False) from None
            except ValueError as error:  # a malformed answer is one
                raise self._client.malformed(error) from None

        return checked

    def _raise_failures(self, attempt: Attempt, found: Answers) -> None:
        if attempt.failures:
            kind = DeadServerError if attempt.gave_up else FailedRequestsError
            raise kind(attempt.failures, found, f"the server at {self._client.where}")

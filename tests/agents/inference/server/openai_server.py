"""A small OpenAI-compatible HTTP server on this machine, true to the protocol, that fails on order.

Behind it stands any engine: its distribution over the digits, made the distribution of the next
token of a model that says a digit nine times out of ten.
"""

import json
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from agents.inference.engine import Engine, Request, Sampling

DIGITS = (" 1", " 2", " 3", " 4", " 5")
OTHERS = {"\n": 0.05, " the": 0.03, " a": 0.015, "\t": 0.005}  # what else the model might say


class Fault(NamedTuple):
    """One thing that goes wrong with one request."""

    kind: str  # status, truncated, cut, schema, hang, no_logprobs, nan, html
    status: int = 500
    headers: tuple[tuple[str, str], ...] = ()
    message: str = "scripted fault"
    seconds: float = 0.0


class Sent(NamedTuple):
    """What a client sent."""

    path: str
    body: dict[str, Any]
    authorization: str
    at: float


class OpenAIServer:
    """Starts on a free port of 127.0.0.1; use it in a ``with``.

    Args:
        engine: answers; a request's prompt comes as its suffix.
        models: names it knows; any other is 404.
        tokens: makes (text → probability) of the next token from the digits' distribution.
        faults: part of a prompt → faults of its first tries, in order.
        decode: token ids → text, for prompts sent as ids.
    """

    def __init__(
        self,
        engine: Engine,
        models: tuple[str, ...] = ("base",),
        *,
        tokens: Callable[[dict[str, float]], dict[str, float]] | None = None,
        faults: dict[str, list[Fault]] | None = None,
        decode: Callable[[list[int]], str] | None = None,
        delay: float = 0.0,
    ) -> None:
        self.engine, self.models, self.delay = engine, models, delay
        self.tokens = tokens or nine_in_ten
        self.decode = decode
        self.faults = defaultdict(list, {k: list(v) for k, v in (faults or {}).items()})
        self.sent: list[Sent] = []
        self.is_sick, self.looks = False, 0  # every question and look is 503; looks answered
        self.most_at_once = self._at_once = 0
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "OpenAIServer":
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def prompts(self) -> list[str]:
        """Prompts in the order they came."""
        return [prompt_of(sent.body) for sent in self.sent]

    def come(self, sent: Sent) -> Fault | None:
        """Note a request; the fault that it meets, if any."""
        with self._lock:
            self.sent.append(sent)
            for part, faults in self.faults.items():
                if part in str(prompt_of(sent.body)) and faults:
                    return faults.pop(0)
        return None

    def busy(self, change: int) -> None:
        with self._lock:
            self._at_once += change
            self.most_at_once = max(self.most_at_once, self._at_once)

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        prompt = prompt_of(body)
        if isinstance(prompt, list):
            assert self.decode is not None
            prompt = self.decode(prompt)
        adapter = body["model"] if body["model"] != self.models[0] else None
        request = Request("", prompt, adapter, body.get("seed", 0))
        chat = path.endswith("/chat/completions")
        if body.get("logprobs") in (None, False):
            [said] = self.engine.generate([request], Sampling(body["max_tokens"]))
            return wrapped(body, chat, said.text, None, said.num_tokens)
        scores = self.engine.score([request], DIGITS)[0]
        chances = self.tokens({d: math.exp(s) for d, s in zip(DIGITS, scores, strict=True)})
        count = body["top_logprobs"] if chat else body["logprobs"]
        top = sorted(chances, key=chances.__getitem__, reverse=True)[:count]
        return wrapped(body, chat, top[0], {t: math.log(chances[t]) for t in top}, 1)


def nine_in_ten(digits: dict[str, float]) -> dict[str, float]:
    return {**{digit: 0.9 * p for digit, p in digits.items()}, **OTHERS}


def prompt_of(body: dict[str, Any]) -> Any:
    if "messages" in body:
        return body["messages"][-1]["content"]
    return body["prompt"]


def wrapped(
    body: dict[str, Any], chat: bool, text: str, top: dict[str, float] | None, num_tokens: int
) -> dict[str, Any]:
    """The protocol's answer."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": "length", "logprobs": None}
    if chat:
        choice["message"] = {"role": "assistant", "content": text}
        if top is not None:
            entries = [
                {"token": t, "logprob": p, "bytes": list(t.encode())} for t, p in top.items()
            ]
            choice["logprobs"] = {"content": [{**entries[0], "top_logprobs": entries}]}
    else:
        choice["text"] = text
        if top is not None:
            choice["logprobs"] = {
                "tokens": [text],
                "token_logprobs": [top[text]],
                "top_logprobs": [top],
                "text_offset": [0],
            }
    return {
        "id": "cmpl-1",
        "object": "chat.completion" if chat else "text_completion",
        "created": 1,
        "model": body["model"],
        "choices": [choice],
        "usage": {"prompt_tokens": 1, "completion_tokens": num_tokens, "total_tokens": 1},
    }


class _Handler(BaseHTTPRequestHandler):
    owner: OpenAIServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""

    def do_GET(self) -> None:
        if self.path != "/v1/models":
            return self._send(404, error("no such page", 404))
        if self.owner.is_sick:
            return self._send(503, error("not now", 503))
        self.owner.looks += 1
        models = [{"id": name, "object": "model"} for name in self.owner.models]
        return self._send(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        authorization = self.headers.get("Authorization", "")
        fault = self.owner.come(Sent(self.path, body, authorization, time.monotonic()))
        self.owner.busy(+1)
        try:
            time.sleep(self.owner.delay)
            self._reply(body, fault)
        except BrokenPipeError:
            pass  # the client had enough of waiting
        finally:
            self.owner.busy(-1)

    def _reply(self, body: dict[str, Any], fault: Fault | None) -> None:
        if self.path not in ("/v1/completions", "/v1/chat/completions"):
            return self._send(404, error("no such page", 404))
        if body["model"] not in self.owner.models:
            return self._send(404, error(f"The model `{body['model']}` does not exist.", 404))
        if self.owner.is_sick:
            return self._send(503, error("not now", 503))
        if fault is not None and fault.kind == "status":
            message = fault.message.replace("{authorization}", self.headers["Authorization"])
            return self._send(fault.status, error(message, fault.status), fault.headers)
        answer = self.owner.answer(self.path, body)
        if fault is not None and fault.kind == "hang":
            time.sleep(fault.seconds)
        return self._send(200, *broken(answer, fault))

    def _send(
        self,
        status: int,
        answer: Any,
        headers: tuple[tuple[str, str], ...] = (),
        cut: bool = False,
    ) -> None:
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data) + (100 if cut else 0)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        if cut:
            self.wfile.flush()
            self.close_connection = True


def error(message: str, status: int) -> dict[str, Any]:
    return {"error": {"message": message, "type": "scripted", "code": status}}


def broken(answer: dict[str, Any], fault: Fault | None) -> tuple[Any, tuple[()], bool]:
    """(body, no headers, whether the connection is cut) of an answer that meets a fault."""
    kind = fault.kind if fault else ""
    if kind == "truncated":
        return json.dumps(answer).encode()[:60], (), False
    if kind == "html":
        return b"<html>Bad gateway</html>", (), False
    if kind == "schema":
        return {"choices": [{"logprobs": {"top_logprobs": "many"}}]}, (), False
    if kind == "no_logprobs":
        answer["choices"][0]["logprobs"] = None
    if kind == "nan":
        answer["choices"][0]["logprobs"]["top_logprobs"][0][" 3"] = math.nan
    return answer, (), kind == "cut"

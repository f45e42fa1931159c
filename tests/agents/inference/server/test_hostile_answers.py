"""What a server may send: each is read right, or is a failure in our own words; never a wrong row.

A table of answers over real sockets, through the real ``openai`` client. The same table runs a
second time through tolerance and a cache: nothing but the right row is kept.
"""

import gzip
import json
import math
import time
import zlib
from typing import NamedTuple

import numpy as np
import pytest

from agents.inference.engine import Request, Sampling
from agents.inference.failures import FailedRequestsError
from agents.inference.server.guarded_http import MOST_BYTES
from agents.inference.server.server_engine import ServerEngine
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.testing.engine import CHOICES
from tests.agents.inference.server.raw_server import RawServer, http
from tests.tally import tally

CHANCES = dict(zip(CHOICES, (0.05, 0.1, 0.2, 0.4, 0.2), strict=True))
TOP = {token: math.log(chance) for token, chance in CHANCES.items()}
RIGHT = np.log(np.array(list(CHANCES.values())) / 0.95)
QUESTION = [Request("PROFILE: a.\n", "MOVIE: b.\nRATING:")]
SECRET = "sk-do-not-tell-4711"


def answer(top=TOP, **more):
    choice = {"index": 0, "text": " 4", "logprobs": {"tokens": [" 4"], "top_logprobs": [top]}}
    return {"id": "c", "object": "text_completion", "choices": [choice | more]}


def chat(entries):
    logprobs = {"content": [{"token": " 4", "logprob": -0.9, "top_logprobs": entries}]}
    return {"choices": [{"index": 0, "message": {"content": " 4"}, "logprobs": logprobs}]}


ENTRIES = [{"token": token, "logprob": value, "bytes": None} for token, value in TOP.items()]


def body(payload):
    return json.dumps(payload).encode()


def ok(payload, *headers):
    return http(payload if isinstance(payload, bytes) else body(payload), headers=headers)


def error(status, message="boom", *headers):
    return http(body({"error": {"message": message}}), status, headers)


def chunked(data, *more):
    pieces = b"".join(f"{len(p):x}\r\n".encode() + p + b"\r\n" for p in data)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return head + pieces + b"".join(more)


def slowly(data, seconds=0.05):
    return [(seconds, data[i : i + 1]) for i in range(len(data))]


def raw_deflate(data):
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(data) + machine.flush()


GOOD = body(answer())
BOMB = gzip.compress(bytes(40 * MOST_BYTES // 16), 1)  # 40 MiB
DIGITS = "9" * 400


class Case(NamedTuple):
    """One answer: ``words`` of the failure, or None where the row is right."""

    name: str
    say: object
    words: str | None


def good(name, say):
    return Case(name, say, None)


TABLE = [
    # read right
    good("plain", ok(GOOD)),
    good("chat's form from completions", ok(chat(ENTRIES))),
    good("chat's form beside an empty one", ok(answer(
        logprobs={"top_logprobs": None} | chat(ENTRIES)["choices"][0]["logprobs"]
    ))),
    good("other spellings", ok(answer({k.strip(): v for k, v in TOP.items()}))),
    good("marks of blanks", ok(answer({k.replace(" ", "▁"): v for k, v in TOP.items()}))),
    good("a spelling's mass in two parts", ok(answer(
        {**TOP, " 4": math.log(0.3), "4": math.log(0.1)}
    ))),
    good("other text beside the digits", ok(answer({**TOP, "the": math.log(0.04)}))),
    good("index 0 comes second", ok(
        {"choices": [{"index": 1, "text": "no"}, answer()["choices"][0]]}
    )),
    good("no index", ok({"choices": [{"logprobs": {"top_logprobs": [TOP]}}]})),
    good("gzip", ok(gzip.compress(GOOD), "Content-Encoding: gzip")),
    good("gzip in capitals", ok(gzip.compress(GOOD), "Content-Encoding: GZIP")),
    good("deflate", ok(zlib.compress(GOOD), "Content-Encoding: deflate")),
    good("deflate without its header", ok(raw_deflate(GOOD), "Content-Encoding: deflate")),
    good("gzip twice", ok(gzip.compress(gzip.compress(GOOD)), "Content-Encoding: gzip, gzip")),
    good("a byte order mark", ok(b"\xef\xbb\xbf" + GOOD)),
    good("UTF-16", ok(GOOD.decode().encode("utf-16"))),
    good("chunks", chunked([GOOD[:50], GOOD[50:]], b"0\r\n\r\n")),
    good("no length", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + GOOD),
    good("a content type of text", http(GOOD).replace(b"application/json", b"text/html")),
    good("error: null", ok(answer() | {"error": None})),
    good("a huge count of tokens", ok(b'{"usage":{"completion_tokens":' + DIGITS.encode() + b"},"
                                      + GOOD[1:])),
    good("201", http(GOOD, "201 Created")),
    good("a continue before it", b"HTTP/1.1 100 Continue\r\n\r\n" + ok(GOOD)),
    # not the protocol
    Case("nothing at all", b"", "no server answers"),
    Case("no HTTP", b"SSH-2.0-OpenSSH_9.6\r\n", "no server answers"),
    Case("an empty body", ok(b""), "not the protocol's answer"),
    Case("204", b"HTTP/1.1 204 No Content\r\n\r\n", "not the protocol's answer"),
    Case("HTML", ok(b"<html>Bad gateway</html>"), "not the protocol's answer"),
    Case("half", ok(GOOD[:60]), "not the protocol's answer"),
    Case("two answers", ok(GOOD + GOOD), "not the protocol's answer: Extra data"),
    Case("an event stream", ok(b"data: " + GOOD + b"\n\n"), "not the protocol's answer"),
    Case("cut within the body", http(GOOD, length=len(GOOD) + 100), "no server answers"),
    Case("cut within a chunk", chunked([GOOD[:50]], b"ff\r\nabc"), "no server answers"),
    Case("a chunk of no size", chunked([], b"zz\r\n"), "no server answers"),
    Case("a negative length", http(GOOD, length=-5), "no server answers"),
    Case("Latin-1", ok(b'{"choices": "\xe9t\xe9"}'), "not the protocol's answer"),
    Case("a list", ok([answer()]), "wanted a JSON object, got list"),
    Case("null", ok(None), "wanted a JSON object, got NoneType"),
    Case("a number", ok(4), "wanted a JSON object, got int"),
    Case("a bare digit", ok(" 4"), "wanted a JSON object, got str"),
    Case("deep JSON", ok(b"[" * 200_000), "nested too deep"),
    Case("deep JSON inside", ok(b'{"choices":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001),
         "nested too deep"),
    Case("one field twice", ok(GOOD[:-1] + b', "choices": []}'), "names a field twice"),
    Case("one digit twice", ok(b'{"choices":[{"logprobs":{"top_logprobs":[{" 4":-1," 4":-2}]}}]}'),
         "names a field twice"),
    # wrong counts and types
    Case("no choices", ok({"choices": []}), r"no choices\[0\]"),
    Case("choices of null", ok({"choices": [None]}), r"no choices\[0\]"),
    Case("choices as an object", ok({"choices": {"0": {"text": "4"}}}), r"no choices\[0\]"),
    Case("only index 1", ok(answer(index=1)), "wanted one choice of index 0, got indices .1."),
    Case("index 0 twice", ok({"choices": answer()["choices"] * 2}), "wanted one choice of index 0"),
    Case("index true", ok(answer(index=True)), "wanted one choice of index 0"),
    Case("no log-probabilities", ok(answer(logprobs=None)), "the server sent no logprobs"),
    Case("log-probabilities as a list", ok(answer(logprobs=[TOP])), "logprobs wanted a dict"),
    Case("no tokens", ok(answer({})), "names no token"),
    Case("a list of tokens", ok(answer(list(TOP))), "names no token"),
    Case("chat without alternatives", ok(chat([])), "names no token"),
    Case("a text for a number", ok(answer({**TOP, " 4": "-0.9"})), "wanted a number, got '-0.9'"),
    Case("true for a number", ok(answer({**TOP, " 4": True})), "wanted a number, got True"),
    Case("null for a number", ok(answer({**TOP, " 4": None})), "wanted a number, got None"),
    # wrong numbers
    Case("NaN", ok(answer({**TOP, " 4": math.nan})), "not a number"),
    Case("NaN beside the digits", ok(answer({**TOP, "x": math.nan})), "not a number"),
    Case("infinity", ok(answer({**TOP, " 4": math.inf})), "up to 0 .* got inf"),
    Case("1e400", ok(GOOD.replace(b"-0.916", b"1e400, \" 9\": -0.916")), "up to 0 .* got inf"),
    Case("400 digits", ok(GOOD.replace(b'" 4": -', b'" 4": ' + DIGITS.encode() + b', "x": -')),
         "up to 0 .* got inf"),
    Case("5,000 digits", ok(GOOD.replace(b'" 4": -', b'" 4": ' + b"9" * 5000 + b', "x": -')),
         "not the protocol's answer"),
    Case("logits", ok(answer({t: 20 + v for t, v in TOP.items()})), "not logits"),
    Case("chances for their logarithms", ok(answer(CHANCES)), "up to 0 .* got 0.4"),
    Case("more than everything", ok(answer(dict.fromkeys(CHOICES, -0.7))), "that add up to 2.483"),
    Case("minus infinity everywhere", ok(answer(dict.fromkeys(CHOICES, -math.inf))), "of the mass"),
    Case("no digit", ok(answer({"the": -0.1, "a": -3})), "of the mass, wanted 5 %"),
    Case("digits of no mass", ok(answer(dict.fromkeys(CHOICES, math.log(1.2e-6)) | {"I": -0.1})),
         "of the mass, wanted 5 %"),
    Case("one digit at -30", ok(answer({" 5": -30.0})), "of the mass, wanted 5 %"),
    Case("a digit of 0.05 %", ok(answer({"I": -0.01, " 5": math.log(5e-4)})), "0.05 % of the mass"),
    Case("a blank first", ok(answer({" ": -0.3, "4": -3, "5": -4})), "set lead=' '"),
    Case("one digit and no more", ok(answer({" 5": math.log(0.3)})), "too few tokens"),
    # errors
    Case("an error in a 200", ok({"error": {"message": "out of memory on rank 3"}}),
         "error instead of an answer: out of memory on rank 3"),
    Case("an error's text in a 200", ok({"error": "model is loading"}), "model is loading"),
    Case("an error and choices", ok(answer() | {"error": {"message": "half done"}}), "half done"),
    Case("an error of a stranger form", ok({"error": [1, 2]}), r"an answer: \[1, 2\]"),
    Case("400", error("400 Bad Request", "prompt of 9000 tokens"), "said 400.*9000 tokens"),
    Case("404", error("404 Not Found"), "said 404.*try endpoint=chat"),
    Case("405", error("405 Method Not Allowed"), "said 405.*try endpoint=chat"),
    Case("401", error("401 Unauthorized"), "said 401; set OPENAI_API_KEY"),
    Case("418 in HTML", http(b"<html>tea</html>", "418 Teapot"), "said 418"),
    Case("429 for long", error("429 Busy", "quota", "Retry-After: 1e9"), "said 429.*quota"),
    Case("429 until no date", error("429 Busy", "quota", "Retry-After: Fri, 99 Foo 99999999999"),
         "said 429.*quota"),
    Case("429 for nan", error("429 Busy", "quota", "Retry-After: nan"), "said 429.*quota"),
    Case("500 with an empty body", http(b"", "500 Internal Server Error"), "said 500"),
    Case("503 with nonsense", http(b"\xff\xfe\x00", "503 Gone"), "said 503"),
    Case("304", http(b"", "304 Not Modified"), "said 304|no server answers|redirects"),
    Case("lines and controls", error("400 No", "a\nINFO all is well\x1b[2J"), "a INFO all is well"),
    Case("a lone half of a character", http(b'{"error": {"message": "x \\ud800 y"}}', "400 No"),
         "said 400"),
    # encodings, size, time
    Case("no gzip at all", ok(GOOD, "Content-Encoding: gzip"), "the answer is no gzip"),
    Case("half a gzip", ok(gzip.compress(GOOD)[:-12], "Content-Encoding: gzip"), "no whole gzip"),
    Case("brotli", ok(GOOD, "Content-Encoding: br"), "encoded as 'br', asked was for gzip"),
    Case("a gzip bomb", ok(BOMB, "Content-Encoding: gzip"), "longer than 16 MiB"),
    Case("a gzip bomb in an error", http(BOMB, "500 Oh", ["Content-Encoding: gzip"]), "16 MiB"),
    Case("too long", ok(b" " * (MOST_BYTES + 1)), "longer than 16 MiB"),
    Case("too many headers", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000, "no server answers"),
    Case("a slow body", slowly(ok(GOOD)), "no answer from .* within 0.4 s"),
    Case("a slow head", slowly(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100), "within 0.4 s"),
    Case("silence", [(1.0, ok(GOOD))], "within 0.4 s"),
    Case("silence after the head", [(0.0, ok(GOOD)[:90]), (1.0, b"")], "within 0.4 s"),
    # redirects
    Case("to another host", http(b"", "307 There", ["Location: http://example.com/v1"]),
         "redirects to http://example.com, and prompts go to no other host"),
    Case("to another port", http(b"", "308 There", ["Location: http://127.0.0.1:9/v1"]),
         "redirects to http://127.0.0.1:9, and"),
    Case("to another scheme", http(b"", "307 There", ["Location: https://127.0.0.1/"]),
         "redirects to https://127.0.0.1, and"),
    Case("to a page", http(b"", "302 Found", ["Location: /login"]), "redirects .302. to a page"),
    Case("in circles", http(b"", "307 Here", ["Location: /v1/completions"]), "in circles"),
    Case("to nowhere", http(b"", "307 There", ["Location: http://[::bad"]),
         "no server answers|redirects"),
]  # fmt: skip


@pytest.fixture(scope="module")
def server():
    with RawServer() as running:
        yield running


@pytest.fixture(scope="module")
def engine(server):
    engine = ServerEngine("base", base_url=server.url, api_key=SECRET, tries=1, timeout=0.4)
    yield engine
    engine.close()


def test_the_table_is_long():
    names = [case.name for case in TABLE]
    assert len(set(names)) == len(names) >= 100


@pytest.mark.parametrize("case", TABLE, ids=[case.name for case in TABLE])
def test_an_answer_is_right_or_a_failure_in_our_words(server, engine, case, caplog):
    server.say = case.say
    cache = CachedEngine(engine, "m")
    started = time.monotonic()
    if case.words is None:
        np.testing.assert_allclose(cache.score(QUESTION, CHOICES), [RIGHT], atol=1e-3)
        np.testing.assert_array_equal(
            cache.score(QUESTION, CHOICES), engine.score(QUESTION, CHOICES)
        )
        tally("answers of a server", "worked")
        return
    with pytest.raises(FailedRequestsError, match=case.words) as raised:
        cache.score(QUESTION, CHOICES)
    assert time.monotonic() - started < 5
    assert list(raised.value.failures) == [0]
    assert np.isnan(raised.value.answers).all()
    assert len(str(raised.value)) < 1500
    assert str(raised.value).isprintable()
    assert SECRET not in str(raised.value) + caplog.text
    server.say = ok(GOOD)
    np.testing.assert_allclose(cache.score(QUESTION, CHOICES), [RIGHT])  # nothing wrong was kept
    tally("answers of a server", "refused")


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"text": None}, "wanted a text, got NoneType"),
        ({"text": 4}, "wanted a text, got int"),
        ({"text": "\ud800"}, "halves of characters"),
        ({"text": "4", "index": 3}, "wanted one choice of index 0"),
    ],
)
def test_a_generated_text_is_a_text_or_a_failure(server, engine, choice, words):
    server.say = ok({"choices": [choice]})
    with pytest.raises(FailedRequestsError, match=words) as raised:
        engine.generate(QUESTION, Sampling())
    assert raised.value.answers == [("", 0)]


def test_prompts_never_reach_the_host_that_a_redirect_names(server, engine):
    with RawServer(ok(GOOD)) as other:
        server.say = http(b"", "307 There", [f"Location: {other.url}/completions"])
        with pytest.raises(FailedRequestsError, match="prompts go to no other host"):
            engine.score(QUESTION, CHOICES)
        assert not other.heard


def test_a_redirect_within_the_host_is_followed(server, engine):
    def say(request):
        if b"/v1/completions/ " in request.split(b"\r\n")[0]:
            return ok(GOOD)
        return http(b"", "307 There", ["Location: /v1/completions/"])

    server.say = say
    np.testing.assert_allclose(engine.score(QUESTION, CHOICES), [RIGHT])

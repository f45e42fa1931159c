"""No key in a text, an address, a config or a log, whatever a server makes of it."""

import base64
import html
import json
import logging
import time
import urllib.parse

import pytest

from agents.inference.engine import Request, Sampling
from agents.inference.failures import FailedRequestsError
from agents.inference.scripted import ScriptedEngine
from agents.inference.server.masking import (
    MASK,
    Masker,
    is_secret_name,
    masked_argument,
    masked_config,
    masked_text,
    refilled_config,
    secrets_of_config,
    secrets_of_url,
)
from agents.inference.server.server_engine import ServerEngine
from agents.testing.engine import CHOICES
from tests.agents.inference.server.openai_server import Fault, OpenAIServer
from tests.agents.inference.server.raw_server import RawServer, http

KEY = "sk-Do/not+tell=47é11"
ASCII = "sk-Do/not+tell=4711"
ECHOES = {
    "as it is": KEY,
    "upper case": KEY.upper(),
    "percent": urllib.parse.quote(KEY, safe=""),
    "percent of a form": urllib.parse.quote_plus(KEY),
    "percent twice": urllib.parse.quote(urllib.parse.quote(KEY)),
    "every letter in percent": "".join(f"%{byte:02x}" for byte in KEY.encode()),
    "JSON": json.dumps(KEY)[1:-1],
    "JSON with its slash escaped": KEY.replace("/", "\\/"),
    "every letter in JSON": "".join(f"\\u{ord(letter):04x}" for letter in KEY),
    "HTML": html.escape(KEY),
    "every letter in HTML": "".join(f"&#{ord(letter)};" for letter in KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(KEY.encode()).decode(),
    "base64 after one letter": base64.b64encode(b"x" + KEY.encode()).decode(),
    "base64 of Bearer": base64.b64encode(b"Bearer " + KEY.encode() + b" ok").decode(),
    "hex": KEY.encode().hex(),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_key_that_comes_back_in_another_encoding_is_masked(echo):
    masked = Masker([KEY])(f"you sent {echo} to us")
    assert MASK in masked
    assert echo not in masked
    assert KEY not in urllib.parse.unquote(html.unescape(masked))
    assert masked.startswith("you sent ")
    assert masked.endswith(" to us")


def test_a_text_without_the_key_stays_as_it_is():
    text = "100% of 4711 \\u0041 &amp; +1 dGVsbA=="
    assert Masker([KEY])(text) == text
    assert Masker(["abc", ""])("abc is too short to be told from text") == (
        "abc is too short to be told from text"
    )


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+engine.api_key=sk-1,2}3", "+engine.api_key=***"),
        ("engine.max_tokens=5 tokenizer=/x token_budget=auto", None),
        ("api_key=null seed=3", None),
        ("+engine={api_key: sk-1, top: 3}", "+engine={api_key: ***, top: 3}"),
        ('{"api_key": "sk 1", "x": 1}', '{"api_key": ***, "x": 1}'),
        ("{'password': 'a b'}", "{'password': ***}"),
        ("Authorization: Bearer abc", "Authorization: ***"),
        ("you sent Bearer sk-47110815", "you sent Bearer ***"),
        ("hf_token=abc seed=3", "hf_token=*** seed=3"),
        ("http://me:p@w@host:1/v1", "http://***@host:1/v1"),
        ("https://key@host/v1", "https://***@host/v1"),
        ("https://host/v1?version=1&code=abc", "https://host/v1?version=***&code=***"),
        ("https://host/v1?abc", "https://host/v1?***"),
        ("http://localhost:8000/v1", None),
        ("The Secret: Dare to Dream; Basic Instinct; Password: Swordfish", None),
        ("Bearer of bad news", None),
    ],
)
def test_what_looks_like_a_secret_is_masked_and_nothing_else(text, masked):
    assert masked_text(text) == (masked or text)


def test_one_argument_of_a_command_line_is_masked_to_its_end():
    assert masked_argument("+engine.api_key=a b 'c' d") == "+engine.api_key=***"
    assert masked_argument("++engine.default_headers.X-Api-Key=a b") == (
        "++engine.default_headers.X-Api-Key=***"
    )
    assert masked_argument("engine.base_url=http://u:p@h/v1") == "engine.base_url=http://***@h/v1"
    assert masked_argument("engine.top=20") == "engine.top=20"


def test_a_config_is_masked_by_names_by_addresses_and_wherever_a_secret_comes_again():
    config = {
        "engine": {"api_key": KEY, "top": 20, "max_tokens": 5, "tokenizer": "/x", "token": None},
        "headers": [{"Authorization": f"Bearer {KEY}"}, {"X-Api-Key": 4711}],
        "url": "http://user:long-password@h/v1?api_key=query-secret",
        "notes": f"{KEY} long-password query-secret",
        "credentials": {"a": "b", "c": ["d"]},
    }
    assert masked_config(config) == {
        "engine": {"api_key": MASK, "top": 20, "max_tokens": 5, "tokenizer": "/x", "token": None},
        "headers": [{"Authorization": MASK}, {"X-Api-Key": MASK}],
        "url": "http://***@h/v1?api_key=***",
        "notes": "*** *** ***",
        "credentials": {"a": MASK, "c": [MASK]},
    }


def test_masked_settings_are_filled_again_from_the_config_of_now():
    written = {
        "engine": {"api_key": MASK, "base_url": "http://***@h/v1", "top": 20},
        "a": [MASK, 1],
    }
    now = {"engine": {"api_key": "new", "base_url": "http://k@h/v1", "top": 5}, "a": ["b", "c"]}
    assert refilled_config(written, now) == {
        "engine": {"api_key": "new", "base_url": "http://k@h/v1", "top": 20}, "a": ["b", 1],
    }  # fmt: skip
    assert refilled_config(written, {"engine": "local"}) == {
        "engine": {"api_key": None, "base_url": None, "top": 20}, "a": [None, 1],
    }  # fmt: skip


def test_names_of_secrets():
    secret = ["api_key", "OPENAI_API_KEY", "x-api-key", "hf_token", "token", "password", "passwd"]
    plain = ["tokenizer", "max_tokens", "token_budget", "num_tokens", "key_bindings", "monkey"]
    assert all(map(is_secret_name, secret))
    assert not any(map(is_secret_name, plain))


@pytest.mark.parametrize(
    "name",
    ["accessToken", "authToken", "refreshToken", "secretKey", "OPENAI_KEY", "key", "X-Auth-Key",
     "Ocp-Apim-Subscription-Key", "x-functions-key", "signing_key", "auth", "proxy_auth", "bearer",
     "Cookie", "Set-Cookie", "jwt", "pwd", "pass", "sig", "dsn", "connection string"],
)  # fmt: skip
def test_names_of_secrets_in_other_spellings_are_known_in_configs_and_commands(name):
    assert masked_config({"engine": {name: KEY}}) == {"engine": {name: MASK}}
    assert masked_argument(f"++engine.{name}={KEY}") == f"++engine.{name}={MASK}"


@pytest.mark.parametrize("name", ["keys", "key_column", "hotkey", "passes", "author", "sigma"])
def test_names_that_only_sound_like_it_are_left_alone(name):
    assert masked_config({name: "abcdefgh"}) == {name: "abcdefgh"}


@pytest.mark.parametrize(
    "text",
    ["{'accessToken': 'abc1'}", "accessToken=abc1", "secretKey: abc1", "Set-Cookie: abc1",
     "Ocp-Apim-Subscription-Key: abc1"],
)  # fmt: skip
def test_other_spellings_are_masked_in_texts_too(text):
    assert "abc1" not in masked_text(text)
    assert MASK in masked_text(text)


def test_secrets_of_an_address():
    found = secrets_of_url("https://us%65r:pa%73s@h/v1?api_key=a%20b")
    assert {"pa%73s", "pass", "user:pass", "a b"} <= set(found)
    assert secrets_of_url("https://key@h/v1") == ["key"]
    assert secrets_of_url("https://h:1/v1") == []


QUESTION = [Request("PROFILE", "RATING:")]


@pytest.mark.parametrize("echo", ["{key}", "{quoted}", "{base64}", "{basic}", "{url}"])
def test_credentials_of_the_address_and_the_key_are_in_no_error_and_no_log(caplog, echo):
    caplog.set_level(logging.DEBUG)
    quoted = urllib.parse.quote(ASCII, safe="")
    with RawServer() as server:
        url = server.url.replace("http://", f"http://user:{quoted}@")
        url += f"?api_key={quoted}"
        engine = ServerEngine("base", base_url=url, api_key=ASCII, tries=1)
        basic = base64.b64encode(f"user:{ASCII}".encode()).decode()
        message = echo.format(
            key=ASCII, quoted=quoted, base64=base64.b64encode(ASCII.encode()).decode(),
            basic=basic, url=url,
        )  # fmt: skip
        server.say = http(json.dumps({"error": {"message": f"you sent {message}"}}).encode(),
                          "400 Bad")  # fmt: skip
        with pytest.raises(FailedRequestsError, match=r"you sent .*\*\*\*") as raised:
            engine.score(QUESTION, CHOICES)
        engine.close()
    shown = str(raised.value) + caplog.text + repr(engine) + str(engine.facts)
    for secret in (ASCII, quoted, basic[8:-2], base64.b64encode(ASCII.encode()).decode()[:20]):
        assert secret not in shown


def test_a_key_in_a_generated_text_is_masked():
    class Echo(ScriptedEngine):
        def generate(self, requests, sampling):
            return [super().generate(requests, sampling)[0]._replace(text=f"4 {ASCII}")]

    with OpenAIServer(Echo()) as server:
        engine = ServerEngine("base", base_url=server.url, api_key=ASCII)
        assert engine.generate(QUESTION, Sampling())[0].text == "4 ***"


def test_a_masked_key_of_a_recorded_config_is_refused():
    for settings in ({"api_key": MASK}, {"base_url": "http://***@h/v1"}):
        with pytest.raises(ValueError, match=r"holds \*\*\*, which stands for a key.*OPENAI_API"):
            ServerEngine("base", **{"base_url": "http://h/v1", **settings})


RAW = [
    "http://me:pass/word@host/v1", "http://me:12/word@host/v1", "http://me:pass?word@host",
    "http://me:pass#word@host", "http://me:pa/ss@word@host:8000/v1?a=b", "https://pass/word@host",
]  # fmt: skip


@pytest.mark.parametrize("url", RAW)
def test_a_password_with_a_raw_sign_of_addresses_is_refused_and_never_shown(url):
    with pytest.raises(ValueError, match=r"base_url wanted /, \?, # and @ percent-enc") as raised:
        ServerEngine("base", base_url=url)
    assert "pass" not in str(raised.value).replace("in a password", "")
    for text in (
        masked_text(f"no answer from {url}, again"),
        *masked_config({"url": [url]})["url"],
    ):
        assert "word" not in text
        assert "pass" not in text
        assert "@host" in text
    printed = masked_argument(f"engine.base_url={url}")
    assert "word" not in printed
    assert "12" not in printed
    assert any("word" in secret for secret in secrets_of_url(url))


def test_of_several_addresses_in_one_word_every_host_is_still_shown():
    text = "[http://a:b/c@one:1/v1,http://two:2/v1,https://d@three/v1]"
    assert masked_text(text) == "[http://***@one:1/v1,http://two:2/v1,https://***@three/v1]"


def test_a_port_that_is_none_is_refused():
    with pytest.raises(ValueError, match="base_url wanted http://HOST"):
        ServerEngine("base", base_url="http://host:port/v1")


@pytest.mark.parametrize("key", [47110815, ["sk-4711"], {"sk": "sk-4711"}, True])
def test_a_key_that_is_no_text_is_refused_without_showing_it(key):
    with pytest.raises(ValueError, match=r"api_key wanted a text, got .*; put quotes") as raised:
        ServerEngine("base", base_url="http://h/v1", api_key=key)
    assert "4711" not in str(raised.value)


def test_a_key_with_a_line_break_is_refused_without_showing_it():
    with pytest.raises(ValueError, match="api_key wanted ASCII letters without blanks") as raised:
        ServerEngine("base", base_url="http://h/v1", api_key="sk-12\n34")
    assert "sk-" not in str(raised.value)


def test_the_first_try_of_a_slow_server_ends_in_time_and_the_next_may_be_right(questions):
    faults = {"Film 3 ": [Fault("hang", seconds=1.0)]}
    with OpenAIServer(ScriptedEngine(), faults=faults) as server:
        engine = ServerEngine("base", base_url=server.url, timeout=0.3, first_wait=0.01)
        assert len(engine.score(questions, CHOICES)) == len(questions)


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "a-",
        "x_",
        '"a',
        "a://",
        "api_key",
        "api_key:",
        "api_key=",
        'token": "',
        "token=' ",
        "a.b",
    ],
)
def test_a_long_answer_of_anything_is_masked_in_seconds(part):
    """4,000 letters took 26 s, and a server may send 16 MiB of them."""
    started = time.perf_counter()
    masked_text(part * 100_000)
    assert time.perf_counter() - started < 10


def test_a_name_of_a_secret_is_known_by_its_end_however_long():
    assert masked_text("x" * 500 + "_token=abc rest") == "x" * 500 + "_token=*** rest"
    assert masked_text("a=api_key=abc") == "a=api_key=***"
    assert masked_text("tokens=5 api_keys=abc") == "tokens=5 api_keys=abc"


def test_a_key_of_digits_alone_is_a_secret_wherever_it_stands():
    """It is read from a command as a number, and was masked under its name alone."""
    config = {"engine": {"api_key": 471147114711}, "note": "sent 471147114711", "seed": 3}
    assert masked_config(config) == {
        "engine": {"api_key": "***"}, "note": "sent ***", "seed": 3
    }  # fmt: skip
    assert secrets_of_config({"use_token": True, "token": None}) == []

"""The server engine against a real HTTP server on this machine, through the real openai client."""

import logging
import socket
import subprocess
import sys
import time
from email.utils import formatdate

import numpy as np
import pytest
from transformers import AutoTokenizer

from agents.assembly import make_engine
from agents.inference.engine import Request, Sampling, UnknownAdapterError
from agents.inference.failures import DeadServerError, FailedRequestsError
from agents.inference.scripted import ScriptedEngine
from agents.inference.server.server_engine import ServerEngine
from agents.inference.wrapped.tolerant import TolerantEngine
from agents.testing.engine import CHOICES
from tests.agents.inference.server.openai_server import Fault, OpenAIServer, prompt_of

SECRET = "sk-do-not-tell-4711"
QUICK = {"first_wait": 0.01, "longest_wait": 2.0, "timeout": 5.0, "api_key": SECRET}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def engine_on(server, adapters=(), **settings):
    return ServerEngine("base", adapters, base_url=server.url, **{**QUICK, **settings})


# -- what is sent and read -------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["completions", "chat"])
def test_a_server_answers_as_the_engine_behind_it(questions, endpoint):
    with OpenAIServer(ScriptedEngine()) as server:
        engine = engine_on(server, endpoint=endpoint)
        expected = ScriptedEngine().score(questions, CHOICES)
        np.testing.assert_allclose(engine.score(questions, CHOICES), expected, atol=1e-12)
        engine.close()


def test_one_token_is_asked_for_with_its_log_probabilities_and_no_chance():
    with OpenAIServer(ScriptedEngine()) as server:
        engine_on(server, top=7).score([Request("Ms ", "item")], CHOICES)
        body = server.sent[0].body
    assert body == {
        "model": "base",
        "prompt": "Ms item",
        "max_tokens": 1,
        "logprobs": 7,
        "temperature": 0,
    }


def test_an_adapter_is_asked_for_as_a_model_of_its_name(questions):
    asked = [q._replace(adapter=("ann", None, "bob")[i % 3]) for i, q in enumerate(questions)]
    with OpenAIServer(ScriptedEngine(), ("base", "ann", "bob")) as server:
        engine = engine_on(server, {"ann": "/somewhere", "bob": "/else"}, concurrency=1)
        engine.score(asked, CHOICES)
        models = [sent.body["model"] for sent in server.sent]
    assert models == ["ann"] * 4 + ["base"] * 4 + ["bob"] * 4


def test_requests_arrive_in_plan_order_so_that_equal_prefixes_are_neighbours(questions):
    with OpenAIServer(ScriptedEngine()) as server:
        engine_on(server, concurrency=1).score(questions, CHOICES)
        order = [next(i for i in range(3) if p.startswith(questions[i].prefix))
                 for p in server.prompts]  # fmt: skip
    assert order == sorted(order)


def test_as_many_requests_as_allowed_are_on_their_way_at_once(questions):
    with OpenAIServer(ScriptedEngine(), delay=0.05) as server:
        engine_on(server, concurrency=4).score(questions, CHOICES)
        assert 2 <= server.most_at_once <= 4


def test_a_model_that_writes_a_blank_and_a_digit_needs_a_lead(questions):
    """Llama and Qwen do; reading the few digits without a blank would be reading noise."""

    def tokens(digits):
        after = {" ": 0.97} | {d.strip(): 0.02 * p for d, p in digits.items()}
        return {d.strip(): p for d, p in digits.items()} if tokens.led else after

    tokens.led = False
    with OpenAIServer(ScriptedEngine(), tokens=tokens) as server:
        with pytest.raises(FailedRequestsError, match="set lead=' ' or tokenizer="):
            engine_on(server).score(questions[:1], CHOICES)
        tokens.led = True
        scores = engine_on(server, lead=" ").score(questions, CHOICES)
        assert all(prompt.endswith("RATING: ") for prompt in server.prompts[1:])
    np.testing.assert_allclose(scores, ScriptedEngine().score(questions, CHOICES), atol=1e-9)


def test_prompts_can_be_sent_as_the_token_ids_that_the_local_engine_runs(questions, pocket_folder):
    words = AutoTokenizer.from_pretrained(pocket_folder)
    with OpenAIServer(ScriptedEngine(), decode=words.decode) as server:
        scores = engine_on(server, tokenizer=str(pocket_folder)).score(questions, CHOICES)
        sent = {tuple(prompt_of(s.body)) for s in server.sent}
    ids = {
        (*words(q.prefix).input_ids, *words(q.suffix, add_special_tokens=False).input_ids)
        for q in questions
    }
    assert sent == ids
    np.testing.assert_allclose(scores, ScriptedEngine().score(questions, CHOICES), atol=1e-12)


def test_token_ids_refuse_choices_of_two_tokens(questions, pocket_folder):
    engine = ServerEngine("m", base_url="http://localhost:1/v1", tokenizer=str(pocket_folder))
    with pytest.raises(ValueError, match="choices must differ in one token"):
        engine.score(questions, (" yes 1", " no 2"))


@pytest.mark.parametrize("endpoint", ["completions", "chat"])
def test_text_is_generated_with_the_seed_and_the_sampling_of_the_request(questions, endpoint):
    with OpenAIServer(ScriptedEngine()) as server:
        said = engine_on(server, endpoint=endpoint).generate(questions, Sampling(3, 0.5, 40))
        bodies = {sent.body["seed"]: sent.body for sent in server.sent}
    assert said == ScriptedEngine().generate(questions, Sampling())
    assert set(bodies) == {q.seed for q in questions}
    assert {(b["max_tokens"], b["temperature"], b["top_k"]) for b in bodies.values()} == {
        (3, 0.5, 40)
    }


def test_top_k_is_left_out_for_servers_that_refuse_it(questions):
    with OpenAIServer(ScriptedEngine()) as server:
        engine_on(server).generate(questions[:1], Sampling(top_k=0))
        assert "top_k" not in server.sent[0].body


def test_a_server_cannot_keep_emojis_out_and_says_what_to_do(questions):
    with OpenAIServer(ScriptedEngine()) as server:
        with pytest.raises(ValueError, match=r"got engine=server, .* take engine=local, or remove"):
            engine_on(server).generate(questions[:1], Sampling(emojis=False))
        assert not server.sent


# -- what goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", 500),
        Fault("status", 503, (("Retry-After", "0"),)),
        Fault("truncated"),
        Fault("html"),
        Fault("cut"),
        Fault("schema"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_a_passing_fault_is_tried_again_and_changes_no_answer(questions, fault):
    faults = {"Film 4 ": [fault], "Film 7 ": [fault, fault]}
    with OpenAIServer(ScriptedEngine(), faults=faults) as server:
        scores = engine_on(server).score(questions, CHOICES)
        assert len(server.sent) == len(questions) + 3
    np.testing.assert_allclose(scores, ScriptedEngine().score(questions, CHOICES), atol=1e-12)


@pytest.mark.parametrize("header", ["0.4", "date"])
def test_a_busy_server_is_left_alone_as_long_as_it_asks(questions, header):
    value = formatdate(time.time() + 2, usegmt=True) if header == "date" else header
    fault = Fault("status", 429, (("Retry-After", value),))
    with OpenAIServer(ScriptedEngine(), faults={"RATING": [fault]}) as server:
        engine_on(server).score(questions[:1], CHOICES)
        first, second = (sent.at for sent in server.sent)
    assert second - first >= (0.8 if header == "date" else 0.4)  # a date has whole seconds


def test_a_server_that_asks_for_too_long_a_wait_is_not_asked_again(questions):
    fault = Fault("status", 429, (("Retry-After", "3600"),), "quota used up")
    with OpenAIServer(ScriptedEngine(), faults={"RATING": [fault]}) as server:
        with pytest.raises(FailedRequestsError, match=r"429.*quota used up"):
            engine_on(server).score(questions[:1], CHOICES)
        assert len(server.sent) == 1


def test_a_hanging_request_is_given_up_and_asked_again(questions):
    faults = {"Film 3 ": [Fault("hang", seconds=1.0)]}
    with OpenAIServer(ScriptedEngine(), faults=faults) as server:
        scores = engine_on(server, timeout=0.3).score(questions, CHOICES)
    np.testing.assert_allclose(scores, ScriptedEngine().score(questions, CHOICES), atol=1e-12)


@pytest.mark.parametrize(
    ("fault", "tries", "words"),
    [
        (Fault("status", 500, message="kernel panic"), 3, "the server said 500.*kernel panic"),
        (Fault("status", 400, message="prompt of 9000 tokens is too long"), 1, "9000 tokens"),
        (Fault("hang", seconds=4), 3, r"no answer from 127.0.0.1:\d+ within 1.5 s"),
        (Fault("schema"), 3, "not the protocol's answer: top_logprobs wanted a list, got str"),
        (Fault("truncated"), 3, "not the protocol's answer: .*column"),
        (Fault("no_logprobs"), 1, "sent no logprobs; `transformers serve` leaves log-probab"),
        (Fault("nan"), 1, "not a number"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_a_lasting_fault_loses_one_request_and_no_other(questions, fault, tries, words):
    with OpenAIServer(ScriptedEngine(), faults={"Film 5 ": [fault] * 9}) as server:
        engine = engine_on(server, tries=3, timeout=1.5 if fault.kind == "hang" else 5)
        with pytest.raises(FailedRequestsError, match=words) as raised:
            engine.score(questions, CHOICES)
        assert len(server.sent) == len(questions) - 1 + tries
    assert not isinstance(raised.value, DeadServerError)
    assert list(raised.value.failures) == [5]
    assert "1 of 12 requests failed on the server at 127.0.0.1" in str(raised.value)
    expected = ScriptedEngine().score(questions, CHOICES)
    expected[5] = np.nan
    np.testing.assert_allclose(raised.value.answers, expected, atol=1e-12)


def test_failed_texts_keep_their_places(questions):
    faults = {"Film 5 ": [Fault("status", 400)]}
    with (
        OpenAIServer(ScriptedEngine(), faults=faults) as server,
        pytest.raises(FailedRequestsError) as raised,
    ):
        engine_on(server).generate(questions, Sampling())
    expected = ScriptedEngine().generate(questions, Sampling())
    assert raised.value.answers[5] == ("", 0)
    assert [a for i, a in enumerate(raised.value.answers) if i != 5] == expected[:5] + expected[6:]


def test_a_name_that_the_server_does_not_know_says_how_to_load_it(questions):
    asked = [questions[0], questions[1]._replace(adapter="ann")]
    with OpenAIServer(ScriptedEngine()) as server:
        engine = engine_on(server, ["ann"])
        with pytest.raises(
            FailedRequestsError, match=r"404.*must hold a model named 'ann'"
        ) as raised:
            engine.score(asked, CHOICES)
    assert list(raised.value.failures) == [1]


def test_an_adapter_that_the_population_lacks_is_refused_before_anything_is_sent(questions):
    with OpenAIServer(ScriptedEngine()) as server:
        engine = engine_on(server, ["ann"])
        with pytest.raises(UnknownAdapterError, match="no adapter 'bob' is loaded"):
            engine.score([*questions, questions[0]._replace(adapter="bob")], CHOICES)
        assert not server.sent


def test_a_dead_server_is_named_with_the_cure_and_soon_given_up(questions):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    engine = ServerEngine("base", base_url=f"http://me:{SECRET}@127.0.0.1:{port}/v1", **QUICK)
    with pytest.raises(DeadServerError, match=f"no server answers at 127.0.0.1:{port}") as raised:
        engine.score(questions * 50, CHOICES)
    assert "start it or set base_url or OPENAI_BASE_URL, see docs/how-to/run_on_a_server.md" in str(
        raised.value
    )
    assert len(raised.value.failures) == 600
    assert isinstance(raised.value, ConnectionError)


def test_a_server_that_dies_in_the_middle_loses_only_what_was_not_answered(questions):
    faults = {f"Film {i} ": [Fault("status", 500)] * 9 for i in range(12)}
    with OpenAIServer(ScriptedEngine(), faults=faults) as server:
        asked = [Request("", f"fine {i}, average 3.2.\nRATING:") for i in range(5)] + questions * 4
        with pytest.raises(DeadServerError, match="the server said 500") as raised:
            engine_on(server, concurrency=1, tries=2).score(asked, CHOICES)
        assert len(server.sent) == 5 + 2 * 8
    assert list(raised.value.failures) == list(range(5, 53))
    np.testing.assert_allclose(
        raised.value.answers[:5], ScriptedEngine().score(asked[:5], CHOICES), atol=1e-12
    )


def test_tolerated_failures_are_nan_counted_and_marked(questions, caplog):
    faults = {"Film 5 ": [Fault("status", 400)] * 2}
    with OpenAIServer(ScriptedEngine(), faults=faults) as server:
        engine = TolerantEngine(engine_on(server))
        scores = engine.score(questions, CHOICES)
        assert list(engine.last_failures) == [5]
        assert engine.description == "server base, 1 of 12 answers failed (8.3 %)"
        assert engine.generate(questions, Sampling())[5].text == ""
        engine.score(questions, CHOICES)
        assert engine.last_failures == {}
        assert engine.num_failures == 2
        engine.close()
    assert np.isnan(scores[5]).all()
    assert np.isfinite(np.delete(scores, 5, 0)).all()
    assert "1 of 12 requests failed on the server at 127.0.0.1" in caplog.text


def test_nobody_is_tolerated_when_nobody_answers(questions):
    engine = TolerantEngine(ServerEngine("m", base_url="http://127.0.0.1:9/v1", tries=1, **QUICK))
    with pytest.raises(DeadServerError):
        engine.score(questions, CHOICES)


# -- keys and settings -----------------------------------------------------------------------


def test_the_key_is_sent_and_never_shown(questions, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    fault = Fault("status", 400, message="you sent {authorization}")
    with OpenAIServer(ScriptedEngine(), faults={"Film 1 ": [fault]}) as server:
        engine = ServerEngine("base", base_url=server.url)
        with pytest.raises(FailedRequestsError, match=r"you sent Bearer \*\*\*") as raised:
            engine.score(questions, CHOICES)
        assert {sent.authorization for sent in server.sent} == {f"Bearer {SECRET}"}
    shown = [str(raised.value), repr(raised.value), str(raised.value.failures), repr(engine)]
    shown += [engine.description, engine.facts.identity, caplog.text]
    assert not any(SECRET in text for text in shown)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_ends_the_call_at_once_and_names_the_variable(questions, status):
    faults = {"RATING": [Fault("status", status, message="bad key {authorization}")] * 99}
    with OpenAIServer(ScriptedEngine(), faults=faults) as server:
        with pytest.raises(DeadServerError, match=f"said {status}; set OPENAI_API_KEY"):
            engine_on(server, concurrency=2).score(questions, CHOICES)
        assert len(server.sent) <= 2


def test_url_and_key_come_from_the_environment_by_name(questions, monkeypatch, population):
    with OpenAIServer(ScriptedEngine(), (population.model,)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        engine = make_engine(population, "server")
        engine.score(questions, CHOICES)
        assert {sent.authorization for sent in server.sent} == {"Bearer EMPTY"}
    assert engine.description == "server model"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "set base_url or OPENAI_BASE_URL, for example http://localhost:8000/v1"),
        ({"base_url": f"localhost?{SECRET}"}, "base_url wanted http://HOST:PORT/v1"),
        ({"endpoint": "embeddings"}, "wanted 'completions' or 'chat', got 'embeddings'"),
        ({"endpoint": "chat", "tokenizer": "x"}, "tokenizer=… goes with endpoint='completions'"),
        ({"base_url": "http://x/v1", "tokenizer": "/nowhere"}, "wanted a folder with tokenizer"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, words):
    with pytest.raises(ValueError, match=words) as raised:
        ServerEngine("base", **settings)
    assert SECRET not in str(raised.value)


def test_choices_that_differ_only_in_blanks_are_refused(questions):
    with pytest.raises(ValueError, match="more than blanks"):
        ServerEngine("base", base_url="http://x/v1").score(questions, ("1", " 1"))


def test_without_the_extra_the_error_is_the_install_line():
    code = (
        "import sys; sys.modules['openai'] = None\n"
        "from agents.inference.server.server_engine import ServerEngine\n"
        "ServerEngine('m', base_url='http://x/v1')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "engine=server needs openai: pip install 'personarec[serve]'" in done.stderr

"""Exchanges by a model behind a real HTTP server, through the distiller's client."""

import json

import pytest

from agents.inference.scripted import ScriptedEngine
from agents.inference.server.retries import Patience
from tests.agents.inference.server.openai_server import OpenAIServer, wrapped
from training.distillation.ledger import Prices
from training.distillation.priced_client import ClientSettings
from training.opinion_qa.with_model import WriterSettings
from training.personified.retrieval import Budgets, Recall
from training.personified.writing.with_model import exchanges_by_model

SOURCES = frozenset({"Ann, Jaws", "Bob, Dune"})


class TellingServer(OpenAIServer):
    """Writes about the first memory; badly about people in ``bad``."""

    def __init__(self, bad=()):
        super().__init__(ScriptedEngine())
        self.bad = bad

    def answer(self, path, body):
        asked = json.loads(body["messages"][1]["content"])
        about = asked["memories"][0]
        one = {
            "question": f"{asked['time']}: {about}?", "analysis": "[Analysis] so\nit is",
            "response": f"[Response] I am {asked['person']}", "wrong": "yes",
        }  # fmt: skip
        text = json.dumps({p: one for p in ("ordinary", "thought", "error", "twin")})
        return wrapped(body, True, "{}" if asked["person"] in self.bad else text, None, 1)


@pytest.fixture
def write(corpora, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")

    def written(server, **changes):
        given = {"prices": Prices(1.0, 1.0), "max_cost": None} | changes
        settings = WriterSettings(
            ClientSettings("base"), cache=str(tmp_path / "paid"), base_url=server.url,
            patience=Patience(2, 0, 0), **given,
        )  # fmt: skip
        return exchanges_by_model(Recall(corpora, Budgets(24, 16)), SOURCES, settings)

    return written


def test_a_source_is_one_request_and_gives_the_four_patterns(write):
    with TellingServer() as server:
        found = write(server)
        assert len(server.sent) == 2
    assert [e.pattern for e in found.exchanges] == ["ordinary", "thought", "error", "twin"] * 2
    first = found.exchanges[0]
    assert (first.person, first.stage, first.source, first.truth) == ("Ann", 0, "Ann, Jaws", 5)
    assert first.question.startswith('early: I rated "Jaws"'), "the source stands first"
    assert (first.analysis, first.response) == ("so it is", "I am Ann"), "marks and lines are gone"


def test_what_was_paid_for_is_not_asked_again(write):
    with TellingServer() as server:
        first, again = write(server), write(server)
        assert len(server.sent) == 2
    assert first.exchanges == again.exchanges
    assert again.spending.cost == 0


def test_a_source_that_fails_is_named_and_the_others_stay(write):
    with TellingServer(bad=["Bob"]) as server:
        found = write(server)
    assert {e.person for e in found.exchanges} == {"Ann"}
    assert "does not fit the schema" in found.failures["Bob, Dune"]


def test_nothing_written_is_an_error_with_the_reason(write):
    with (
        TellingServer(bad=["Ann", "Bob"]) as server,
        pytest.raises(RuntimeError, match="no exchange about 2 sources was written; Ann, Jaws"),
    ):
        write(server)


def test_nothing_is_sent_beyond_the_budget(write):
    with TellingServer() as server:
        with pytest.raises(RuntimeError, match="max_cost"):
            write(server, max_cost=1e-9)
        assert not server.sent

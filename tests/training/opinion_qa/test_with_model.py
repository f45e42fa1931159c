"""Opinions by a model behind a real HTTP server, through the distiller's client."""

import json

import pytest

from agents.inference.scripted import ScriptedEngine
from agents.inference.server.retries import Patience
from tests.agents.inference.server.openai_server import OpenAIServer, wrapped
from training.distillation.ledger import Prices
from training.distillation.priced_client import ClientSettings
from training.opinion_qa.opinions import label
from training.opinion_qa.topics import TOPICS
from training.opinion_qa.with_model import WriterSettings, written_by_model

LABELS = [label("openness"), label("openness", "low")]


class OpinionatedServer(OpenAIServer):
    """Answers every question, but for topics in ``bad`` one too few, or not in the form."""

    def __init__(self, bad=None):
        super().__init__(ScriptedEngine())
        self.bad = bad or {}

    def answer(self, path, body):
        said, asked = body["messages"][0]["content"], json.loads(body["messages"][1]["content"])
        amount = "very high" if "very high in openness" in said else "very low"
        answers = [f"I am {amount},\nquestion {q}" for q in asked["questions"]]
        how = self.bad.get(asked["topic"])
        text = {None: json.dumps({"answers": answers}), "form": '{"opinions": []}',
                "few": json.dumps({"answers": answers[1:]})}[how]  # fmt: skip
        return wrapped(body, True, text, None, 1)


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")

    def write(server, topics=TOPICS[:3], **changes):
        given = {"prices": Prices(1.0, 1.0), "max_cost": None} | changes
        settings = WriterSettings(
            ClientSettings("base"),
            cache=str(tmp_path / "paid"),
            base_url=server.url,
            patience=Patience(2, 0, 0),
            **given,
        )
        return written_by_model(LABELS, topics, 2, settings)

    return write


def test_every_label_is_asked_about_every_topic_in_one_request(written):
    with OpinionatedServer() as server:
        found = written(server)
        assert len(server.sent) == 6
    opinions = found.cleaned.opinions
    assert len(opinions) == 12
    assert not found.failures
    assert {o.answer.split(",")[0] for o in opinions if o.pole == "low"} == {"I am very low"}
    assert opinions[0].question in opinions[0].answer, "the answer goes with its question"
    assert "\n" not in opinions[0].answer


def test_what_was_paid_for_is_not_asked_again(written):
    with OpinionatedServer() as server:
        first, again = written(server), written(server)
        assert len(server.sent) == 6
    assert first.cleaned == again.cleaned
    assert again.spending.cost == 0


def test_answers_that_do_not_fit_are_left_out_and_said(written):
    with OpinionatedServer({TOPICS[0].name: "form", TOPICS[1].name: "few"}) as server:
        found = written(server)
    assert {o.topic for o in found.cleaned.opinions} == {TOPICS[2].name}
    assert len(found.failures) == 4
    name = f"high openness: {TOPICS[0].name}"
    assert "does not fit the schema" in found.failures[name]
    assert "wanted 2 answers, got 1" in found.failures[f"low openness: {TOPICS[1].name}"]


def test_nobody_who_answers_is_an_error_with_the_reason(written):
    with (
        OpinionatedServer({TOPICS[0].name: "form"}) as server,
        pytest.raises(RuntimeError, match="no opinion of 2 was written; high openness"),
    ):
        written(server, TOPICS[:1])


def test_nothing_is_sent_beyond_the_budget(written):
    with OpinionatedServer() as server:
        with pytest.raises(RuntimeError, match="max_cost"):
            written(server, max_cost=1e-9)
        assert not server.sent

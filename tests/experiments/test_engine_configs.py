"""Engines inside engines: every wrapper takes any other engine, from the command line."""

import pytest
from hydra import compose, initialize_config_module
from hydra.utils import instantiate

from agents.inference.scripted import ScriptedEngine
from agents.inference.server.server_engine import ServerEngine
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.inference.wrapped.replay import RecordingEngine, ReplayEngine
from agents.inference.wrapped.tolerant import TolerantEngine


@pytest.fixture
def made(tmp_path, monkeypatch):
    """The engine that an experiment would run on, for a model in a folder."""
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)

    def make(*overrides):
        with initialize_config_module("conf", version_base="1.3"):
            cfg = compose("config", ["experiment=policy_ranking", *overrides])
        return instantiate(cfg.engine)(str(tmp_path), adapters={})

    return make


@pytest.mark.parametrize(
    ("name", "kind"),
    [("cached", CachedEngine), ("recording", RecordingEngine), ("tolerant", TolerantEngine)],
)
def test_a_wrapper_takes_the_engine_named_inside_it(made, name, kind):
    engine = made(f"engine={name}", "engine@engine.engine=scripted")
    assert isinstance(engine, kind)
    assert isinstance(engine.inner, ScriptedEngine)


def test_wrappers_nest(made):
    engine = made(
        "engine=tolerant",
        "engine@engine.engine=cached",
        "engine@engine.engine.engine=server",
        "engine.engine.engine.base_url=http://localhost:1/v1",
    )
    assert isinstance(engine.inner, CachedEngine)
    assert isinstance(engine.inner.inner, ServerEngine)


def test_what_was_recorded_by_name_replays_by_name(made):
    made("engine=recording", "engine@engine.engine=scripted")
    assert isinstance(made("engine=replay"), ReplayEngine)


def test_a_society_runs_on_an_engine_whose_answers_can_be_resumed():
    with initialize_config_module("conf", version_base="1.3"):
        simulate = compose("config", ["experiment=simulate"])
        ranking = compose("config", ["experiment=policy_ranking"])
    assert simulate.engine == {**ranking.engine, "repeatable": True}


def test_no_config_has_a_place_for_a_key(made):
    with pytest.raises(Exception, match="api_key"):
        made("engine=server", "engine.api_key=secret")

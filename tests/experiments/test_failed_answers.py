"""A ranking over a server that fails on some questions: nothing is invented, everything is said."""

import re

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_module

from agents.inference.scripted import ScriptedEngine
from agents.inference.stats import FailureCount, count_answers, failures_counted
from experiments.reporting.failed_answers import failed_answers, sentence, with_failed_answers
from experiments.reporting.result import Record, Result
from experiments.reporting.running import perform
from experiments.simulate.run import _resumed
from tests.agents.inference.server.raw_server import RawServer, http

SECRET = "sk-do-not-tell-4711"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Results and files of a run in which the server refuses one question in eight.

    The address and the config hold keys.
    """
    folder = tmp_path_factory.mktemp("failed")
    with RawServer(_sometimes) as server, initialize_config_module("conf", version_base="1.3"):
        url = server.url.replace("http://", f"http://me:{SECRET}@") + f"?api_key={SECRET}"
        cfg = compose("config", [
            "experiment=policy_ranking", "debug=tiny", "engine=tolerant",
            "engine.engine.served_model=base", f"engine.engine.base_url='{url}'",
            f"+engine.engine.api_key={SECRET}", "engine.engine.tries=1",
            "engine.engine.concurrency=2", "num_users=4", "recommender=[random,popularity]",
            "experiment.collusion_users=0",  # whose people ask on an engine of their own
            f"output_dir={folder}",
        ])  # fmt: skip
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["personarec", f"+engine.engine.api_key={SECRET}"])
            results = perform(cfg)
    return results, folder


def _sometimes(request):
    """One question in eight is refused, by its text."""
    if sum(request[-60:]) % 8 == 3:
        return http(b'{"error": {"message": "no"}}', "400 No")
    top = ", ".join(f'" {star}": -1.62' for star in range(1, 6))
    return http(b'{"choices":[{"logprobs":{"top_logprobs":[{' + top.encode() + b"}]}}]}")


def test_the_share_of_failed_answers_is_a_headline_and_stands_in_the_results(ran):
    results, folder = ran
    engine = results["engine"]
    assert engine["failed"] > 0
    assert engine["failed_share"] == pytest.approx(1 / 8, abs=0.1)
    assert re.search(r"\d+ of \d+ answers failed", engine["engine"])
    assert results["failed_answers"]["failed"] == engine["failed"]
    assert results["failed_answers"]["share"] == engine["failed_share"]
    said = sentence(results)
    assert re.match(r"\d+ questions to the simulated users \([\d.]+ %\) got no answer", said)
    for name in ("report.md", "report.html"):
        assert f"Warning:{'**' * name.endswith('md')} {said}" in (folder / name).read_text("utf-8")


def test_every_kind_of_report_says_the_share_before_anything_else(ran, capsys):
    """Only the ranking's did; one place decides for all."""
    results, _ = ran
    record = Record(results, "")
    result = with_failed_answers(
        Result({"a": 1}, pages={"table.md": "# Title\n\nText\n", "b.txt": "as it is"}, lines=["x"]),
        FailureCount(requests=8, failed=1),
    )
    assert result.values["failed_answers"] == {"questions": 8, "failed": 1, "share": 0.125}
    said = "1 question to the simulated users (12 %) got no answer"
    assert str(result.lines[0]).startswith(f"Warning: {said}")
    assert result.lines[1:] == ["x"]
    assert result.pages["table.md"](record).startswith(f"# Title\n\n> **Warning:** {said}")
    assert result.pages["table.md"](record).endswith("\n\nText\n")
    assert result.pages["b.txt"] == "as it is"


def test_a_run_that_states_its_own_share_keeps_it():
    own = {"failed_answers": failed_answers(100, 50)}
    result = with_failed_answers(Result(own), FailureCount(requests=8, failed=1))
    assert "(50 %)" in sentence(result.values)


def test_counts_go_to_every_count_that_is_open():
    with failures_counted() as outer:
        count_answers(3, 1)
        with failures_counted() as inner:
            count_answers(4, 2)
        count_answers(1, 0)
    count_answers(9, 9)
    assert (outer.requests, outer.failed) == (8, 3)
    assert (inner.requests, inner.failed) == (4, 2)


def test_the_log_marks_failed_answers_and_holds_no_stars_for_them(ran):
    _, folder = ran
    frame = pd.read_parquet(folder / "interactions.parquet")
    failed = frame["failed"].to_numpy()
    assert failed.any()
    assert not failed.all()
    assert frame.loc[failed, ["expected", "rating"]].isna().all(axis=None)
    assert not frame.loc[failed, "taken"].any()
    simulated = (frame["world"] == "simulated").to_numpy()
    np.testing.assert_allclose(frame.loc[~failed & simulated, "expected"], 3.0)
    assert not failed[~simulated].any()


def test_no_key_is_in_any_file(ran):
    _, folder = ran
    for path in folder.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path.name
    assert "api_key: '***'" in (folder / "config.yaml").read_text("utf-8")
    assert "http://***@127.0.0.1" in (folder / "config.yaml").read_text("utf-8")
    assert "+engine.engine.api_key=***" in (folder / "report.md").read_text("utf-8")


def test_without_failures_nothing_is_said():
    assert sentence({"failed_answers": failed_answers(8, 0)}) == ""
    assert sentence({}) == ""
    plain = Result({"a": 1}, lines=["x"])
    assert with_failed_answers(plain, FailureCount()) == plain
    assert ScriptedEngine().failure_stats is None


def test_a_society_invents_no_stars_and_goes_on_with_the_key_given_again(tmp_path):
    with RawServer(_sometimes) as server, initialize_config_module("conf", version_base="1.3"):
        url = server.url.replace("http://", f"http://me:{SECRET}@") + f"?api_key={SECRET}"
        overrides = [
            "experiment=simulate", "debug=tiny", "engine=tolerant", "recommender=[random]",
            "engine.engine.served_model=base", f"engine.engine.base_url='{url}'",
            f"+engine.engine.api_key={SECRET}", "engine.engine.tries=1", "experiment.ticks=5",
            "experiment.settings.max_failed_share=1.0",
        ]  # fmt: skip
        results = perform(compose("config", [*overrides, f"output_dir={tmp_path}"]))
        again = _resumed(compose("config", [*overrides, f"resume={tmp_path}"]))
        bare = _resumed(compose("config", ["experiment=simulate", f"resume={tmp_path}"]))
    assert results["engine"]["failed"] > 0
    frame = pd.read_parquet(tmp_path / "policies" / "random" / "interactions.parquet")
    np.testing.assert_allclose(frame["expected"].dropna(), 3.0)
    assert frame["expected"].isna().any()
    assert results["failed_answers"]["failed"] == results["engine"]["failed"]
    assert results["failed_answers"]["share"] == results["engine"]["failed_share"]
    assert sentence(results) in (tmp_path / "report.html").read_text("utf-8")
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path.name
    assert again.engine.engine.api_key == SECRET
    assert again.engine.engine.base_url == url
    assert bare.engine.engine.api_key is None

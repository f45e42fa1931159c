"""What a run cost is counted where the work is done and reported in one place."""

import json

import numpy as np
import pytest

from agents.inference.local.local_engine import LocalEngine
from agents.inference.metering.machine import peak_flops, peak_memory, upload_bandwidth
from agents.inference.metering.meter import EngineFigures, EngineMeter, in_words
from agents.inference.scripted import ScriptedEngine
from agents.inference.stats import EngineStats
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.prompts import RATING_CHOICES


@pytest.fixture(scope="module")
def engine(pocket_folder):
    return LocalEngine(pocket_folder)


def test_a_meter_counts_from_its_own_beginning(engine, questions):
    engine.score(questions, RATING_CHOICES)
    meter = EngineMeter(engine)
    for part in (questions[:5], questions[5:]):
        engine.score(part, RATING_CHOICES)
    figures = meter.read(peak=1e15)
    whole = [len(ids) for ids in engine.tokens.whole(questions)]
    assert figures["exposures"] == 12
    assert figures["steps"] == 2
    assert figures["prompt_tokens_per_exposure"] == pytest.approx(sum(whole) / 12)
    assert 0.3 < figures["cached_share"] < 1, "the prefixes were known"
    assert 0 < figures["model_share"] <= 1
    assert 0 <= figures["padding_waste"] < 1
    assert figures["exposures_per_second"] == pytest.approx(12 / figures["seconds"])
    assert figures["utilisation"] == figures["flops_per_second"] / 1e15
    assert 0 < figures["step_seconds"]["p50"] <= figures["step_seconds"]["p95"]
    assert figures["peak_memory_bytes"] > 2**20
    assert meter.report()["utilisation"] > 0
    meter.restart()
    assert meter.read()["exposures"] == 0
    assert meter.read()["step_seconds"] is None


def test_padding_is_no_useful_work():
    stats = EngineStats()
    stats.add_run(real=30, padded=40, weights=100)
    assert stats.flops == 2 * 100 * 30
    assert stats.padding_waste == 10 / 40


def test_figures_have_every_key_and_can_be_written(engine, questions):
    meter = EngineMeter(engine)
    engine.score(questions, RATING_CHOICES)
    assert set(meter.read()) == set(EngineFigures.__annotations__)
    json.dumps(meter.read())
    line = in_words(meter.read())
    assert "12 exposures at" in line
    assert "prompt tokens each" in line
    assert "GiB" in line


def test_a_cache_around_it_counts_what_it_knew_as_exposures(engine, questions):
    cached = CachedEngine(engine, "pocket")
    meter = EngineMeter(cached)
    for _ in range(3):
        cached.score(questions, RATING_CHOICES)
    figures = meter.read()
    assert figures["answer_hits"] == 24
    assert figures["exposures"] == 36
    assert "24 answers known" in in_words(figures)
    assert meter.report()["utilisation"] > 0, "the machine's peak is found through the cache"


def test_an_engine_that_counts_nothing_says_so(questions):
    meter = EngineMeter(ScriptedEngine())
    figures = meter.read()
    assert figures["exposures"] is None
    assert figures["engine"] == "scripted (no language model)"
    assert "it does not count what it is asked" in in_words(figures)
    assert meter.report()["utilisation"] is None


def test_people_without_an_engine_are_metered_too():
    figures = EngineMeter(None).report()
    assert figures["engine"] == "no engine"
    assert in_words(figures).startswith("no language model answered; ")
    assert figures["exposures"] is None
    assert figures["answer_hits"] is None
    assert figures["seconds"] > 0


def test_the_machines_peaks_are_measured():
    assert peak_flops(seconds=0.01) > 1e8
    assert peak_flops(dtype="bfloat16", seconds=0.01) > 1e7
    assert upload_bandwidth("cpu", seconds=0.01) > 1e7
    held = np.ones(2**22)
    assert peak_memory() > held.nbytes

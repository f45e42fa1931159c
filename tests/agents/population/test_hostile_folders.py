"""A spoilt folder is a clear error of ours that names the file, or gives the right answers."""

import json
import shutil
import traceback
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.inference.engine import Request
from agents.inference.local.local_engine import LocalEngine
from agents.population.adapters import CARD, base_identity
from agents.population.population import Population
from tests.agents.population.hostile_folders import EXCHANGED, SPOILT
from tests.tally import tally

ROOT = Path(__file__).parents[3]
KIND = "spoilt population folders"
CHOICES = (" 1", " 2", " 3", " 4", " 5")


@pytest.fixture(scope="module")
def good(population, adapter_folders, pocket_folder, tmp_path_factory):
    """A population on the pocket model, with an adapter that has a card."""
    root = tmp_path_factory.mktemp("good")
    ann = shutil.copytree(adapter_folders["ann"], root / "ann")
    card = {"base": "model", "base_is_folder": True, "base_identity": base_identity(pocket_folder)}
    (ann / CARD).write_text(json.dumps(card))
    first = replace(population.personas[0], adapter="ann")
    people = replace(
        population, personas=[first, *population.personas[1:]], adapters={"ann": str(ann)}
    )
    people.save(root / "people")
    return root / "people"


def facts(folder):
    """What a population is, and what it answers."""
    people = Population.load(folder)
    engine = LocalEngine(people.model, people.adapters)
    asked = [Request(p.profile, "RATING:", p.adapter) for p in people.personas]
    log, averages = people.history, people.averages
    numbers = [engine.score(asked, CHOICES), people.vectors, log.ratings, averages.fair]
    words = [people.personas, people.style, people.reasons, people.catalog.titles]
    return numbers, words


@pytest.fixture(scope="module")
def right(good):
    return facts(good)


def assert_refused_or_right(folder, file, right):
    found = outcome(folder)
    if isinstance(found, Exception):
        assert type(found) in (ValueError, FileNotFoundError, OSError), repr(found)
        raised = Path(traceback.extract_tb(found.__traceback__)[-1].filename)
        assert raised.is_relative_to(ROOT), f"raised in {raised}: {found!r}"
        assert Path(file).name in str(found)
        assert len(str(found)) < 1500
        tally(KIND, "refused")
    else:
        numbers, words = found
        assert words == right[1]
        for mine, theirs in zip(numbers, right[0], strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)
        tally(KIND, "worked")


def outcome(folder):
    """What a folder gives: facts, or the error."""
    try:
        return facts(folder)
    except Exception as error:
        return error


@pytest.mark.timeout(60, func_only=True)  # not the fixtures, on a busy machine
@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_folder_is_refused_by_the_name_of_the_file(good, right, tmp_path, name):
    file, spoil = SPOILT[name]
    folder = shutil.copytree(good, tmp_path / "people")
    spoil(folder)
    assert_refused_or_right(folder, file, right)


COUNTED = {
    "style recalls another number",
    "digest is a text",
    "digest is another",
    "a persona is doubled",
    "a persona is lost",
    "a memory is lost",
    "a memory is doubled",
    "a count is wrong",
}


@pytest.mark.slow
@pytest.mark.timeout(60, func_only=True)  # not the fixtures, on a busy machine
@pytest.mark.parametrize("name", sorted(SPOILT.keys() - COUNTED))
def test_a_spoilt_folder_of_an_earlier_version_is_refused_too(good, right, tmp_path, name):
    """It has no hashes and no counts, so every file has to speak for itself."""
    file, spoil = SPOILT[name]
    folder = shutil.copytree(good, tmp_path / "people")
    head = json.loads((folder / "population.json").read_text())
    del head["files"], head["counts"], head["digest"]
    (folder / "population.json").write_text(json.dumps(head))
    (folder / "adapters" / "ann" / CARD).unlink()
    if file != f"adapters/ann/{CARD}":
        spoil(folder)
    assert_refused_or_right(folder, file, right)


@pytest.mark.parametrize("name", EXCHANGED)
def test_a_file_of_another_model_is_known_by_its_hash(good, tmp_path, name):
    file, spoil = EXCHANGED[name]
    folder = shutil.copytree(good, tmp_path / "people")
    before = (folder / file).read_bytes()
    spoil(folder)
    assert (folder / file).read_bytes() != before
    with pytest.raises(ValueError, match=rf"{file} is not the file that was saved|was trained on"):
        Population.load(folder)
    tally(KIND, "refused")


def test_the_suite_is_as_large_as_the_page_of_reliability_says():
    assert len(SPOILT) + len(EXCHANGED) >= 118

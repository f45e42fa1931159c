import json
import shutil
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from agents.embedding import TfidfSvdEmbedder
from agents.persona import Persona
from agents.population.adapters import CARD, WEIGHTS
from agents.population.folder import INSIDE, is_inside, is_population
from agents.population.population import POCKET, SHIPPED, Population
from agents.prompt_style import PromptStyle
from simenv.catalog import Catalog
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from tests.agents.population.tiny_folders import tiny_adapter, tiny_base

PARTS = ["catalog.parquet", "personas.parquet", "history.parquet", "vectors.safetensors"]


@pytest.fixture
def light(change, tmp_path):
    """A population whose base model and adapters are tiny folders, quick to copy."""
    people = change(
        model=str(tiny_base(tmp_path / "base", "base")),
        adapters={"ann": str(tiny_adapter(tmp_path / "lora-ann"))},
        style=PromptStyle(verbatim=3, gist=0, summary_words=4, cast=1, persona=False),
        card={"name": "five", "fidelity": {"rmse": 0.9}, "note": "naïve 🎬"},
    )
    first = replace(people.personas[0], adapter="ann", cluster=3)
    return replace(people, personas=[first, *people.personas[1:]])


@pytest.fixture
def saved(light, tmp_path):
    light.save(tmp_path / "saved")
    return tmp_path / "saved"


def assert_equal(left, right):
    for field in fields(left):
        a, b = getattr(left, field.name), getattr(right, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        elif isinstance(a, Catalog | ItemAverages | InteractionLog):
            assert_equal(a, b)
        else:
            assert a == b, field.name


def test_a_saved_population_is_loaded_as_it_was(light, saved):
    loaded = Population.load(saved)
    np.testing.assert_allclose(loaded.vectors, light.vectors, atol=1e-3)  # kept in half precision
    assert loaded.model == str(saved / "model")
    assert loaded.adapters == {"ann": str(saved / "adapters" / "ann")}
    assert list(load_file(saved / "model" / "model.safetensors")) == ["base"]
    assert list(load_file(saved / "adapters" / "ann" / WEIGHTS)) == ["q.lora_A.weight"]
    moved = {"vectors": light.vectors, "model": light.model, "adapters": light.adapters}
    assert_equal(replace(loaded, **moved), light)


def test_saving_what_was_loaded_changes_no_more(saved, tmp_path):
    first = Population.load(saved)
    first.save(tmp_path / "again")
    second = Population.load(tmp_path / "again")
    assert_equal(replace(second, model=first.model, adapters=first.adapters), first)


def test_a_population_can_be_saved_over_itself(saved):
    before = Population.load(saved)
    before.with_card(note="new").save(saved)
    assert_equal(Population.load(saved), before.with_card(note="new"))
    assert not list(saved.parent.glob("*.new"))


def test_a_hub_model_is_only_named(light, tmp_path):
    replace(light, model="owner/model").save(tmp_path / "named")
    assert Population.load(tmp_path / "named").model == "owner/model"
    assert not (tmp_path / "named" / "model").exists()


def test_a_model_left_where_it_is_is_found_again(light, tmp_path):
    """Only the folder's last name was kept, so that the population could not be run."""
    light.save(tmp_path / "thin", copy_model=False)
    assert not (tmp_path / "thin" / "model").exists()
    assert Population.load(tmp_path / "thin").model == str(tmp_path / "base")


def test_saving_deletes_nothing_but_populations(light, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(
        FileExistsError, match="thesis' holds something that is no population; save"
    ):
        light.save(tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    light.save(tmp_path / "empty")


def test_a_folder_that_is_not_there_or_no_population_is_refused(tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(
            FileNotFoundError,
            match=r"wanted a folder with .*, one of pocket, readers, shipped, swift or a hub",
        ):
            Population.load(path)


def test_the_folder_of_the_run_that_built_it_is_answered_with_the_population_in_it(saved, tmp_path):
    saved.rename(tmp_path / "population")
    with pytest.raises(FileNotFoundError, match=r"did you mean .*population\?$"):
        Population.load(tmp_path)


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_part_is_an_error_with_the_cure(saved, part):
    (saved / part).unlink()
    with pytest.raises(
        ValueError, match=rf"saved' cannot be read .*{part}.* copy the whole folder"
    ):
        Population.load(saved)


@pytest.mark.parametrize("part", [*PARTS, "population.json"])
def test_a_corrupt_part_is_an_error_with_the_cure(saved, part):
    whole = (saved / part).read_bytes()
    (saved / part).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"saved' cannot be read .* copy the whole folder again"):
        Population.load(saved)


def test_a_head_without_its_entries_is_an_error_with_the_cure(saved):
    (saved / "population.json").write_text("{}")
    with pytest.raises(
        ValueError,
        match=r"cannot be read .*population.json: field 'format': field required, got nothing",
    ):
        Population.load(saved)


def test_a_population_of_a_newer_version_asks_for_an_update(saved):
    head = json.loads((saved / "population.json").read_text())
    (saved / "population.json").write_text(json.dumps({**head, "format": 99}))
    with pytest.raises(ValueError, match="has format 99, this version reads up to 1; update"):
        Population.load(saved)


def test_the_page_of_a_population_tells_what_it_is_and_how_far_to_trust_it(light, tmp_path):
    figures = {"rmse": 0.9, "rmse_ci95": [0.85, 0.951], "mae": 0.71}
    measured = {"simulated users": {**figures, "ece": 0.02}, "user mean": figures}
    world = {"num_ratings": 40, "num_users": 5, "predictors": measured}
    light.with_card(fidelity={"held out": world, "quick look": 0.93}).save(tmp_path / "told")
    page = (tmp_path / "told" / "README.md").read_text(encoding="utf-8")
    assert page.startswith("---\nlibrary_name: personarec\n")
    assert "# five\n" in page
    assert "- people: 5\n" in page
    assert "- adapters: ann\n" in page
    assert "### held out (40 ratings of 5 users)" in page
    assert "| simulated users | 0.900 | 0.710 | 0.020 | 0.850 to 0.951 |" in page
    assert "| user mean | 0.900 | 0.710 |  | 0.850 to 0.951 |" in page
    assert "- quick look: 0.93" in page
    assert "naïve 🎬" in page
    assert str(tmp_path) not in page


def test_a_page_says_where_nothing_was_measured_and_names_a_hub_model(light, tmp_path):
    replace(light, model="owner/model", card={}).save(tmp_path / "bare")
    page = (tmp_path / "bare" / "README.md").read_text(encoding="utf-8")
    assert "Fidelity was not measured." in page
    assert 'base_model: "owner/model"' in page


def test_adapters_that_do_not_fit_are_refused_on_the_way_in_and_out(light, saved, tmp_path):
    weights = saved / "adapters" / "ann" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:20])
    with pytest.raises(ValueError, match=rf"ann': {WEIGHTS} is corrupt .* copy it again"):
        Population.load(saved)
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(FileNotFoundError, match=rf"wanted {WEIGHTS}, got adapter_model.bin"):
        Population.load(saved)
    card = {"base": "other", "base_is_folder": True, "base_identity": "0123456789abcdef"}
    (tmp_path / "lora-ann" / CARD).write_text(json.dumps(card))
    with pytest.raises(ValueError, match=r"lora-ann' was trained on 'other' .*, not on .*base'"):
        light.save(tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_hub_id_that_cannot_be_reached_is_an_error_that_says_so(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    message = "'owner/nobody-has-this' is no folder here and cannot be fetched from the hub"
    with pytest.raises(FileNotFoundError, match=message):
        Population.load("owner/nobody-has-this")
    with pytest.raises(FileNotFoundError, match="'/nowhere' is no folder here and cannot be fetch"):
        Population.load("/nowhere")


def test_a_persona_on_an_unknown_adapter_is_refused(change):
    stranger = [Persona(1, 1, 1, "me", adapter="eve")] * 5
    with pytest.raises(
        ValueError, match=r"on adapters \['eve'\] that it does not hold \(held: \[\]\)"
    ):
        change(personas=stranger)


def test_parts_that_do_not_fit_together_are_refused(population, change):
    with pytest.raises(ValueError, match="4 personas but a history of 5 users; give one"):
        change(personas=population.personas[:4])
    with pytest.raises(ValueError, match="one reason a rating: 24, got 1"):
        change(reasons=["just one"])
    with pytest.raises(ValueError, match=r"one vector for each of 12 items .* got 11 vectors"):
        change(vectors=population.vectors[:11])
    with pytest.raises(ValueError, match="got 12 vectors and a history over 13 items"):
        change(history=replace(population.history, num_items=13))


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9])
def test_a_history_written_with_another_clock_is_loaded_as_seconds(saved, light, factor):
    file = saved / "history.parquet"
    frame = pd.read_parquet(file)
    days = 1_600_000_000 + 86_400 * np.arange(len(frame))
    frame.assign(timestamp=days * factor).to_parquet(file)  # int64 of any unit
    loaded = Population.load(saved).history
    assert loaded.timestamps.tolist() == days.tolist()
    assert loaded.items.tolist() == light.history.items.tolist()


def test_with_card_adds_and_replaces(population):
    assert population.with_card(name="x", size=5).card == {"name": "x", "size": 5}
    assert population.card == {"name": "five"}


def test_the_shipped_population_is_whole_and_small():
    people = Population.shipped()
    assert len(people.personas) == people.history.num_users >= 100
    assert people.model == str(SHIPPED / "model")
    np.testing.assert_allclose(np.linalg.norm(people.vectors, axis=1), 1.0, atol=1e-2)


def test_a_population_of_the_package_is_known_by_its_name_but_a_folder_comes_first(
    light, tmp_path, monkeypatch
):
    assert Population.load("shipped").model == Population.shipped().model
    for name in ("pocket", "readers", "swift"):
        assert Population.load(name).model == str(INSIDE / name / "model")
        assert is_population(name)
        assert is_inside(INSIDE / name)
    monkeypatch.chdir(tmp_path)
    light.save(tmp_path / "pocket")
    assert Population.load("pocket").name == light.name
    assert not is_inside("pocket")


def test_all_that_the_package_brings_is_small_and_holds_no_pickle():
    files = [f for f in INSIDE.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) <= 22 * 2**20
    assert not [f for f in files if f.suffix in {".bin", ".pt", ".pkl"}]


def test_people_who_are_read_in_blocks_are_told_whole_to_a_model_that_reads_nothing_else():
    readers = Population.load("readers")
    assert readers.style.reading == "blocks"
    assert readers.on_model(POCKET / "model").style == replace(readers.style, reading="whole")
    assert readers.on_model(readers.model).style == readers.style


def test_the_shipped_population_survives_a_move(tmp_path):
    shutil.copytree(SHIPPED, tmp_path / "moved")
    moved, here = Population.load(tmp_path / "moved"), Population.shipped()
    assert moved.model == str(tmp_path / "moved" / "model")
    assert_equal(replace(moved, model=here.model, adapters=here.adapters), here)


def test_any_embedders_vectors_fit(change, population):
    vectors = TfidfSvdEmbedder().embed(population.catalog.texts())
    assert change(vectors=vectors).vectors.shape[0] == 12

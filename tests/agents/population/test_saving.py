"""Saving is whole or absent, deletes nothing of anybody else and copies known files only."""

import errno
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

import simenv.whole_files as whole_files
from agents.population import files
from agents.population.population import Population
from tests.agents.population.tiny_folders import tiny_adapter, tiny_base
from tests.tally import tally


@pytest.fixture
def light(change, tmp_path):
    base, lora = tiny_base(tmp_path / "base"), tiny_adapter(tmp_path / "lora")
    return change(model=str(base), adapters={"ann": str(lora)})


@pytest.fixture
def saved(light, tmp_path):
    light.save(tmp_path / "home" / "saved")
    return tmp_path / "home" / "saved"


def content(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_saving_over_itself_without_a_copy_keeps_the_model(saved):
    before = content(saved / "model")
    Population.load(saved).save(saved, copy_model=False)
    assert content(saved / "model") == before
    assert Population.load(saved).model == str(saved / "model")


def test_a_folder_beside_that_ends_in_new_is_not_touched(light, tmp_path):
    (tmp_path / "mine.new").mkdir()
    (tmp_path / "mine.new" / "chapter.txt").write_text("years of work")
    light.save(tmp_path / "mine")
    light.save(tmp_path / "mine")
    assert (tmp_path / "mine.new" / "chapter.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    "foreign", ["notes.txt", "model/notes.txt", ".git/HEAD", "adapters/x/a.py"]
)
def test_a_file_that_is_no_part_of_a_population_is_never_lost(saved, foreign):
    (saved / foreign).parent.mkdir(exist_ok=True, parents=True)
    (saved / foreign).write_text("years of work")
    people = Population.load(saved)
    with pytest.raises(FileExistsError, match=f"holds '{foreign}', which is no part .* move it"):
        people.save(saved)
    assert (saved / foreign).read_text() == "years of work"


PARTS = ["write_model", "write_adapters", "write_catalog", "write_personas", "write_history",
         "write_vectors", "write_head"]  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_a_disk_that_is_full_leaves_the_old_population_and_nothing_else(saved, monkeypatch, part):
    before, people = content(saved), Population.load(saved)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"agents.population.population.{part}", full)
    with pytest.raises(OSError, match="No space left"):
        people.with_card(note="new").save(saved)
    assert content(saved) == before
    assert [p.name for p in saved.parent.iterdir()] == ["saved"]


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_failed_last_rename_leaves_the_old_population(saved, monkeypatch, can_exchange):
    before, people, rename = content(saved), Population.load(saved), os.rename

    def fails(source, target, **_):
        if str(target) == str(saved) and "card-of-the-new" in (source / "README.md").read_text():
            raise OSError("no permission")
        return rename(source, target)

    if can_exchange:
        monkeypatch.setattr(whole_files, "_put_in_place", lambda *_: fail())
    else:
        monkeypatch.setattr(whole_files, "_exchanged", lambda *_: False)
        monkeypatch.setattr(whole_files.Path, "rename", fails)
    with pytest.raises(OSError, match="no permission"):
        people.with_card(note="card-of-the-new").save(saved)
    assert content(saved) == before
    assert [p.name for p in saved.parent.iterdir()] == ["saved"]


def fail():
    raise OSError("no permission")


def test_without_an_exchange_the_new_one_takes_the_place_too(saved, monkeypatch):
    monkeypatch.setattr(whole_files, "_exchanged", lambda *_: False)
    Population.load(saved).with_card(note="new").save(saved)
    assert Population.load(saved).card["note"] == "new"
    assert [p.name for p in saved.parent.iterdir()] == ["saved"]


def test_what_a_killed_save_left_is_removed_by_the_next_one(saved):
    code = (
        "import os, sys; from pathlib import Path; from simenv.whole_files import replaced_folder\n"
        "with replaced_folder(Path(sys.argv[1])) as f:\n"
        "    (f / 'half').write_text('x'); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(saved)]).returncode == 9
    assert len(list(saved.parent.iterdir())) == 2
    Population.load(saved).save(saved)
    assert [p.name for p in saved.parent.iterdir()] == ["saved"]


def test_a_save_that_is_still_at_work_is_no_leftover(tmp_path):
    with whole_files.replaced_folder(tmp_path / "a") as first:
        (first / "one").write_text("1")
        with whole_files.replaced_folder(tmp_path / "a") as second:
            (second / "two").write_text("2")
        assert (first / "one").read_text() == "1"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["one"]


@pytest.mark.parametrize("where", ["base", "lora"])
def test_a_link_to_a_secret_is_refused_by_name(light, tmp_path, where):
    (tmp_path / "id_rsa").write_text("SECRET")
    (tmp_path / where / "README.md").symlink_to(tmp_path / "id_rsa")
    with pytest.raises(
        ValueError, match=rf"{where}' holds the link 'README.md' to .*id_rsa'.* put"
    ):
        light.save(tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["base", "id_rsa", "lora"]


def test_a_link_inside_a_population_is_refused_on_the_way_in(saved, tmp_path):
    (tmp_path / "id_rsa").write_text("SECRET")
    for place in ("README.md", "model/LICENSE", "adapters/ann/README.md"):
        (saved / place).unlink(missing_ok=True)
        (saved / place).symlink_to(tmp_path / "id_rsa")
        with pytest.raises(ValueError, match=f"holds the link '{place}'"):
            Population.load(saved)
        (saved / place).unlink()


def test_only_known_files_are_copied(light, tmp_path):
    for name in ("evil.py", "secret.env", "training_args.pkl"):
        (tmp_path / "base" / name).write_text("x")
        (tmp_path / "lora" / name).write_text("x")
    (tmp_path / "base" / "checkpoint").mkdir()
    light.save(tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out" / "model").iterdir()) == [
        "config.json", "model.safetensors",
    ]  # fmt: skip
    assert sorted(p.name for p in (tmp_path / "out" / "adapters" / "ann").iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors",
    ]  # fmt: skip


def test_a_model_that_its_adapters_know_by_more_files_is_not_copied_in_part(light, tmp_path):
    (tmp_path / "base" / "notes.json").write_text("{}")
    with pytest.raises(ValueError, match=r"base' holds 'notes.json', which .* copy_model=False"):
        light.save(tmp_path / "out")
    replace(light, adapters={}).save(tmp_path / "out")


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/b", "a\\b", "..", "", "a.b", "a\n"])
def test_names_of_adapters_that_lead_elsewhere_are_refused(light, saved, name, tmp_path):
    with pytest.raises(ValueError, match=r"wanted adapters named by letters.* rename the adapter"):
        replace(light, adapters={name: light.adapters["ann"]})
    head = files.read_json(saved / "population.json")
    (saved / "population.json").write_text(files.json.dumps({**head, "adapters": [name]}))
    with pytest.raises(ValueError, match=r"population.json: field 'adapters.0': .* correct it"):
        Population.load(saved)


def test_what_could_not_be_loaded_is_not_saved(light, saved):
    before = content(saved)
    bad = replace(light.personas[0], level=float("nan"))
    people = replace(light, personas=[bad, *light.personas[1:]])
    with pytest.raises(
        ValueError,
        match=r"cannot be saved, .*column 'level', row 0: .* got nothing",
    ):
        people.save(saved)
    assert content(saved) == before


def test_weights_that_were_exchanged_after_saving_are_refused(saved, tmp_path):
    tiny_base(tmp_path / "twin", tensor="other")
    shutil.copy(tmp_path / "twin" / "model.safetensors", saved / "model")
    with pytest.raises(ValueError, match=r"model/model.safetensors is not the file that was saved"):
        Population.load(saved)
    (saved / "model" / "added_tokens.json").write_text("{}")
    with pytest.raises(ValueError, match=r"model/added_tokens.json was not there when it"):
        Population.load(saved)


def loaded(folder):
    """The population, or what was said against it."""
    try:
        return Population.load(folder)
    except ValueError as error:
        return str(error)


def test_a_bit_that_fell_over_in_the_head_is_noticed(saved):
    """A number of the style that was another one changed every prompt, without a word."""
    head, right = saved / "population.json", Population.load(saved)
    whole = head.read_bytes()
    for place in range(0, len(whole), 7):
        head.write_bytes(
            whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        )
        found = loaded(saved)
        if isinstance(found, Population):
            assert (found.style, found.name, found.card) == (right.style, right.name, right.card)
        else:
            assert "population.json" in found


def test_the_head_may_be_written_otherwise_and_after_an_edit_by_hand_without_its_digest(saved):
    head = files.read_json(saved / "population.json")
    other = dict(reversed(head.items()))
    (saved / "population.json").write_text(files.json.dumps(other))
    Population.load(saved)
    edited = {**head, "name": "mine"}
    (saved / "population.json").write_text(files.json.dumps(edited))
    with pytest.raises(
        ValueError, match=r"population.json is not what was saved: .* take the line"
    ):
        Population.load(saved)
    del edited["digest"]
    (saved / "population.json").write_text(files.json.dumps(edited))
    assert Population.load(saved).name == "mine"


SAVES = """
import itertools, sys
from agents.population.population import Population
people = Population.load(sys.argv[1])
print("ready", flush=True)
for number in itertools.count():
    people.with_card(number=number).save(sys.argv[1], copy_model=bool(number % 2))
"""


@pytest.mark.reliability
@pytest.mark.timeout(3600)
def test_a_population_whose_save_is_killed_is_the_old_one_or_the_new_one(saved, capsys):
    rng, kept = np.random.default_rng(0), []
    weights = content(saved / "model")
    for _ in range(40):
        child = subprocess.Popen(
            [sys.executable, "-c", SAVES, str(saved)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, 0.4))
        child.kill()
        child.wait()
        kept.append(Population.load(saved).card.get("number", -1))
        assert content(saved / "model") == weights
        assert len(list(saved.parent.iterdir())) <= 3, "leftovers of earlier kills are gone"
        tally("processes killed at work", "worked")
    with capsys.disabled():
        print(f"\nsaves whole at the kill: {kept}")

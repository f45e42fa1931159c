"""To the hub and back, over HTTP, with huggingface_hub itself in a process of its own.

Its address and cache are read when it is imported, hence the process. A real upload needs an
account and is nobody's test.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agents.population.adapters import WEIGHTS
from agents.population.population import Population
from tests.agents.population.hub_server import Hub
from tests.agents.population.tiny_folders import tiny_adapter, tiny_base

ROOT = Path(__file__).parents[3]


@pytest.fixture
def hub():
    server = Hub()
    yield server
    server.close()


@pytest.fixture
def saved(change, tmp_path):
    """A population with a tiny base and one adapter."""
    base, lora = tiny_base(tmp_path / "base"), tiny_adapter(tmp_path / "lora")
    people = change(model=str(base), adapters={"ann": str(lora)})
    first = replace(people.personas[0], adapter="ann")
    replace(people, personas=[first, *people.personas[1:]]).save(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.fixture
def there(hub, tmp_path):
    """Runs lines of Python against the stand-in; returns what they print, or the error's text."""

    def run(code, token="hf_right"):
        home = str(tmp_path / "home")
        env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": home, "HF_TOKEN": token}
        env.update(HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_OFFLINE="0", PYTHONPATH=str(ROOT))
        env.update(HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
        code = f"from agents.population.population import Population\n{code}"
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120
        )
        return done.stdout.strip() or done.stderr

    return run


def push(folder, more=""):
    return f"print(Population.load({str(folder)!r}){more}.push_to_hub('owner/five'))"


PULL = "print(Population.load('owner/five'%s).card)"


@pytest.mark.slow
def test_a_population_goes_up_and_comes_down_as_it_was(hub, saved, there, tmp_path):
    first = there(push(saved))
    assert hub.private == {"owner/five": True}
    assert [commit for commit, _ in hub.commits["owner/five"][1:]] == [first]
    files = hub.files("owner/five")[1]
    on_disk = {p.relative_to(saved).as_posix() for p in saved.rglob("*") if p.is_file()}
    assert set(files) - {".gitattributes"} == on_disk
    assert not [name for name, text in files.items() if str(tmp_path).encode() in text]

    # what is no longer part of it leaves the hub, and its earlier state can still be had
    second = there(push(saved, ".with_card(note='second')"))
    hub.commits["owner/five"][-1][1]["adapters/ann/adapter_model.bin"] = b"a pickle"
    hub.commits["owner/five"][-1][1]["model/evil.py"] = b"raise SystemExit"
    assert "'note': 'second'" in there(PULL % "")
    assert not [name for name in hub.served if name.endswith((".bin", ".py"))], "no code is fetched"
    assert "note" not in there(PULL % f", revision={first!r}")
    assert second != first

    down = tmp_path / "down"
    there(f"Population.load('owner/five').save({str(down)!r})")
    loaded, before = Population.load(down), Population.load(saved)
    assert loaded.personas == before.personas
    assert loaded.reasons == before.reasons
    assert loaded.card == {**before.card, "note": "second"}
    assert Path(loaded.adapters["ann"], WEIGHTS).read_bytes() == files[f"adapters/ann/{WEIGHTS}"]
    assert json.loads(files["population.json"])["model"] == "model"


@pytest.mark.slow
def test_what_the_hub_refuses_is_an_error_with_the_cure_and_without_the_token(hub, saved, there):
    said = there(push(saved), token="hf_wrong")
    assert "ConnectionError: population 'owner/five' could not be pushed (" in said
    assert "log in with `hf auth login` or HF_TOKEN as someone who may write there" in said
    assert "hf_wrong" not in said
    assert hub.commits == {}
    said = there("Population.load('owner/nobody')")
    assert "population 'owner/nobody' is no folder here and cannot be fetched" in said
    assert "check the name, the network, or `hf auth login`" in said


@pytest.mark.slow
def test_a_base_model_on_the_hub_comes_down_without_code(hub, there, pocket_folder):
    files = {path.name: path.read_bytes() for path in pocket_folder.iterdir()}
    unsafe = {
        name: b"raise SystemExit" for name in ("evil.py", "pytorch_model.bin", "a.pkl", "b.pt")
    }
    hub.commits["owner/model"] = [("1" * 40, {**files, **unsafe})]
    run = (
        "from agents.inference.local.local_engine import LocalEngine\n"
        "from agents.inference.engine import Request\n"
        "print(LocalEngine('owner/model').score([Request('a', 'b')], (' 1', ' 2')).shape)"
    )
    assert there(run) == "(1, 2)"
    assert set(hub.served) == set(files)
    assert "'owner/nobody' cannot be loaded: wanted a folder or hub name" in there(
        run.replace("owner/model", "owner/nobody")
    )


def test_a_name_that_is_no_hub_name_is_refused(population):
    for name in ("five", "a/b/c"):
        with pytest.raises(ValueError, match=f"wanted a name as owner/name, got '{name}'"):
            population.push_to_hub(name)

"""No output of the packages is written in place: every writer goes through simenv.whole_files."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from recommenders.persistence import read_archive, write_archive
from simenv.whole_files import replace_whole

ROOT = Path(__file__).parents[1]
PACKAGES = ("agents", "experiments", "recommenders", "simenv", "training")
WRITERS = {"write_text", "write_bytes", "to_parquet", "to_csv", "savefig", "savez",
           "savez_compressed", "write_table", "copyfile", "copy2", "copytree"}  # fmt: skip
# Every other place, and why nothing whole can be lost there.
ALLOWED = {
    "simenv/whole_files.py": "is the one way to write",
    "simenv/snapshots.py": "writes into memory",
    "experiments/reporting/plots.py": "writes into memory",
    "experiments/reporting/running.py": "its writers are given to replace_whole",
    "agents/population/files.py": "writes into a folder that is renamed when it is whole",
    "agents/inference/local/packaged_models.py": "writes into a folder that is renamed when whole",
    "agents/population/population.py": "writes into a folder that is renamed when it is whole",
    "training/adapters/lora.py": "writes into a folder that is renamed when it is whole",
    "training/traits/composition.py": "writes into a folder that is renamed when it is whole",
    "agents/population/weights.py": "writes into a folder that is moved when it is whole",
    "training/checkpoint.py": "writes into a temporary folder",
    "agents/inference/wrapped/replay.py": "appends; it is read up to where it was cut off",
    "agents/inference/wrapped/kept_answers.py": "appends; a torn record reads as absent",
    "recommenders/persistence.py": "its writer is given to replace_whole",
    "recommenders/testing.py": "a suite for authors; files of a test",
}


def _writes(call):
    """The name of a call that writes a file in place, or None."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in WRITERS:
        return call.func.attr
    named = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    modes = [a.value for a in [*call.args, *(k.value for k in call.keywords if k.arg == "mode")]
             if isinstance(a, ast.Constant) and isinstance(a.value, str)]  # fmt: skip
    is_mode = any(set(m) <= set("rwaxbt+") and set(m) & set("wax") for m in modes)
    return "open" if named == "open" and is_mode else None


def _found(source):
    """Calls that write in place outside of the arguments of ``replace_whole``."""
    tree = ast.parse(source)
    safe = {
        id(inner)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "replace_whole"
        for inner in ast.walk(call)
    }
    calls = (c for c in ast.walk(tree) if isinstance(c, ast.Call) and id(c) not in safe)
    return [f"{c.lineno}: {name}" for c in calls if (name := _writes(c))]


def test_no_output_is_written_in_place():
    files = [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))]
    assert len(files) > 200
    found = {
        name: places
        for path in files
        if (name := path.relative_to(ROOT).as_posix()) not in ALLOWED
        and (places := _found(path.read_text(encoding="utf-8")))
    }
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        "p.write_text(t)",
        "open(p, 'w')",
        "p.open('wb')",
        "f.to_parquet(p)",
        "f.savefig(p)",
        "open(p, mode='a')",
        "np.savez(p)",
    ],
)
def test_the_check_sees_what_it_forbids(line):
    assert _found(line)
    assert not _found(f"replace_whole(p, lambda p: {line})")
    assert not _found("open(p)\np.open('rb')\nbuffer.read()")


def test_a_full_disk_leaves_an_old_policy_whole(tmp_path, monkeypatch):
    path = tmp_path / "policy.npz"
    write_archive(path, {"name": "old"}, {})

    def full(file, **_):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.savez_compressed", full)
    with pytest.raises(OSError, match="No space left"):
        write_archive(path, {"name": "new"}, {})
    monkeypatch.undo()
    assert read_archive(path)[0]["name"] == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["policy.npz"]


@pytest.mark.parametrize("name", ["a.json", "a.parquet", "a.csv", "a.png", "a.npz", "a.html"])
def test_a_writer_that_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"old")

    def half(unfinished):
        unfinished.write_bytes(b"ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        replace_whole(path, half)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
import pandas as pd
from experiments.reporting.running import _writer, _write_text
from recommenders.persistence import write_archive
from simenv.whole_files import replace_whole, write_whole
frame = pd.DataFrame({"a": np.random.default_rng(0).random(20_000)})
numbers = frame["a"].to_numpy()
writers = {
    "a.json": lambda path: _write_text(path, "new" * 9_000),
    "a.parquet": lambda path: replace_whole(path, _writer(frame, ".parquet")),
    "a.csv": lambda path: replace_whole(path, _writer(frame, ".csv")),
    "a.npz": lambda path: write_archive(path, {"name": "new"}, {"a": numbers}),
    "a.png": lambda path: write_whole(path, numbers.tobytes()),
}
resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))
for name, write in writers.items():
    path = Path(sys.argv[1]) / name
    path.write_bytes(b"old")
    try:
        write(path)
    except OSError as error:
        assert error.filename == str(path), (name, error.filename)
        print(name, path.read_bytes() == b"old")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of files")
def test_a_disk_that_is_really_full_leaves_every_kind_of_file_and_is_named(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    kinds = ["a.json", "a.parquet", "a.csv", "a.npz", "a.png"]
    assert done.stdout.split() == [word for name in kinds for word in (name, "True")], done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(kinds), "no leftovers"

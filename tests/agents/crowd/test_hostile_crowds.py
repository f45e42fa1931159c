"""A crowd that is not as it was written is refused by the name of the file, never half read."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from agents.crowd.crowd_users import CrowdUsers, write_crowd
from agents.crowd.tables import DECISIONS, decisions_table
from agents.inference.scripted import ScriptedEngine
from experiments.people.sized_populations import crowd
from simenv.events import Slates
from simenv.seeding import row_seeds


@pytest.fixture
def folder(population, tmp_path):
    write_crowd(tmp_path / "crowd", [crowd(population, 6)])
    return tmp_path / "crowd"


def opened(population, folder, changes=None):
    return CrowdUsers(population, folder, ScriptedEngine(), changes=changes)


def without_head(folder):
    (folder / "crowd.json").unlink()


def arrow(path, table):
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def flipped(path, place):
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 0x20
    path.write_bytes(bytes(data))


SPOILT = {
    "people gone": (lambda f: (f / "people.arrow").unlink(), r"people\.arrow.* got none"),
    "decisions gone": (lambda f: (f / "decisions.arrow").unlink(), r"decisions\.arrow.* got none"),
    "a folder in the place": (
        lambda f: ((f / "people.arrow").unlink(), (f / "people.arrow").mkdir()),
        r"people\.arrow .*is no plain file",
    ),
    "torn": (
        lambda f: (f / "decisions.arrow").write_bytes((f / "decisions.arrow").read_bytes()[:900]),
        r"decisions\.arrow is not the file that crowd\.json was written with",
    ),
    "a bit fell over": (
        lambda f: flipped(f / "decisions.arrow", 600), r"decisions\.arrow is not the file that"
    ),
    "head torn": (lambda f: (f / "crowd.json").write_text("{"), r"crowd\.json is corrupt"),
    "head newer": (
        lambda f: (f / "crowd.json").write_text(json.dumps({"format": 7})),
        r"crowd\.json wanted format 1",
    ),
    "torn, no head": (
        lambda f: (without_head(f), (f / "people.arrow").write_bytes(b"half of it")),
        r"people\.arrow wanted a whole Arrow file",
    ),
    "empty, no head": (
        lambda f: (without_head(f), (f / "decisions.arrow").write_bytes(b"")),
        r"decisions\.arrow wanted a whole Arrow file",
    ),
    "fewer decisions, no head": (
        lambda f: (without_head(f), arrow(f / "decisions.arrow", decisions_table([[]] * 5))),
        r"decisions\.arrow wanted the decisions of 6 people, a row each, got 5 rows",
    ),
    "foreign table, no head": (
        lambda f: (
            without_head(f), arrow(f / "decisions.arrow", pa.table({"x": list(range(6))}))
        ),
        r"decisions\.arrow wanted the decisions of 6 people.*\['x'\]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_crowd_is_refused_by_name(population, folder, kind):
    spoil, said = SPOILT[kind]
    spoil(folder)
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        opened(population, folder)


def test_a_crowd_over_other_items_is_refused(population, folder):
    titles = tuple(reversed(population.catalog.titles))
    other = replace(population, catalog=replace(population.catalog, titles=titles))
    with pytest.raises(ValueError, match="wanted the items that it was written over, got others"):
        opened(other, folder)


def test_a_crowd_of_an_earlier_version_opens_without_a_head(population, folder):
    without_head(folder)
    assert opened(population, folder).num_users == 6


def learnt(population, folder, changes):
    """A file of changes, by living a while."""
    users = opened(population, folder, changes)
    who = np.arange(6)
    for tick in range(4):
        slates = Slates.of_items(np.tile(np.arange(tick, tick + 3), (6, 1)))
        users.remember(who, slates, users.respond(who, slates, row_seeds(tick, who, who)))
    return sorted((changes / "decisions").glob("*.arrow"))


CHANGED = {
    "torn": (lambda p: p.write_bytes(p.read_bytes()[:700]), "wanted a whole Arrow file"),
    "empty": (lambda p: p.write_bytes(b""), "wanted a whole Arrow file"),
    "no number": (lambda p: shutil.copy(p, p.with_name("notes.arrow")), "number as its name"),
    "foreign": (lambda p: arrow(p, pa.table({"row": [0]})), r"wanted rows of \['items'"),
    "other types": (
        lambda p: arrow(p, pa.table({n: ["a"] for n in (*DECISIONS.names, "row")})),
        "or other types",
    ),
    "nobody's": (
        lambda p: arrow(
            p,
            decisions_table([[]]).append_column(
                pa.field("row", pa.int64()), pa.array([6], pa.int64())
            ),
        ),
        r"wanted rows in \[0, 6\), got 6\.\.6",
    ),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_spoilt_changes_are_refused_by_name(population, folder, tmp_path, kind):
    path = learnt(population, folder, tmp_path / "changes")[0]
    spoil, said = CHANGED[kind]
    spoil(path)
    with pytest.raises(ValueError, match=said):
        opened(population, folder, tmp_path / "changes")


def test_a_full_disk_leaves_the_last_whole_state(population, folder, tmp_path, monkeypatch):
    changes = tmp_path / "changes"
    before = [opened(population, folder, changes).decisions(user) for user in range(6)]
    users, who = opened(population, folder, changes), np.arange(6)
    slates = Slates.of_items(np.tile(np.arange(3), (6, 1)))
    feedback = users.respond(who, slates, row_seeds(0, who, who))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agents.crowd.shelf.pa.OSFile", full)
    with pytest.raises(OSError, match=r"No space left on device: .*000000001\.arrow"):
        users.remember(who, slates, feedback)
    monkeypatch.undo()
    again = opened(population, folder, changes)
    assert [again.decisions(user) for user in range(6)] == before

import json
import re
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiments.reporting.provenance import package_versions, provenance, public, public_text


def test_a_path_in_the_working_folder_becomes_relative():
    assert public_text(f"output_dir={Path.cwd()}/runs/demo") == "output_dir=runs/demo"


def test_a_path_in_home_begins_with_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    assert public_text(f"data.path={tmp_path}/somebody/ml-1m") == "data.path=~/ml-1m"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("data.path=/mnt/secret/disk/ml-1m", "data.path=…/ml-1m"),
        ("data.path='/mnt/a b/c'", "data.path='…/a b/c'"),
        ("lr=1/2 and runs/demo", "lr=1/2 and runs/demo"),
        ("'data.rating_column=Score /10'", "'data.rating_column=Score /10'"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        (r"C:\Users\somebody\data", "…/data"),
    ],
)
def test_other_absolute_paths_keep_their_last_part_only(text, shown):
    assert public_text(text) == shown


def test_nested_configs_are_cleaned_everywhere():
    config = {"data": {"path": Path("/mnt/x/ml-1m"), "files": ["/mnt/x/y"]}, "seed": 3}
    assert public(config) == {"data": {"path": "…/ml-1m", "files": ["…/y"]}, "seed": 3}


def test_provenance_names_neither_the_machine_nor_its_folders(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/opt/bin/personarec", "data.path=/mnt/secret/ml-1m"])
    found = provenance({"seed": 4, "output_dir": f"{Path.cwd()}/runs"}, datetime.now(UTC))
    text = json.dumps(found)
    assert socket.gethostname() not in text
    assert not re.search(r'[" =]/\w', text)
    assert found["seed"] == 4
    assert found["command"] == "personarec data.path=…/ml-1m"


def test_versions_of_installed_packages_are_recorded():
    assert {"numpy", "gymnasium", "hydra-core"} <= package_versions().keys()

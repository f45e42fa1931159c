"""The real command, run in this process."""

import json

import pytest

from experiments.__main__ import main


def run_command(folder, *words):
    """What ``personarec WORDS output_dir=FOLDER`` left in ``results.json``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["personarec", *words, f"output_dir={folder}"])
        main()
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))

"""Compiled code that is kept between processes is dropped when what it calls changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agents.inference.fused import attention, kernels, lanes

CALLER = """
from package.kernels import compiled, exp

@compiled()
def twice(x):
    return 2 * exp(x)
"""
ASK = """
import numpy as np
from package.caller import twice
print(twice(np.float32(0)), sum(twice.stats.cache_hits.values()))
"""

SCORE = """
import sys
import numpy as np
from agents.inference.engine import Request
from agents.inference.local.local_engine import LocalEngine

engine = LocalEngine(sys.argv[1])
assert engine.is_fast
asked = [Request("I like " + "war " * i, "MOVIE: " + "Heat " * (i % 7 + 1)) for i in range(1, 40)]
print(engine.score(asked, ["1", "2", "3", "4", "5"]).tobytes().hex())
"""


def asked(folder):
    own = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    own["XDG_CACHE_HOME"] = str(folder / "cache")
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=folder, env=own, capture_output=True, text=True, check=True
    )
    value, hits = done.stdout.split()
    return float(value), int(hits)


@pytest.mark.slow
def test_an_edit_in_another_module_is_noticed(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "caller.py").write_text(CALLER)
    copy = Path(shutil.copy(kernels.__file__, package / "kernels.py"))
    assert asked(tmp_path) == (2.0, 0)
    assert asked(tmp_path) == (2.0, 1), "the second process finds what the first has compiled"
    source = copy.read_text()
    edited = source.replace("x = min(max(x, float32(-87)), float32(88))", "x = x * float32(0)")
    copy.write_text(edited.replace("return y * np", "return float32(3) * y * np"))
    assert asked(tmp_path) == (6.0, 0)
    assert list((tmp_path / "cache" / "personarec" / "compiled").rglob("*.nbc"))
    left = [file.name for file in package.rglob("*.nb?")]
    assert not left, "a package that is removed would leave it behind, and its folder with it"


@pytest.mark.slow
def test_the_process_that_compiles_answers_as_one_that_finds_kept_code(tmp_path, pocket_folder):
    """It called what it had compiled, others the copy inside their kept code: 2e-6 apart."""
    command = [sys.executable, "-c", SCORE, str(pocket_folder)]
    own = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run(command, env=own, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert list(tmp_path.rglob("*.nbc")), "the first process has kept its code"
    assert said[0] == said[1]


@pytest.mark.parametrize("function", [attention.attend, lanes.look, kernels.gate])
def test_all_kept_code_is_stamped_with_all_sources(function):
    assert function._cache._cache_file._source_stamp[-1] == kernels._sources_hash()

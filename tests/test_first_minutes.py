"""``make demo`` installs what the demo needs, ``make test`` the rest, and nothing is done twice."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
FULL, DEMO = ".installed", ".installed_for_demo"
WITHOUT = """
import sys
from importlib.machinery import PathFinder

absent = set(sys.argv.pop(1).split(","))


class Fewer(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in absent else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = Fewer
from experiments.__main__ import main

main()
"""


def planned(folder, target, *stamps, changed=False):
    """The commands that ``make TARGET`` would run, in a copy where these stamps are there."""
    if not shutil.which("make"):
        pytest.skip("wants make")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
        os.utime(folder / name, (1, 1))
    (folder / ".venv").mkdir()
    for stamp in stamps:
        (folder / ".venv" / stamp).touch()
    if changed:
        os.utime(folder / "pyproject.toml")
        for stamp in stamps:
            os.utime(folder / ".venv" / stamp, (2, 2))
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_on_a_new_machine_the_demo_installs_its_own_packages_and_says_how_much(tmp_path):
    told = planned(tmp_path, "demo")
    assert "--editable '.[demo]'" in told
    assert "[all,dev]" not in told
    assert re.search(r'echo "Installing what the demo needs into \.venv: \d', told)
    assert told.index("Installing what") < told.index("pip install")
    assert "about a minute" in told
    assert "runs/demo/report.html" in told


@pytest.mark.parametrize("stamp", [FULL, DEMO])
def test_a_second_demo_installs_nothing(stamp, tmp_path):
    told = planned(tmp_path, "demo", stamp)
    assert "pip install" not in told
    assert "experiment=policy_ranking" in told


def test_after_the_demo_the_tests_bring_the_rest_and_say_so(tmp_path):
    told = planned(tmp_path, "test", DEMO)
    assert "--editable '.[all,dev]'" in told
    assert 'echo "Installing everything into .venv' in told


def test_on_a_new_machine_the_tests_install_everything_once(tmp_path):
    told = planned(tmp_path, "test")
    assert told.count("pip install") == 1
    assert "--editable '.[all,dev]'" in told


def test_the_demo_of_a_full_installation_that_is_old_brings_all_of_it_up_to_date(tmp_path):
    told = planned(tmp_path, "demo", FULL, changed=True)
    assert "--editable '.[all,dev]'" in told
    assert "[demo]" not in told


@pytest.mark.parametrize("stamp", [FULL, DEMO])
def test_a_real_model_comes_to_what_is_there_and_says_how_much_it_is(stamp, tmp_path):
    told = planned(tmp_path, "slm", stamp)
    assert "--editable '.[slm]'" in told
    assert "[all,dev]" not in told
    assert told.index("98 MB are fetched") < told.index("pip install")


def extras():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return told["dependencies"], told["optional-dependencies"]


def of_the_demo():
    """Names of all distributions that the extra ``demo`` brings."""
    base, optional = extras()
    waiting = [Requirement(one) for one in [*base, *optional["demo"]]]
    found = set()
    while waiting:
        one = waiting.pop()
        name = re.sub(r"[-_.]+", "-", one.name).lower()
        if name == "personarec":
            waiting += [Requirement(r) for extra in one.extras for r in optional[extra]]
            continue
        if (name, tuple(sorted(one.extras))) in found:
            continue
        found.add((name, tuple(sorted(one.extras))))
        waiting += _required(one)
    return {name for name, _ in found}


def _required(one):
    try:
        told = [Requirement(line) for line in requires(one.name) or []]
    except PackageNotFoundError:
        return []
    wanted = [{"extra": extra} for extra in ("", *one.extras)]
    return [r for r in told if r.marker is None or any(r.marker.evaluate(w) for w in wanted)]


@pytest.mark.slow  # the shipped language model answers
def test_the_demo_runs_with_its_own_packages_alone(tmp_path):
    brought = of_the_demo()
    normal = {m: {re.sub(r"[-_.]+", "-", d).lower() for d in ds}
              for m, ds in packages_distributions().items()}  # fmt: skip
    absent = {m for m, ds in normal.items() if not ds & (brought | {"personarec"}) and m[0] != "_"}
    assert {"cornac", "mesa", "openai"} & set(normal) <= absent
    words = ["experiment=policy_ranking", "debug=tiny", "num_users=4", f"output_dir={tmp_path}/out"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, ",".join(sorted(absent)), *words],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "out" / "report.html").is_file()
    assert "failed" not in done.stdout

"""The package of docs/how-to/plug_in_a_recommender.md: installed by pip, found, run, saved."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recommenders import plugins
from recommenders.base import Recommender

EXAMPLE = Path(__file__).parents[2] / "docs" / "how-to" / "example_plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package in a folder of its own, on the path while the tests of this file run."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(EXAMPLE, folder / "source")  # the build writes beside its sources
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet"]
    pip = [sys.executable, "-m", "pip", "install", *offline, "--target", folder / "site", source]
    subprocess.run(pip, check=True, capture_output=True, timeout=120)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder / "site")
        yield folder / "site"


@pytest.mark.slow  # pip builds a wheel
class TestInstalled:
    def test_its_policy_is_offered_and_its_argument_arrives(self, installed) -> None:
        assert "favourite_genre" in plugins.plugin_names()
        policy = plugins.make_policy("favourite_genre", middle=3.5)
        assert isinstance(policy, Recommender)
        assert policy.middle == 3.5  # type: ignore[attr-defined]

    def test_its_own_tests_pass(self, installed) -> None:
        root = Path(__file__).parents[2]
        path = os.pathsep.join([str(installed), str(root)])
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["-c", os.devnull, "--rootdir", str(EXAMPLE), str(EXAMPLE / "tests")]
        found = subprocess.run(
            command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
            timeout=200,
        )  # fmt: skip
        assert found.returncode == 0, found.stdout[-3000:]
        assert " passed" in found.stdout

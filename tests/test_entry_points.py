"""Every upward link is a string, and every string resolves."""

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from simenv.registration import ENVIRONMENTS

ROOT = Path(__file__).parent.parent


def resolve(entry_point: str):
    module, _, attribute = entry_point.partition(":")
    return getattr(import_module(module), attribute)


@pytest.mark.parametrize("entry_point", [e for pair in ENVIRONMENTS.values() for e in pair])
def test_every_registered_environment_resolves(entry_point):
    assert callable(resolve(entry_point))


def test_every_script_of_the_package_resolves():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert all(callable(resolve(name)) for name in project["scripts"].values())

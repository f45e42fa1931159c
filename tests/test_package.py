"""What a user installs: the right packages, the configs and the shipped population, no tests."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import agents
import recommenders
from simenv.registration import ENVIRONMENTS

ROOT = Path(__file__).parent.parent
PACKAGES = {"simenv", "agents", "recommenders", "training", "experiments", "conf"}


@pytest.mark.parametrize("package", [agents, recommenders])
def test_our_own_packages_are_the_ones_imported(package):
    """The distributions openai-agents and recommenders install packages of the same names."""
    assert Path(package.__file__).parent.parent == ROOT


def copy_of_the_tree(source: Path) -> None:
    """Builds start from a copy: setuptools leaves build/ behind and ships what an old one holds."""
    kept = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, kept):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())


def names_in_the_wheel_of(source: Path, folder: Path) -> set[str]:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
               "--no-build-isolation", "--wheel-dir", str(folder), str(source)]  # fmt: skip
    subprocess.run(command, check=True, timeout=240)
    (wheel,) = folder.glob("personarec-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    copy_of_the_tree(folder / "source")
    return names_in_the_wheel_of(folder / "source", folder)


@pytest.fixture(scope="module")
def unpacked_sdist(tmp_path_factory):
    """The one folder in the source archive."""
    folder = tmp_path_factory.mktemp("sdist")
    copy_of_the_tree(folder / "source")
    code = f"from setuptools import build_meta; build_meta.build_sdist({str(folder)!r})"
    subprocess.run(
        [sys.executable, "-c", code], cwd=folder / "source", check=True, timeout=240,
        capture_output=True,
    )  # fmt: skip
    (archive,) = folder.glob("personarec-*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder / "unpacked", filter="data")
    (found,) = (folder / "unpacked").iterdir()
    return found


@pytest.mark.slow
def test_the_wheel_holds_exactly_our_packages(wheel_names):
    tops = {name.split("/")[0] for name in wheel_names if ".dist-info/" not in name}
    assert tops == PACKAGES


@pytest.mark.slow
@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_the_wheel_holds_every_module_config_and_template(wheel_names, package):
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".yaml", ".html", ".css", ".vue", ".json"}
    }
    assert wanted <= wheel_names


@pytest.mark.slow
def test_the_wheel_holds_the_shipped_population(wheel_names):
    shipped = {n for n in wheel_names if n.startswith("agents/populations/")}
    on_disk = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "agents" / "populations").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert any(name.endswith(".safetensors") for name in shipped)
    assert shipped == on_disk


@pytest.mark.slow
def test_the_sdist_makes_the_same_wheel_and_brings_what_people_read(
    unpacked_sdist, wheel_names, tmp_path
):
    assert names_in_the_wheel_of(unpacked_sdist, tmp_path) == wheel_names
    there = {path.name for path in unpacked_sdist.iterdir()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "constraints.txt"} <= there
    assert "tests" not in there
    assert not [path for path in unpacked_sdist.rglob("*") if path.is_symlink()]


def test_one_version_stands_everywhere_and_the_changelog_names_every_environment():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == project["version"]
    assert re.findall(r"^version: (\S+)", citation, re.MULTILINE) == [project["version"]]
    latest = changes.partition("\n## ")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(\w+-v\d+)`", latest)) >= set(ENVIRONMENTS)

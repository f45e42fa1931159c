"""What a user installs: the right packages, the configs and the shipped population, no tests."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import agents
import recommenders

ROOT = Path(__file__).parent.parent
PACKAGES = {"simenv", "agents", "recommenders", "training", "experiments", "conf"}


@pytest.mark.parametrize("package", [agents, recommenders])
def test_our_own_packages_are_the_ones_imported(package):
    """The distributions openai-agents and recommenders install packages of the same names."""
    assert Path(package.__file__).parent.parent == ROOT


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    # Built from a copy: setuptools leaves build/ behind, and would ship what an old one holds.
    source = folder / "source"
    kept = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, kept):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
               "--no-build-isolation", "--wheel-dir", str(folder), str(source)]  # fmt: skip
    subprocess.run(command, check=True, timeout=240)
    (wheel,) = folder.glob("personarec-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


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

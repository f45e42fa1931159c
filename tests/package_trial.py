"""The package as a stranger gets it: built in a clean environment, installed alone, and tried.

    make package PYTHONS="python3.11 python3.12 python3.13"

Wheel and sdist are built by ``python -m build``, and for every interpreter the wheel is installed
into an environment of its own with the dependencies that it names, without any extra. Needs a
package index. The table stands in ``runs/package/table.md``; what fails ends the command.
"""

import argparse
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.test_package import copy_of_the_tree

OUT = Path("runs/package")
TRIALS = {  # what is tried → the code
    "`ScriptedRec-v0` plays": "import simenv, gymnasium as g; e = g.make('ScriptedRec-v0');"
    " e.reset(seed=0); print(e.step(e.action_space.sample())[1])",
    "`PersonaRec-v0` with `engine='scripted'` plays": "import simenv, gymnasium as g;"
    " e = g.make('PersonaRec-v0', engine='scripted'); e.reset(seed=0);"
    " print(e.step(e.action_space.sample())[1])",
    "`PersonaRec-v0` says what to install": "import simenv, gymnasium as g\n"
    "try: g.make('PersonaRec-v0')\n"
    "except ModuleNotFoundError as e: assert 'personarec[local]' in str(e), e; print(e)\n"
    "else: raise SystemExit('it needs no extra')",
    "`personarec --help`": "import sys; sys.argv = ['personarec', '--help'];"
    " from experiments.__main__ import main; main()",
    "`personarec … users=scripted` ends": "import sys; sys.argv = ['personarec',"
    " 'experiment=policy_ranking', 'debug=tiny', 'users=scripted',"
    " 'recommender=[random,popularity]', 'output_dir=out'];"
    " from experiments.__main__ import main; main()",
}


def made(python: str, folder: Path) -> Path:
    """A fresh environment of an interpreter; its Python."""
    call([python, "-m", "venv", "--clear", str(folder)])
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def call(command: list[str], **options: object) -> str:
    """What a command prints; ends this one if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:200]}\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
    return str(done.stdout)


def built(folder: Path) -> tuple[Path, Path]:
    """Wheel and sdist, out of a copy of the tree, in a clean environment."""
    source = folder / "source"
    copy_of_the_tree(source)
    python = made(sys.executable, folder / "builder")
    call([str(python), "-m", "pip", "install", "--quiet", "build"])
    call([str(python), "-m", "build", "--outdir", str(folder / "dist"), str(source)])
    (wheel,), (sdist,) = (folder / "dist").glob("*.whl"), (folder / "dist").glob("*.tar.gz")
    return wheel, sdist


def tried(python: str, wheel: Path, folder: Path) -> list[str]:
    """A row of the table: version, and whether each trial ends well."""
    own = made(python, folder)
    call([str(own), "-m", "pip", "install", "--quiet", str(wheel)])
    version = call([str(own), "-c", "import platform; print(platform.python_version())"]).strip()
    row = [version]
    for what, code in TRIALS.items():
        done = subprocess.run(
            [str(own), "-c", code], cwd=folder, capture_output=True, text=True, check=False
        )
        print(version, what, "yes" if not done.returncode else done.stderr[-1500:], flush=True)
        row.append("yes" if not done.returncode else "**no**")
    return row


def main() -> None:
    """Build, install, try, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pythons", nargs="*", default=[sys.executable])
    OUT.mkdir(parents=True, exist_ok=True)
    wheel, sdist = built(OUT.resolve())
    with tarfile.open(sdist) as archive:
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB; {sdist.name}:"
              f" {len(archive.getnames())} files")  # fmt: skip
    pythons = parser.parse_args().pythons
    rows = [tried(one, wheel.resolve(), OUT.resolve() / f"try{n}") for n, one in enumerate(pythons)]
    head = ["Python", *TRIALS]
    lines = [head, ["---"] * len(head), *rows]
    (OUT / "table.md").write_text("".join(f"| {' | '.join(line)} |\n" for line in lines))
    print((OUT / "table.md").read_text())
    if any("**no**" in row for row in rows):
        raise SystemExit("a trial failed")


if __name__ == "__main__":
    main()

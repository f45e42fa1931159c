"""Do the tests notice a changed number? Changes the code, runs the tests, prints a table.

``make mutants`` runs it over every module that ``[tool.mutmut]`` names; by hand, since it takes
long. mutmut changes what stands inside functions. Numbers outside them (priors, channels, defaults
of settings) it leaves alone, so they are changed here, one at a time: whole numbers by 1, others by
a tenth, and the tests of the same room are run. A mutant is killed if a test fails or hangs; code
that no test reaches survives.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

CONFIG = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
KILLED = {"killed", "timeout", "segfault"}


class Mutant(NamedTuple):
    """One change of one module."""

    module: str
    what: str  # what was changed, as a line
    killed: bool


def main() -> None:
    """Print what every module's mutants came to, and those that survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="paths of modules; default: all")
    chosen = parser.parse_args().modules
    known = [str(p) for pattern in CONFIG["only_mutate"] for p in sorted(Path().glob(pattern))]
    if unknown := set(chosen) - set(known):
        sys.exit(f"wanted modules that [tool.mutmut] names, got {sorted(unknown)}; add them there")
    modules = chosen or known
    found = [*_inside_functions(modules), *_outside_functions(modules)]
    print("\n| module | mutants | killed | share | survived |\n| --- | --- | --- | --- | --- |")
    for module in modules:
        own = [mutant for mutant in found if mutant.module == module]
        if own:
            killed = sum(mutant.killed for mutant in own)
            share = f"{killed / len(own):.1%}"
            print(f"| `{module}` | {len(own)} | {killed} | {share} | {len(own) - killed} |")
    print(f"\n{sum(m.killed for m in found)} of {len(found)} killed; survived:")
    for mutant in found:
        if not mutant.killed:
            print(f"{mutant.module}: {mutant.what}")


def _inside_functions(modules: list[str]) -> Iterator[Mutant]:
    shutil.rmtree("mutants", ignore_errors=True)  # mutmut would keep verdicts of earlier tests
    names = [f"{module.removesuffix('.py').replace('/', '.')}.*" for module in modules]
    mutmut = Path(sys.executable).with_name("mutmut")
    subprocess.run([mutmut, "run", "--max-children", "1", *names], check=True)
    for module in modules:
        data = SourceFileMutationData(path=Path(module))
        data.load()
        for name, code in data.exit_code_by_key.items():
            killed = status_by_exit_code[code] in KILLED
            yield Mutant(module, "" if killed else _changed_lines(name, module), killed)


def _changed_lines(name: str, module: str) -> str:
    lines = get_diff_for_mutant(name, path=module).splitlines()[3:]
    changed = [line[0] + " " + line[1:].strip() for line in lines if line[:1] in ("-", "+")]
    return f"{name.rpartition('.')[2]}  {'  '.join(changed)}"


def _outside_functions(modules: list[str]) -> Iterator[Mutant]:
    """Numbers of modules and classes, in a copy of the code."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (*CONFIG["source_paths"], "tests", "pyproject.toml"):
            copy = shutil.copytree if Path(name).is_dir() else shutil.copy
            copy(name, Path(folder) / name)
        for module in modules:
            source = (Path(folder) / module).read_text(encoding="utf-8")
            for number in _numbers(ast.parse(source)):
                (Path(folder) / module).write_text(_with_another(source, number), encoding="utf-8")
                what = f"line {number.lineno}: {number.value}"
                yield Mutant(module, what, not _tests_pass(folder, module))
            (Path(folder) / module).write_text(source, encoding="utf-8")


def _numbers(node: ast.AST) -> Iterator[ast.Constant]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant) and type(child.value) in (int, float):
            yield child
        elif not isinstance(child, ast.FunctionDef):
            yield from _numbers(child)


def _with_another(source: str, number: ast.Constant) -> str:
    value = number.value
    other = value + 1 if isinstance(value, int) else value * 1.1 or 0.1
    lines = source.splitlines(keepends=True)
    line = lines[number.lineno - 1].encode()
    changed = line[: number.col_offset] + repr(other).encode() + line[number.end_col_offset :]
    lines[number.lineno - 1] = changed.decode()
    return "".join(lines)


def _tests_pass(folder: str, module: str) -> bool:
    """Whether the tests that stand nearest to the module pass."""
    selected = CONFIG["pytest_add_cli_args_test_selection"]
    shared = {tests: len(os.path.commonpath([tests, f"tests/{module}"])) for tests in selected}
    nearest = [tests for tests in selected if shared[tests] == max(shared.values())]
    command = [sys.executable, "-m", "pytest", "-x", "-q", *CONFIG["pytest_add_cli_args"], *nearest]
    environment = {**os.environ, "PYTHONPATH": folder}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=600)
    return done.returncode == 0


if __name__ == "__main__":
    main()

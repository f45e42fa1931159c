"""What each experiment says of itself: its question, what it needs and takes, what it uses.

Nothing of an experiment is imported to list it: packages are read as text.
"""

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from omegaconf import OmegaConf

import conf
from experiments.command_line.options import OptionError

_CONF = Path(conf.__file__).parent
_ROOT = Path(__file__).parents[1]
# Options that every command has.
ALWAYS = frozenset(
    {
        "experiment",
        "output_dir",
        "dry_run",
        "debug",
        "hydra",
        "resume",
        "app",
        "sweep_dir",
        "tracking",
    }
)
# What experiments are for, in the order in which they are listed.
AIMS = {
    "policies": "Rank, train and judge recommenders",
    "people": "Look at simulated people, and see how far they can be believed",
    "making": "Make people from a log",
    "runs": "Look back, and measure speed",
}

_RAY = "engine=ray"
_SAID = ("USES", "TAKES", "NEEDS", "AIM", "REFUSES", "DATA", "ONLY_WITH", "SPREADS")


class Said(NamedTuple):
    """What a package says of its experiment."""

    question: str
    takes: str  # how long, in words
    uses: frozenset[str] | None  # of the common options; None = all of them
    refuses: Mapping[str, str]  # option → what to give instead
    data: tuple[str, ...] = ()  # choices of data that it can use; none named = all of them
    only_with: Mapping[str, str] = MappingProxyType({})  # option → what must be on beside it
    needs: str = ""  # beside what `make demo` installs, in words
    aim: str = "runs"  # a key of ``AIMS``
    spreads: bool = False  # whether engine=ray does its work, though no engine is asked


@cache
def experiments() -> dict[str, Said]:
    """Name → what its package says, sorted."""
    names = sorted(path.stem for path in (_CONF / "experiment").glob("*.yaml"))
    return {name: said_of(_run_of(name)) for name in names}


@cache
def said_of(run: str) -> Said:
    """What the package says in which the function with this dotted path is."""
    package, module, *_ = [*run.split(".")[1:-1], "", ""]
    folder = _ROOT / package
    own = folder / f"{module}.py"
    if not package or not (folder / "__init__.py").is_file():
        return Said("", "", None, {})
    said = _read(folder / "__init__.py")
    if module != "run" and own.is_file():  # a second experiment in the folder of a first one
        said = {**said, **_read(own)}
    uses = said.get("USES")
    return Said(
        said["doc"].splitlines()[0] if said["doc"] else "",
        said.get("TAKES", ""),
        None if uses is None else frozenset(uses),
        said.get("REFUSES", {}),
        tuple(said.get("DATA", ())),
        said.get("ONLY_WITH", {}),
        said.get("NEEDS", ""),
        said.get("AIM", "runs"),
        said.get("SPREADS", False),
    )


def check_uses(run: str, name: str, overrides: list[str]) -> None:
    """Refuse common options that the experiment would ignore.

    Args:
        run: dotted path of the experiment's function.
        name: of the experiment.
        overrides: as in the command.

    Raises:
        OptionError: naming the option, and what to give instead.
    """
    said = said_of(run)
    for override in overrides:
        option = override.lstrip("+~").split("=")[0].split("@")[0]
        if said.spreads and (override == _RAY or option in _of_workers()):
            continue
        root = option.split(".")[0].split("/")[0]
        if option == "data" and said.data and override.split("=")[1] not in said.data:
            raise OptionError(
                f"{name} wanted people whose true taste is known, got {override}; give"
                f" data={' or data='.join(said.data)}"
            )
        refused = next((o for o in (option, root) if o in said.refuses), None)
        if refused is not None:
            raise OptionError(f"{name} does not use {option}; {said.refuses[refused]}")
        if said.uses is not None and root not in ALWAYS | said.uses and root in _groups():
            own = {*said.uses, _RAY} if said.spreads else said.uses
            used = ", ".join(sorted(own)) or "no common option"
            raise OptionError(
                f"{name} does not use {option}, so it would change nothing; leave it out (it uses"
                f" {used})"
            )


@cache
def wanted_options(name: str, run: str) -> tuple[str, ...]:
    """Dotted names of the options that an experiment reads and that its command has to keep."""
    uses = said_of(run).uses or frozenset()
    path = _CONF / "experiment" / f"{name}.yaml"
    if not path.is_file():
        return tuple(sorted(uses))
    node: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    own = node.get("experiment", node)
    return (*sorted(uses), *(f"experiment.{key}" for key in own if key != "defaults"))


@cache
def _of_workers() -> frozenset[str]:
    """Options of ``engine=ray`` itself, not of the engine inside."""
    node: Any = OmegaConf.to_container(OmegaConf.load(_CONF / "engine" / "ray.yaml"))
    return frozenset(f"engine.{key}" for key in node if key[0] != "_" and key != "defaults")


@cache
def _groups() -> frozenset[str]:
    folders = {path.name for path in _CONF.iterdir() if path.is_dir()}
    return frozenset(folders | {"seed", "slm", "num_users", "precision", "budget"})


def groups() -> dict[str, list[str]]:
    """Config group → its choices, sorted."""
    folders = sorted(path for path in _CONF.iterdir() if path.is_dir() and path.name[0] != "_")
    return {path.name: sorted(file.stem for file in path.glob("*.yaml")) for path in folders}


def _run_of(name: str) -> str:
    lines = (_CONF / "experiment" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.strip().startswith("run:"))


def _read(path: Path) -> dict[str, Any]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: dict[str, Any] = {"doc": ast.get_docstring(tree) or ""}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in _SAID:
                found[name] = ast.literal_eval(node.value)
    return found

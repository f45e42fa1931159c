"""``personarec list``: experiments, recommenders, users, engines, data and all other choices."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

import conf
from experiments.command_line.experiments_said import AIMS, experiments, groups
from experiments.command_line.help_page import experiment_table
from experiments.command_line.options import OptionError
from experiments.reporting.terminal import text_table

# What each group of choices is, in the order in which they are listed.
GROUPS = {
    "experiment": "what is asked",
    "recommender": "policies that are ranked; several at once: recommender=[als,ease]",
    "users": "who answers",
    "engine": "what reads the prompts of a language model's users",
    "data": "where ratings and items come from",
    "distiller": "who writes profiles and reasons",
    "training": "how adapters are trained",
    "embedder": "by what a memory is found",
    "env": "how long a visit is",
    "debug": "runs of seconds that mean nothing",
    "tracking": "where runs are kept besides their folder",
}


def show_list(words: Sequence[str]) -> None:
    """Print every group, or the ones that are named.

    Args:
        words: names of groups, singular or plural.

    Raises:
        OptionError: there is no such group.
    """
    console = Console(highlight=False)
    for group in [_group(word) for word in words] or [*GROUPS]:
        for part in _of_group(group):
            console.print(part, markup=False)


def _group(word: str) -> str:
    known = [*GROUPS, *sorted(groups().keys() - GROUPS.keys())]
    for name in known:
        if word in (name, f"{name}s"):
            return name
    near = get_close_matches(word, known, n=1)
    cure = f"; did you mean {near[0]}?" if near else ""
    raise OptionError(f"list wanted one of {', '.join(known)}, got {word}{cure}")


def _of_group(group: str) -> list[RenderableType]:
    head = Text(f"{group}=NAME", style="bold")
    head.append(f"  {GROUPS.get(group, '')}", style="not bold")
    if group == "experiment":
        said = experiments()
        own = {a: {n: s for n, s in said.items() if s.aim == a} for a in AIMS}
        return [head, *(experiment_table(AIMS[aim], rows) for aim, rows in own.items() if rows)]
    rows = [(name, _said(group, name)) for name in groups()[group]]
    return [head, text_table([group, "what it is"], rows, num_texts=2)]


def _said(group: str, name: str) -> str:
    """The first line of a choice's file, without the command that it may end with."""
    folder = Path(conf.__file__).parent / group
    lines = (folder / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    told = [line.lstrip("# ") for line in lines if line.startswith("# ") and "@package" not in line]
    return told[0].partition(": personarec")[0].rstrip(" :;") if told else ""

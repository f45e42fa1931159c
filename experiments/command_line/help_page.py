"""The text of ``personarec --help``: what every experiment answers, needs and takes."""

from collections.abc import Mapping

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from experiments.command_line.experiments_said import AIMS, Said, experiments, groups

# Commands beside the experiments: what to write, and what for.
VERBS = {
    "personarec smoke": "is this installation in order? Every part once, in half a minute",
    "personarec list [GROUP]": "experiments, recommenders, users, engines, data, one line each",
    "personarec show user=3 item=5": "one question to one person, whole",
    "personarec chat user=3": "talk to one person (slm=smollm2: to one who can)",
    "personarec runs FOLDER": "an index of the runs in a folder, with a link to every report",
    "personarec inspect population=FOLDER": "who lives in a population, how it was made, how far"
    " to believe it",
    "personarec share FOLDER to=owner/name": "a population or results, to the Hugging Face Hub",
    "personarec fetch owner/name": "and from there",
}
_FLAGS = {
    "--dry-run": "questions, tokens, time, memory and cost; nothing is run",
    "-m": "one run for each of several values: seed=1,2,3",
    "debug=tiny": "any run in seconds, with no meaning",
    "output_dir=FOLDER": "where the files go; the same command goes on there",
    "--version": "version of personarec",
    "--hydra-help": "flags of Hydra, which reads the options",
    "--shell-completion": "install=bash (or zsh, fish): names and options on the tab key",
}
_CODES = (
    "Exit codes: 0 done; 1 an error, which is the last line printed; 130 stopped by Ctrl-C."
    " HYDRA_FULL_ERROR=1 before a command shows where an error happened."
)


def show_help() -> None:
    """Print it as wide as the terminal is."""
    console = Console(highlight=False)
    for part in _parts():
        console.print(part)


def experiment_table(title: str, told: Mapping[str, Said]) -> Table:
    """Experiments with their questions, and under each what it needs and takes."""
    table = _table(f"\n{title}")
    for name, said in told.items():
        below = f"\ntakes {said.takes}; needs {said.needs or 'nothing more'}"
        table.add_row(name, Text(said.question) + Text(below, style="dim"))
    return table


def _parts() -> list[RenderableType]:
    said = experiments()
    listed = {a: {n: s for n, s in said.items() if s.aim == a} for a in AIMS}
    return [
        Text("personarec experiment=NAME [GROUP=CHOICE …] [option=value …] [-m]", style="bold"),
        Text("Asks simulated users, who are small language models, about recommenders."),
        _pairs("\nFirst", VERBS),
        *(experiment_table(AIMS[aim], own) for aim, own in listed.items() if own),
        Text(
            "\nTimes are those of one core without a GPU, measured; about = estimated"
            " (docs/performance.md). Nothing more = what make demo installs."
        ),
        _pairs("\nWith every experiment", _FLAGS),
        Text("\nGroups and their choices", style="bold"),
        *(Text(f"  {group}: {', '.join(own)}") for group, own in groups().items()),
        Text("\npersonarec experiment=NAME --help shows the options of one experiment."),
        Text(_CODES),
    ]


def _pairs(title: str, rows: Mapping[str, str]) -> Table:
    table = _table(title)
    for name, told in rows.items():
        table.add_row(name, told)
    return table


def _table(title: str) -> Table:
    table = Table(
        box=None, padding=(0, 2, 0, 0), show_header=False, title=title, title_justify="left",
        title_style="bold",
    )  # fmt: skip
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table

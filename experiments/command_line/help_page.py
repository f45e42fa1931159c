"""The text of ``personarec --help``: what every experiment answers and how long it takes."""

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from experiments.command_line.experiments_said import experiments, groups


def show_help() -> None:
    """Print it as wide as the terminal is."""
    console = Console(highlight=False)
    for part in _parts():
        console.print(part)


def _parts() -> list[RenderableType]:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="bold")
    table.add_column("experiment", no_wrap=True)
    table.add_column("what it answers")
    table.add_column("takes", max_width=24)
    for name, said in experiments().items():
        table.add_row(name, said.question, said.takes)
    choices = groups()
    choices.pop("experiment")
    rows = [Text(f"  {name}: {', '.join(own)}") for name, own in choices.items()]
    listed = Text(f"  experiment: {', '.join(experiments())}")
    return [
        Text("personarec experiment=NAME [GROUP=CHOICE …] [option=value …] [-m]\n"),
        table,
        Text(
            "\nTimes are those of one core without a GPU, measured; about = estimated"
            " (docs/performance.md). debug=tiny makes any run one of seconds."
        ),
        Text("\nGroups and their choices:", style="bold"),
        listed,
        *rows,
        Text(
            "\npersonarec experiment=NAME --help   options of one experiment, as composed\n"
            "-m                                  one run for each of several values: seed=1,2,3\n"
            "--version                           version of personarec\n"
            "HYDRA_FULL_ERROR=1 personarec …     errors with the place where they happened\n"
            "personarec --hydra-help             flags of Hydra, which reads the options"
        ),
    ]

"""Words of a command, put in an order that Hydra's parser takes, and flags that are ours."""

from importlib.metadata import PackageNotFoundError, version

from experiments.command_line.option_table import NODES

# Flags of Hydra that are followed by a value of their own.
_WITH_VALUE = {
    "-c", "--cfg", "-p", "--package", "-cp", "--config-path", "-cn", "--config-name", "-cd",
    "--config-dir", "--experimental-rerun",
}  # fmt: skip


def flags_first(words: list[str]) -> list[str]:
    """The flags before all options: Hydra's parser refuses options on both sides of a flag.

    >>> flags_first(["seed=1,2", "-m", "output_dir=runs/sweep"])
    ['-m', 'seed=1,2', 'output_dir=runs/sweep']
    """
    flags: list[str] = []
    options: list[str] = []
    left = iter(words)
    for word in left:
        if not word.startswith("-"):
            options.append(word)
            continue
        flags.append(word)
        if word in _WITH_VALUE:
            flags += [value for value in [next(left, None)] if value is not None]
    return [*flags, *options]


def choices_of_ones_own(words: list[str]) -> list[str]:
    """Mappings under names of one's own may bring names that the default has not.

    >>> choices_of_ones_own(["experiment.grids={ease: {l2: [5]}}", "seed=1"])
    ['++experiment.grids={ease: {l2: [5]}}', 'seed=1']
    """
    return [f"++{word}" if "={" in word and word.split("=")[0] in NODES else word for word in words]


def version_text() -> str:
    """Name and version of this package."""
    try:
        return f"personarec {version('personarec')}"
    except PackageNotFoundError:  # run from a folder that was never installed
        return "personarec (not installed)"

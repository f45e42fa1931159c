"""Words of a command, put in an order that Hydra's parser takes, and flags that are ours."""

import os
import re
import shlex
from importlib.metadata import PackageNotFoundError, version

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from experiments.command_line.common_kinds import PLACE
from experiments.command_line.kinds import Either, Kind, Text
from experiments.command_line.option_table import NODES
from experiments.command_line.options import kind_of
from experiments.command_line.runs_verb import runs_words

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


def verb_first(words: list[str]) -> list[str]:
    """``show user=… item=…`` and ``chat user=…`` as experiments; all else comes back as it is.

    >>> verb_first(["show", "user=3", "item=Jaws"])
    ['experiment=show', 'experiment.user=3', "experiment.item='Jaws'"]
    >>> verb_first(["chat", "user=3", "said=lines.txt"])
    ['experiment=chat', 'experiment.user=3', 'experiment.said=lines.txt']
    """
    if words[:1] == ["runs"]:
        return runs_words(words[1:])
    if words[:1] == ["chat"]:
        return ["experiment=chat", *(_chatted(word) for word in words[1:])]
    if words[:1] != ["show"]:
        return words
    shown = ["experiment=show", *(_shown(word) for word in words[1:])]
    of_data = any(word.startswith(("data=", "data.")) for word in words)
    return [*shown, "experiment.of=data"] if of_data else shown


def dry_run_in_place(words: list[str]) -> list[str]:
    """``--dry-run`` as an option; Hydra makes no folder for a run that writes nothing.

    >>> dry_run_in_place(["experiment=tune", "--dry-run"])
    ['experiment=tune', 'dry_run=true', 'hydra.run.dir=.']
    """
    plain = ["dry_run=true" if word == "--dry-run" else word for word in words]
    dry = any(word.lstrip("+").casefold() == "dry_run=true" for word in plain)
    return [*plain, "hydra.run.dir=."] if dry else plain


def _chatted(word: str) -> str:
    name, equals, _ = word.partition("=")
    own = name in ("user", "population", "said", "stage") and equals
    return f"experiment.{word}" if own else word


def escaped(value: str) -> str:
    """A value as it stands within single quotation marks of a command."""
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _shown(word: str) -> str:
    name, equals, value = word.partition("=")
    if name == "item" and equals:
        return f"experiment.item='{escaped(value)}'"
    return f"experiment.{word}" if name in ("user", "population") and equals else word


def choices_of_ones_own(words: list[str]) -> list[str]:
    """Mappings under names of one's own may bring names that the default has not.

    >>> choices_of_ones_own(["experiment.grids={ease: {l2: [5]}}", "seed=1"])
    ['++experiment.grids={ease: {l2: [5]}}', 'seed=1']
    """
    return [f"++{word}" if "={" in word and word.split("=")[0] in NODES else word for word in words]


def texts_as_written(words: list[str]) -> list[str]:
    """Options that are a text keep it letter by letter: signs, blanks at its ends, digits.

    Hydra reads neither ``data.separator=;`` nor ``data.path=log (1).csv``, takes ``data.name=2023``
    for a number, and cuts the blank off ``engine.lead= ``. What it does read stays as it is, so
    quotes, ``null``, escapes and sweeps (``users.model=a,b``) mean what they mean to Hydra. A path
    that begins with ``~/`` begins at home, where shells leave that undone.

    >>> texts_as_written(["data.separator=;", "data.name=2023", "users.ablation=no_ms,no_ml"])
    ["data.separator=';'", "data.name='2023'", 'users.ablation=no_ms,no_ml']
    """
    return [_text_as_written(word) for word in words]


def _text_as_written(word: str) -> str:
    option, sign, value = word.partition("=")
    kind = kind_of(option.lstrip("+"))
    if not sign or kind is None or not _is_text(kind):
        return word
    if value.startswith("~/") and kind in (PLACE, Either((PLACE,), null=True)):
        value = os.path.expanduser(value)
    try:
        read = OverridesParser.create().parse_override(f"{option}={value}")
        if read.is_sweep_override() or read.value() is None:
            return f"{option}={value}"
        kept = isinstance(read.value(), str) and value == value.strip()
    except HydraException:
        kept = False
    return f"{option}={value}" if kept else f"{option}={_quoted(value)}"


def _is_text(kind: Kind) -> bool:
    kinds = kind.kinds if isinstance(kind, Either) else (kind,)
    return all(isinstance(one, Text) for one in kinds)


def _quoted(value: str) -> str:
    """In quotes of Hydra's grammar, where a backslash counts before a quote only."""
    quoted = re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value)
    return f"'{quoted}'"


def in_shell(word: str) -> str:
    r"""A word of a command as a shell wants it, in quotes only where it needs them.

    >>> in_shell("data.separator=';'")
    '"data.separator=\';\'"'
    """
    if "'" in word and not set(word) & set('"$`!\\'):
        return f'"{word}"'
    return shlex.quote(word)


def version_text() -> str:
    """Name and version of this package."""
    try:
        return f"personarec {version('personarec')}"
    except PackageNotFoundError:  # run from a folder that was never installed
        return "personarec (not installed)"

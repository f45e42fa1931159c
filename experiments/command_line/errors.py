"""What went wrong, in one line and in the words of a command.

Errors of Python name keywords of Python (``on_bad_rows="drop"``); here they become options of the
command (``data.on_bad_rows=drop``). Errors of Hydra get the nearest name.
"""

import errno
import os
import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from experiments.command_line.arguments import in_shell
from simenv.values.extras import install_line

# Groups whose options a keyword may belong to, the likeliest first.
GROUPS = ("data", "users", "engine", "env", "distiller", "embedder", "training", "experiment")
_KEYWORD = re.compile(
    r"""(?<![\w.=/"'?&-])([a-z][a-z0-9_]*)=("[^"\n]*"|'[^'\n]*'|None|True|False|\[[^\]\s]*\])?"""
)
_PLAIN = {"None": "null", "True": "true", "False": "false"}
# Errors that say what a user can do; any other is a fault of the code that was run.
_USERS = (ValueError, OSError, ImportError, RuntimeError, HydraException, OmegaConfBaseException)
# What a disk that is full says, also through libraries that raise no OSError of it.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_ROOM = "make room, or name another place, and give the command again"
_OF_THE_SYSTEM = re.compile(r"\(os error (\d+)\)")
Choices = Mapping[str, Mapping[str, Collection[str]]]
MORE = "HYDRA_FULL_ERROR=1 before the command shows where"


class JobFailedError(Exception):
    """A job of a sweep failed, and its error was printed."""


def in_words(error: BaseException, config: Mapping[str, Any] | None = None) -> str:
    """The error as one line for a terminal.

    Args:
        error: whatever an experiment or Hydra raised.
        config: plain, of the run; None = the command could not be composed.
    """
    group, cause = _innermost(error)
    if _is_full_disk(cause):
        return _full_disk(cause)
    text = _text(cause)
    if config is not None:
        text = as_command(text, config, group)
    if not isinstance(cause, _USERS):
        text = f"{type(cause).__name__}: {text} ({MORE})"
    return text


def as_command(text: str, config: Mapping[str, Any], group: str | None = None) -> str:
    """``text`` with every keyword of Python as the option of the command that sets it.

    Words that a shell would read otherwise stand in quotes.

    >>> as_command('pass on_bad_rows="drop"', {"data": {"on_bad_rows": "error"}})
    'pass data.on_bad_rows=drop'
    """

    def option(match: re.Match[str]) -> str:
        owner = _owner(match.group(1), config, group)
        if owner is None:
            return match.group()
        value = match.group(2) or ""
        plain = _PLAIN.get(value, value.strip(chr(34) + chr(39)))
        return in_shell(f"{owner}.{match.group(1)}={plain}")

    return _KEYWORD.sub(option, text)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant: the whole, or its last part in another group.

    >>> nearest("data.num_user", ["num_users", "data.num_users"])
    'data.num_users'
    """
    known = list(names)
    found = get_close_matches(name, known, n=1, cutoff=0.75)
    if found:
        return found[0]
    last = name.rpartition(".")[2]
    same = [one for one in known if one.rpartition(".")[2] == last]
    return same[0] if same else next(iter(get_close_matches(name, known, n=1, cutoff=0.6)), None)


def composition_in_words(
    error: Exception, options: Iterable[str], choices: Choices | None = None
) -> str:
    """What Hydra could not compose, with the nearest option or choice.

    Args:
        error: of Hydra.
        options: dotted names of those that the command has.
        choices: config group → its choices → the options that each brings.
    """
    text, choices = str(error), choices or {}
    if isinstance(error, MissingConfigException) or "Could not load '" in text:
        return _missing_choice(text, choices)
    if isinstance(error, OverrideParseException):
        return (
            f"{error.override} cannot be read; options are written option=value, with quotes around"
            " spaces, braces and $: 'option={a: 1}'"
        )
    if found := re.match(r"Could not override '([^']*)'", text):
        return _no_option(found.group(1), options, choices)
    if found := re.search(r"Could not delete from config\. '?([\w.@/-]*)", text):
        return _no_option(found.group(1), options, choices)
    if "experiment=<OPTION>" in text or "'experiment'" in text:
        return f"which experiment? add experiment=NAME. {' '.join(text.split())}"
    return " ".join(text.split())


def _missing_choice(text: str, choices: Choices) -> str:
    found = re.search(r"Could not (?:find|load) '([^']*)'", text)
    group, _, name = found.group(1).rpartition("/") if found else ("", "", "")
    listed = [line.strip() for line in text.splitlines() if re.match(r"\t\w[\w-]*$", line)]
    known = listed or list(choices.get(group, ()))
    if not known:
        return " ".join(text.split("Config search path")[0].split())
    near = get_close_matches(name, known, n=1)
    cure = f"; did you mean {group}={near[0]}?" if near else ""
    if group == "recommender" and "." in name:
        cure = f"; one of your own is added beside them: +recommender.NAME._target_={name}"
    return f"{group}={name}: Could not find '{group}/{name}'{cure} (there are {', '.join(known)})"


def _no_option(name: str, options: Iterable[str], choices: Choices) -> str:
    group, _, key = name.partition(".")
    if owners := [one for one, keys in choices.get(group, {}).items() if key.split(".")[0] in keys]:
        those = ", ".join(f"{group}={owner}" for owner in owners)
        which = "it" if len(owners) == 1 else "the one that is meant"
        return f"{name} is an option of {those}; add {which} to the command"
    near = nearest(name, options)
    cure = f"did you mean {near}?" if near else "personarec --help lists groups and experiments"
    return f"{name} is no option of this experiment; {cure} (+{name}=… adds an argument)"


def _innermost(error: BaseException) -> tuple[str | None, BaseException]:
    """The config group that was built, and what its builder raised."""
    group = None
    while isinstance(error, InstantiationException) and error.__cause__ is not None:
        found = re.search(r"full_key: ([\w.]+)", str(error))
        group = found.group(1) if found else group
        error = error.__cause__
    return group, error


def _text(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return _file_error(error)
    if isinstance(error, ConfigAttributeError | ConfigKeyError):
        return (
            f"the run wanted the option {error.full_key or error.key}, which is not there any more"
        )
    text = " ".join(str(error).split())
    if isinstance(error, ImportError):
        text = _missing_extra(error) or text
    if isinstance(error, KeyError):
        text = f"no entry {text}"
    if isinstance(error, ConfigCompositionException) and error.__cause__ is not None:
        text = f"{text}: {' '.join(str(error.__cause__).split())}"
    if isinstance(error, MemoryError):
        text = f"out of memory; {text}" if text else "out of memory; make the run smaller"
    return text or type(error).__name__


def _missing_extra(error: BaseException | None) -> str | None:
    """The line that installs what an import did not find, under Hydra's "Error loading …"."""
    while isinstance(error, ImportError):
        if line := install_line(error):
            return line
        if "pip install" in str(error) and not str(error).startswith("Error loading"):
            return str(error)
        error = error.__cause__
    return None


def _is_full_disk(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    found = _OF_THE_SYSTEM.search(str(error))  # of libraries written in Rust; torch has no number
    return int(found.group(1)) in _FULL if found else "inline_container.cc" in str(error)


def _full_disk(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.errno is not None:
        return f"{error.filename}: {os.strerror(error.errno)}; {_ROOM}"
    said = _OF_THE_SYSTEM.search(str(error))
    number = error.errno if isinstance(error, OSError) else int(said.group(1)) if said else None
    why = os.strerror(number) if number else "the disk may be full"
    return f"a file could not be written to its end: {why}; {_ROOM}"


def _file_error(error: OSError) -> str:
    name = error.filename
    if isinstance(error, FileNotFoundError):
        return f"there is no file or folder {name}; check its name, or give the right one"
    if isinstance(error, PermissionError):
        return f"{name} may not be read or written; change its permissions, or name another place"
    if isinstance(error, IsADirectoryError):
        return f"{name} is a folder where a file was wanted; name the file in it"
    if isinstance(error, NotADirectoryError | FileExistsError):
        return f"{name} is a file where a folder was wanted; name another place"
    return f"{name}: {error.strerror or error}"


def _owner(name: str, config: Mapping[str, Any], group: str | None) -> str | None:
    """The group of the config that has the keyword; the one that was built comes first."""
    groups = [*([group] if group else []), *GROUPS]
    for one in groups:
        node: Any = config
        for part in one.split("."):
            node = node.get(part) if isinstance(node, Mapping) else None
        if isinstance(node, Mapping) and name in node:
            return one
    return None

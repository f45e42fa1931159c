"""``personarec share FOLDER to=owner/name`` and ``personarec fetch owner/name``, the way back.

What a folder is decides what goes: a population with its card, or the results of a run with their
report. The token is huggingface_hub's own affair (HF_TOKEN, or ``hf auth login``): no word of the
command is one, and none is printed.
"""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from agents.population.folder import HEAD, find_folder
from agents.population.population import Population
from experiments.command_line.options import OptionError
from experiments.reporting.on_hub.shared_results import (
    RESULTS,
    prepare_results,
    share_results,
    shared_results,
)
from experiments.reporting.terminal import text_table
from simenv.whole_files import replaced_folder, write_whole

_SHARE = "share wanted FOLDER to=owner/name, and private=false, sessions=true or --dry-run"
_FETCH = "fetch wanted owner/name, and to=FOLDER, what=population or results, revision=COMMIT"
_TRUTH = {"true": True, "false": False}
_DRY = "--dry-run"
_SECRET = re.compile(r"\bhf_[A-Za-z0-9]{20,}")
_NO_TOKEN = "; a token is taken from HF_TOKEN or `hf auth login` alone"
_PEOPLE = (
    "A population holds the ratings and profiles of its people: share it only where you may share"
    " those."
)
_REPORTS = "Reports show profiles and answers of some people word for word: read yours before."


class _Sent(NamedTuple):
    folder: str
    to: str
    private: bool
    sessions: bool
    dry: bool


def share(words: Sequence[str]) -> None:
    """Put a population or the results of a run on the Hub, or say which files would go.

    Args:
        words: the folder, ``to=owner/name``, and ``private=false`` (a new repository is private),
            ``sessions=true`` (every slate and answer of a run too), ``--dry-run``.

    Raises:
        OptionError: a word that is none of these, or the folder is neither.
        FileNotFoundError: there is no such folder.
        ConnectionError: the hub refused, or cannot be reached.
    """
    sent = _sent(words)
    what = _what(sent)
    if sent.dry:
        _show_files(sent, what)
        return
    if what == "population":
        commit = Population.load(sent.folder).push_to_hub(sent.to, private=sent.private)
        use = f"users.population={sent.to}"
    else:
        commit = share_results(sent.folder, sent.to, private=sent.private, sessions=sent.sessions)
        use = f"personarec fetch {sent.to} what=results"
    _say(f"Shared the {what} as {sent.to}, revision {commit}. To use it: {use}")


def fetch(words: Sequence[str]) -> None:
    """Bring a population or results from the Hub.

    Args:
        words: ``owner/name``, and ``to=FOLDER`` (a new one; else it stays in huggingface_hub's
            cache), ``what=population`` or ``results``, ``revision=COMMIT``.

    Raises:
        OptionError: a word that is none of these, or the folder holds something already.
        FileNotFoundError: it is not on the hub, may not be read, or the hub cannot be reached.
    """
    name, told = _parted(words, ("to", "what", "revision"), _FETCH)
    what = told.get("what", "population")
    if name.count("/") != 1 or what not in ("population", "results"):
        raise OptionError(f"{_FETCH}; got {' '.join(words)}")
    place = Path(told["to"]) if "to" in told else None
    if place is not None and place.exists():
        raise OptionError(f"to={place} wanted a new folder, got one that is there; name another")
    revision = told.get("revision")
    if what == "population":
        found = find_folder(name, revision)
        people = Population.load(found)
        if place is not None:
            people.save(place)
        use = f"users.population={place or found}"
    else:
        found = shared_results(name, revision)
        if place is not None:
            with replaced_folder(place) as building:
                for file in filter(Path.is_file, found.iterdir()):
                    write_whole(building / file.name, file.read_bytes())
        use = f"open {place or found}/report.html"
    _say(f"Fetched the {what} {name} into {place or found}. To use it: {use}")


def _sent(words: Sequence[str]) -> _Sent:
    dry = _DRY in words
    folder, told = _parted([w for w in words if w != _DRY], ("to", "private", "sessions"), _SHARE)
    flags = {name: told.get(name, "") for name in ("private", "sessions")}
    if "to" not in told or any(flag and flag not in _TRUTH for flag in flags.values()):
        raise OptionError(f"{_SHARE}; got {' '.join(words)}")
    if told["to"].count("/") != 1:
        raise OptionError(f"to wanted a name as owner/name, got {told['to']!r}")
    private, sessions = _TRUTH.get(flags["private"], True), _TRUTH.get(flags["sessions"], False)
    return _Sent(folder, told["to"], private, sessions, dry)


def _parted(words: Sequence[str], takes: Sequence[str], wanted: str) -> tuple[str, dict[str, str]]:
    """The one word without a name, and the named ones; a value of an unknown name is not repeated.

    Raises:
        OptionError: there is no such word, several, or one of another name.
    """
    if any(_SECRET.search(word) for word in words):
        raise OptionError(f"{wanted}; got a token{_NO_TOKEN}")
    plain = [word for word in words if "=" not in word]
    told = dict(word.split("=", 1) for word in words if "=" in word)
    if odd := [name for name in told if name not in takes]:
        raise OptionError(f"{wanted}; got {odd[0]}=…{_NO_TOKEN * ('token' in odd[0].lower())}")
    if len(plain) != 1 or not all(told.values()):
        raise OptionError(f"{wanted}; got {' '.join(words) or 'nothing'}")
    return plain[0], told


def _what(sent: _Sent) -> str:
    """Population or results.

    Raises:
        FileNotFoundError: there is no such folder.
        OptionError: it is neither.
    """
    folder = Path(sent.folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"share wanted a folder, found none at {sent.folder!r}")
    if (folder / HEAD).is_file():
        if sent.sessions:
            raise OptionError("sessions=true wanted the folder of a run, got a population")
        return "population"
    if (folder / RESULTS).is_file():
        return "results"
    raise OptionError(
        f"share wanted a population (a folder with {HEAD}) or the output_dir of a run that has"
        f" ended (with {RESULTS}), got {sent.folder}"
    )


def _show_files(sent: _Sent, what: str) -> None:
    """The files that would go, as they would go; nothing is sent."""
    with tempfile.TemporaryDirectory() as temporary:
        part = Path(temporary) / "part"
        if what == "population":
            Population.load(sent.folder).save(part)
        else:
            part.mkdir()
            prepare_results(sent.folder, part, sessions=sent.sessions)
        files = sorted(path for path in part.rglob("*") if path.is_file())
        sizes = [path.stat().st_size for path in files]
        names = [path.relative_to(part).as_posix() for path in files]
    rows = [[name, f"{size / 1e3:,.1f}"] for name, size in zip(names, sizes, strict=True)]
    kind = "private, unless it is there already" if sent.private else "open to everybody"
    _say(f"Would go to {sent.to} ({kind}):")
    table = text_table(["file", "kB"], [*rows, ["in all", f"{sum(sizes) / 1e3:,.1f}"]])
    Console(highlight=False).print(table, markup=False)
    _say(_PEOPLE if what == "population" else _REPORTS)
    _say("Nothing was sent.")


def _say(text: str) -> None:
    Console(highlight=False).print(text, markup=False, soft_wrap=True)

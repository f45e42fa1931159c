"""What the files of finished runs say: one row a run, whatever its experiment.

It reads ``results.json`` and the first heading of a report, and trusts neither.
"""

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from experiments.reporting.failed_answers import sentence
from experiments.reporting.markdown import markdown_read, plain
from experiments.reporting.parts import failed_parts
from experiments.reporting.result import REPORTS

RESULTS = "results.json"


def runs_below(folder: Path, own: Path) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """The runs below a folder, newest first, and the files that are none with what is wrong.

    Args:
        folder: with runs at any depth.
        own: of the index itself, which is no run among them.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: there is no run in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"experiment.folder={folder} wanted a folder of runs, there is no such folder; check"
            " its name"
        )
    runs, refused = [], []
    for path in sorted(folder.rglob(RESULTS)):
        if own.resolve() in path.resolve().parents or _is_copy(path.parent):
            continue
        try:
            runs.append(_run(path, folder))
        except (OSError, ValueError) as error:
            place = path.relative_to(folder).as_posix()
            refused.append({"file": place, "message": plain(f"{error}")})
    runs = [run for run in runs if run["experiment"] != "index"]
    if not runs:
        raise ValueError(
            f"experiment.folder={folder} wanted runs, folders with a {RESULTS}; found none below"
            " it; give the folder that holds the output_dir of runs"
        )
    return sorted(runs, key=lambda run: (run["started"], run["folder"]), reverse=True), refused


def _is_copy(folder: Path) -> bool:
    """Whether MLflow keeps the files of a run here once more."""
    return folder.name == "artifacts" and (folder.parent / "meta.yaml").is_file()


def _run(path: Path, folder: Path) -> dict[str, Any]:
    """The row of one run.

    Raises:
        ValueError: the file is no result of a run.
    """
    results = json.loads(path.read_text(encoding="utf-8"))
    made = results.get("provenance") if isinstance(results, Mapping) else None
    if not isinstance(made, Mapping) or not isinstance(results.get("experiment"), str):
        raise ValueError("wanted the results of a run, with experiment and provenance, got others")
    place = path.parent
    report = next((name for name in (*REPORTS, RESULTS) if (place / name).is_file()), RESULTS)
    git = made["git"] if isinstance(made.get("git"), Mapping) else {}
    return {
        "folder": place.relative_to(folder).as_posix(),
        "report": report,
        "experiment": results["experiment"],
        "says": headline(place / report),
        "command": str(made.get("command", "")),
        "started": str(made.get("started", "")),
        "seconds": made["seconds"] if isinstance(made.get("seconds"), int | float) else None,
        "commit": str(git.get("commit") or "")[:7] + "+" * bool(git.get("dirty")),
        "notes": _notes(results, made.get("config")),
    }


def headline(report: Path) -> str:
    """The first heading of a report as text; empty where it has none."""
    if report.suffix == ".json":
        return ""
    text = report.read_text(encoding="utf-8", errors="replace")
    if report.suffix == ".html":
        reader = _FirstHeading()
        reader.feed(text)
        return " ".join(plain(reader.text).split())
    first = next((line[2:] for line in text.splitlines() if line.startswith("# ")), "")
    return plain(markdown_read(first)).strip()


def _notes(results: Mapping[str, Any], config: Any) -> list[str]:
    """What to know before a run is believed."""
    debug = results.get("debug") or (config.get("debug") if isinstance(config, Mapping) else None)
    notes = [f"debug={debug}"] if debug else []
    cards = [results.get(key) for key in ("users", "people")]
    notes += [str(c["warning"]) for c in cards if isinstance(c, Mapping) and c.get("warning")]
    failures = results.get("failures")
    try:
        notes += [text for text in (failed_parts(failures or []), sentence(results)) if text]
    except (AttributeError, KeyError, TypeError):
        notes.append("its failures cannot be read")
    return notes


class _FirstHeading(HTMLParser):
    """Collects the text of the first ``h1``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self._state = "before"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begins at the first ``h1``."""
        if tag == "h1" and self._state == "before":
            self._state = "inside"

    def handle_endtag(self, tag: str) -> None:
        """Ends with it."""
        if tag == "h1" and self._state == "inside":
            self._state = "behind"

    def handle_data(self, data: str) -> None:
        """What is said in between."""
        self.text += data if self._state == "inside" else ""

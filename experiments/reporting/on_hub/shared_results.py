"""Results to and from the Hugging Face Hub; the card is the report of the run. It measures nothing.

Only files of known names travel. Sessions (``interactions.parquet``) hold the users' ids and what
each of them was shown, so they stay here unless somebody asks for them.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.population.hub import fetch, push
from simenv.whole_files import write_whole

RESULTS, REPORT, CARD = "results.json", "report.md", "README.md"
SESSIONS = "interactions.parquet"
_FILES = (RESULTS, REPORT, "report.html", "config.yaml")
_WHAT, _TYPE = "results", "dataset"  # what the hub calls a repository that is neither model nor app


def share_results(
    folder: str | Path, repo_id: str, *, private: bool = True, sessions: bool = False
) -> str:
    """Put a run's results on the hub, with a card made of its report.

    Args:
        folder: ``output_dir`` of the run; unchanged.
        repo_id: ``owner/name``; made where it is not there. It then holds this run and no other.
        private: whether a new repository is.
        sessions: whether every slate and answer goes too, where the run kept them.

    Returns:
        The commit's id, good as a ``revision``.

    Raises:
        FileNotFoundError: the folder holds no results.
        ModuleNotFoundError: huggingface_hub is not installed.
        ValueError: ``repo_id`` is not ``owner/name``.
        ConnectionError: the hub refused, or cannot be reached; nothing is half there.
    """
    with tempfile.TemporaryDirectory() as temporary:
        part = Path(temporary)
        results = prepare_results(folder, part, sessions=sessions)
        message = f"Results of {results.get('experiment')}"
        return push(part, repo_id, private=private, message=message, what=_WHAT, repo_type=_TYPE)


def prepare_results(folder: str | Path, part: Path, *, sessions: bool = False) -> Mapping[str, Any]:
    """Write into the empty folder ``part`` what ``share_results`` sends; returns the results.

    Raises:
        FileNotFoundError: the folder holds no results.
        ValueError: they are no JSON object.
    """
    results = read_results(folder)
    for name in [*_FILES, SESSIONS] if sessions else _FILES:
        if (Path(folder) / name).is_file():
            write_whole(part / name, (Path(folder) / name).read_bytes())
    report = part / REPORT
    text = report.read_text(encoding="utf-8") if report.is_file() else ""
    write_whole(part / CARD, card(results, text))
    return results


def shared_results(repo_id: str, revision: str | None = None) -> Path:
    """The folder of results that somebody shared, for ``read_results`` and ``experiment=collect``.

    Args:
        repo_id: ``owner/name``.
        revision: branch, tag or commit; None = the main branch as it is now.

    Raises:
        FileNotFoundError: it is not on the hub, may not be read, or the hub cannot be reached.
    """
    return fetch(repo_id, [*_FILES, SESSIONS, CARD], revision, what=_WHAT, repo_type=_TYPE)


def read_results(folder: str | Path) -> dict[str, Any]:
    """``results.json`` of a run.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no JSON object.
    """
    file = Path(folder) / RESULTS
    if not file.is_file():
        raise FileNotFoundError(
            f"results wanted the folder of a run with {RESULTS}, got {str(folder)!r}; give the"
            " output_dir of a run that has ended"
        )
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file}: no JSON ({str(error)[:100]}); copy it again") from error
    if not isinstance(found, dict):
        raise ValueError(f"{file} wanted an object, got {type(found).__name__}; copy it again")
    return found


def card(results: Mapping[str, Any], report: str) -> str:
    """The page of a repository: what the hub reads, how to make it again, and the report."""
    source: Mapping[str, Any] = results.get("provenance") or {}
    packages = source.get("packages") or {}
    commit = (source.get("git") or {}).get("commit") or "unknown"
    lines = [
        "---\nlibrary_name: personarec\ntags:\n- personarec\n- user-simulation\n---",
        f"# {results.get('experiment')}",
        "Measured with simulated users by PersonaRec"
        f" {packages.get('personarec', '(version unknown)')}, commit {commit}, Python"
        f" {source.get('python', 'unknown')}, {source.get('ended', 'at an unknown time')}.",
    ]
    if results.get("debug"):
        lines.append("**A try on a tiny world: no figure of this page means anything.**")
    if command := source.get("command"):
        lines.append(f"```sh\n{command}\n```")
    return "\n\n".join([*lines, report.strip() or f"All figures: `{RESULTS}`."]) + "\n"

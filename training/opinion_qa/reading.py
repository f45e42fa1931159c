"""Opinions from files: the Hub set of arXiv 2409.10245, a CSV like it, and PersonalityEdit's JSON.

Nothing is downloaded but what is named, no code is run and no pickle is read.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simenv.values.comma_rows import comma_rows
from training.opinion_qa.opinions import Cleaned, Opinion, cleaned, label
from training.opinion_qa.topics import FORMS

HUB_SET = "holistic-ai/personality_manipulation"
# Field → how a column may be called, in small letters and without blanks, lines and underscores.
_COLUMNS = {
    "trait": ("targetpersonality", "personality", "trait", "targettrait", "label"),
    "topic": ("edittopic", "topic", "entity", "ent"),
    "question": ("question", "prompt", "input"),
    "answer": ("answer", "response", "output", "opinion"),
    "pole": ("pole", "level", "direction"),
}
_MISSING_POLE = "high"  # the published set has no other


def read_opinions(source: str | Path) -> Cleaned:
    """Opinions from a CSV, a JSON of PersonalityEdit or a set on the Hugging Face Hub.

    Args:
        source: path of a ``.csv`` or ``.json`` file, or ``owner/name`` on the Hub.

    Raises:
        FileNotFoundError: neither a file nor a name on the Hub.
        ConnectionError: the Hub cannot be reached, or has no such set.
        ValueError: the file is not of this form, or holds an unknown trait or pole.
    """
    path = Path(source)
    if path.suffix == ".json" and path.is_file():
        return read_personality_edit(path)
    if path.is_file():
        return read_opinion_csv([path])
    if path.is_absolute() or str(source).count("/") != 1:
        raise FileNotFoundError(
            f"opinions wanted a CSV or JSON file or a set on the Hub such as {HUB_SET}, got"
            f" {str(source)!r}, which is not there; correct the path"
        )
    return read_opinion_csv(_from_hub(str(source)))


def read_opinion_csv(paths: Iterable[Path]) -> Cleaned:
    """Opinions of CSV files with columns for personality, topic, question and answer.

    A column for the pole may be missing: then all answers show much of their trait.

    Raises:
        ValueError: a column is missing, a cell is empty or one too many, or a trait or pole is
            unknown.
    """
    found: list[Opinion] = []
    for path in paths:
        names, rows = comma_rows(path.read_text("utf-8-sig"), path.name)
        columns = _columns_of(names, path.name)
        found += [_opinion(row, columns, f"{path.name}, row {n}") for n, row in _counted(rows)]
    return cleaned(found)


def read_personality_edit(path: str | Path) -> Cleaned:
    """Opinions of PersonalityEdit: entries with ``ent`` and lists of answers by trait.

    The file holds no questions; the answers of an entry are asked for in turn by our own forms.

    Raises:
        ValueError: the file is not of this form, or holds an unknown trait.
    """
    name = Path(path).name
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
        pairs = [(str(entry["ent"]), key, entry[key]) for entry in entries for key in entry]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{name} wanted a list of entries with 'ent' and lists of answers by trait, as in"
            f" PersonalityEdit, got something else ({type(error).__name__}: {error}); copy it again"
        ) from error
    found = []
    for topic, trait, answers in pairs:
        if not isinstance(answers, list) or trait == "ent":
            continue
        own = _label(trait, _MISSING_POLE, f"{name}, entry {topic!r}")
        for place, answer in enumerate(answers):
            question = FORMS[place % len(FORMS)].format(t=topic)
            found.append(Opinion(*own, topic, question, str(answer).strip()))
    return cleaned(found)


def _from_hub(name: str) -> list[Path]:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, repo_type="dataset", allow_patterns=["*.csv"]))
    except Exception as error:  # of HTTP, of names, of the cache
        raise ConnectionError(
            f"opinions wanted the set {name!r} of the Hugging Face Hub, which cannot be read"
            f" ({type(error).__name__}); download its CSV and give its path"
        ) from error
    files = sorted(folder.rglob("*.csv"))
    if not files:
        raise ValueError(f"the set {name!r} holds no CSV; give the path of one")
    return files


def _columns_of(names: Iterable[str], file: str) -> dict[str, str]:
    """Field → column of this file."""
    plain = {"".join(c for c in n.casefold() if c.isalnum()): n for n in names}
    found = {
        field: next((plain[known] for known in wanted if known in plain), None)
        for field, wanted in _COLUMNS.items()
    }
    missing = [field for field in found if found[field] is None and field != "pole"]
    if missing:
        raise ValueError(
            f"{file} wanted columns for personality, topic, question and answer, got"
            f" {', '.join(plain.values()) or 'none'}: none for {missing[0]}; rename one to"
            f" {_COLUMNS[missing[0]][0]!r}"
        )
    return {field: column for field, column in found.items() if column is not None}


def _counted(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[int, Mapping[str, Any]]]:
    return enumerate(rows, start=2)  # as an editor counts: the heads are row 1


def _opinion(row: Mapping[str, Any], columns: Mapping[str, str], where: str) -> Opinion:
    cells = {field: row[column].strip() for field, column in columns.items()}
    if empty := [columns[field] for field, cell in cells.items() if not cell]:
        raise ValueError(
            f"{where}: {empty[0]} wanted a text, got nothing; fill it in or drop the row"
        )
    own = _label(cells["trait"], cells.get("pole", _MISSING_POLE), where)
    return Opinion(*own, cells["topic"], cells["question"], cells["answer"])


def _label(trait: str, pole: str, where: str) -> tuple[str, str]:
    try:
        return label(trait.casefold(), pole.casefold())
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error

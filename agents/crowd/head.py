"""What a crowd's folder says of itself: how many people, over which items, and its files' hashes.

Arrow files have no checksums: a byte that fell over would be read as another rating, or as a place
outside the file. So the files are hashed when a crowd is opened, a second or two a gigabyte. A
folder of an earlier version has no head, and is opened as it is.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from agents.inference.local.plain_files import check_plain, read_json
from simenv.catalog import Catalog
from simenv.whole_files import write_whole

FORMAT = 1
_HEAD = "crowd.json"
_CURE = "copy the whole folder again, or write it anew with write_crowd"


def write_head(folder: Path, catalog: Catalog, names: Sequence[str]) -> None:
    """Say which items people are over, and hash the files."""
    hashes = {name: _digest(folder / name) for name in names}
    head = {"format": FORMAT, "catalog": catalog_digest(catalog), "files": hashes}
    write_whole(folder / _HEAD, json.dumps(head, indent=1))


def check_head(folder: Path, catalog: Catalog, names: Sequence[str]) -> None:
    """Refuse a folder that is not as it was written, or is of other items.

    Raises:
        FileNotFoundError: a file of the crowd is missing.
        ValueError: a file is another than was written, or the catalogue is.
    """
    for name in names:
        if not (folder / name).exists():
            raise FileNotFoundError(
                f"{str(folder / name)!r} wanted a file of people, got none; write them with"
                " write_crowd"
            )
        check_plain(folder / name)
    if not (folder / _HEAD).exists():
        return
    head = read_json(folder / _HEAD)
    if head.get("format") != FORMAT or not isinstance(head.get("files"), dict):
        raise ValueError(f"{_HEAD} wanted format {FORMAT} with the hashes of files; {_CURE}")
    for name in names:
        if head["files"].get(name) != _digest(folder / name):
            raise ValueError(f"{name} is not the file that {_HEAD} was written with; {_CURE}")
    if head.get("catalog") != catalog_digest(catalog):
        raise ValueError(
            f"the crowd in {folder.name!r} wanted the items that it was written over, got others;"
            " give the population that it was written from"
        )


def catalog_digest(catalog: Catalog) -> str:
    """SHA-256 of what the items are called and said to be, in their order."""
    digest = hashlib.sha256(catalog.kind.encode())
    for text in catalog.texts():
        digest.update(f"\0{len(text)}\0{text}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

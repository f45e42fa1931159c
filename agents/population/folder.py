"""Where a population lies on disk, and how a new one takes its place. It knows no people."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.population.hub import fetch

HEAD = "population.json"  # a folder with this file is a population


def find_folder(path_or_hub_id: str | Path, revision: str | None) -> Path:
    """The folder of a population; fetched where the name is a hub id and no folder.

    Raises:
        FileNotFoundError: neither a population folder nor a hub id that can be reached.
    """
    folder = Path(path_or_hub_id)
    if (folder / HEAD).is_file():
        return folder
    if folder.exists() or str(path_or_hub_id).count("/") != 1:
        raise FileNotFoundError(
            f"population {str(path_or_hub_id)!r}: wanted a folder with {HEAD} or a hub id"
            " owner/name; build one with `personarec experiment=build_population`"
        )
    return fetch(str(path_or_hub_id), revision)


@contextmanager
def replaced_folder(path: str | Path) -> Iterator[Path]:
    """An empty folder to write into, which takes the place of ``path`` when it is written whole.

    Raises:
        FileExistsError: there is something else than a population at ``path``; nothing is deleted.
    """
    folder = Path(path)
    if folder.exists() and not (folder / HEAD).is_file() and not _is_empty(folder):
        raise FileExistsError(
            f"{str(folder)!r} holds something that is no population; save to a new folder"
        )
    building = folder.with_name(folder.name + ".new")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    yield building
    shutil.rmtree(folder, ignore_errors=True)
    building.replace(folder)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())

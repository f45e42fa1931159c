"""Where a population lies on disk, what files it has, and how a new one takes its place."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.inference.local.model_files import ADAPTER_FILES, MODEL_FILES
from agents.inference.local.plain_files import is_known, refuse_links
from agents.population.hub import fetch, holds
from agents.population.measured_traits import TRAITS
from agents.population.shared_taste import GATES, PEERS, WARINESS
from simenv.whole_files import replaced_folder

HEAD = "population.json"  # a folder with this file is a population
INSIDE = Path(__file__).parents[1] / "populations"  # those that the package brings along, by name
BY_DEFAULT = "swift"  # of these, who answers where nobody is named; ``shipped`` is another name
FILES = (
    HEAD,
    "README.md",
    "catalog.parquet",
    "personas.parquet",
    "history.parquet",
    "vectors.safetensors",
    GATES,
    PEERS,
    WARINESS,
    TRAITS,
    *(f"model/{name}" for name in MODEL_FILES),
    *(f"adapters/*/{name}" for name in ADAPTER_FILES),
)
_LEFT_BY_OTHERS = (".gitattributes", ".cache/huggingface/*", ".DS_Store", "*/.DS_Store")


def find_folder(path_or_hub_id: str | Path, revision: str | None) -> Path:
    """The folder of a population, by its path, or the name of one in the package, or a hub id.

    A folder that is there comes before a name.

    Raises:
        FileNotFoundError: neither a population folder nor a hub id that can be reached.
        ValueError: the folder holds links.
    """
    folder = folder_meant(path_or_hub_id)
    if not (folder / HEAD).is_file():
        if folder.exists() or str(path_or_hub_id).count("/") != 1:
            inner = folder / "population"  # where a run of build_population leaves it
            cure = "build one with `personarec experiment=build_population`"
            if (inner / HEAD).is_file():
                cure = f"did you mean {inner}?"
            raise FileNotFoundError(
                f"population {str(path_or_hub_id)!r}: wanted a folder with {HEAD}, one of"
                f" {', '.join(names_inside())} or a hub id owner/name; {cure}"
            )
        folder = fetch(str(path_or_hub_id), FILES, revision)
    refuse_links(folder)
    return folder


def names_inside() -> list[str]:
    """By what names the package's own populations are known."""
    return sorted(["shipped", *(head.parent.name for head in INSIDE.glob(f"*/{HEAD}"))])


def is_inside(folder: str | Path) -> bool:
    """Whether a population is the package's own: nothing is written into it."""
    return folder_meant(folder).resolve().parent == INSIDE.resolve()


def folder_meant(told: str | Path) -> Path:
    """The folder of a path, or of a name in the package; whether or not it is there."""
    folder = Path(told)
    if (folder / HEAD).is_file() or str(told) not in names_inside():
        return folder
    return INSIDE / (BY_DEFAULT if str(told) == "shipped" else str(told))


def is_population(path_or_hub_id: str | Path) -> bool:
    """Whether a folder or a repository of the hub is a population, and not a plain model.

    A name that is neither here nor can be looked up is taken for a model's.
    """
    folder = folder_meant(path_or_hub_id)
    if folder.exists() or str(path_or_hub_id).count("/") != 1:
        return (folder / HEAD).is_file()
    return holds(str(path_or_hub_id), HEAD)


@contextmanager
def replaced_population(path: str | Path) -> Iterator[Path]:
    """An empty folder to write into, which takes the place of ``path`` when it is written whole.

    Raises:
        FileExistsError: there is something else than a population at ``path``, or a file that is
            no part of one; nothing is deleted.
    """
    folder = Path(path)
    if folder.exists() and not (folder / HEAD).is_file() and not _is_empty(folder):
        raise FileExistsError(
            f"{str(folder)!r} holds something that is no population; save to a new folder"
        )
    if foreign := _foreign(folder):
        raise FileExistsError(
            f"{str(folder)!r} holds {foreign!r}, which is no part of a population and would be"
            " lost; move it away, or save to a new folder"
        )
    with replaced_folder(folder) as building:
        yield building


def _foreign(folder: Path) -> str | None:
    """The first file in a folder that saving did not put there."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in sorted([*files, *links]):
            known = (Path(place) / name).relative_to(folder).as_posix()
            if not is_known(known, (*FILES, *_LEFT_BY_OTHERS)):
                return known
    return None


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())

"""Where a published data set lies: a folder, a zip, or the publisher's server. Parses nothing."""

import logging
import os
import re
import urllib.request
import zipfile
from pathlib import Path
from typing import NamedTuple

logger = logging.getLogger(__name__)

DATA_VARIABLE = "PERSONAREC_DATA"


class Publication(NamedTuple):
    """A zip that its publisher offers."""

    name: str  # of the folder, and of the zip without its suffix
    url: str
    md5: str | None  # None = the publisher changes the file; its checksum lies beside it (.md5)


class SourceFiles(NamedTuple):
    """Named files in a folder or a zip."""

    path: Path

    def read(self, name: str) -> bytes:
        """Content of the file called ``name``, in whatever folder of a zip.

        Raises:
            FileNotFoundError: there is none; the message lists what there is.
        """
        if self.path.is_dir():
            names = {p.name: p for p in self.path.iterdir()}
            if name in names:
                return names[name].read_bytes()
            raise self._missing(name, list(names))
        with zipfile.ZipFile(self.path) as archive:
            members = {Path(m).name: m for m in archive.namelist() if not m.endswith("/")}
            if name in members:
                return archive.read(members[name])
            raise self._missing(name, list(members))

    def read_if_there(self, name: str) -> bytes | None:
        """As ``read``; None if there is no such file."""
        try:
            return self.read(name)
        except FileNotFoundError:
            return None

    def _missing(self, name: str, found: list[str]) -> FileNotFoundError:
        listing = ", ".join(sorted(found)[:12]) or "nothing"
        return FileNotFoundError(f"no {name} in {self.path}; it holds {listing}")


def find_files(
    publication: Publication, path: str | Path | None, main_file: str, download_dir: str | None
) -> SourceFiles:
    """The files of a publication.

    Args:
        publication: which.
        path: a folder with the files, a folder with the zip, or the zip; None = the folder
            ``$PERSONAREC_DATA/<name>`` if it exists, else a download.
        main_file: a file by whose presence an unzipped folder is recognised.
        download_dir: where downloads are kept; None = the user's cache folder.

    Raises:
        FileNotFoundError: nothing of that kind lies at ``path``.
        OSError: the download failed.
        ValueError: the zip is broken, or has the wrong checksum.
    """
    if path is None:
        path = default_folder(publication.name) or download(publication, download_dir)
    place = Path(path)
    name = publication.name
    for candidate in (place, place / name, place / f"{name}.zip"):
        if (candidate / main_file).is_file():
            return SourceFiles(candidate)
        if candidate.is_file():
            if not zipfile.is_zipfile(candidate):
                raise ValueError(f"{candidate} is not a zip; get it again from {publication.url}")
            return SourceFiles(candidate)
    raise FileNotFoundError(
        f"neither {main_file} nor {name}.zip in {place}; get {publication.url},"
        " or leave the path out to download it"
    )


def default_folder(name: str) -> Path | None:
    """``$PERSONAREC_DATA/<name>`` if the variable is set and the folder exists."""
    root = os.environ.get(DATA_VARIABLE)
    folder = Path(root) / name if root else None
    return folder if folder and folder.is_dir() else None


def download(publication: Publication, download_dir: str | None = None) -> Path:
    """Fetch the zip once, check it, and keep it.

    Raises:
        OSError: it cannot be fetched; the message says what to do by hand.
        ValueError: it has the wrong checksum.
    """
    import pooch  # only a download needs it

    folder = Path(download_dir) if download_dir else pooch.os_cache("personarec")
    kept = folder / f"{publication.name}.zip"
    if publication.md5 is None and kept.is_file():
        return kept  # checked when it came; the publisher may have changed the file since
    logger.info("fetching %s to %s", publication.url, folder)
    try:
        md5 = publication.md5 or _published_md5(publication.url)
        return Path(pooch.retrieve(publication.url, f"md5:{md5}", kept.name, folder))
    except OSError as error:
        raise OSError(
            f"cannot download {publication.url} ({error}); fetch it by hand and pass path=<the zip>"
        ) from error


def _published_md5(url: str) -> str:
    """The checksum in the file that the publisher keeps beside the zip."""
    with urllib.request.urlopen(f"{url}.md5", timeout=30) as reply:  # the publisher's https
        text = reply.read(1000).decode("ascii", errors="replace")
    match = re.search(r"\b[0-9a-fA-F]{32}\b", text)
    if not match:
        raise OSError(f"no checksum in {url}.md5: {text[:60]!r}")
    return match[0].lower()

"""Where files come from: a path, the environment variable, or a publisher on this machine."""

import functools
import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from simenv.data.readers import movielens
from simenv.data.readers.movielens import movielens_1m
from simenv.data.readers.sources import Publication, SourceFiles, download


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def publisher(ml_1m: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server on this machine with ml-1m.zip: its address and its folder."""
    folder = tmp_path / "published"
    folder.mkdir()
    with zipfile.ZipFile(folder / "ml-1m.zip", "w") as archive:
        for file in ml_1m.iterdir():
            archive.write(file, f"ml-1m/{file.name}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


def md5(folder: Path) -> str:
    return hashlib.md5((folder / "ml-1m.zip").read_bytes()).hexdigest()


def test_download_checks_and_keeps_the_zip(
    publisher: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = publisher
    monkeypatch.delenv("PERSONAREC_DATA", raising=False)
    published = Publication("ml-1m", f"{address}/ml-1m.zip", md5(folder))
    monkeypatch.setattr(movielens, "ML_1M", published)
    kept = tmp_path / "kept"
    assert movielens_1m(download_dir=str(kept)).num_items == 4
    (folder / "ml-1m.zip").unlink()  # the second time nothing is fetched
    assert movielens_1m(download_dir=str(kept)).num_items == 4


def test_wrong_checksum_is_refused(publisher: tuple[str, Path], tmp_path: Path) -> None:
    published = Publication("ml-1m", f"{publisher[0]}/ml-1m.zip", "0" * 32)
    with pytest.raises(ValueError, match="does not match the known hash"):
        download(published, str(tmp_path / "kept"))
    assert not (tmp_path / "kept" / "ml-1m.zip").exists()


def test_checksum_beside_the_zip_is_used(publisher: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = publisher
    published = Publication("ml-1m", f"{address}/ml-1m.zip", None)
    (folder / "ml-1m.zip.md5").write_text(f"MD5 (ml-1m.zip) = {md5(folder)}\n")
    kept = download(published, str(tmp_path / "kept"))
    (folder / "ml-1m.zip.md5").write_text("MD5 (ml-1m.zip) = " + "0" * 32)
    assert download(published, str(tmp_path / "kept")) == kept  # already here: not asked again
    with pytest.raises(ValueError, match="does not match the known hash"):
        download(published, str(tmp_path / "elsewhere"))
    (folder / "ml-1m.zip.md5").write_text("gone")
    with pytest.raises(OSError, match=r"no checksum in .*ml-1m.zip.md5: 'gone'"):
        download(published, str(tmp_path / "elsewhere"))


def test_failed_download_says_what_to_do_by_hand(
    publisher: tuple[str, Path], tmp_path: Path
) -> None:
    published = Publication("ml-9m", f"{publisher[0]}/ml-9m.zip", "0" * 32)
    with pytest.raises(OSError, match=r"cannot download .*ml-9m.zip .*404.*; fetch it by hand and"):
        download(published, str(tmp_path))


def test_environment_variable_names_the_folder(
    ml_1m: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONAREC_DATA", str(ml_1m.parent))
    assert movielens_1m().num_items == 4


def test_path_without_the_files(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"neither ratings.dat nor ml-1m.zip in .*; get http"
    ):
        movielens_1m(tmp_path)
    (tmp_path / "ml-1m.zip").write_text("<html>404</html>")
    with pytest.raises(
        ValueError, match=r"ml-1m.zip is not a zip; get it again from https://files"
    ):
        movielens_1m(tmp_path)


def test_missing_member_is_named_with_what_there_is(ml_1m: Path, tmp_path: Path) -> None:
    (ml_1m / "movies.dat").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"no movies.dat in .*; it holds ratings.dat, users"
    ):
        movielens_1m(ml_1m)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("ml/ratings.dat", "")
    with pytest.raises(FileNotFoundError, match=r"no movies.dat in .*a.zip; it holds ratings.dat"):
        SourceFiles(tmp_path / "a.zip").read("movies.dat")

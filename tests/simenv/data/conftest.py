"""Made-up releases in the publishers' formats, small enough to hold in the head."""

import os
from pathlib import Path

import pytest

from simenv.data.readers.movielens import read_movielens_1m
from simenv.data.readers.rating_table import RatedCatalog

MOVIES = """\
1::Big Lebowski, The (1998)::Comedy|Crime
2::Postino, Il (The Postman) (1994)::Drama
3::Amélie (2001)::Comedy|Romance
5::Nobody Saw This (1999)::Drama
"""
# Users 1 and 2 rated three films each, user 4 rated two; film 5 nobody. Times run backwards for 1.
RATINGS = """\
1::3::5::30
1::2::4::20
1::1::3::10
2::1::2::11
2::2::1::12
2::3::4::13
4::1::5::50
4::3::5::40
"""
USERS = "1::F::1::10::48067\n2::M::56::16::70072\n4::M::25::15::55117\n"


@pytest.fixture
def ml_1m(tmp_path: Path) -> Path:
    """An unzipped folder like ML-1M: three users, four films."""
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    (folder / "movies.dat").write_bytes(MOVIES.encode("latin-1"))
    (folder / "ratings.dat").write_text(RATINGS)
    (folder / "users.dat").write_text(USERS)
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the real files, which are not part of the project."""
    root = os.environ.get("PERSONAREC_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("real data: set PERSONAREC_DATA to a folder with ml-1m, ml-100k, …")
    return Path(root)


@pytest.fixture(scope="session")
def real_ml_1m(real_data: Path) -> RatedCatalog:
    """All of ML-1M, read once."""
    return read_movielens_1m(real_data / "ml-1m")

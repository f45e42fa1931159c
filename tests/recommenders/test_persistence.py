import json

import numpy as np
import pytest
from scipy import sparse

from recommenders.base import Recommender
from recommenders.persistence import read_archive, write_archive
from recommenders.policies.ease import EASE
from recommenders.policies.heuristics import Popularity, Random
from simenv.events import InteractionLog

LOG = InteractionLog.from_columns([0], [1], [5.0], num_users=2, num_items=3)


def test_arrays_and_sparse_matrices_come_back(tmp_path) -> None:
    matrix = sparse.csr_matrix(np.array([[0, 2.5], [0, 0]]))
    write_archive(tmp_path / "a", {"x": [1, None]}, {"dense": np.arange(3), "thin": matrix})
    header, arrays = read_archive(tmp_path / "a")
    assert header == {"format": 1, "x": [1, None]}
    assert arrays["dense"].tolist() == [0, 1, 2]
    assert arrays["thin"].toarray().tolist() == [[0, 2.5], [0, 0]]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_arguments_come_back(tmp_path) -> None:
    Popularity(half_life_days=3.5).fit(LOG).save(tmp_path / "deep" / "policy.npz")
    assert Popularity.load(tmp_path / "deep" / "policy.npz").half_life_days == 3.5


def test_the_file_holds_no_pickle(tmp_path) -> None:
    Popularity().fit(LOG).save(tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz", allow_pickle=False) as archive:
        header = json.loads(archive["header.json"].tobytes())
        assert all(archive[name].dtype != object for name in archive.files)
    assert header["class"] == "recommenders.policies.heuristics:Popularity"


@pytest.mark.parametrize(
    ("before", "kind"), [("heuristics:Popularity", Popularity), ("ease:EASE", EASE)]
)
def test_a_file_written_before_the_policies_had_a_folder_still_loads(before, kind, tmp_path):
    kind().fit(LOG).save(tmp_path / "p.npz")
    header, arrays = read_archive(tmp_path / "p.npz")
    write_archive(tmp_path / "old.npz", {**header, "class": f"recommenders.{before}"}, arrays)
    assert type(Recommender.load(tmp_path / "old.npz")) is kind


def test_another_kind_is_refused(tmp_path) -> None:
    Popularity().fit(LOG).save(tmp_path / "p.npz")
    with pytest.raises(ValueError, match=r"holds a Popularity, not a Random; use Popularity.load"):
        Random.load(tmp_path / "p.npz")


def test_a_class_that_is_not_imported_is_not_imported_by_a_file(tmp_path) -> None:
    write_archive(tmp_path / "p.npz", {"class": "antigravity:Fly", "params": {}}, {})
    with pytest.raises(
        ValueError, match=r"wants the policy antigravity:Fly, .* import antigravity"
    ):
        Recommender.load(tmp_path / "p.npz")


def test_a_class_reads_its_own_files_wherever_it_was_written(tmp_path) -> None:
    class Mine(Popularity):
        """Not importable by name, as a class of a notebook."""

    Mine().fit(LOG).save(tmp_path / "p.npz")
    assert type(Mine.load(tmp_path / "p.npz")) is Mine
    with pytest.raises(ValueError, match=r"Mine, which is not imported here"):
        Recommender.load(tmp_path / "p.npz")


def test_a_file_of_a_newer_format_is_refused(tmp_path) -> None:
    write_archive(tmp_path / "p.npz", {"format": 99}, {})
    with pytest.raises(ValueError, match=r"has policy format 99, this version reads 1; fit and"):
        read_archive(tmp_path / "p.npz")


def test_some_other_array_file_is_refused(tmp_path) -> None:
    np.savez(tmp_path / "other.npz", x=np.zeros(2))
    np.save(tmp_path / "other.npy", np.zeros(2))
    for name in ("other.npz", "other.npy"):
        with pytest.raises(ValueError, match=r"is no policy file: it has no header.json"):
            read_archive(tmp_path / name)

"""Whatever lies in a file: a data set, or a ValueError of ours. Nothing else, and nothing hangs."""

import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, reject, seed, settings
from hypothesis import strategies as st

import simenv
from simenv.data.dataset import Dataset
from simenv.data.readers.custom import custom
from simenv.data.readers.movielens import movielens_1m
from tests.tally import tally

HERE = str(Path(simenv.__file__).parents[1])
ODD = [
    "", " ", "1", "2", "3", "4", "5", "5.0", "1_0", "nan", "inf", "-1", "1e30", "1e999", "True",
    "9" * 25, "0x1", "\u0663", "\x00", "\u2028", "\ufeff", "'", '"', '""', "a\nb", "a,b", ";", "\t",
    "2020-01-01", "9999-12-31", "1577836800000", "['a', 'b']", "[", "[{]", "a|b", "\ud7ff", "é",
]  # fmt: skip
CELL = st.sampled_from(ODD) | st.text(max_size=6).map(
    lambda t: t.encode("utf-8", "replace").decode()
)
COLUMNS = ["user_id", "item_id", "rating", "when", "year", "genres", "title"]
ROWS = st.lists(st.lists(CELL, min_size=5, max_size=8), max_size=8)
SETTINGS = st.fixed_dictionaries(
    {"on_bad_rows": st.sampled_from(["error", "drop"])},
    optional={
        "timestamp_column": st.just("when"), "year_column": st.just("year"),
        "genres_column": st.just("genres"), "title_column": st.just("title"),
        "rating_scale": st.sampled_from([(1, 5), (0, 10)]), "encoding": st.sampled_from(
            ["utf-8", "latin-1", "utf-16", "ascii", "cp037"]),
        "separator": st.sampled_from([";", "::", "\t"]), "split": st.sampled_from(["lot", "time"]),
        "timestamp_unit": st.sampled_from(["s", "ms", "us", "ns"]),
    },
)  # fmt: skip
GOOD = [
    ["a", "x", "3", "1577836800", "1999", "A|B", "T"],
    ["b", "y", "4", "1577836801", "", "", ""],
]


def _raised_here(error: ValueError) -> bool:
    return traceback.extract_tb(error.__traceback__)[-1].filename.startswith(HERE)


def survive(read: Any, *arguments: Any, **options: Any) -> str:
    """Read; an error has to be a ``ValueError`` that our code raised in its own words.

    Returns:
        What it came to.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = read(*arguments, **options)
        except ValueError as error:
            if not _raised_here(error):
                raise
            return "refused"
    assert isinstance(dataset, Dataset)
    for log in (dataset.train, dataset.test):
        assert np.isfinite(log.timestamps).all()
    assert dataset.reading is not None
    assert dataset.reading.num_kept <= dataset.reading.num_rows
    return "worked"


def csv_of(rows: list[list[str]], quoted: bool) -> str:
    sign = '"' if quoted else ""
    lines = [",".join(f"{sign}{cell}{sign}" for cell in row) for row in [COLUMNS, *rows]]
    return "\n".join(lines)


def _fuzz_tables(folder: Path, rows: list[list[str]], options: Any, quoted: bool) -> str:
    file = folder / "r.csv"
    file.write_bytes(csv_of([*GOOD, *rows], quoted).encode("utf-8", "surrogatepass"))
    return survive(custom, file, **options)


def _fuzz_bytes(folder: Path, data: bytes, options: dict[str, Any], suffix: str) -> str:
    file = folder / f"r{suffix}"
    file.write_bytes(data)
    return survive(custom, file, **options)


def _fuzz_parquet(folder: Path, columns: dict[str, list[Any]], options: dict[str, Any]) -> str:
    file = folder / "r.parquet"
    try:
        pd.DataFrame(columns).to_parquet(file)
    except Exception:  # what Parquet cannot hold no reader meets
        reject()
    return survive(custom, file, **{k: v for k, v in options.items() if k != "encoding"})


def _fuzz_movielens(folder: Path, file: str, data: bytes, policy: str) -> str:
    parts = {
        "movies.dat": b"1::A (1999)::Drama\n2::B (2000)::Drama\n",
        "ratings.dat": b"1::1::3::10\n1::2::4::11\n",
        "users.dat": b"1::F::1::10::1\n",
    }
    for name, good in parts.items():
        (folder / name).write_bytes(good + data if name == file else good)
    return survive(movielens_1m, folder, on_bad_rows=policy)


VALUE = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), CELL,
    st.datetimes(), st.dates(), st.binary(max_size=3), st.lists(CELL, max_size=2),
)  # fmt: skip
TYPED = st.sampled_from(
    [st.integers(-(2**63), 2**63 - 1), st.floats(), CELL, st.datetimes(), st.dates(), st.booleans(),
     st.lists(CELL, max_size=2), VALUE, st.none() | st.integers(1, 5), st.integers(1, 5),
     st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=9)]
)  # fmt: skip
PARQUET = st.integers(1, 5).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            name: TYPED.flatmap(lambda cell: st.lists(cell, min_size=n, max_size=n))
            for name in COLUMNS
        }
    )
)
DAT = st.lists(
    st.lists(st.sampled_from([*ODD, "1", "2", "3"]), min_size=2, max_size=5).map("::".join),
    max_size=5,
).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass"))
FUZZ = [
    pytest.param(_fuzz_tables, (ROWS, SETTINGS, st.booleans()), id="tables"),
    pytest.param(
        _fuzz_bytes,
        (
            st.binary(max_size=80),
            SETTINGS,
            st.sampled_from([".csv", ".csv.gz", ".parquet", ".dat"]),
        ),
        id="bytes",
    ),
    pytest.param(_fuzz_parquet, (PARQUET, SETTINGS), id="parquet"),
    pytest.param(
        _fuzz_movielens,
        (
            st.sampled_from(["movies.dat", "ratings.dat", "users.dat"]),
            DAT | st.binary(max_size=40),
            st.sampled_from(["error", "drop"]),
        ),
        id="movielens",
    ),
]


def run(fuzz: Any, strategies: Any, examples: int, batch: int | None = None) -> None:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    limits = settings(
        max_examples=examples, deadline=None, suppress_health_check=slow, database=None
    )
    with tempfile.TemporaryDirectory() as folder:

        def once(inputs: Any) -> None:
            tally("fuzzed files of ratings", fuzz(Path(folder), *inputs))

        test = limits(given(st.tuples(*strategies))(once))
        (test if batch is None else seed(batch)(test))()


@pytest.mark.parametrize(("fuzz", "strategies"), FUZZ)
def test_any_file_is_read_or_refused(fuzz: Any, strategies: Any) -> None:
    run(fuzz, strategies, 100)


@pytest.mark.reliability
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("batch", range(10))
@pytest.mark.parametrize(("fuzz", "strategies"), FUZZ)
def test_twenty_five_thousand_files_of_each_kind_are_read_or_refused(
    fuzz: Any, strategies: Any, batch: int
) -> None:
    run(fuzz, strategies, 2_500, batch)

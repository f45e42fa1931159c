"""However a file spells its times, the split, the visits and what policies learn are the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recommenders.policies.heuristics import Popularity
from simenv.data.dataset import Dataset
from simenv.data.readers.bad_rows import BadRowError
from simenv.data.readers.custom import custom
from simenv.events import InteractionLog
from simenv.users.visits import find_visits

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RNG = np.random.default_rng(7)
# Four users' ratings over 90 days, some within one second, rows in any order.
MICROS = RNG.integers(1_600_000_000 * 10**6, 1_607_776_000 * 10**6, 60)
MICROS[1::3] = MICROS[::3] + RNG.integers(1, 10**6, 20)
SPELLINGS = {
    "seconds": [f"{m / 1e6:.6f}" for m in MICROS],
    "milliseconds": [f"{m / 1e3:.3f}" for m in MICROS],
    "microseconds": MICROS.tolist(),
    "nanoseconds": (MICROS * 1000).tolist(),
    "nanoseconds, a cell empty": [*(MICROS * 1000).tolist()[:-1], None],
    "dates": [(EPOCH + timedelta(microseconds=int(m))).isoformat() for m in MICROS],
    "datetime64[ns]": MICROS.astype("datetime64[us]").astype("datetime64[ns]"),
    "datetime64[us]": MICROS.astype("datetime64[us]"),
}


def read(folder: Path, times: object, suffix: str, **settings: object) -> Dataset:
    frame = pd.DataFrame(
        {
            "user_id": np.arange(60) % 4,
            "item_id": np.arange(60) // 4 + 100,
            "rating": np.arange(60) * 7 % 5 + 1,
            "t": times,
        }
    )
    file = folder / f"log.{suffix}"
    frame.to_parquet(file) if suffix == "parquet" else frame.to_csv(file, index=False)
    settings = {"timestamp_column": "t", "on_bad_rows": "drop"} | settings
    return custom(file, **settings)


def portrait(dataset: Dataset) -> list[object]:
    found: list[object] = []
    for log in (dataset.train, dataset.test):
        columns = (log.users, log.items, log.ratings, log.timestamps)
        found += [column.tolist() for column in columns]
    visits = find_visits(dataset.train)
    found += [visits.lengths.tolist(), visits.gaps.tolist()]
    policy = Popularity(recent_days=30).fit(dataset.train)
    return [*found, policy._counts.tolist()]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.filterwarnings("ignore:dropped 1 bad rows")
def test_every_spelling_gives_the_same_split_visits_and_recent_days(
    tmp_path: Path, suffix: str
) -> None:
    whole = portrait(read(tmp_path, SPELLINGS["seconds"], suffix))
    for name, times in SPELLINGS.items():
        wanted = whole
        if "empty" in name:
            wanted = portrait(read(tmp_path, [*SPELLINGS["seconds"][:-1], None], suffix))
        assert portrait(read(tmp_path, times, suffix)) == wanted, name
    assert 0 < sum(whole[-1]) < len(whole[0])


def test_a_log_in_another_unit_of_small_numbers_is_read_with_its_unit(tmp_path: Path) -> None:
    times = np.arange(60) * 7_200_000  # two hours in milliseconds, since a start of its own
    log = read(tmp_path, times, "csv", timestamp_unit="ms", fraction=1.0).train
    assert np.diff(log.timestamps[log.users == 0]).tolist() == [4 * 7_200.0] * 14


def test_a_time_of_another_unit_is_a_bad_row(tmp_path: Path) -> None:
    times = MICROS.tolist()
    times[5] //= 1000
    with pytest.raises(BadRowError, match=r"log.csv, row 7: not a number or empty: .* t='16"):
        read(tmp_path, times, "csv", on_bad_rows="error")


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9])
def test_policies_saved_with_another_clock_load_as_seconds(tmp_path: Path, factor: int) -> None:
    days = 1_600_000_000 + 86_400 * np.arange(4)
    log = InteractionLog([0, 0, 1, 1], [0, 1, 2, 3], [3.0] * 4, days, 2, 4)
    policy = Popularity().fit(log)
    object.__setattr__(log, "timestamps", days * factor)  # int64 of any unit, as logs once held
    policy.save(tmp_path / "policy")
    assert Popularity.load(tmp_path / "policy").log.timestamps.tolist() == days.tolist()

"""A thousand ticks in which every budget is full: memory must not grow."""

import gc
from pathlib import Path

import pytest

from simenv.abm.activation import SteadyShare
from simenv.abm.model import SocietySettings


def resident_mib():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


@pytest.mark.reliability
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="wants Linux's /proc")
def test_memory_is_flat_over_a_thousand_ticks(make_society, play, tmp_path):
    settings = SocietySettings(refit_every=20, log_budget=500, slate_size=1)
    society = make_society(
        settings=settings, activation=SteadyShare(0.1), folder=tmp_path, shocks=()
    )
    play(society, 200)
    assert society.platform.num_new_rows > 200
    gc.collect()
    before = resident_mib()
    play(society, 1000)
    gc.collect()
    after = resident_mib()
    print(f"resident {before:.1f} MiB after 200 ticks, {after:.1f} MiB after 1,200")
    assert after < 1.02 * before

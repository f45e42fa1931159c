"""A run that stops anywhere goes on as if it had not."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from recommenders.policies.bandits import EpsilonGreedy
from recommenders.policies.heuristics import Popularity, Random
from simenv.abm.model import SocietySettings
from tests.tally import tally

ROOT = Path(__file__).parents[4]


def log_of(folder):
    return (folder / "interactions.parquet").read_bytes()


def test_two_runs_with_one_seed_write_identical_bytes(make_society, play, tmp_path):
    for name in ("one", "two"):
        play(make_society(folder=tmp_path / name), 12).finish()
    assert log_of(tmp_path / "one") == log_of(tmp_path / "two")


@pytest.mark.parametrize("policy", [Popularity, Random, EpsilonGreedy])
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(
    make_society, play, same_curves, tmp_path, policy
):
    whole = play(make_society(policy=policy, folder=tmp_path / "whole"), 14)
    whole.finish()
    play(make_society(policy=policy, folder=tmp_path / "parts"), 6)
    resumed = make_society(policy=policy, folder=tmp_path / "parts", resume=True)
    assert resumed.steps == 6
    play(resumed, 8).finish()
    assert log_of(tmp_path / "parts") == log_of(tmp_path / "whole")
    same_curves(whole, resumed)
    states = [np.load(next((tmp_path / n).glob("state-*.npz"))) for n in ("whole", "parts")]
    assert states[0].files == states[1].files
    for name in states[0].files:
        np.testing.assert_array_equal(states[0][name], states[1][name], err_msg=name)


def test_ticks_after_the_last_checkpoint_are_played_again(make_society, play, tmp_path):
    settings = SocietySettings(refit_every=5, checkpoint_every=4)
    play(make_society(settings=settings, folder=tmp_path / "whole"), 14).finish()
    play(make_society(settings=settings, folder=tmp_path / "parts"), 7)
    stray = tmp_path / "parts" / "log" / "part-00000007.parquet"
    stray.write_bytes(b"half a file")  # a kill between the part and the manifest leaves this
    resumed = make_society(settings=settings, folder=tmp_path / "parts", resume=True)
    assert resumed.steps == 4
    assert not stray.exists()
    play(resumed, 10).finish()
    assert log_of(tmp_path / "parts") == log_of(tmp_path / "whole")


def test_nothing_is_pickled_and_old_states_go(make_society, play, tmp_path):
    play(make_society(folder=tmp_path), 6)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["log", "manifest.json", "policy-00000005.npz", "state-00000006.npz"]
    with np.load(tmp_path / "state-00000006.npz", allow_pickle=False) as state:
        assert all(state[name].dtype != object for name in state.files)


def test_a_folder_with_a_run_is_not_overwritten(make_society, play, tmp_path):
    play(make_society(folder=tmp_path), 2)
    with pytest.raises(ValueError, match=r"an empty folder, but .* holds a run; pass resume"):
        make_society(folder=tmp_path)


def test_another_society_cannot_resume_it(make_society, play, tmp_path):
    play(make_society(folder=tmp_path), 2)
    with pytest.raises(ValueError, match="resume with the settings of the first run"):
        make_society(folder=tmp_path, seed=9, resume=True)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(ValueError, match="has format 99, this version reads up to 2"):
        make_society(folder=tmp_path, resume=True)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"format": 1}))
    with pytest.raises(ValueError, match="has format 1, whose people have other friends than in"):
        make_society(folder=tmp_path, resume=True)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    for part in (tmp_path / "log").glob("*"):
        part.unlink()
    with pytest.raises(ValueError, match="ratings in its log, got 0; the folder log/ is not whole"):
        make_society(folder=tmp_path, resume=True)


SCRIPT = textwrap.dedent("""
    import sys
    sys.path[:0] = [{root!r}, {tests!r}]
    import conftest
    from recommenders.policies.bandits import EpsilonGreedy
    make = conftest.society_maker(conftest.build_dataset())
    society = make(policy=EpsilonGreedy, folder={folder!r}, resume=True)
    print("ready", flush=True)
    while society.steps < {ticks}:
        society.step()
    society.finish()
""")


def _process(folder, ticks=60):
    script = SCRIPT.format(
        root=str(ROOT), tests=str(Path(__file__).parents[1]), folder=str(folder), ticks=ticks
    )
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


@pytest.mark.reliability
@pytest.mark.timeout(1800)
def test_kill_9_at_a_random_moment_changes_nothing_in_20_trials(tmp_path):
    whole = _process(tmp_path / "whole")
    whole.stdout.readline()
    started = time.perf_counter()
    assert whole.wait() == 0
    duration = time.perf_counter() - started
    rng = np.random.default_rng(0)
    killed_at = []
    for trial in range(20):
        folder = tmp_path / f"trial-{trial}"
        process = _process(folder)
        process.stdout.readline()
        time.sleep(rng.uniform(0.0, duration))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        manifest = folder / "manifest.json"
        killed_at.append(json.loads(manifest.read_text())["tick"] if manifest.exists() else 0)
        assert _process(folder).wait() == 0
        assert log_of(folder) == log_of(tmp_path / "whole"), trial
        tally("processes killed at work", "worked")
    print("killed after ticks", killed_at)
    assert len(set(killed_at)) > 5

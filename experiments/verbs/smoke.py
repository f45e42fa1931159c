"""``personarec smoke``: every part of the installation once, in about half a minute.

Each part is a real command on a world too small to mean anything; its files are thrown away. A part
whose packages are not installed is left out and says how to install them.
"""

import contextlib
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console

from experiments.command_line.composition import composed
from experiments.command_line.errors import in_words
from experiments.command_line.options import OptionError
from experiments.reporting.progress import duration, progress_bar
from experiments.reporting.terminal import text_table
from simenv.whole_files import write_whole

PASSED, FAILED, LEFT_OUT = "pass", "FAIL", "left out"


class Part(NamedTuple):
    """What is tried, and how."""

    name: str
    tried: str  # in words
    work: Callable[[Path], object]  # in an empty folder; raises where something is wrong


class Verdict(NamedTuple):
    """What came of a part."""

    part: Part
    word: str
    seconds: float
    why: str = ""  # it did not pass


def smoke(words: Sequence[str] = (), parts: Sequence[Part] | None = None) -> int:
    """Try every part and print what came of it.

    Args:
        words: of the command; there are none to give.
        parts: instead of all.

    Returns:
        The exit code: 0 where no part failed, else 1.

    Raises:
        OptionError: a word was given.
    """
    if words:
        raise OptionError(f"smoke wanted no further words, got {words[0]}; leave them out")
    chosen = PARTS if parts is None else parts
    verdicts = []
    with progress_bar("smoke", total=len(chosen)) as tick:
        for part in chosen:
            tick(part.name)
            verdicts.append(_tried(part))
            tick(part.name, advance=1)
    _show(verdicts)
    return int(any(one.word == FAILED for one in verdicts))


def _tried(part: Part) -> Verdict:
    started = time.perf_counter()
    word, why = PASSED, ""
    quiet = io.StringIO()
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.redirect_stdout(quiet),
            contextlib.redirect_stderr(quiet),
        ):
            part.work(Path(folder))
    except Exception as error:  # whatever is wrong with one part, the others are tried
        word = LEFT_OUT if _is_not_installed(error) else FAILED
        why = in_words(error)
    return Verdict(part, word, time.perf_counter() - started, why)


def _is_not_installed(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ModuleNotFoundError):
            return True
        error = error.__cause__
    return False


def _show(verdicts: Sequence[Verdict]) -> None:
    console = Console(highlight=False)
    rows = [(v.part.name, v.part.tried, v.word, f"{v.seconds:.1f} s") for v in verdicts]
    console.print(text_table(["part", "what was tried", "verdict", "took"], rows, num_texts=3))
    for verdict in verdicts:
        if verdict.why:
            told = f"{verdict.part.name}, {verdict.word}: {verdict.why}"
            console.print(told, markup=False)
    counts = {word: sum(v.word == word for v in verdicts) for word in (PASSED, FAILED, LEFT_OUT)}
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    console.print(f"{said}; {duration(sum(v.seconds for v in verdicts))}")


def _command(words: str) -> Callable[[Path], object]:
    """A command on a tiny world; what its results say is the business of its own tests."""

    def work(folder: Path) -> None:
        from experiments.reporting.running import perform

        given = [*words.split(), f"output_dir={folder}/out"]
        if "data=custom" in given:
            given.append(f"data.path={_log(folder)}")
        cfg = composed(given)
        perform(cfg, [word for word in given if not word.startswith("output_dir")])

    return work


def _log(folder: Path) -> Path:
    """Ratings as somebody brings them."""
    rng, path = np.random.default_rng(0), folder / "ratings.csv"
    rows = [
        f"{user},{item},{rng.integers(1, 6)},{1_600_000_000 + place}"
        for user in range(12)
        for place, item in enumerate(rng.permutation(30)[:12])
    ]
    write_whole(path, "\n".join(["user_id,item_id,rating,timestamp", *rows]).encode())
    return path


def _environment(folder: Path) -> None:
    import gymnasium as gym
    from gymnasium.utils.env_checker import check_env

    import simenv  # noqa: F401  registers the environments

    check_env(gym.make("ScriptedRec-v0").unwrapped, skip_render_check=True)


def _people(folder: Path) -> None:
    """The shipped people rate a slate, with stars that are stars."""
    import gymnasium as gym

    import simenv  # noqa: F401  registers the environments

    env = gym.make("PersonaRec-v0", slate_size=5)
    env.reset(seed=0)
    reward = float(env.step(np.arange(5))[1])
    if not 1.0 <= reward <= 5.0:
        raise RuntimeError(f"a slate wanted expected stars in [1, 5], got {reward}")


PARTS = (
    Part("environment", "Gymnasium's checker on ScriptedRec-v0", _environment),
    Part("language model", "the shipped users rate a slate, PersonaRec-v0", _people),
    Part("your data", "profiles of people in a CSV", _command("experiment=distil data=custom")),
    Part("ranking", "policies, sessions, intervals, report",
         _command("experiment=policy_ranking debug=tiny users=scripted"
                  " recommender=[random,popularity,ease]")),
    Part("ALS", "a policy of implicit, extra rec",
         _command("experiment=counterfactual debug=tiny users=scripted recommender=[popularity,als]"
                  " env.max_episode_steps=4")),
    Part("off-policy", "estimators against the simulator's truth",
         _command("experiment=off_policy data.num_users=60 experiment.num_users=20"
                  " experiment.repetitions=2 experiment.truth_plays=2")),
    Part("society", "people who live with a policy, extra abm",
         _command("experiment=simulate debug=tiny users=scripted recommender=[random]"
                  " experiment.ticks=2")),
    Part("reinforcement", "a few steps of PPO, extra rl",
         _command("experiment=train_policy debug=tiny users=fitted experiment.ppo.total_steps=48"
                  " experiment.num_envs=8 experiment.num_checkpoints=1 experiment.dqn_steps=0"
                  " experiment.seeds=[0] recommender=[random]")),
    Part("groups", "people who are alike, extra train",
         _command("experiment=cluster data=tiny experiment.most=3")),
    Part("training set", "what adapters learn from", _command("experiment=raft data=tiny")),
)  # fmt: skip

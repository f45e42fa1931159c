"""Every ``personarec`` command of the README and the docs: the door lets it in, and it runs.

The default tier composes and checks each. The slow tier runs them in an empty folder on a tiny
world (``debug=tiny`` in place of real logs and saved people, few steps in place of many). A command
that needs a server, a GPU, a key or a browser is checked at the door only, as is every command of a
block marked ``sh run=no``.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from experiments.command_line.arguments import (
    choices_of_ones_own,
    dry_run_in_place,
    flags_first,
    texts_as_written,
    verb_first,
)
from experiments.command_line.experiments_said import experiments
from experiments.command_line.first_word import VERBS
from experiments.reporting.running import check
from experiments.sweeps.ray_launcher import register

register()  # as a sweep does
ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```(?:sh|bash|shell|console)( run=no)?\n(.*?)^```", re.DOTALL | re.MULTILINE)
ELSEWHERE = {
    "engine=server": "wants a server",
    "engine@engine.engine=server": "wants a server",
    "distiller=openai": "wants a server and a key",
    "app=true": "opens a page and stays; tests/experiments/test_simulate_app.py",
    "experiment=throughput": "ten minutes; tests/experiments/test_throughput.py",
    "plugin: favourite_genre": "wants the package; tests/recommenders/test_example_plugin.py",
    "experiment=collect": "wants a sweep, see below",
    "device=cuda": "wants a GPU",
    "personarec smoke": "half a minute; tests/experiments/verbs/test_smoke.py",
    "engine=ray": "wants GPUs or a cluster; tests/agents/inference/ray/test_ray_engine.py",
    "hydra/launcher=ray": "starts Ray; tests/experiments/sweeps/test_sweep_on_ray.py",
    "experiment=student": "wants people on a language model; tests/experiments/test_student.py",
}  # part of a command → why it is not run here, and what tests it
FEWER = {
    "simulate": ["experiment.ticks=2"],
    "search": ["experiment.num_trials=2"],
    "worlds": ["experiment.worlds=2", "experiment.num_users=8", "experiment.slate_size=3"],
    "train_policy": ["experiment.ppo.total_steps=48", "experiment.num_envs=8",
                     "experiment.num_checkpoints=1", "experiment.dqn_steps=0",
                     "experiment.seeds=[0]"],
    "foresight": ["experiment.ppo.total_steps=48", "experiment.ppo.num_steps=3",
                  "experiment.num_envs=4", "experiment.num_checkpoints=1",
                  "experiment.dqn_steps=0", "experiment.seeds=[0]"],
    "leaderboard": ["experiment.worlds=1", "experiment.players=4", "experiment.judges=4"],
    "off_policy": ["data.num_users=60", "experiment.num_users=20", "experiment.repetitions=2",
                   "experiment.truth_plays=2"],
    "counterfactual": ["env.max_episode_steps=5"],
    "cluster": ["experiment.most=3"],
    "rating_fidelity": ["experiment.draws=[0]", "experiment.cells={Ms: [none]}",
                        "experiment.said_rows=0"],
    "train_base": ["experiment.pocket.num_steps=2"],
    "build_population": ["experiment.num_users=4"],
    "alignment": ["experiment.variant_rows=20", "experiment.scenes=5", "experiment.probe_users=2"],
}  # fmt: skip
MODULE = """
from recommenders.policies.heuristics import Popularity


class BestMean(Popularity):
    def __init__(self, prior_rows=1.0):
        super().__init__()
        self.prior_rows = prior_rows
"""


def commands() -> list[tuple[str, str, bool]]:
    """(page, words, whether it may be run) of every command."""
    found = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for left, block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in re.sub(r"\\\n", " ", block).splitlines():
                if line.strip().startswith("personarec ") and "…" not in line:
                    found.append((page.name, " ".join(line.split()), not left))
    return list(dict.fromkeys(found))


ALL = commands()


def words_of(command: str) -> list[str]:
    words = shlex.split(command, comments=True)[1:]
    return choices_of_ones_own(texts_as_written(flags_first(dry_run_in_place(verb_first(words)))))


def checked(words: list[str]) -> None:
    options = [word for word in words if not word.startswith("-")]
    first = []
    for override in OverridesParser.create().parse_overrides(options):
        swept = override.is_sweep_override()
        one = next(iter(override.sweep_string_iterator())) if swept else None
        first.append(f"{override.get_key_element()}={one}" if swept else override.input_line)
    with initialize_config_module("conf", version_base="1.3"):
        cfg = compose("config", first, return_hydra_config=True)
    plain = OmegaConf.to_container(cfg, resolve=False)
    assert isinstance(plain, dict)
    plain.pop("hydra")
    own = [word for word in first if not word.startswith("hydra")]
    check(OmegaConf.create({**plain, "output_dir": "runs/test"}), own)


@pytest.fixture
def _my_module(monkeypatch, tmp_path):
    monkeypatch.setattr("experiments.reporting.running.check_device", lambda config: None)
    (tmp_path / "my_module.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_there_are_commands_and_what_is_not_run_here_is_tested_where_it_is_said():
    assert len(ALL) > 20
    assert all(any(mark in command for _, command, _ in ALL) for mark in ELSEWHERE)
    named = re.findall(r"tests/[\w/]+\.py", " ".join(ELSEWHERE.values()))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.usefixtures("_my_module")
@pytest.mark.parametrize(("page", "command", "runs"), ALL, ids=lambda value: str(value)[:80])
def test_every_command_of_the_docs_is_let_in(page, command, runs):
    if shlex.split(command)[1] not in VERBS:  # they have no config; the slow tier runs them
        checked(words_of(command))


def small(words: list[str]) -> list[str]:
    """The same command on a tiny world, for seconds; one question to one person is small."""
    if words[0] in VERBS:
        return words
    if words[0] == "show":
        return [*words, "output_dir=out"]
    name = next(word.split("=")[1] for word in words if word.startswith("experiment="))
    uses = experiments()[name].uses or frozenset()
    data = ("data=", "data.", "num_users=", "users.population=", "users.model=", "slm=", "hydra",
            "output_dir=", "embedder")  # fmt: skip
    given = {word.lstrip("+~").split("=")[0] for word in words}
    more = [o for o in FEWER.get(name, []) if o.split("=")[0] not in given]
    kept = [word for word in words if not word.startswith(data)]
    kept = [word for word in kept if "refresh_every" not in word]  # a tiny world has no adapters
    scripted = "users" in uses and name != "alignment"  # which is about people on a model
    if scripted and not any(w.startswith(("users", "engine")) for w in kept):
        more.append("users=scripted")
    if scripted and {w.partition(".")[0] for w in kept if w.startswith("users")} == {"users"}:
        more.append("engine=scripted")  # people of the same making, without a language model
    return [*kept, "debug=tiny", "output_dir=out", *choices_of_ones_own(more)]


# A command that stands on several pages runs once.
ONCE = {command: page for page, command, runs in ALL
        if runs and not any(mark in command for mark in ELSEWHERE)}  # fmt: skip
RUN = [(page, command) for command, page in ONCE.items()]


@pytest.mark.slow  # some load the shipped language model
@pytest.mark.usefixtures("_my_module")
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("page", "command"), RUN, ids=lambda value: str(value)[:80])
def test_every_command_of_the_docs_runs(page, command, tmp_path):
    words = small(shlex.split(command, comments=True)[1:])
    if "engine=replay" in words:  # plays what the line above it recorded
        run(["engine=recording" if w == "engine=replay" else w for w in words], tmp_path)
    run(words, tmp_path)
    keeps = words[0] not in VERBS and not {"--dry-run", "dry_run=true"} & set(words)
    assert keeps == bool(list(tmp_path.rglob("results.json")))


def run(words: list[str], folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from experiments.__main__ import main; main()", *words],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    assert done.returncode == 0, (words, done.stderr[-2000:])


@pytest.mark.slow  # a sweep and its table in processes of their own
def test_a_sweep_with_options_behind_its_flag_and_a_policy_of_the_folder_is_collected(tmp_path):
    (tmp_path / "mypol.py").write_text(
        "import numpy as np\n"
        "def score(users, observation):\n"
        "    return np.tile(np.arange(120.0), (len(users), 1))\n",
        encoding="utf-8",
    )
    script = [sys.executable, "-c", "from experiments.__main__ import main; main()"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    sweep = ["experiment=policy_ranking", "debug=tiny", "users=scripted", "recommender=[random]",
             "+recommender.mine._target_=mypol.score", "seed=0,1", "-m",
             "output_dir=runs/sweep"]  # fmt: skip
    for words in (sweep, ["experiment=collect", "sweep_dir=runs/sweep", "output_dir=runs/table"]):
        done = subprocess.run(
            [*script, *words], cwd=tmp_path, capture_output=True, text=True, env=env, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
    assert "mine" in (tmp_path / "runs" / "table" / "report.md").read_text(encoding="utf-8")

"""``--dry-run``: what a command would cost is said, and nothing is run or written."""

import re
from importlib import import_module
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hydra import compose, initialize_config_module
from hydra.utils import instantiate

from experiments.__main__ import main
from experiments.command_line.experiments_said import experiments
from experiments.verbs.dry_run import _price
from tests.experiments.command import run_command

ROOT = Path(__file__).parents[3]
COUNTED = (
    "alignment", "build_population", "counterfactual", "foresight", "personality_levels",
    "policy_ranking", "search", "simulate", "train_policy", "worlds",
)  # fmt: skip
BY_A_RUN = {"alignment", "build_population", "foresight", "personality_levels"}  # in their tests
TRAINED = ("build_population", "train_adapters", "train_base")


def composed(*words):
    with initialize_config_module("conf", version_base="1.3"):
        return compose("config", [*words, "output_dir=none"])


def printed(monkeypatch, capsys, *words):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.argv", ["personarec", *words])
    main()
    return capsys.readouterr().out


def counted(name, *words):
    cfg = composed(f"experiment={name}", "data=tiny", *words)
    package = import_module(f"experiments.{name}")
    return package.questions(cfg, instantiate(cfg.data))


GOLDEN = {
    ("policy_ranking", "num_users=10", "recommender=[random,ease]"): 2 * 10 * 10 * 5,
    ("policy_ranking", "num_users=1000", "recommender=[random]"): 24 * 10 * 5,
    ("policy_ranking", "num_users=10", "recommender=[random]", "users.evidence=independent"):
        2 * 10 * 10 * 5,
    ("search", "num_users=10", "experiment.num_trials=1", "users.evidence=mixed"):
        2 * (1 + 2) * 10 * 10 * 5 // 2,
    ("counterfactual", "num_users=4", "recommender=[popularity]", "users.evidence=mixed"):
        2 * 4 * 5 * (3 + 7),
    ("search", "num_users=10", "experiment.num_trials=6"): (6 + 2) * 10 * 10 * 5 // 2,
    ("counterfactual", "num_users=4", "recommender=[popularity,ease]"): 4 * 5 * (3 + 2 * 7),
    ("worlds", "experiment.worlds=2", "recommender=[random,ease]"): 2 * 3 * 24 * 2 * 10,
    ("simulate", "experiment.ticks=8", "recommender=[random]"): round(24 * 8 * 0.35 * 5),
    ("simulate", "experiment.ticks=8", "recommender=[random]",
     "+experiment.activation.share=0.5"): 24 * 4 * 5,
    ("train_policy", "num_users=8", "recommender=[random]", "users.evidence=independent",
     "experiment.seeds=[0]", "experiment.ppo.total_steps=100", "experiment.dqn_steps=0",
     "experiment.num_checkpoints=1"): 5 * 100 + (2 + 3) * 8 * 50,
    ("train_policy", "num_users=8", "recommender=[random]", "experiment.seeds=[0]",
     "experiment.ppo.total_steps=100", "experiment.dqn_steps=0",
     "experiment.num_checkpoints=1"): 5 * 100 + (2 + 3) * 8 * 50,
}  # fmt: skip


@pytest.mark.parametrize("words", GOLDEN, ids=" ".join)
def test_questions_are_counted(words):
    assert counted(*words) == GOLDEN[words]


def test_a_command_that_nobody_could_play_is_refused_before_it_is_counted():
    with pytest.raises(ValueError, match=r"^40 slates of 5 wanted 200 items .* suits everybody;"):
        counted("policy_ranking", "env.max_episode_steps=40")


def test_every_package_that_counts_is_counted_here():
    packages = {name: import_module(f"experiments.{name}") for name in experiments()
                if (ROOT / "experiments" / name).is_dir()}  # fmt: skip
    assert tuple(sorted(n for n, p in packages.items() if hasattr(p, "questions"))) == COUNTED
    assert {name for name, *_ in GOLDEN} == set(COUNTED) - BY_A_RUN
    assert tuple(sorted(n for n, p in packages.items() if hasattr(p, "trainings"))) == TRAINED


def test_nothing_is_run_or_written_and_no_folder_is_made(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    shown = printed(monkeypatch, capsys, "experiment=cluster", "data=tiny", "--dry-run")
    assert "takes" in shown
    assert "3 seconds" in shown
    assert "Nothing was run, and nothing was written." in shown
    assert list(tmp_path.iterdir()) == []


def test_scripted_lives_ask_no_language_model(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    shown = printed(monkeypatch, capsys, "experiment=foresight", "--dry-run")
    assert "no language model is asked" in shown


@pytest.mark.slow  # trains some steps
def test_a_training_is_tried_and_its_steps_time_and_memory_are_told(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = ["experiment=train_adapters", "data=tiny", "experiment.num_clusters=2", "--dry-run"]
    shown = " ".join(printed(monkeypatch, capsys, *words).split())
    assert re.search(r"training: adapters \d+ steps, [\d,]+ ratings with [\d,]+ tokens", shown)
    assert "if nothing of it is there yet" in shown
    assert "at the peak of the trial" in shown
    assert list(tmp_path.iterdir()) == []


def test_users_that_are_no_language_model_are_asked_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = ["experiment=policy_ranking", "debug=tiny", "users=scripted", "--dry-run"]
    assert "no language model is asked" in printed(monkeypatch, capsys, *words)


def test_a_command_that_is_wrong_is_wrong_in_a_dry_run_too(monkeypatch, capsys):
    words = ["experiment=policy_ranking", "env.slate_size=0", "--dry-run"]
    monkeypatch.setattr("sys.argv", ["personarec", *words])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "env.slate_size wanted" in capsys.readouterr().err


def test_prices_of_the_command_give_a_cost():
    cfg = composed("experiment=policy_ranking", "budget.price_per_hour=2",
                   "budget.price_per_million_tokens=0.5")  # fmt: skip
    assert _price(cfg, 1800.0, 4e6).startswith("3.00")
    assert "budget.price_per_hour=" in _price(composed("experiment=policy_ranking"), 1.0, 1.0)
    assert _price(composed("experiment=worlds"), 1.0, 1.0) == "no price was given"


@pytest.mark.slow  # reads the shipped people; the scripted engine answers
def test_no_run_asks_more_than_its_dry_run_says(monkeypatch, capsys, tmp_path):
    words = ["experiment=policy_ranking", "debug=tiny", "engine=scripted",
             "recommender=[random,popularity]"]  # fmt: skip
    monkeypatch.chdir(tmp_path)
    shown = printed(monkeypatch, capsys, *words, "--dry-run")
    run_command(tmp_path / "out", *words)
    asked = pq.read_table(tmp_path / "out" / "interactions.parquet").to_pandas()
    simulated = asked[asked["world"] == "simulated"] if "world" in asked else asked
    limit = counted("policy_ranking", *words[1:])
    assert f"about {limit:,}" in " ".join(shown.split())
    assert 0 < len(simulated) <= limit


@pytest.mark.slow  # reads the shipped people
def test_a_server_is_not_asked_in_a_trial(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = ["experiment=policy_ranking", "debug=tiny", "engine=server", "--dry-run",
             "engine.base_url=http://127.0.0.1:9/v1"]  # fmt: skip
    shown = " ".join(printed(monkeypatch, capsys, *words).split())
    assert "unknown: a server answers, and it was not asked" in shown
    assert "tokens" in shown

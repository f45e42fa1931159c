"""The experiment end to end on scripted users, its oracles, and what it says."""

import json

import numpy as np
import pytest
from hydra import compose, initialize_config_module

from experiments.foresight.arena import halves, make_arena, past
from experiments.foresight.foresight_page import lines, markdown, others, rows, sentences
from experiments.foresight.oracles import GreedyOracle, PlanOracle, opinions
from experiments.reporting.formatting import NONE
from experiments.reporting.result import Record
from simenv.env.best_plan import best_plan, greedy, worth
from simenv.env.foresight_env import make_world
from tests.experiments.command import forecast_of, questions_counted, run_command

SHORT = ["experiment=foresight", "env.max_episode_steps=4", "env.history_length=12"]


def arena(*words):
    with initialize_config_module("conf", version_base="1.3"):
        return make_arena(compose("config", [*SHORT, *words]))


@pytest.mark.slow  # thousands of lives
def test_the_oracles_play_what_was_calculated_for_them():
    ours = arena("num_users=1500", "experiment.num_items=40")
    plan = best_plan(ours.model)
    chances = opinions(ours.users, ours.judges, 40)
    for make, wanted in (
        (lambda env: PlanOracle(env, ours.model, plan), plan.value),
        (
            lambda env: GreedyOracle(env, ours.judges, chances),
            worth(ours.model, greedy(ours.model)),
        ),
    ):
        played = ours.play(lambda env, make=make: make(env).fit(ours.log))
        lives = played.rewards.sum(axis=1)
        error = lives.std() / np.sqrt(len(lives))
        assert abs(lives.mean() - wanted) < 3 * error
        assert error < 0.06


def test_who_is_learnt_from_never_judges():
    learners, judges = halves(np.arange(9), 6, seed=3)
    assert len(judges) == 4
    assert sorted([*learners, *judges]) == list(range(9))
    with pytest.raises(ValueError, match="wanted at least two users, got 1; raise num_users"):
        halves(np.arange(1), 1, seed=0)


def test_the_past_holds_what_was_taken_and_nobody_remembers_it():
    users, catalog = make_world(50, 30)
    with initialize_config_module("conf", version_base="1.3"):
        from hydra.utils import instantiate

        make = instantiate(compose("config", SHORT).env)
    before = users.snapshot()
    log = past(make, users, catalog, 10, seed=1)
    assert users.snapshot() == before
    assert 0 < len(log) < 500
    shares = np.bincount(log.items % 2) / len(log)
    assert shares[1] > shares[0]  # tempting items are taken more
    assert (np.bincount(log.users) <= 10).all()


def test_the_optimum_of_an_environment_that_has_too_many_states_is_an_error():
    with pytest.raises(ValueError, match=r"wanted effects\.window at least 12"):
        arena("env.effects.window=5", "num_users=2")


def level(policy, worth, ends, known="over users", number=100, steps=0):
    return {"policy": policy, "worth": worth, "ci95": ends, "known": known, "number": number,
            "steps": steps}  # fmt: skip


RESULTS = {
    "setting": {"people": "scripted", "num_judges": 100, "num_learners": 100, "num_items": 240,
                "slate_size": 3, "max_steps": 30, "reward": "clicks", "lives": True,
                "num_seeds": 2},
    "levels": [
        level("optimum", 41.0, [41.0, 41.0], "exact", 0),
        level("PPO", 38.0, [37.5, 38.5], "over seeds", 2, 28800),
        level("random", 35.0, [34.0, 36.0]),
        level("greedy oracle", 27.0, [27.0, 27.0], "exact", 0),
    ],
    "curves": [
        {"seed": seed, "points": [{"steps": 0.0, "worth": 30.0},
                                  {"steps": 960.0, "worth": first},
                                  {"steps": 1920.0, "worth": 37.0}]}
        for seed, first in ((0, 36.5), (1, 35.5))
    ],
    "provenance": {"command": "personarec experiment=foresight"},
}  # fmt: skip


def test_the_answer_says_where_ppo_stands_and_from_when_it_beats_random():
    said = sentences(RESULTS)
    assert said[0] == (
        "PPO makes a life worth 38.00: more than greedy oracle (27.00), less than optimum (41.00),"
        " more than random (35.00)."
    )
    assert said[1] == "From 1,920 slates of training on, every seed of PPO lay above random."
    wide = {**RESULTS, "levels": [*RESULTS["levels"][:1],
                                  level("PPO", 38.0, [34.0, 42.0], "over seeds", 2, 28800),
                                  *RESULTS["levels"][2:]]}  # fmt: skip
    assert "within noise of optimum (41.00)" in sentences(wide)[0]
    fallen = [{**c, "points": [*c["points"], {"steps": 2880.0, "worth": 35.5}]}
              for c in RESULTS["curves"]]  # fmt: skip
    assert "within random's interval" in sentences({**RESULTS, "curves": fallen})[1]


def test_names_of_levels_that_are_alike_stand_apart_in_the_plot():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    axes.set_ylim(20, 40)
    others(axes, [level("random", 25.71, [25, 26]), level("greedy oracle", 26.39, [26, 27]),
                  level("optimum", 39.57, [39, 40])])  # fmt: skip
    heights = {text.get_text(): text.xy[1] for text in axes.texts}
    assert heights["random"] == 25.71
    assert heights["greedy oracle"] >= 25.71 + 0.05 * 20
    assert heights["optimum"] == 39.57


def test_the_table_says_how_a_level_is_known():
    assert rows(RESULTS)[0] == ["optimum", "41.00", NONE, "exact", NONE]
    assert rows(RESULTS)[1] == ["PPO", "38.00", "37.50 to 38.50", "2 seeds", "28,800"]
    assert rows(RESULTS)[2][3] == "100 users"
    text = markdown(Record(RESULTS, ""))
    assert "| PPO | 38.00 |" in text
    assert "paid: clicks" in text
    assert lines(RESULTS)[-1].startswith("A life of at most 30 slates of 3 from 240 items")


@pytest.mark.slow  # trains a little
def test_the_command_leaves_its_levels_curves_and_pages(tmp_path):
    results = run_command(
        tmp_path, *SHORT, "num_users=8", "experiment.num_items=60", "experiment.seeds=[0,1]",
        "experiment.num_envs=4", "experiment.num_checkpoints=2", "experiment.dqn_steps=64",
        "experiment.ppo.total_steps=64", "experiment.ppo.num_steps=4", "recommender=[random]",
    )  # fmt: skip
    names = {level["policy"] for level in results["levels"]}
    assert names == {"optimum", "greedy oracle", "random", "PPO", "DQN",
                     *(f"always {m} of 3 tempting" for m in range(4))}  # fmt: skip
    best = results["levels"][0]
    assert [len(curve["points"]) for curve in results["curves"]] == [3, 3]
    assert best["worth"] >= max(
        level["worth"] for level in results["levels"] if level["known"] == "exact"
    )
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Does it pay to look ahead?" in page
    assert "<svg" in page
    assert len((tmp_path / "curves.csv").read_text(encoding="utf-8").splitlines()) == 7
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8")) == results


@pytest.mark.slow  # asks the shipped language model
def test_the_shipped_users_can_be_tempted_too(tmp_path):
    words = [
        *SHORT, "experiment.people=shipped", "engine=scripted", "num_users=4",
        "experiment.seeds=[0]", "experiment.num_envs=4", "experiment.num_checkpoints=1",
        "experiment.dqn_steps=0", "experiment.ppo.total_steps=16", "experiment.ppo.num_steps=4",
        "recommender=[random]",
    ]  # fmt: skip
    with questions_counted() as asked:
        results = run_command(tmp_path, *words)
    assert 0.8 * forecast_of(*words) <= sum(asked) <= forecast_of(*words)
    assert {level["policy"] for level in results["levels"]} == {"greedy oracle", "random", "PPO"}
    assert results["setting"]["people"] == "shipped"

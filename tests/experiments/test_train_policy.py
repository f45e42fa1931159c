"""The experiment end to end on fitted users, and its parts."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from experiments.people.ensembles import persona_members
from experiments.people.fitted import fitted, posterior_members
from experiments.people.people import People, scripted, true_users
from experiments.tournament.policies import Oracle
from experiments.train_policy.gains import hacking
from experiments.train_policy.run import _prepare, _shrink
from experiments.train_policy.training_runs import Curve
from recommenders.policies.heuristics import Random
from simenv.data.synthetic import synthetic
from simenv.env.pessimism import PessimisticRating
from simenv.events import expected_stars
from tests.experiments.command import run_command

TINY = [
    "experiment=train_policy", "debug=tiny", "users=fitted", "experiment.ppo.total_steps=192",
    "experiment.seeds=[0]", "experiment.penalties=[1]", "experiment.dqn_steps=64",
    "experiment.num_envs=8", "experiment.num_checkpoints=2", "experiment.num_resamples=10",
    "recommender=[random,popularity]",
]  # fmt: skip


slow = pytest.mark.slow  # trains four models


@pytest.mark.parametrize("debug", ["tiny", None])
def test_debug_shrinks_every_training_and_nothing_else_does(debug):
    given = {"ppo": {"total_steps": 38400, "minutes": 9}, "dqn_steps": 20000}
    cfg = OmegaConf.create({"debug": debug, "experiment": given})
    _shrink(cfg)
    steps = cfg.experiment.ppo.total_steps, cfg.experiment.dqn_steps
    assert steps == ((512, 512) if debug else (38400, 20000))
    small = OmegaConf.create({"debug": debug, "experiment": {"ppo": {"total_steps": 64},
                                                             "dqn_steps": 0}})  # fmt: skip
    _shrink(small)
    assert (small.experiment.ppo.total_steps, small.experiment.dqn_steps) == (64, 0)


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "here"
    run_command(folder, *TINY)
    return folder


@pytest.fixture(scope="module")
def results(output_dir):
    return json.loads((output_dir / "results.json").read_text(encoding="utf-8"))


@slow
def test_all_files_go_to_the_output_folder(output_dir):
    names = {path.name for path in output_dir.iterdir()}
    reports = {"report.html", "report.md", "tables"}
    assert names == {"results.json", *reports, "curves.csv", "config.yaml", "tensorboard"}
    arms = {path.name for path in (output_dir / "tensorboard").iterdir()}
    assert arms == {"ppo_plain_0", "ppo_penalty_1_0"}
    assert all(list((output_dir / "tensorboard" / arm).glob("events.*")) for arm in arms)


@slow
def test_the_table_holds_learnt_policies_beside_the_others_and_nothing_failed(results):
    policies = {p["name"]: p for p in results["policies"]}
    assert set(policies) == {
        "ppo_plain_0", "ppo_penalty_1_0", "dqn", "random", "popularity", "oracle",
    }  # fmt: skip
    assert all(p["error"] is None for p in policies.values())
    true = {name: p["true_mean_rating"] for name, p in policies.items()}
    assert max(true, key=true.get) == "oracle"


@slow
def test_every_curve_starts_untrained_and_ends_at_the_last_step(output_dir, results):
    for curve in results["curves"]:
        points = curve["points"]
        assert points[0]["steps"] == 0
        assert points[0]["reward"] is None
        assert points[-1]["steps"] == 160
        assert all(1 <= p[world] <= 5 for p in points for world in ("simulated", "true"))
    frame = pd.read_csv(output_dir / "curves.csv")
    assert len(frame) == sum(len(c["points"]) for c in results["curves"])


@slow
def test_the_last_point_of_a_curve_is_the_table_s_figure(results):
    for curve in results["curves"]:
        (policy,) = (
            p for p in results["policies"] if p["name"] == f"ppo_{curve['label']}_{curve['seed']}"
        )
        last = curve["points"][-1]
        assert last["true"] == pytest.approx(policy["true_mean_rating"], abs=1e-5)
        assert last["simulated"] == pytest.approx(policy["simulated"]["mean_rating"], abs=1e-5)


@slow
def test_gains_name_rivals_in_both_worlds_and_regret_is_not_negative(results):
    found = {(g["policy"], g["world"], g["rival"]) for g in results["learnt"]}
    assert ("ppo_plain_0", "true", "random") in found
    assert ("ppo_plain_0", "simulated", "oracle") in found
    assert 0 < results["variance"]["ratio"] < 1


@slow
def test_the_report_answers_first_and_fetches_nothing(output_dir):
    page = (output_dir / "report.html").read_text(encoding="utf-8")
    assert "users it has never met, PPO has" in page
    assert "FITTED USERS" in page
    assert "too small to mean anything" in page
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)""", page)
    assert not re.search(r"#0[1-7]0[1-7]0[1-7]", page)
    for name in ("results.json", "report.html", "config.yaml"):
        assert str(output_dir.parent) not in (output_dir / name).read_text(encoding="utf-8")


def curve(label, seed, simulated, true):
    points = [
        {"steps": float(10 * i), "simulated": s, "true": t}
        for i, (s, t) in enumerate(zip(simulated, true, strict=True))
    ]
    return Curve(label, seed, None, points)


def test_hacking_is_what_is_lost_after_the_peak_while_the_simulator_goes_on_rising():
    (row,) = hacking([curve("a", 0, [3, 4, 5], [3, 4, 3]), curve("a", 1, [3, 4, 5], [3, 4, 4])])
    assert row["peak_steps"] == 10
    assert row["lost"] == pytest.approx(4 - 3.5)
    assert row["simulated_rise"] == pytest.approx(1)
    assert row["final_gap"] == pytest.approx(5 - 3.5)


def test_without_a_truth_nothing_is_said_of_hacking():
    points = [{"steps": 0.0, "simulated": 3.0}]
    assert hacking([Curve("a", 0, None, points)]) == []


@pytest.fixture(scope="module")
def world():
    return synthetic(seed=1, num_users=80, num_items=150)


def errors(tastes, log, truth):
    users, items = log.users, log.items[:, None]
    wanted = expected_stars(truth.probabilities(users, items))
    return np.sqrt(np.mean((expected_stars(tastes.probabilities(users, items)) - wanted) ** 2))


def test_fitted_users_know_more_than_the_averages(world):
    tastes = fitted(world).model.truth
    plain = fitted(world, l2=1e9).model.truth
    assert errors(tastes, world.test, world.truth) < 0.9 * errors(plain, world.test, world.truth)


def test_members_disagree_most_about_users_of_whom_the_log_says_least(world):
    members = posterior_members(fitted(world), world, size=6)
    order = np.argsort(np.bincount(world.train.users, minlength=80))
    items = np.tile(np.arange(150), (20, 1))
    little, much = (
        PessimisticRating(members).opinions(users, items)[1].mean()
        for users in (order[:20], order[-20:])
    )
    assert little > 1.1 * much


def test_members_spread_about_the_fitted_tastes(world):
    people = fitted(world)
    members = posterior_members(people, world, size=40)
    drawn = np.mean([m.utilities for m in members], axis=0)
    assert np.abs(drawn - people.model.truth.utilities).mean() < 0.1


def test_an_ensemble_of_personas_wants_personas(world):
    with pytest.raises(TypeError, match="persona_members wanted persona users, got ScriptedUsers"):
        persona_members(scripted(world), world)


def test_the_oracle_is_at_least_as_good_as_random_slates_for_every_user():
    dataset = synthetic(seed=3, num_users=40, num_items=200)
    slates = {}
    for policy in (Oracle(dataset.truth), Random()):
        observation = {
            "user": np.arange(40),
            "history_items": np.full((40, 1), -1),
            "history_ratings": np.zeros((40, 1)),
        }
        shown = policy.fit(dataset.train).recommend(observation, 5, np.random.default_rng(0))
        slates[policy.name] = shown.items
    stars = {
        name: dataset.truth.probabilities(np.arange(40), items) @ np.arange(1, 6)
        for name, items in slates.items()
    }
    assert (stars["Oracle"].mean(axis=1) >= stars["Random"].mean(axis=1)).all()


@slow  # composes the whole config
@pytest.mark.parametrize("evidence", ["shared", "independent", "mixed"])
def test_policies_learn_before_people_of_their_own_rows_and_are_judged_by_others(
    evidence, tmp_path, monkeypatch
):
    def make(dataset):
        return People(true_users(dataset), {"rows": len(dataset.train), "kind": "scripted"})

    monkeypatch.setattr("experiments.train_policy.run.kept_people", lambda cfg: make)
    words = ["experiment=train_policy", "debug=tiny", "users=ridge", f"users.evidence={evidence}"]
    with initialize_config_module("conf", version_base="1.3"):
        setting, people, school = _prepare(compose("config", [*words, f"output_dir={tmp_path}"]))
    known, every = len(setting.dataset.train), len(setting.whole.train)
    taught, judging = school.teachers.card["rows"], people.card["rows"]
    assert taught == known
    assert judging == {"shared": every, "independent": every - known, "mixed": every}[evidence]
    assert (school.teachers is people) == (evidence == "shared")
    assert school.setting.simulated is school.teachers.model
    assert setting.simulated is people.model
    assert not set(school.learners) & set(setting.users)

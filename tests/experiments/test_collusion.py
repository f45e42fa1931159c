"""Collusion: a surplus is seen where a judge shares a policy's model, none where not."""

from dataclasses import replace

import numpy as np
import pytest

from agents.assembly import persona_users
from experiments.collusion.judged import ALONE, KIND, SHARED, TOLD, UNTOLD, Question, judge
from experiments.collusion.run import lines, summary
from recommenders.policies.factorisation import ALS
from recommenders.policies.heuristics import Popularity
from simenv.data.synthetic import synthetic
from tests.experiments.command import run_command

NAMES = ("random", "als", "ease", SHARED, KIND)


def world(seed, colluding):
    """Every judge is off by 0.1 stars and a little noise; one is off by 0.5 for its own model."""
    rng = np.random.default_rng(seed)
    truth = dict(zip(NAMES, (3.0, 4.0, 4.1, 3.9, 3.8), strict=True))
    judges = {
        who: {n: s + 0.1 + rng.normal(0, 0.01) for n, s in truth.items()} for who in (TOLD, UNTOLD)
    }
    judges[TOLD][SHARED] += colluding
    for own in judges.values():  # nobody's taste stands in it, so nothing is said of sharing
        own["random"] += 0.7
    return {"truth": truth, **judges, ALONE: judges[TOLD]}


@pytest.mark.parametrize("colluding", [0.0, 0.4])
def test_a_surplus_is_what_the_sharing_policy_gets_beyond_others(colluding):
    worlds = [world(seed, colluding) for seed in range(12)]
    told, untold = (summary(worlds, who)["collusion"] for who in (TOLD, UNTOLD))
    assert told["stars"] == pytest.approx(colluding, abs=0.02)
    assert untold["stars"] == pytest.approx(0.0, abs=0.02)
    low, high = told["ci95"]
    assert low < colluding < high
    assert untold["places_too_high"] == 0
    assert told["places_too_high"] == (2 if colluding else 0), "from third to first"


def test_the_sentence_follows_the_interval():
    worlds = [world(seed, 0.4) for seed in range(12)]
    judges = {who: summary(worlds, who) for who in (UNTOLD, TOLD, ALONE)}
    _, untold, told, _ = lines(judges)
    assert "within noise" in untold or "overrates" not in untold
    assert "overrates the policy that shares the model" in told
    one = {who: summary(worlds[:1], who) for who in (UNTOLD, TOLD, ALONE)}
    assert "cannot be judged" in lines(one)[1]


def test_a_world_without_truth_is_refused():
    dataset = replace(synthetic(3, num_users=20, num_items=30), truth=None)
    with pytest.raises(ValueError, match="collusion wanted a data set with a known truth"):
        judge(dataset, {"popularity": Popularity}, Question(5, 3, {}, 0))


def test_the_shared_model_alone_prefers_what_it_shows():
    found = judge(
        synthetic(3, num_users=60, num_items=60), {"popularity": Popularity}, Question(40, 5, {}, 0)
    )
    assert set(found) == {"truth", ALONE}
    assert found[ALONE][SHARED] == max(found[ALONE].values())
    assert found[ALONE][SHARED] > found["truth"][SHARED]
    assert found[ALONE][KIND] < found[ALONE][SHARED], "its kind is another seed's model"


@pytest.mark.slow
def test_only_the_told_judge_reads_what_people_alike_gave(monkeypatch):
    """On the engine without a model, which is enough to see who is told what."""
    told = []

    def scripted(people):
        told.append((people.style.peers, people.peers is not None))
        return persona_users(people, engine="scripted")

    monkeypatch.setattr("experiments.collusion.judged.persona_users", scripted)
    bases = {UNTOLD: "pocket", TOLD: "pocket"}
    world = synthetic(3, num_users=8, num_items=20)
    found = judge(world, {"popularity": Popularity}, Question(4, 3, bases, 0))
    assert told == [(False, False), (True, True)]
    assert set(found) == {"truth", ALONE, UNTOLD, TOLD}


def test_policies_and_judges_know_no_later_rating():
    """Law 7: the later ratings turned round, the same slates and stars."""
    world = synthetic(3, num_users=30, num_items=40)
    turned = replace(world, test=replace(world.test, ratings=6.0 - world.test.ratings))
    asked = {"popularity": Popularity, "als": ALS}, Question(20, 3, {}, 0)
    assert judge(world, *asked) == judge(turned, *asked)


@pytest.mark.slow
def test_the_command_runs_and_goes_on_where_it_was(tmp_path):
    words = (
        *("experiment=collusion", "data=tiny", "experiment.worlds=2", "experiment.num_users=6"),
        *("experiment.slate_size=3", "recommender=[random,popularity,als]"),
    )
    values = run_command(tmp_path, *words)
    assert run_command(tmp_path, *words)["judges"] == values["judges"]
    assert set(values["judges"]) == {UNTOLD, TOLD, ALONE}
    assert len(list((tmp_path / "cells").iterdir())) == 2

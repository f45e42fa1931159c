"""The world as judge: worlds resume, judges are scored as defined, estimators know the log."""

import json

import numpy as np
import pytest
from hydra import compose, initialize_config_module

from agents.assembly import persona_users
from agents.inference.scripted import ScriptedEngine
from experiments.people.people import true_users
from experiments.people.predictor_users import PredictedTruth, non_personal, ridge
from experiments.reporting.report import markdown_text
from experiments.reporting.running import perform
from experiments.worlds.cross_fitting import merged
from experiments.worlds.easy_mode import easy_mode
from experiments.worlds.judges import OFFLINE, USERS, Task, judge_world, off_policy
from experiments.worlds.knowable import BASELINE, PARTIAL, PERFECT, knowable, read, reader_users
from experiments.worlds.verdicts import _knowable, score_judge, summarise_worlds
from experiments.worlds.worlds_page import answer
from recommenders.evaluation.ranking_metrics import user_metrics
from recommenders.policies.ease import EASE
from recommenders.policies.heuristics import Popularity, Random
from simenv.data.rating_baselines import BiasModel
from simenv.data.synthetic import SyntheticTruth, synthetic
from simenv.data.worlds.perfect_reader import PerfectReader
from simenv.data.worlds.reading_world import reading_world
from simenv.events import STARS
from training.populate import population_on

TINY = ["experiment=worlds", "debug=tiny", "users=scripted", "recommender=[random,popularity,ease]"]
TINY += ["experiment.worlds=2", "experiment.biases=[0.0,1.0]"]


def tiny(folder, *overrides):
    with initialize_config_module("conf", version_base="1.3"):
        return compose("config", [*TINY, f"output_dir={folder}", *overrides])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture(scope="module")
def results(folder):
    return perform(tiny(folder))


def test_true_users_as_judge_are_always_right(results):
    for level in results["levels"].values():
        assert level["judges"][USERS]["tau"]["mean"] == 1.0
        assert level["judges"][USERS]["regret"]["mean"] == 0.0
        easy = level["easy_mode"]
        assert easy["bad_slate"] == easy["true_bad_slate"]
        assert easy["reader_bad_slate"]["mean"] > easy["bad_slate"]["mean"]
        assert all(abs(own["mean"]) < 1e-9 for own in level["overrated"][USERS].values())


def test_every_judge_is_there_with_its_difference(results):
    level = results["levels"]["1"]
    assert set(level["judges"]) == {
        USERS, OFFLINE, "IPS", "SNIPS", "DR", "non-personal users", "ridge users", PERFECT, PARTIAL,
    }  # fmt: skip
    assert {d["minus"] for d in level["differences"]} == set(level["judges"]) - {USERS}


def test_bad_slates_displease_the_true_users(results):
    easy = results["levels"]["0"]["easy_mode"]
    assert easy["true_bad_slate"]["mean"] < easy["true_random_slate"]["mean"]
    assert easy["true_accept_bad"]["mean"] < easy["true_accept_random"]["mean"]
    assert easy["true_accept_all"]["mean"] < easy["true_accept_random"]["mean"]


def test_the_logs_own_stars_are_of_the_first_held_out_items_of_those_who_have_enough():
    dataset = synthetic(3, num_users=24, num_items=120)
    true, users = true_users(dataset), np.arange(24)
    found = easy_mode(true, true, dataset, users, 5, 0)
    starts = dataset.test.offsets()
    able = [u for u in users if starts[u + 1] - starts[u] >= 5]
    assert able
    stars = [dataset.test.ratings[starts[u] : starts[u] + 5] for u in able]
    assert found["true_logged"] == pytest.approx(np.mean(stars), abs=1e-4)


def test_the_offline_judge_is_the_mean_ndcg_of_held_out_rows():
    dataset = synthetic(3, num_users=24, num_items=120)
    makers = {"random": Random, "popularity": Popularity}
    found = judge_world(dataset, makers, non_personal, Task(8, 5, 4.0, 0))["judges"][OFFLINE]
    for value, make in zip(found, makers.values(), strict=True):
        policy = make().meet_catalog(dataset.catalog).fit(dataset.train)
        wanted = user_metrics(policy, dataset, 5, 4.0).ndcg.mean()
        assert value == pytest.approx(wanted, abs=1e-6)


def test_all_files_are_written_and_fetch_nothing(results, folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {"results.json", "report.html", "report.md", "config.yaml", "cells", "tables"}
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("<svg") == 1
    assert markdown_text(answer(results)) in (folder / "report.md").read_text(encoding="utf-8")


def test_a_stopped_run_goes_on_where_it_was(results, folder):
    cells = sorted((folder / "cells").iterdir())
    assert len(cells) == 2 * 2
    cells[0].unlink()
    stamp = cells[1].stat().st_mtime_ns
    again = perform(tiny(folder))
    assert again["levels"] == results["levels"]
    assert cells[1].stat().st_mtime_ns == stamp


def test_other_settings_do_not_reuse_worlds(results, folder):
    perform(tiny(folder, "experiment.slate_size=5", "experiment.worlds=1"))
    assert len(list((folder / "cells").iterdir())) == 4 + 2


def test_a_world_that_fails_is_named_and_the_others_are_judged(tmp_path, monkeypatch):
    """The run stopped there, and what was judged before it stood in no report."""
    whole = judge_world

    def failing(dataset, *rest):
        if dataset.name == "synthetic-7001":
            raise RuntimeError("the server is gone")
        return whole(dataset, *rest)

    monkeypatch.setattr("experiments.worlds.run.judge_world", failing)
    with pytest.raises(
        RuntimeError, match=r"bias 0: world 7001 \(RuntimeError: the server is gone"
    ):
        perform(tiny(tmp_path))
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [level["worlds"] for level in results["levels"].values()] == [1, 1]
    assert [one["part"] for one in results["failures"]] == [
        "bias 0: world 7001",
        "bias 1: world 7001",
    ]
    for name in ("report.md", "report.html"):
        assert "the server is gone" in (tmp_path / name).read_text(encoding="utf-8")
    monkeypatch.undo()
    again = perform(tiny(tmp_path))
    assert [level["worlds"] for level in again["levels"].values()] == [2, 2]
    assert again["failures"] == []


def test_where_the_first_worlds_fail_nothing_more_is_tried(tmp_path):
    with pytest.raises(
        RuntimeError, match="the first 3 of 4 worlds failed, with ValueError: a world"
    ):
        perform(tiny(tmp_path, "recommender=[random]"))
    assert not list((tmp_path / "cells").iterdir())


def test_answers_of_a_world_that_was_half_judged_are_kept(tmp_path, monkeypatch):
    calls = []
    score = ScriptedEngine.score

    def counted(self, requests, choices):
        calls.append(len(requests))
        return score(self, requests, choices)

    def broken(*_):
        raise RuntimeError("stopped in the middle")

    monkeypatch.setattr(ScriptedEngine, "score", counted)
    options = ("users=persona", "engine=scripted", "experiment.worlds=1", "experiment.biases=[1.0]")
    with monkeypatch.context() as patch:
        patch.setattr("experiments.worlds.judges.easy_mode", broken)
        with pytest.raises(RuntimeError, match="stopped in the middle"):
            perform(tiny(tmp_path, *options))
    judged = sum(calls)
    assert judged
    calls.clear()
    perform(tiny(tmp_path, *options))
    rest = sum(calls)
    perform(tiny(tmp_path / "anew", *options))
    assert sum(calls) - rest == judged + rest


def test_one_failing_policy_does_not_stop_a_world():
    dataset = synthetic(3, num_users=24, num_items=120)
    makers = {"random": Random, "popularity": Popularity, "bad": lambda: Popularity(recent_days=-1)}
    world = judge_world(dataset, makers, non_personal, Task(8, 5, 4.0, 0))
    assert world["policies"] == ["random", "popularity"]
    assert "Popularity wanted recent_days above 0" in world["failed"]["bad"]
    json.dumps(world)


def test_a_world_without_two_policies_is_an_error():
    dataset = synthetic(3, num_users=24, num_items=120)
    with pytest.raises(ValueError, match="wanted at least two policies that work, got 1"):
        judge_world(dataset, {"random": Random}, non_personal, Task(8, 5, 4.0, 0))


def world(values, truth):
    return {
        "policies": ["a", "b", "c"],
        "judges": {USERS: values, OFFLINE: truth},
        "truth": truth,
        "easy_mode": {"bad_slate": 2.0},
        "knowable": {},
        "exposures": 1,
        "failed": {},
    }


def test_a_judge_is_scored_by_order_pick_regret_and_clear_pairs():
    scores = score_judge([world([1.0, 3.0, 2.0], [3.0, 3.9, 4.0])], USERS, clear_gap=0.5)
    assert scores.tau.tolist() == [pytest.approx(1 / 3)]
    assert scores.found.tolist() == [0.0]
    assert scores.regret.tolist() == [pytest.approx(0.1)]
    assert scores.clear.tolist() == [1.0]  # the flipped pair differs by 0.1 only


def test_a_value_that_does_not_exist_counts_below_all_others():
    scores = score_judge([world([None, 3.0, 2.0], [3.0, 4.0, 3.5])], USERS, clear_gap=0.5)
    assert scores.tau.tolist() == [1.0]


def test_differences_are_paired_by_world():
    worlds = [world([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) for _ in range(3)]
    found = summarise_worlds(worlds, 0.05)["differences"]
    assert [d["minus"] for d in found] == [OFFLINE]
    assert found[0]["mean"] == 0.0


def test_a_level_is_summed_up_over_its_worlds():
    right, turned = [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]
    worlds = [world(v, right) for v in (right, right, right, turned)]
    found = summarise_worlds(worlds, 0.05)
    users = found["judges"][USERS]
    assert users["taus"] == [1.0, 1.0, 1.0, -1.0]
    assert users["tau"] == {"mean": 0.5, "ci95": [-1.0, 1.0]}  # 0.5 ± 1.59, kept in [-1, 1]
    assert users["found"] == {"mean": 0.75, "ci95": [0.300642, 0.954413]}  # Wilson's interval
    half = 3.182446305284263 * 1.0 / 2  # Student's t, 97.5 %, 3 degrees; of 0, 0, 0, 2
    assert users["regret"]["mean"] == 0.5
    assert users["regret"]["ci95"] == pytest.approx([0.5 - half, 0.5 + half], abs=1e-6)
    assert users["clear_pairs"]["mean"] == 0.75
    (difference,) = found["differences"]
    assert difference["mean"] == -0.5
    assert difference["ci95"] == pytest.approx([-0.5 - half, -0.5 + half], abs=1e-6)
    assert difference["p_holm"] == pytest.approx(0.391, abs=1e-3)  # t = -1, 3 degrees of freedom
    assert found["easy_mode"]["bad_slate"] == {"mean": 2.0, "ci95": [2.0, 2.0]}
    assert (found["worlds"], found["exposures"]) == (4, 4)
    near = summarise_worlds([world([1.0, 3.0, 2.0], [3.0, 3.9, 4.0])] * 2, 0.5)["judges"][USERS]
    assert (near["found"]["mean"], near["clear_pairs"]["mean"]) == (0.0, 1.0)


def test_what_a_policy_is_overrated_by_stands_beside_the_mean_of_all():
    worlds = [world([4.0, 3.0, 2.0], [3.0, 3.0, 3.0]), world([4.5, 3.0, 1.5], [3.0, 3.0, 3.0])]
    found = summarise_worlds(worlds, 0.05)["overrated"]
    assert set(found) == {USERS}  # other judges do not speak in stars
    assert {policy: own["mean"] for policy, own in found[USERS].items()} == {
        "a": 1.25, "b": 0.0, "c": -1.25,
    }  # fmt: skip


def test_only_judges_beyond_chance_are_beaten_or_lost_to():
    def level(p, mean):
        ends = [mean - 0.05, mean + 0.05]
        judges = {name: {"tau": {"mean": 0.5, "ci95": [0.4, 0.6]}} for name in (USERS, OFFLINE)}
        return {"worlds": 9, "judges": judges,
                "differences": [{"minus": OFFLINE, "mean": mean, "ci95": ends,
                                 "p_holm": p}]}  # fmt: skip

    def said(p, mean, judged_at=1.0):
        results = {"levels": {"0": level(0.9, 0.1), "1": level(p, mean)},
                   "setting": {"judged_at": judged_at}}  # fmt: skip
        return answer({"users": {}, **results}).split("0.50. ")[1]

    assert said(0.049, 0.1) == "They beat NDCG."
    assert said(0.05, 0.1) == said(None, 0.1) == "They beat no other judge beyond chance."
    assert said(0.01, -0.1) == "They beat no other judge beyond chance. NDCG beat them."
    assert said(0.01, 0.1, judged_at=0.0) == "They beat no other judge beyond chance."


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_logging_chances_are_those_with_which_logs_come_about(bias):
    worlds = [synthetic(s, num_users=30, num_items=80, logging_bias=bias) for s in range(12)]
    logged = expected = 0.0
    bins = np.zeros((2, 5))
    for one in worlds:
        chances = one.truth.logging_chances()
        held = (one.train.to_csr() + one.test.to_csr()).toarray() > 0
        assert chances.sum(axis=1) == pytest.approx(one.truth.num_logged, rel=1e-6)
        place = np.minimum((chances * 5).astype(int), 4).ravel()
        bins[0] += np.bincount(place, chances.ravel(), 5)
        bins[1] += np.bincount(place, held.ravel(), 5)
        logged, expected = logged + held.sum(), expected + chances.sum()
    assert bins[1] == pytest.approx(bins[0], rel=0.08, abs=12)


def test_off_policy_values_of_random_slates_are_near_the_truth_where_the_log_is_unbiased():
    gaps = []
    for seed in range(6):
        one = synthetic(seed, num_users=200, num_items=100, logging_bias=0.0)
        users = np.arange(one.num_users)
        rng = np.random.default_rng(seed)
        unseen = np.where(one.train.to_csr().toarray() > 0, np.inf, rng.random((200, 100)))
        slates = np.argsort(unseen, axis=1)[:, :10]
        true = (one.truth.probabilities(users, slates) @ STARS).mean()
        found = off_policy(one, slates[None])
        gaps.append([found[name][0] - true for name in ("IPS", "SNIPS", "DR")])
    assert np.abs(np.mean(gaps, axis=0)).max() < 0.05


def test_a_truth_that_forgot_its_log_says_so():
    blind = SyntheticTruth(np.zeros((1, 1)), 1.0, np.ones(1, int), np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match="wanted a truth that knows how its log was made"):
        blind.logging_chances()


def test_predictor_users_have_the_means_they_predict():
    means = np.array([[1.5, 3.0, 4.7]])
    chances = PredictedTruth(means).probabilities(np.array([0]), np.array([[0, 1, 2]]))
    assert chances @ STARS == pytest.approx(means, abs=1e-6)
    assert chances.sum(axis=-1) == pytest.approx(np.ones((1, 3)))


def test_the_ridge_knows_tastes_that_the_non_personal_users_do_not():
    dataset = synthetic(4, num_users=60, num_items=150, logging_bias=0.0)
    users = np.arange(60)
    items = np.tile(np.arange(150), (60, 1))
    truth = dataset.truth.probabilities(users, items) @ STARS
    predicted = [
        make(dataset).model.truth.probabilities(users, items) @ STARS
        for make in (non_personal, ridge)
    ]
    plain, personal = (float(np.sqrt(np.mean((one - truth) ** 2))) for one in predicted)
    assert personal < plain
    assert "PREDICTOR USERS" in ridge(dataset).card["warning"]


@pytest.fixture(scope="module")
def to_be_read():
    dataset = reading_world(3, num_users=40, num_items=150)
    return dataset, read(dataset)


def test_the_perfect_reader_as_users_knows_all_that_can_be_known(to_be_read):
    dataset, readers = to_be_read
    users = np.arange(dataset.num_users)
    model = reader_users(dataset, readers)[PERFECT].model
    for part in knowable(model, dataset, readers, users, 0).values():
        assert part["share"] == pytest.approx(1.0, abs=0.02)  # as stars at least 1.02
        assert part["squares"][USERS] == pytest.approx(part["squares"][PERFECT], rel=0.01)


def test_true_users_know_more_than_any_log_can_tell(to_be_read):
    dataset, readers = to_be_read
    found = knowable(true_users(dataset), dataset, readers, np.arange(dataset.num_users), 0)
    assert set(found) == {"held out", "cold items"}
    assert min(part["share"] for part in found.values()) > 1
    assert found["cold items"]["rows"] == len(dataset.truth.later)


def test_errors_are_sums_over_the_first_held_out_rows(to_be_read):
    dataset, readers = to_be_read
    found = knowable(true_users(dataset), dataset, readers, np.arange(dataset.num_users), 0)
    log, starts = dataset.test, dataset.test.offsets()
    able = [u for u in range(40) if starts[u + 1] - starts[u] >= 8]
    rows = [row for u in able for row in range(starts[u], starts[u] + 8)]
    asked = log.take(np.array(rows))
    expected = readers.perfect[asked.users, asked.items]
    assert found["held out"]["rows"] == len(asked)
    wanted = ((expected - asked.ratings) ** 2).sum()
    assert found["held out"]["squares"][PERFECT] == pytest.approx(wanted, abs=1e-3)


def test_rows_without_an_answer_count_for_nobody(to_be_read):
    dataset, readers = to_be_read

    class Silent:
        """Answers about even items failed."""

        def respond(self, users, slates, seeds):
            answer = true_users(dataset).respond(users, slates, seeds)
            even = slates.items[..., None] % 2 == 0
            return answer._replace(probabilities=np.where(even, np.nan, answer.probabilities))

    found = knowable(Silent(), dataset, readers, np.arange(dataset.num_users), 0)
    later = dataset.truth.later.items
    assert found["cold items"]["rows"] == (later % 2 == 1).sum()


def test_both_readers_and_the_baseline_know_training_rows_and_nothing_else(to_be_read):
    """Errors of all four by hand; the partial reader reads genres and years."""
    dataset, readers = to_be_read
    users, items = np.arange(40)[:, None], np.arange(150)[None, :]
    structure, log = dataset.truth.structure, dataset.truth.later
    seen = structure.reading_only(("genres", "era"))
    said = {
        BASELINE: BiasModel().fit(dataset.train),
        PERFECT: PerfectReader(structure).fit(dataset.train),
        PARTIAL: PerfectReader(seen).fit(dataset.train),
    }
    found = knowable(true_users(dataset), dataset, readers, np.arange(40), 0)["cold items"]
    for name, reader in said.items():
        stars = reader.predict(users, items)[log.users, log.items]
        assert found["squares"][name] == pytest.approx(((stars - log.ratings) ** 2).sum(), abs=1e-3)


@pytest.mark.slow
def test_people_are_asked_about_a_log_as_they_chose_and_about_cold_items_as_suggested(to_be_read):
    dataset, readers = to_be_read
    asked: list[str] = []

    class Listening(ScriptedEngine):
        def score(self, requests, choices):
            asked.extend(request.suffix for request in requests)
            return super().score(requests, choices)

    people = persona_users(population_on(dataset, "pocket"), engine=lambda *_, **__: Listening())
    found = knowable(people, dataset, readers, np.arange(40), 0)
    chosen = sum("Chosen." in suffix for suffix in asked)
    suggested = sum("Suggested." in suffix for suffix in asked)
    assert [chosen, suggested] == [found[part]["rows"] for part in ("held out", "cold items")]


def test_the_share_of_several_worlds_is_of_all_their_errors():
    def world(own, plain, best, rows):
        squares = {USERS: own, BASELINE: plain, PERFECT: best, PARTIAL: plain}
        return {"knowable": {"cold items": {"rows": rows, "squares": squares, "ci95": [0.0, 1.0]}}}

    found = _knowable([world(7.0, 10.0, 5.0, 10), world(4.0, 10.0, 5.0, 30)])["cold items"]
    assert found["share"] == pytest.approx((3 + 6) / (5 + 5))
    assert found["rmse"][USERS] == pytest.approx(np.sqrt(11 / 40), abs=1e-3)
    assert _knowable([world(7.0, 10.0, 5.0, 10)])["cold items"]["ci95"] == [0.0, 1.0]


def test_the_share_over_worlds_pools_their_errors(results):
    level = results["levels"]["1"]["knowable"]["held out"]
    assert level["rows"] == 2 * 24 * 8  # worlds, people, held-out rows of each
    squares = {who: value**2 for who, value in level["rmse"].items()}
    share = (squares[BASELINE] - squares[USERS]) / (squares[BASELINE] - squares[PERFECT])
    assert level["share"] == pytest.approx(share, rel=1e-3)


def test_a_policy_that_shows_cold_items_is_weighed_without_dividing_by_nothing(to_be_read):
    dataset, _ = to_be_read
    cold = np.flatnonzero(dataset.truth.cold_items)
    slates = np.tile(cold[:5], (1, dataset.num_users, 1))
    assert np.isfinite(off_policy(dataset, slates)["DR"]).all()


def test_the_page_names_the_share_of_the_knowable(results, folder):
    for name in ("report.html", "report.md"):
        assert "share of the knowable" in (folder / name).read_text(encoding="utf-8")


def test_a_policy_that_fails_under_one_view_is_left_out_of_the_means():
    view = {
        "policies": ["a", "b", "c"], "failed": {}, "truth": [3.0, 4.0, 5.0],
        "truth_of_all_users": [3.0, 4.0, 5.0], "judges": {"x": [1.0, 2.0, None]},
        "easy_mode": {"bad_slate": 2.0}, "knowable": {}, "card": {}, "exposures": 10,
    }  # fmt: skip
    other = {
        **view, "policies": ["c", "a"], "failed": {"b": "ValueError: no"}, "truth": [4.0, 2.0],
        "truth_of_all_users": [4.0, 2.0], "judges": {"x": [3.0, 2.0]},
        "easy_mode": {"bad_slate": 3.0},
    }  # fmt: skip
    found = merged([view, other])
    assert found["policies"] == ["a", "c"]
    assert found["failed"] == {"b": "ValueError: no"}
    assert found["truth"] == [2.5, 4.5]
    assert found["judges"] == {"x": [1.5, None]}
    assert found["easy_mode"] == {"bad_slate": 2.5}
    assert found["exposures"] == 20
    with pytest.raises(ValueError, match="at least two policies that work, got 1; failed"):
        merged([view, {**other, "policies": ["a"], "failed": {"b": "no", "c": "no"}}])


def test_a_judge_of_the_policies_own_rows_loves_what_they_show_more():
    """Everybody's ridge regression overrates a user-personal policy made of the same rows."""
    world = synthetic(7201, num_users=150, num_items=200, logging_bias=1.0)
    policies = {"ease": EASE, "random": Random}
    gaps = {}
    for evidence in ("shared", "independent"):
        found = judge_world(world, policies, ridge, Task(150, 5, 4.0, 0, evidence))
        rates = dict(zip(found["policies"], found["judges"][USERS], strict=True))
        true = dict(zip(found["policies"], found["truth"], strict=True))
        gaps[evidence] = rates["ease"] - true["ease"]
    assert gaps["independent"] < gaps["shared"]


def test_a_report_says_what_its_users_are_made_of(tmp_path):
    found = perform(tiny(tmp_path, "users=ridge", "users.evidence=independent"))
    assert found["users"]["evidence"] == "independent"
    assert "share no rating with the policies that they judge" in answer(found)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "share no rating with the policies that they judge" in page
    shared = {**found, "users": {**found["users"], "evidence": "shared"}}
    assert "swapped" not in answer(shared)

"""``experiment=simulate``, small: files, resuming, the words, and the people in it."""

import json

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from agents.population.population import SHIPPED
from experiments.people.people import scripted
from experiments.reporting.running import perform
from experiments.simulate import society_page as page
from experiments.simulate.build import cast
from simenv.data.synthetic import synthetic


def config(folder, *words):
    with initialize_config_module("conf", version_base="1.3"):
        cfg = compose(
            "config",
            ["experiment=simulate", "debug=tiny", "users=scripted", "experiment.ticks=6",
             "recommender=[random,popularity]", f"output_dir={folder}", *words],
            return_hydra_config=True,
        )  # fmt: skip
    OmegaConf.update(cfg, "hydra.runtime.output_dir", str(folder))
    OmegaConf.resolve(cfg.experiment)
    plain = {key: cfg[key] for key in cfg if key != "hydra"}
    return OmegaConf.create(OmegaConf.to_container(OmegaConf.create(plain), resolve=True))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulate")
    shock = "experiment.shocks=[{kind: viral, tick: 2, ticks: 2, items: [3], size: 0.9}]"
    return folder, perform(config(folder, shock))


def test_all_files_are_written_and_agree(finished):
    folder, results = finished
    assert json.loads((folder / "results.json").read_text()) == json.loads(json.dumps(results))
    for name, policy in results["policies"].items():
        log = pd.read_parquet(folder / "policies" / name / "interactions.parquet")
        curves = pd.read_parquet(folder / "policies" / name / "curves.parquet")
        assert len(curves) == 6
        per_tick = log.drop_duplicates(["tick", "user"]).groupby("tick").size()
        active = pd.Series(policy["curves"]["active"], index=range(1, 7))
        assert (per_tick.reindex(active.index, fill_value=0) == active).all()
        assert policy["exposures"] == len(log)


def test_the_report_shows_everything_and_fetches_nothing(finished):
    folder, results = finished
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert page.answer(results) in html
    assert "24 people, 120 items, 6 ticks" in html
    assert "SCRIPTED USERS" in html
    assert "viral at 2" in html
    assert 'src="http' not in html
    assert "| random |" in (folder / "report.md").read_text(encoding="utf-8")


def test_the_config_keeps_the_paths_that_a_resumed_run_needs_and_the_reports_show_none(finished):
    folder, _ = finished
    assert OmegaConf.load(folder / "config.yaml").output_dir == str(folder)
    for name in ("results.json", "report.html", "report.md"):
        assert str(folder) not in (folder / name).read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_run_goes_on_from_its_folder_to_more_ticks(finished, tmp_path):
    whole = perform(config(tmp_path / "whole", "experiment.ticks=8"))
    perform(config(tmp_path / "parts"))
    more = config(tmp_path / "ignored", "experiment.ticks=8", f"resume={tmp_path / 'parts'}")
    resumed = perform(more)
    for name, policy in whole["policies"].items():
        assert resumed["policies"][name]["curves"] == policy["curves"]
        logs = [
            (tmp_path / part / "policies" / name / "interactions.parquet").read_bytes()
            for part in ("whole", "parts")
        ]
        assert logs[0] == logs[1]
    assert list((tmp_path / "ignored").iterdir()) == []
    kept = json.loads((tmp_path / "parts" / "results.json").read_text())
    assert kept["ticks"] == resumed["ticks"] == 8


def test_resume_wants_the_folder_of_a_run(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"got 'nowhere' without a config\.yaml"):
        perform(config(tmp_path, f"resume={tmp_path / 'nowhere'}"))


def curves(*bubbles):
    return {"curves": {"filter_bubble": list(bubbles)}}


def test_the_answer_says_where_every_policy_ended_and_claims_nothing():
    results = {"ticks": 2, "policies": {"random": curves(0.5, 0.1), "als": curves(0.5, 0.3)}}
    assert page.answer(results) == (
        "After 2 ticks the filter bubble is 0.100 with random and 0.300 with als (0 = all genres"
        " alike, 1 = one); one seed is no finding: run the command with other seeds before one"
        " policy is called narrower than another."
    )
    results["policies"] = {"als": curves(0.5, 0.3)}
    assert "With als, the filter bubble goes from 0.500 to 0.300" in page.answer(results)


def test_trained_adapters_stand_in_the_report_where_there_are_any(finished):
    _, results = finished
    assert all(policy["refreshes"] == [] for policy in results["policies"].values())
    assert "Adapters trained further" not in [title for title, *_ in page.tables(results)]
    one = {"tick": 20, "adapter": "persona-0", "people": 3, "learnt_from": 40, "held_out": 9,
           "before": {"nll": 1.25, "rmse": 0.9}, "after": {"nll": 1.125, "rmse": 0.8},
           "used": True, "folder": "x"}  # fmt: skip
    broken = one | {"after": None, "used": False}
    some = {"random": {"refreshes": [one]}, "als": {"refreshes": [broken]}}
    assert page.refresh_rows({"policies": some}) == [
        ["random", "20", "persona-0", "3", "40", "9", "1.250", "1.125", "0.900", "0.800", "yes"],
        ["als", "20", "persona-0", "3", "40", "9", "1.250", "no number", "0.900", "no number",
         "no"],
    ]  # fmt: skip


@pytest.mark.slow
def test_the_page_offers_populations_of_the_config(tmp_path):
    from experiments.simulate.serve import ConfiguredStage
    from simenv.abm.live_page.running_society import Choice

    words = ("engine=scripted", f"+experiment.populations.mine={SHIPPED}")
    stage = ConfiguredStage(config(tmp_path, *words), tmp_path)
    assert stage.populations == ["shipped people", "mine", "scripted world"]
    for name in ("mine", "scripted world"):
        society = stage.build(Choice(name, "random", 20, 0, "no shock"))
        society.step()
        assert society.user_model.num_users == 20
        assert stage.labels(society)


def test_tastes_of_a_known_world_drift():
    dataset = synthetic(num_users=20, num_items=60)
    who = cast(dataset, scripted(dataset), 0.02, 0)
    who.world.advance(1, dataset.averages.fair, np.zeros(60))
    assert (who.world.moved(np.arange(20), np.zeros((20, 1), dtype=int)) != 0).any()
    assert who.labels == [f"activity {level}" for level in sorted(set(dataset.truth.activity))]


def test_a_refused_run_leaves_the_config_of_the_one_in_its_folder(tmp_path):
    folder = tmp_path / "run"
    perform(config(folder, "experiment.ticks=2"))
    before = (folder / "config.yaml").read_bytes()
    with pytest.raises(ValueError, match="resume with the settings of the first run"):
        perform(config(folder, "experiment.ticks=4", "seed=99"))
    assert (folder / "config.yaml").read_bytes() == before

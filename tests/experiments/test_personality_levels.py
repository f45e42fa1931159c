"""Three levels of a trait as a command: what is refused, small runs with and without a model."""

import numpy as np
import pandas as pd
import pytest

from agents.inference.wrapped.answer_cache import CachedEngine
from agents.interviews.instrument_files import save_instrument
from agents.personality.situations import shipped_situations
from agents.population.population import POCKET
from experiments.personality_levels.levels_page import answer, level_rows, moves, notes
from tests.experiments.command import forecast_of, questions_counted, run_command

TINY = ["experiment=personality_levels", "debug=tiny", "engine=scripted", "num_users=4"]
SMALL = ["experiment.visits=1", "experiment.influence_items=2", "experiment.rounds=1"]


def error_of(capsys, folder, *words):
    with pytest.raises(SystemExit):
        run_command(folder, *TINY, *words)
    return " ".join(capsys.readouterr().err.split())


def test_an_adapter_that_nobody_holds_is_named_before_anybody_is_asked(tmp_path, capsys):
    said = error_of(capsys, tmp_path / "run", "experiment.trait_adapters={E: {high: bold}}")
    assert "wanted an adapter it holds for E (high), got 'bold'" in said


def test_adapters_for_no_factor_of_the_run_are_refused(tmp_path, capsys):
    words = ["experiment.factors=[N]", "experiment.trait_adapters={E: {high: bold}}"]
    said = error_of(capsys, tmp_path / "run", *words)
    assert "experiment.trait_adapters wanted {factor: {low: name, high: name}}" in said
    assert "factors among N" in said


def test_people_without_a_profile_and_several_recommenders_are_refused(tmp_path, capsys):
    words = ["experiment=personality_levels", "debug=tiny"]
    with pytest.raises(SystemExit):
        run_command(tmp_path / "a", *words, "users=ridge")
    assert "take users=persona" in capsys.readouterr().err
    said = error_of(capsys, tmp_path / "b", "recommender=[random,popularity]")
    assert "wanted one recommender, which everybody meets, got random, popularity" in said


def page_values(ends, value=0.4):
    pair = {"questionnaire and behaviour": {"value": value, "ci95": ends}}
    return {"agreement": {"within": {"pooled": pair}, "between": {"pooled": pair}}}


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        ([0.1, 0.6], "go together (r = 0.40 (0.10 to 0.60))"),
        ([-0.6, -0.1], "go against each other"),
        ([-0.1, 0.6], "do not go together beyond noise"),
        ([None, None], "cannot be compared (too few people"),
    ],
)
def test_the_sentence_claims_only_what_its_interval_does(ends, says):
    said = answer(page_values(ends))
    assert said.startswith(f"Where a trait is imposed, questionnaire and behaviour {says}")
    assert f"; between people, questionnaire and behaviour {says}" in said


def levels_of(**ends):
    one = {
        level: {"low": 0.5, "none": 0.5, "high": 0.5, "difference": sum(of) / 2, "ci95": of}
        for level, of in ends.items()
    }
    return {"levels": {"openness": one}}


def test_beside_a_correlation_stands_whether_a_level_moved_at_all():
    found = levels_of(questionnaire=[-0.1, 0.1], situations=[0.004, 0.006], behaviour=[-2, -1])
    assert "of 1: questionnaire 0, situations 1, behaviour 1." in moves(found)
    assert level_rows(found)[1][-2:] == ["+0.005", "0.004 to 0.006"]  # not 0.01, 0.00 to 0.01


@pytest.mark.slow
def test_people_who_answer_without_reading_are_the_same_under_every_condition(tmp_path):
    found = run_command(tmp_path / "run", *TINY, *SMALL, "experiment.factors=[C,N]")
    assert set(found["levels"]) == {"conscientiousness", "neuroticism"}
    for factor, levels in found["levels"].items():
        assert all(one["low"] == one["high"] for one in levels.values()), factor
    for rows in found["behaviours"].values():
        assert all(one["low"] == one["none"] == one["high"] for one in rows.values())
    assert found["controls"]["unanswered"] == 0
    assert found["controls"]["places"] == [None] * 4
    assert "no option was listed, so none had a place" in " ".join(notes(found))
    table = pd.read_csv(tmp_path / "run" / "people.csv")
    assert len(table) == 4 * 2 * 3
    assert "sentence that is new to it" in " ".join(notes(found))
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "SCRIPTED USERS" in page
    assert "<svg" in page


@pytest.mark.slow
def test_by_letters_the_places_are_told(tmp_path):
    words = ["experiment.scoring=letters", "experiment.factors=[C]"]
    with questions_counted(CachedEngine) as asked:
        found = run_command(tmp_path / "run", *TINY, *SMALL, *words)
    forecast = forecast_of(*TINY, *SMALL, *words)
    assert 0.8 * forecast <= sum(asked) <= forecast  # some leave before the end of a visit
    assert found["controls"]["places"] != [0.25] * 4
    assert found["setting"]["scoring"] == "letters"
    assert "lean to one side in all four rotations" in " ".join(notes(found))


def test_an_engine_that_knows_no_words_is_refused_before_anybody_is_asked(tmp_path, capsys):
    words = ["engine=server", "engine.base_url=http://127.0.0.1:9/v1", "engine.served_model=m"]
    with pytest.raises(SystemExit):
        run_command(tmp_path, "experiment=personality_levels", "debug=tiny", *words)
    said = " ".join(capsys.readouterr().err.split())
    assert "experiment.scoring=text wanted an engine that says how likely given words are" in said
    assert "or experiment.scoring=letters" in said


@pytest.mark.slow
def test_words_and_adapters_reach_all_three_levels_of_the_shipped_people(tmp_path):
    few = shipped_situations()
    few = few.subset("few", [item.name for item in few.items[::10]])
    save_instrument(few, tmp_path / "few.json")
    words = [
        f"experiment.situations={tmp_path / 'few.json'}",
        "experiment=personality_levels", "data=population", f"data.path={POCKET}",
        f"users.population={POCKET}", "num_users=2", "env.max_episode_steps=2", *SMALL,
        "experiment.factors=[O]", "experiment.trait_adapters={O: {high: persona-1}}",
        "experiment.num_resamples=20",
    ]  # fmt: skip
    found = run_command(tmp_path / "run", *words)
    assert found["setting"]["conditions"] == {
        "as they are": "", "low in openness": "words", "high in openness": "persona-1",
    }  # fmt: skip
    table = pd.read_csv(tmp_path / "run" / "people.csv").set_index(["pole", "user"])
    for level in ("questionnaire", "situations", "novelty", "follows_average"):
        low, none, high = (table.loc[pole, level] for pole in ("low", "none", "high"))
        assert not np.allclose(low, none), level
        assert not np.allclose(high, low), level
    assert table["situations"].between(0, 1).all()

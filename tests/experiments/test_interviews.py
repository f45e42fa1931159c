"""The interviews as a command."""

import json
import re

import pytest

from experiments.interviews.settings import _instrument
from tests.experiments.command import run_command

TYPES = "text,pole\nI like company.,E\nI like facts.,S\nI like logic.,T\nI like plans.,J\n"
FACTORS = "text,domain,keyed\nLike art,O,1\nDislike art,O,-1\nTalk a lot,E,1\nWorry,N,1\n"


@pytest.fixture
def small(tmp_path):
    (tmp_path / "types.csv").write_text(TYPES, encoding="utf-8")
    (tmp_path / "factors.csv").write_text(FACTORS, encoding="utf-8")
    return [
        "experiment=interviews", f"experiment.type_instrument={tmp_path / 'types.csv'}",
        f"experiment.factor_instrument={tmp_path / 'factors.csv'}", "experiment.repetitions=3",
    ]  # fmt: skip


def test_a_run_leaves_the_papers_tables_and_figures_and_says_that_no_model_answered(
    tmp_path, small
):
    found = run_command(tmp_path / "run", *small, "engine=scripted")
    [model] = found["models"].values()
    assert model["scripted"]
    assert set(model) >= {"types", "factors", "awareness", "race"}
    assert "by its own rules" in model["race"]["skipped"]
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "No language model answered" in page
    table = (tmp_path / "run" / "table.md").read_text(encoding="utf-8")
    for title in ("RQ0", "RQ1 to RQ3", "(RQ2)", "(RQ3)", "beside the target", "be trusted"):
        assert title in table


def test_a_dry_run_tells_prompts_tokens_memory_and_time_and_asks_nobody(tmp_path, small):
    words = ["experiment.models=[phi3]", "experiment.dry_run=true", "engine=replay"]
    plan = run_command(tmp_path / "run", *small, *words)["plan"]["phi3"]
    # two orders of 4 items to 1 + 16 + 48 people, and of 4 to 1 + 3 x 2 + 3 x 3; two wordings
    assert plan["prompts"] == 2 * 2 * (4 * 65 + 4 * 16)
    assert plan["memory_gb"] == 7.6
    assert 0 < plan["tokens"] < plan["tokens_without_kept_prefixes"]
    assert plan["hours"] == pytest.approx(plan["tokens"] / 1000 / 3600, abs=1e-3)
    assert not (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["experiment.type_instrument=null", "experiment.factor_instrument=null"], "wanted a test"),
        (["experiment.factor_instrument=types_32"], "an instrument of factors, got 'types_32'"),
        (["experiment.factor_instrument=nothing.json"], "wanted an instrument of ipip_50"),
        (["experiment.levels=[3]"], "experiment.levels"),
        (["experiment.models=[a]", "slm=b"], "once, got the base model b beside experiment.models"),
    ],
)
def test_a_wrong_command_is_refused_before_anybody_is_asked(
    tmp_path, small, capsys, words, message
):
    with pytest.raises(SystemExit):
        run_command(tmp_path / "run", *small, *words, "engine=scripted")
    assert message in " ".join(capsys.readouterr().err.split())


ONE_ITEM = {"name": "own", "traits": [{"name": "E", "title": "company"}], "options": [],
            "items": [{"name": "a", "text": "I talk.", "trait": "E"}]}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("own.json", json.dumps(ONE_ITEM), "item 'a', wanted 2 to 9 options, got 0; give the item"),
        ("own.csv", FACTORS.replace("-1", "0"), "item 2, wanted a key of +1 or -1, got '0'"),
        ("own.csv", FACTORS.replace("E,1", "Q,1"), "wanted a trait among O, N, got 'Q'"),
        ("own.csv", FACTORS.replace(",", ";"), "wanted commas between its cells, got semicolons"),
        ("own.csv", FACTORS.replace("Worry", "like  art"), "wanted every question once, got"),
        (
            "own.csv",
            FACTORS.replace("Worry", "Worry, a lot"),
            "row 5: wanted 3 cells, got 4; put a",
        ),
    ],
)
def test_a_file_that_cannot_be_scored_is_refused_with_its_row(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(message)):
        _instrument({"factor_instrument": str(tmp_path / name)}, "factor")


def test_what_is_wrong_with_a_file_is_said_at_the_command_line(tmp_path, small, capsys):
    (tmp_path / "own.csv").write_text(FACTORS.replace(",", ";"), encoding="utf-8")
    words = [*small, f"experiment.factor_instrument={tmp_path / 'own.csv'}", "engine=scripted"]
    with pytest.raises(SystemExit):
        run_command(tmp_path / "run", *words)
    said = " ".join(capsys.readouterr().err.split())
    assert "own.csv wanted commas between its cells, got semicolons" in said


def people_in(folder):
    """A folder with three people on the shipped model."""
    from agents.population.population import Population
    from experiments.people.sized_populations import first_people

    first_people(Population.load("pocket"), 3).save(folder)
    return folder


@pytest.mark.slow
def test_scores_of_a_populations_people_are_kept_in_its_folder_unless_told_otherwise(
    tmp_path, small
):
    from agents.population.measured_traits import TRAITS
    from agents.population.population import Population

    folder = people_in(tmp_path / "mine")
    words = [*small, f"experiment.populations={{mine: {folder}}}", "experiment.awareness=false",
             "experiment.people=2", "engine=scripted"]  # fmt: skip
    run_command(tmp_path / "a", *words, "experiment.store=false")
    assert not (folder / TRAITS).exists()
    found = run_command(tmp_path / "b", *words)
    assert found["stored"] == {"mine": "traits.json of its folder"}
    people = Population.load(folder)
    types, factors = people.traits
    assert (types.instrument, factors.instrument) == ("types", "factors")
    keys = [people.person_keys.key(person) for person in people.personas]
    assert [key in factors.scores for key in keys] == [True, True, False]
    assert len(types.types[keys[0]]) == 4
    assert [scale.name for scale in factors.scales] == ["O", "E", "N"]
    assert found["people"]["mine"]["factors"]["O"]["mean"] == pytest.approx(
        sum(factors.scores[key][0] for key in keys[:2]) / 2, abs=1e-3
    )


def test_keeping_scores_of_no_population_is_refused(tmp_path, small, capsys):
    with pytest.raises(SystemExit):
        run_command(tmp_path / "run", *small, "experiment.store=true", "engine=scripted")
    said = " ".join(capsys.readouterr().err.split())
    assert "would change nothing: experiment.populations is" in said


@pytest.mark.slow
def test_the_shipped_model_and_its_people_are_interviewed_and_raced(tmp_path, small):
    from agents.population.population import POCKET

    found = run_command(
        tmp_path / "run", *small, f"experiment.populations={{shipped: {POCKET}}}",
        "experiment.people=3", "experiment.awareness=false", "experiment.race.items=3",
    )  # fmt: skip
    race = found["models"]["shipped"]["race"]
    assert race["largest_difference"] < 1e-5
    assert race["seconds"]["batched"] > 0
    people = found["people"]["shipped"]
    assert people["factors"]["O"]["people"] == 3
    assert 1 <= people["factors"]["O"]["mean"] <= 5
    assert (tmp_path / "run" / "people.csv").is_file()
    assert found["stored"]["shipped"].startswith("not stored: the population is on the hub or part")

"""The fidelity card as a command on a tiny world, and deliberately bad people at the gate."""

import hashlib

import numpy as np
import pytest

from agents.assembly import make_env
from agents.fidelity.gate import PLAIN, SWAP
from agents.inference.engine import Engine
from agents.inference.scripted import ScriptedEngine
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.persona_users import PersonaUsers
from agents.population.fidelity_gate import LowFidelityError, fidelity_word
from agents.population.population import Population
from experiments.alignment import identity
from experiments.alignment.asked import ask, parted_rows
from experiments.alignment.card import carded, gate_of
from experiments.alignment.rating_figures import kinds
from experiments.people.in_anothers_place import swapped
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog
from tests.experiments.command import forecast_of, questions_counted, run_command
from training.populate import population_from_dataset

WORLD = synthetic(5, num_users=60, num_items=200)
TINY = ["experiment=alignment", "debug=tiny", "engine=scripted", "experiment.scenes=20",
        "experiment.variant_rows=40", "experiment.probe_users=4",
        "users.model=pocket"]  # fmt: skip


CALIBRATED = [*TINY, "experiment.calibration=temperature"]
ASKED = []  # by the run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alignment") / "run"
    with questions_counted(CachedEngine) as asked:  # before what is known already is taken out
        results = run_command(folder, *CALIBRATED)
    ASKED.append(sum(asked))
    return folder, results


def test_a_dry_run_says_how_many_questions_are_asked(run):
    """Two of seven variants need adapters, which these people have not; nothing else is left."""
    forecast, asked = forecast_of(*CALIBRATED), ASKED[0]
    assert asked <= forecast <= 1.15 * asked


def test_the_card_stands_in_the_population_and_holds_for_it(run):
    folder, results = run
    people = Population.load(folder / "population")
    card = people.card["alignment"]
    assert fidelity_word(people) == results["gate"]["word"] != "unknown"
    assert card["statistical_alignment"] == results["statistical_alignment"]
    assert people.calibration is not None
    assert results["gate"]["word"] in (folder / "population" / "README.md").read_text()


def test_all_three_headings_are_on_the_page_and_in_the_text(run):
    folder, results = run
    for page in ("report.html", "report.md"):
        text = (folder / page).read_text(encoding="utf-8")
        for heading in ("Statistical alignment", "Human-likeness", "Counterfactual"):
            assert heading in text
        assert "ten worst" in text
        assert "fake memory" in text
    assert results["failures"] == []


def test_every_predictor_answers_for_the_same_rows_with_chances(run):
    table = run[1]["statistical_alignment"]["predictors"]
    names = {"simulated users", "user mean", "item mean", "bias model", "matrix factorisation",
             "nearest neighbours"}  # fmt: skip
    assert names <= set(table)
    wanted = {"rmse", "mae", "log_loss", "brier", "ece", "rps", "auc", "uauc"}
    assert all(wanted <= set(own) for own in table.values())


def test_choices_stand_beside_those_of_policies(run):
    found = run[1]["human_likeness"]["choices"]
    five = found["five_way"]["accuracy"]
    assert {"popularity", "EASE", "matrix factorisation", "first letter", "random"} <= set(five)
    assert five["simulated users, by letters"]["accuracy"] == pytest.approx(0.2)  # a scripted guess
    assert five["random"]["accuracy"] == pytest.approx(0.2)
    assert set(found["like_or_dislike"]) == {"as in the paper", "equally popular"}
    assert set(found["like_or_dislike"]["equally popular"]) == {"1:1", "1:3", "1:9"}


def test_variants_and_cold_start_are_asked(run):
    found = run[1]["human_likeness"]["identity"]
    assert {"another's Ms and Ml", "shuffled history", "masked titles", "no memory"} <= set(
        found["variants"]
    )
    assert found["variants"]["masked titles"]["moved"] == 0  # a scripted engine reads numbers
    assert list(found["cold_start"]) == ["0", "1", "2", "5", "10", "20", "50"]


def test_injected_numbers_do_not_move_a_reader_of_the_last_numbers(run):
    found = run[1]["human_likeness"]["probes"]
    assert found["injected texts"]["fake numbers"]["effect"]["largest"] == 0
    assert found["items in other order"]["largest"] == 0
    assert list(found["the same question later"]) == [
        f"after {count} ratings" for count in (10, 100, 1000)
    ]
    assert found["traits"]["stars a star of the displayed average"]["mean"] > 0.5


def test_people_who_know_the_answers_are_not_measured(tmp_path, run):
    place = run[0] / "population"
    with pytest.raises(SystemExit) as stopped:
        run_command(
            tmp_path / "run", *TINY[:1], "engine=scripted", "data=population",
            f"data.path={place}", f"users.population={place}",
        )  # fmt: skip
    assert stopped.value.code


def test_people_without_a_language_model_are_not_measured(tmp_path):
    with pytest.raises(SystemExit):
        run_command(tmp_path / "run", *TINY[:2], "users=non_personal")


def test_rows_for_calibration_come_first_and_are_measured_nowhere():
    log = InteractionLog.from_columns(
        [0] * 8 + [2] * 3, [*list(range(8)), 0, 1, 2], [3.0] * 11, num_users=3, num_items=8
    )
    first, rest = parted_rows(log, np.array([0, 2]), 0.25, 4)
    assert first.tolist() == [0, 1]
    assert rest.tolist() == [2, 3, 4, 5, 8, 9, 10]


@pytest.mark.slow
def test_wary_people_are_saved_wary_and_are_less_kind_to_the_ten_worst(run, tmp_path):
    """The world is the shared run's, whose people are not wary."""
    found = run_command(
        tmp_path / "run", *TINY, "users.wary=true", "experiment.parts=[counterfactual]"
    )
    people = Population.load(tmp_path / "run" / "population")
    assert people.wariness is not None
    assert fidelity_word(people) == found["gate"]["word"]
    worst, others = (r["counterfactual"]["ten worst"] for r in (found, run[1]))
    assert worst["true_stars"] == others["true_stars"]
    assert worst["simulated_stars"] < others["simulated_stars"]


class Changed(Engine):
    """A scripted engine whose centres are changed by a rule."""

    def __init__(self, centre):
        self._inner, self._centre = ScriptedEngine(0.9), centre

    facts = property(lambda self: self._inner.facts)

    def generate(self, requests, sampling):
        raise AssertionError("nobody asks for text here")

    def score(self, requests, choices):
        stars = np.array([float(choice) for choice in choices])
        centres = np.array([self._centre(request) for request in requests])[:, None]
        scores = -0.5 * ((stars - centres) / 0.9) ** 2
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def lot(request):
    drawn = hashlib.sha256((request.prefix + request.suffix).encode()).digest()[0]
    return 1 + 4 * drawn / 255


def average(request):
    return float(request.suffix.partition("AVERAGE ")[2][:3])


def gate(people, engine):
    """The gate's findings on people of the world who answer through an engine."""
    model = PersonaUsers(people, engine)
    asked = ask(WORLD, model, np.arange(WORLD.num_users), 0.25, 20, [], 0)
    made = {identity.SWAP: lambda: swapped(people, 1)}
    found = identity.rises(asked, asked.measured, made, lambda text, advance=0: None)
    return gate_of(asked, asked.measured, found)


@pytest.fixture(scope="module")
def people():
    return population_from_dataset(WORLD, Population.load("pocket"))


BAD = {
    "constant": Changed(lambda request: 3.5),
    "popularity": Changed(average),
    "random": Changed(lot),
    "always five": Changed(lambda request: 30.0),
}


def words(found):
    return {check["measure"]: check["word"] for check in found["checks"]}


@pytest.mark.parametrize("kind", BAD)
def test_deliberately_bad_people_fail_the_gate(people, kind):
    found = gate(people, BAD[kind])
    assert found["word"] == "fail"
    assert words(found)[SWAP] == "fail"
    bad = carded(people, None, {"gate": found})
    with pytest.raises(LowFidelityError):
        make_env(population=bad, engine="scripted", slate_size=3)


def test_people_with_somebody_elses_profile_fail_the_gate(people):
    found = gate(swapped(people, 0), ScriptedEngine())
    assert found["word"] == "fail"
    assert words(found)[SWAP] == "fail"


def test_people_who_add_the_average_and_their_own_level_do_not_fail(people):
    found = gate(people, ScriptedEngine())
    assert found["word"] in ("pass", "warn")
    assert words(found)[SWAP] == words(found)[PLAIN] == "pass"


def test_kinds_of_rows_cover_every_measured_row_once(people):
    asked = ask(WORLD, PersonaUsers(people, ScriptedEngine()), np.arange(60), 0.25, 20, [], 0)
    for masks in kinds(asked, asked.measured).values():
        covered = np.sum(list(masks.values()), axis=0)
        assert covered.max() == 1


def test_a_share_for_calibration_that_leaves_nobody_a_row_is_refused(people):
    with pytest.raises(ValueError, match=r"experiment.validation wanted a share .* got 0.001"):
        ask(WORLD, PersonaUsers(people, ScriptedEngine()), np.arange(3), 0.001, 20, [], 0)

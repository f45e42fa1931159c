"""The study on engines whose answers are known: what is planted comes back, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from agents.interviews.conditioning import type_names
from agents.interviews.instruments import AGREEMENT_5, FACTORS, Norm
from agents.interviews.scores import drawn_points, trait_scores
from experiments.interviews.interview_tables import (
    INCREASE_HEADS,
    blank_sentences,
    increase_rows,
    letter_rows,
    sentences,
    trust_rows,
    type_rows,
)
from experiments.interviews.strategies import cast, with_one_role_a_run
from experiments.interviews.study import _factors, _reliability, study
from tests.agents.interviews.known_people import KnownPeople
from tests.experiments.interviews.known_studies import (
    BIG_FIVE,
    DICHOTOMIES,
    NEVER,
    SETTINGS,
    STRONGLY,
    TYPES,
    believes,
    deaf,
)


@pytest.fixture(scope="module")
def found():
    engine = KnownPeople(believes)
    return {"types": study(engine, TYPES, SETTINGS), "factors": study(engine, BIG_FIVE, SETTINGS)}


def test_who_takes_on_every_told_type_has_an_accuracy_of_one(found):
    own = found["types"]["temperatures"]["0.01"]
    assert own["personality"]["mean"] == own["role"]["mean"] == 1
    assert own["personality"]["by_letter"] == [1, 1, 1, 1]
    assert own["personality"]["runs"] == 16 * 6
    assert np.array(own["personality"]["confusion"])[:, :16].tolist() == (6 * np.eye(16)).tolist()
    assert own["role_gain"]["mean"] == 0
    assert own["unconditioned"] == {"".join(d[1] for d in DICHOTOMIES): 6}  # on the middle: low
    assert own["rates"] == {"invalid": 0, "refused": 0, "retried": 0}


def test_who_is_deaf_to_what_is_told_is_at_chance():
    own = study(KnownPeople(deaf), TYPES, SETTINGS)["temperatures"]["1"]
    assert own["personality"]["mean"] == 0.0625
    assert own["personality"]["sd"] == pytest.approx(0.242, abs=5e-4)
    assert own["unconditioned"] == {"ENFJ": 6}
    rows = letter_rows({"deaf": {"types": {"temperatures": {"1": own}}}})
    assert rows == [["deaf", "1", *["50 %"] * 4, "ENFJ 100 %"]]
    said = sentences({"deaf": {"types": {"temperatures": {"1": own}}}})
    assert said == [
        "deaf at temperature 1: told types come back within noise of chance (1 in 16); a role"
        " beside them is within noise of personality alone."
    ]


def test_who_takes_on_a_factor_goes_all_the_way_and_moves_nothing_else(found):
    own = found["factors"]["temperatures"]["0.01"]
    assert {f["mean"] for f in own["unconditioned"].values()} == {3}
    high, low = own["personality"]["E very high"], own["personality"]["E very low"]
    assert (high["score"], high["percent_increase"]) == (5, pytest.approx(100 * 2 / 3))
    assert (high["normalised_gain"], low["normalised_gain"], low["score"]) == (1, 1, 1)
    assert high["moved"] == {"O": 0, "C": 0, "E": 2, "A": 0, "N": 0}
    assert high["z"] is None
    assert set(own["role"]) == {f"{f} very high" for f in FACTORS}
    assert own["reliability"]["alpha"]["E"] == pytest.approx(1)
    assert own["reliability"]["acquiescence"] == 0


def test_the_page_says_how_far_told_factors_go_and_whether_a_role_helps(found):
    said = sentences({"known": {"factors": found["factors"]}})
    assert said[0] == (
        "known at temperature 0.01: told factors go 1.00 (1.00 to 1.00) of the way to the told end,"
        " beyond noise; a role beside them is within noise of personality alone."
    )
    own = study(KnownPeople(deaf), BIG_FIVE, SETTINGS)["temperatures"]["1"]
    assert (
        "0.00 (0.00 to 0.00) of the way to the told end, within noise"
        in sentences({"deaf": {"factors": {"temperatures": {"1": own}}}})[0]
    )


def test_factors_that_go_away_from_the_told_end_are_said_to_do_so(found):
    own = found["factors"]["temperatures"]["0.01"] | {"gain": {"mean": -0.2, "ci95": [-0.3, -0.1]}}
    said = sentences({"stubborn": {"factors": {"temperatures": {"0.01": own}}}})
    assert "told end, that is away from it, beyond noise;" in said[0]


def test_known_norms_give_z_and_a_paraphrase_is_compared():
    normed = replace(BIG_FIVE, norms={"E": Norm(3.0, 0.5, 100)})
    own = study(KnownPeople(believes), normed, replace(SETTINGS, wordings=(0, 2)))
    assert own["temperatures"]["0.01"]["personality"]["E very high"]["z"] == (5 - 3) / 0.5
    assert own["paraphrase"] == {"2": {"mean": 0, "range": [0, 0]}}


def test_the_middle_of_a_factor_is_no_pole_that_could_be_gained():
    own = study(KnownPeople(believes), BIG_FIVE, replace(SETTINGS, levels=(0, 2), wordings=(0,)))
    told = own["temperatures"]["0.01"]["personality"]
    assert (told["E average"]["score"], told["E average"]["normalised_gain"]) == (3, None)
    assert own["temperatures"]["0.01"]["gain"]["mean"] == 1, "of the five high poles alone"


def test_a_figure_that_is_blank_for_a_whole_test_is_explained(found):
    assert blank_sentences({"known": found}) == [
        "z of five is not known for O, C, E, A and N: the instrument has no norms of people; its"
        " file may hold them (norms)."
    ]

    def told(keys, norms):
        items = [item for item in BIG_FIVE.items if item.key in keys or item.trait == "O"]
        test = replace(BIG_FIVE, items=tuple(items), norms=norms)
        return blank_sentences({"m": {"factors": study(KnownPeople(deaf), test, SETTINGS)}})

    norms = {trait: Norm(3.0, 1.0, 9) for trait in FACTORS}
    assert told((1,), norms) == [
        "Acquiescence of five tells of O alone: the other traits have items of one key."
    ]
    one_key = replace(BIG_FIVE, items=tuple(i for i in BIG_FIVE.items if i.key > 0), norms=norms)
    own = study(KnownPeople(deaf), one_key, SETTINGS)
    assert own["temperatures"]["1"]["reliability"]["acquiescence"] is None
    assert blank_sentences({"m": {"factors": own}, "n": {"factors": own}}) == [
        "Acquiescence of five is not known: no trait of it has items keyed +1 and -1 both."
    ]


def test_answers_in_words_are_scored_alike(found):
    spoken = study(KnownPeople(believes), BIG_FIVE, replace(SETTINGS, answers="spoken", rounds=1))
    told = spoken["temperatures"]["0.01"]["personality"]
    assert told == found["factors"]["temperatures"]["0.01"]["personality"]
    assert spoken["order_sensitivity"] is None


def test_tables_have_a_row_for_everything(found):
    models = {"known": found}
    assert len(type_rows(models)) == 2
    assert type_rows(models)[0][3:6] == ["1.000", "0.000", "1.000 to 1.000"]
    assert letter_rows(models)[0] == ["known", "0.01", *["100 %"] * 4, f"{type_names()[0]} 6 %"]
    assert len(increase_rows(models)) == 2 * 10
    assert len(increase_rows(models, "role")) == 2 * 5
    assert len(trust_rows(models)) == 4


def test_columns_of_told_factors_stand_under_their_heads():
    told = {"score": 4.5, "percent_increase": 50.0, "normalised_gain": 0.75, "z": 1.25}
    own = {"temperatures": {"0.7": {"personality": {"E very high": told}}}}
    [row] = increase_rows({"m": {"factors": own}})
    assert row == ["m", "0.7", "E very high", "4.50", "+50.0 %", "+0.75", "1.25"]
    assert list(INCREASE_HEADS[3:]) == ["score", "increase", "normalised gain", "z"]


def test_everybody_has_a_place_and_a_repetition_has_one_role():
    people = cast(TYPES, (2,))
    assert len(people.people) == 1 + 16 + 48
    assert [people.people[i].name for i in people.personality] == list(type_names())
    assert people.people[people.role[2, 1]].name.startswith(f"{type_names()[2]}, ")
    found = np.arange(4)[:, None] * 1000 + np.arange(len(people.people))[None]
    picked = with_one_role_a_run(found, people.role)
    assert picked.shape == (4, 16)
    assert picked[:, 0].tolist() == [17, 1018, 2019, 3017]
    assert picked[1, 1] == 1000 + people.role[1, 1]


def test_roles_suit_the_high_pole_alone():
    people = cast(BIG_FIVE, (-2,))
    assert (len(people.people), people.role.size) == (1 + 5, 0)


def test_factors_by_hand_on_a_scale_from_0_to_100():
    wide = replace(BIG_FIVE, values=(0.0, 25.0, 50.0, 75.0, 100.0))
    people = cast(wide, (2, -2))
    scores = np.full((2, len(people.people), 5), 50.0)
    scores[:, 0] = [[40, 50, 30, 50, 50], [60, 50, 50, 50, 50]]  # unconditioned: O 50, E 40
    high, low = (people.personality[[t.label for t in people.targets].index(n)]
                 for n in ("E very high", "E very low"))  # fmt: skip
    scores[:, high] = [[60, 50, 70, 50, 20], [60, 50, 70, 50, 40]]
    scores[:, low, 2] = [10, 20]
    scores[:, people.role[2], 2] = 85
    own = _factors(wide, people, scores)
    assert own["unconditioned"]["O"] == {"mean": 50, "sd": 10, "z": None}
    assert own["unconditioned"]["E"] == {"mean": 40, "sd": 10, "z": None}
    told = own["personality"]["E very high"]
    assert told["score"] == 70
    assert told["percent_increase"] == 100 * (70 - 40) / 40
    assert told["normalised_gain"] == (70 - 40) / (100 - 40)
    assert told["moved"] == {"O": 10, "C": 0, "E": 30, "A": 0, "N": -20}
    assert own["personality"]["E very low"]["normalised_gain"] == (40 - 15) / (40 - 0)
    # of ten poles: E 1/2 and 25/40; C, A, N, O none of either way, for all stand at 50 of 100
    assert own["gain"]["mean"] == pytest.approx((1 / 2 + 25 / 40) / 10)
    assert own["role"]["E very high"]["score"] == 85
    assert own["role_gain"]["mean"] == pytest.approx((85 - 70) / 5), "of five factors one gains 15"


def test_reliability_by_hand():
    items = tuple(item for item in BIG_FIVE.items if item.trait in "OE")  # O+, O-, E+, E-
    two = replace(BIG_FIVE, items=items, traits=BIG_FIVE.traits[::2][:2])
    options = np.array(
        [
            [[4, 2, 0, 0], [1, 3, 2, 1], [0, 4, 4, 4]],  # the first administration to three people
            [[4, 4, 3, 3], [2, 2, 0, 4], [2, 0, 4, 0]],
        ]
    )
    scores = trait_scores(two, drawn_points(two, options))
    found = _reliability(two, options, scores)
    # O: keyed points (5, 3), (2, 2), (1, 1): variances 13/3 and 1, sums 8, 4, 2 with variance 28/3
    assert found["alpha"]["O"] == pytest.approx(2 * (1 - (13 / 3 + 1) / (28 / 3)), abs=1e-6)
    # E: (1, 5), (3, 4), (5, 1): the sums 6, 7, 6 vary by 1/3, the items by 4 and 13/3
    assert found["alpha"]["E"] == pytest.approx(2 * (1 - (4 + 13 / 3) / (1 / 3)), abs=1e-6)
    first, again = np.array([4.0, 2.0, 1.0]), np.array([3.0, 3.0, 4.0])  # O of both
    assert found["retest"]["O"] == pytest.approx(np.corrcoef(first, again)[0, 1], abs=1e-6)
    # the first person alone, raw, in halves of the range: O (1, 0), (1, 1), E (-1, -1), (½, ½)
    up, down = [(1 + 1) / 2, (-1 + 0.5) / 2], [(0 + 1) / 2, (-1 + 0.5) / 2]
    assert found["acquiescence"] == pytest.approx((sum(up) + sum(down)) / 4)


def test_a_paraphrase_that_moves_two_factors_apart_moves_them_both():
    def worded(request):
        if "SENTENCE" not in request.suffix:
            return {AGREEMENT_5[2]: 40.0}
        much = "I have much" in request.suffix
        if "openness" in request.suffix:
            return NEVER if much else STRONGLY
        if "extraversion" in request.suffix:
            return STRONGLY if much else NEVER
        return {AGREEMENT_5[2]: 40.0}

    own = study(KnownPeople(worded), BIG_FIVE, replace(SETTINGS, wordings=(0, 1)))
    assert own["paraphrase"] == {"1": {"mean": pytest.approx((2 + 2) / 5), "range": [0, 2]}}


def test_a_role_that_helps_is_a_gain():
    def with_a_role(request):
        return believes(request) if "You are a human" not in request.prefix else {"x": 0.0}

    own = study(KnownPeople(with_a_role), TYPES, SETTINGS)["temperatures"]["0.01"]
    assert own["role"]["mean"] == 1
    assert own["role_gain"]["mean"] > 0.5
    # over sixteen types that are right in all runs or in few the interval is of types, not letters
    assert own["personality"]["ci95"][0] < own["personality"]["mean"] < 0.5


def test_draws_follow_the_seed_of_the_study():
    tastes = KnownPeople(lambda request: {})
    first, other = (
        study(tastes, BIG_FIVE, replace(SETTINGS, seed=seed))["temperatures"]["1"]["unconditioned"]
        for seed in (0, 1)
    )
    assert first != other

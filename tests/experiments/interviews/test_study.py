"""The study on engines whose answers are known: what is planted comes back, and nothing else."""

import re
from dataclasses import replace

import numpy as np
import pytest

from agents.interviews.conditioning import type_names
from agents.interviews.instruments import AGREEMENT_5, FACTORS, Instrument, Item, Trait
from experiments.interviews.interview_tables import (
    increase_rows,
    sentences,
    trust_rows,
    type_rows,
)
from experiments.interviews.settings import Settings
from experiments.interviews.strategies import cast, with_one_role_a_run
from experiments.interviews.study import study
from tests.agents.interviews.known_people import KnownPeople

DICHOTOMIES = ("EI", "SN", "TF", "JP")
TYPES = Instrument(
    "types",
    tuple(Trait(d, d, d[0], d[1]) for d in DICHOTOMIES),
    tuple(Item(f"{d}{k}", f"I am {d[(1 - k) // 2]}.", d, k) for d in DICHOTOMIES for k in (1, -1)),
    scoring="types",
)
BIG_FIVE = Instrument(
    "five",
    tuple(Trait(f, title) for f, title in FACTORS.items()),
    tuple(
        Item(f"{f}{k}", f"I have {'much' if k > 0 else 'little'} {title}.", f, k)
        for f, title in FACTORS.items()
        for k in (1, -1)
    ),
)
SETTINGS = Settings(
    models={"known": "known"}, populations={}, people=1, types=TYPES, factors=BIG_FIVE,
    levels=(2, -2), temperatures=(0.01, 1.0), repetitions=6, answers="scored", retries=0,
    max_new_tokens=4, order="permuted", rounds=2, wordings=(0,), chat=False, seed=0,
    race={"people": 0, "items": 0},
)  # fmt: skip
STRONGLY, NEVER = {AGREEMENT_5[-1]: 40.0}, {AGREEMENT_5[0]: 40.0}


def believes(request):
    """Agrees with what fits the told type or factor; in the middle where nothing was told."""
    told = re.search(r"type ([A-Z]{4})", request.prefix)
    about = re.search(r"I am ([A-Z])\.", request.suffix)
    if told and about:
        return STRONGLY if about[1] in told[1] else NEVER
    factor = re.search(r"very (high|low) in (\w+)", request.prefix)
    much = re.search(r"I have (much|little) (\w+)\.", request.suffix)
    if factor and much and factor[2] == much[2]:
        return STRONGLY if (factor[1] == "high") == (much[1] == "much") else NEVER
    return {AGREEMENT_5[2]: 40.0}


def deaf(request):
    """Agrees strongly with one pole of everything, whoever it is told to be."""
    about = re.search(r"I am ([A-Z])\.", request.suffix)
    return STRONGLY if about and about[1] in "ENFJ" else NEVER


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
    from agents.interviews.instruments import Norm

    normed = replace(BIG_FIVE, norms={"E": Norm(3.0, 0.5, 100)})
    own = study(KnownPeople(believes), normed, replace(SETTINGS, wordings=(0, 2)))
    assert own["temperatures"]["0.01"]["personality"]["E very high"]["z"] == (5 - 3) / 0.5
    assert own["paraphrase"] == {"2": {"mean": 0, "range": [0, 0]}}


def test_answers_in_words_are_scored_alike(found):
    spoken = study(KnownPeople(believes), BIG_FIVE, replace(SETTINGS, answers="spoken", rounds=1))
    told = spoken["temperatures"]["0.01"]["personality"]
    assert told == found["factors"]["temperatures"]["0.01"]["personality"]
    assert spoken["order_sensitivity"] is None


def test_tables_have_a_row_for_everything(found):
    models = {"known": found}
    assert len(type_rows(models)) == 2
    assert type_rows(models)[0][3:6] == ["1.000", "0.000", "1.000 to 1.000"]
    assert len(increase_rows(models)) == 2 * 10
    assert len(increase_rows(models, "role")) == 2 * 5
    assert len(trust_rows(models)) == 4


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

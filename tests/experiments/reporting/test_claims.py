"""Law: a difference that lies within its interval yields no claim, on any page."""

import pytest

from experiments.collect import run as collect_page
from experiments.counterfactual import run as counterfactual_page
from experiments.policy_ranking import sentences
from experiments.rating_fidelity import table as fidelity_table
from experiments.reporting.claims import compare, unpaired, verdict
from experiments.search import run as search_page
from experiments.simulate import society_page
from experiments.train_policy import training_page
from experiments.worlds import worlds_page

NOISE, SURE, UNKNOWN = [-0.1, 0.2], [0.05, 0.15], [None, None]
P = {"noise": 0.9, "sure": 0.001, "unknown": None}
ENDS = {"noise": NOISE, "sure": SURE, "unknown": UNKNOWN}
CLAIMS = ("pleases", "is best.", "better", "worse", "beat ", "narrower with", "more than",
          "less than", "stars worse", "errs less", "errs more")  # fmt: skip


def ranking(kind):
    contrast = {"better": "a", "worse": "b", "difference": 0.05, "ci95": ENDS[kind],
                "p_holm": P[kind]}  # fmt: skip
    policies = [
        {"name": n, "simulated": {"mean_rating": m}, "offline": {"ndcg@10": m},
         "true_mean_rating": m} for n, m in (("a", 4.05), ("b", 4.0))
    ]  # fmt: skip
    figure = {"flips": {"value": 0.0}, "regret": {"value": 0.05, "ci95": ENDS[kind]}}
    group = {"group": "rare", "best": "b", "gain": {**contrast}}
    return {
        "policies": policies, "contrasts": [contrast], "true_contrasts": [contrast],
        "setting": {"top": 10}, "groups": [group],
        "agreement": {"simulated_vs_true": figure, "offline_vs_true": figure},
    }  # fmt: skip


def said_of_ranking(kind):
    found = ranking(kind)
    return [sentences.answer(found), sentences.check(found)]


def said_of_fidelity(kind):
    rows = {"users": {"rmse": 0.659}, "bias": {"rmse": 0.661, "difference_ci95": ENDS[kind]}}
    return [sentences.fidelity_sentence({"num_ratings": 9, "predictors": rows})]


def said_of_worlds(kind):
    difference = {"minus": "NDCG", "mean": 0.05, "ci95": ENDS[kind], "p_holm": P[kind]}
    judge = {"tau": {"mean": 0.5, "ci95": [0.4, 0.6]}}
    level = {"worlds": 3, "judges": {worlds_page.USERS: judge, worlds_page.OFFLINE: judge},
             "differences": [difference]}  # fmt: skip
    found = worlds_page.answer({"users": {}, "levels": {"1": level}, "setting": {"judged_at": 1.0}})
    return [found.replace("They beat no other judge beyond chance", "")]


def said_of_training(kind):
    gains = {"noise": [0.1, -0.1, 0.05], "sure": [0.1, 0.11, 0.12], "unknown": [0.3]}[kind]
    learnt = [
        {"world": "true", "policy": f"ppo_plain_{s}", "rival": "random", "gain": g,
         "ci95": ENDS[kind]} for s, g in enumerate(gains)
    ]  # fmt: skip
    return [training_page._answer({"learnt": learnt}, "true")]


def said_of_search(kind):
    check = {"num_users": 4, "found": 3.5, "configured": 3.4, "difference": 0.05,
             "ci95": ENDS[kind]}  # fmt: skip
    return [search_page._answer(
        {"policy": "als", "best": {"k": 1}, "objective": "mean_rating", "confirmation": check}
    )]  # fmt: skip


def said_of_counterfactual(kind):
    after = {"b": {"difference": 0.05, "difference_ci95": ENDS[kind], "p_holm": P[kind]},
             "a": {"difference": None, "difference_ci95": UNKNOWN, "p_holm": None}}  # fmt: skip
    found = counterfactual_page.answer(
        {"after": after, "before": "a", "switch_at": 3, "still_there": 5, "num_users": 6}
    )
    return [found.replace("no switch is better beyond noise than staying", "")]


def said_of_collection(kind):
    half = {"noise": 0.1, "sure": 0.01, "unknown": None}[kind]

    def row(name, mean):
        ends = UNKNOWN if half is None else [mean - half, mean + half]
        return {"policy": name, "setting": "", "simulated": {"mean": mean, "ci95": ends},
                "interval_over": "seeds"}  # fmt: skip

    rows = [row("a", 4.05), row("b", 4.0)]
    found = {"varied": [], "rankings": [], "rows": rows, "num_runs": 2}
    return [collect_page.answer(found).replace("No policy pleases most beyond noise", "")]


def said_of_table(kind):
    if kind == "unknown":
        return []
    found = {"contrasts": {"q": {"difference": 0.05, "ci95": ENDS[kind]}}}
    return [" ".join(fidelity_table._contrasts(found)[0])]


PAGES = [said_of_ranking, said_of_fidelity, said_of_worlds, said_of_training, said_of_search,
         said_of_counterfactual, said_of_collection, said_of_table]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", ["noise", "unknown"])
def test_a_difference_within_its_interval_yields_no_claim(page, kind):
    for sentence in page(kind):
        assert not [claim for claim in CLAIMS if claim in sentence], sentence


@pytest.mark.parametrize("page", PAGES)
def test_a_difference_beyond_its_interval_is_claimed(page):
    for sentence in page("sure"):
        assert [claim for claim in CLAIMS if claim in sentence], sentence


@pytest.mark.parametrize("kind", ["noise", "unknown"])
def test_neither_trust_nor_kinds_of_people_claim_within_noise(kind):
    assert "loses nothing beyond noise" in sentences.trust(ranking(kind))
    assert "No kind of people" in sentences.groups_sentence(ranking(kind))


@pytest.mark.parametrize("values", [(0.166, 0.169), (0.1, 0.9)])
def test_a_society_of_one_seed_claims_nothing_and_says_so(values):
    policies = {
        name: {"curves": {"filter_bubble": [value]}}
        for name, value in zip(("random", "ease"), values, strict=True)
    }
    for chosen in (policies, {"random": policies["random"]}):
        found = society_page.answer({"policies": chosen, "ticks": 10})
        assert "one seed is no finding" in found
        assert "narrower with" not in found


def test_a_fall_of_true_stars_with_one_seed_is_no_finding():
    row = {"label": "x", "final_true": 3.0, "final_gap": 0.2, "lost": 0.05, "simulated_rise": 0.1,
           "peak_steps": 10}  # fmt: skip
    assert "one seed is no finding" in training_page._hacking({**row, "lost_ci95": UNKNOWN})
    assert "within noise over seeds" in training_page._hacking({**row, "lost_ci95": NOISE})
    assert "then lose 0.050" in training_page._hacking({**row, "lost_ci95": SURE})


def test_an_interval_that_is_not_finite_or_a_p_value_that_is_nan_is_no_finding():
    assert verdict([0.1, float("inf")]) == "unknown"
    assert verdict([0.1, float("nan")]) == "unknown"
    assert verdict([0.1, 0.2], float("nan")) == "noise"
    assert verdict([0.0, 0.2]) == "noise"
    text = compare("b", None, more="better than", less="worse than")
    assert text == "with no interval of the difference to b"
    assert unpaired(4.0, UNKNOWN, 3.0, [2.9, 3.1]) is None


def test_a_difference_that_is_surely_below_0_is_less():
    assert verdict([-0.2, -0.1]) == "less"
    assert verdict([0.1, 0.2]) == "more"

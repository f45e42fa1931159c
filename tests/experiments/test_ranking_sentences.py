"""What the ranking's report says in words, on results written by hand."""

from experiments.policy_ranking.sentences import (
    agreement_sentences,
    answer,
    caveat,
    check,
    fidelity_sentence,
    gain_sentence,
    groups_sentence,
    stop_sentence,
    trust,
)


def verdicts(p_holm):
    policies = [
        {"name": name, "simulated": {"mean_rating": mean}, "offline": {"ndcg@10": ndcg},
         "true_mean_rating": true}
        for name, mean, ndcg, true in [("a", 4.0, 0.1, 3.5), ("b", 3.9, 0.2, 3.8)]
    ]  # fmt: skip
    contrast = {"better": "a", "worse": "b", "difference": 0.1, "ci95": [0.02, 0.18]}
    return {
        "policies": policies,
        "contrasts": [contrast | {"p_holm": p_holm}],
        "true_contrasts": [contrast | {"better": "b", "worse": "a", "p_holm": 0.01}],
        "setting": {"top": 10},
        "agreement": {
            "offline_vs_simulated": None,
            "offline_vs_true": {"tau": 0.4, "ci95": [-0.1, 0.9], "num_policies": 2},
            "simulated_vs_true": {"tau": -1.0, "ci95": [-1.0, -0.5], "num_policies": 2},
        },
    }


def test_a_clear_lead_is_stated_with_its_size():
    assert answer(verdicts(0.01)) == (
        "a pleases the simulated users most: 4.00 stars on average, 0.100 more than b, the next"
        " best (95 % CI 0.020 to 0.180)."
    )


def test_a_lead_within_chance_is_called_so():
    assert answer(verdicts(0.3)) == (
        "No policy is the best beyond noise: a has 4.00 stars on average, which is within noise"
        " of b."
    )


def test_the_check_says_what_each_choice_would_have_cost():
    assert check(verdicts(0.01)) == (
        "With the true users b is best. The simulation picks a, which is 0.30 true stars worse."
        " NDCG picks b."
    )


def test_weak_evidence_is_called_weak():
    missing, weak, opposite = (text for _, text in agreement_sentences(verdicts(0.01)))
    assert missing.startswith("not compared")
    assert weak.startswith("weak evidence")
    assert opposite.startswith("they order the policies against each other")


def test_the_fidelity_sentence_hides_no_better_predictor():
    predictors = {
        "these users": {"rmse": 0.95},
        "user mean": {"rmse": 1.0, "difference_ci95": [-0.08, -0.02]},
        "bias": {"rmse": 0.9, "difference_ci95": [0.01, 0.09]},
    }
    assert fidelity_sentence({"num_ratings": 7, "predictors": predictors}) == (
        "On 7 held-out ratings, these users err by 0.950 RMSE, less than user mean, more than bias."
    )


def test_the_only_policy_and_no_policy_are_called_so():
    results = verdicts(0.01)
    one = {**results, "policies": results["policies"][:1], "contrasts": []}
    assert answer(one) == "a is the only policy measured: 4.00 stars on average."
    failed = {**results, "policies": [{"name": "a", "simulated": None}]}
    assert answer(failed) == "No policy could be measured; the table says why."
    assert check(failed) == groups_sentence({**failed, "groups": []}) == ""


def test_a_lead_that_is_certain_and_small_is_called_small():
    results = verdicts(0.049)
    results["contrasts"][0]["difference"] = 0.04
    assert "only 0.040 more than b" in answer(results)


def test_the_check_says_what_is_not_known():
    blind = verdicts(0.01)
    for policy in blind["policies"]:
        policy["true_mean_rating"] = None
    assert check(blind) == "NDCG would have picked b. The truth is not known in this data."
    for policy in blind["policies"]:
        policy["offline"] = {}
    assert check(blind) == "Nothing was held out, so offline metrics say nothing here."


def test_strength_of_agreement_has_words_by_its_size():
    def verdict(tau):
        results = verdicts(0.01)
        results["agreement"]["simulated_vs_true"] = {"tau": tau, "ci95": [0.1, 1.0]}
        return agreement_sentences(results)[-1][1].partition(" (")[0]

    words = {1.0: "the same order", 0.8: "almost the same order", 0.5: "a broadly similar order"}
    assert {tau: verdict(tau) for tau in words} == words
    assert verdict(0.49) == "a loosely similar order"
    assert verdict(None) == "not comparable: a measure gives all policies the same score."


def test_trust_names_what_each_judge_costs():
    def found(flips, regret):
        ends = [regret / 2, 2 * regret]
        return {"flips": {"value": flips}, "regret": {"value": regret, "ci95": ends}}

    both = {"simulated_vs_true": found(0.1, 0.02), "offline_vs_true": found(0.4, 0.3)}
    assert trust({"agreement": both}) == (
        "Of all pairs of policies the simulation orders 10 % against the truth and NDCG 40 %; the"
        " first choice of the one loses 0.020 true stars, that of the other 0.300 true stars."
    )
    assert trust({"agreement": {**both, "offline_vs_true": None}}) == ""


def test_pairing_is_worth_its_smallest_to_its_largest_gain():
    gains = {"contrasts": [{"variance_gain": g} for g in (3.0, None, 1.5, 9.26)]}
    assert gain_sentence(gains).endswith("would have taken 1.5 to 9.3 times as many users.")
    assert gain_sentence({"contrasts": [{"variance_gain": None}]}) == ""


def test_the_end_of_a_run_is_stated_with_its_cost():
    stop = {"reason": "every user was asked", "users": 8, "planned": 9, "exposures": 1200,
            "seconds": 3.4, "cost": 0.5, "half_width": 0.25}  # fmt: skip
    assert stop_sentence(stop) == (
        "Every user was asked: 8 of 9 users, 1,200 exposures, 3 s of asking, cost 0.5000; every"
        " difference is known to ± 0.250 stars or better."
    )
    free = {**stop, "cost": 0.0, "half_width": None}
    assert stop_sentence(free).endswith("1,200 exposures, 3 s of asking.")
    alone = {**free, "half_width": 0.0}  # a policy alone differs from nothing
    assert stop_sentence(alone).endswith("1,200 exposures, 3 s of asking.")


def test_only_kinds_of_people_whose_gain_is_significant_are_named():
    def group(name, best, p):
        return {
            "group": name,
            "best": best,
            "gain": {"difference": 0.25, "ci95": [0.1, 0.4], "p_holm": p},
        }

    results = {**verdicts(0.01), "groups": [group("rare visitors", "b", 0.049),
                                            group("broad tastes", "c", 0.05),
                                            {"group": "narrow tastes", "gain": None}]}  # fmt: skip
    assert groups_sentence(results) == (
        "Significantly better served than by a: rare visitors by b (0.25 stars)."
    )
    results["groups"] = results["groups"][1:]
    assert groups_sentence(results) == (
        "No kind of people is significantly better served by another policy than a."
    )


def test_the_caveat_counts_pairs_of_policies():
    results = {"agreement": {"x": {"num_policies": 5}, "y": None, "z": {"num_policies": 4}}}
    assert "(5 policies make only 10 pairs)" in caveat(results)

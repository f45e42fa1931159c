"""The results in sentences: the answer first, and weak evidence called weak."""

from collections.abc import Mapping
from typing import Any

from experiments.reporting.claims import compare_all, verdict
from experiments.reporting.formatting import interval, listed, number, percent

SMALL_LEAD = 0.05  # stars; a lead can be certain and still not matter


def answer(results: Mapping[str, Any]) -> str:
    """Which policy these users like best, by how much, and whether that is more than chance."""
    measured = [p for p in results["policies"] if p["simulated"]]
    if not measured:
        return "No policy could be measured; the table says why."
    best = measured[0]
    value = f"{number(best['simulated']['mean_rating'], 2)} stars on average"
    if len(measured) == 1:
        return f"{best['name']} is the only policy measured: {value}."
    own = [c for c in results["contrasts"] if c["better"] == best["name"]]
    tied = [c["worse"] for c in own if verdict(c["ci95"], c["p_holm"]) != "more"]
    if tied or not own:
        return (
            f"No policy is the best beyond noise: {best['name']} has {value}, which is within noise"
            f" of {listed(tied) if tied else 'the others'}."
        )
    lead = own[0]
    only = "only " if lead["difference"] < SMALL_LEAD else ""
    return (
        f"{best['name']} pleases the simulated users most: {value},"
        f" {only}{number(lead['difference'], 3)} more than {lead['worse']}, the next best"
        f" (95 % CI {interval(lead['ci95'], 3)})."
    )


def check(results: Mapping[str, Any]) -> str:
    """Whether the choice was right where the truth is known, and what offline metrics chose."""
    measured = [p for p in results["policies"] if p["simulated"]]
    if not measured:
        return ""
    top = f"ndcg@{results['setting']['top']}"
    if not any(p["offline"] for p in measured):
        return "Nothing was held out, so offline metrics say nothing here."
    offline = max(measured, key=lambda p: p["offline"].get(top) or 0.0)
    known = [p for p in measured if p["true_mean_rating"] is not None]
    if not known:
        return f"NDCG would have picked {offline['name']}. The truth is not known in this data."
    best = max(known, key=lambda p: p["true_mean_rating"])
    contrasts = results.get("true_contrasts", [])
    tied = [p["name"] for p in known if p is not best and _true_lead(best, p, contrasts) != "more"]
    first = f"With the true users {best['name']} is best."
    if tied:
        first = f"With the true users {best['name']} is within noise of {listed(tied)}."
    choices = (("The simulation", measured[0]), ("NDCG", offline))
    return " ".join([first, *(_choice(who, one, best, contrasts) for who, one in choices)])


def _true_lead(best: dict[str, Any], other: dict[str, Any], contrasts: list[dict[str, Any]]) -> str:
    """Whether the truly best policy is surely better than another."""
    pair = (best["name"], other["name"])
    found = [c for c in contrasts if (c["better"], c["worse"]) == pair]
    return verdict(found[0]["ci95"], found[0]["p_holm"]) if found else "unknown"


def _choice(
    who: str, chosen: dict[str, Any], best: dict[str, Any], contrasts: list[dict[str, Any]]
) -> str:
    name = chosen["name"]
    if name == best["name"]:
        return f"{who} picks {name}."
    if chosen["true_mean_rating"] is None:
        return f"{who} picks {name}, of which the true value is missing."
    if _true_lead(best, chosen, contrasts) != "more":
        return f"{who} picks {name}, within noise of {best['name']}."
    lost = best["true_mean_rating"] - chosen["true_mean_rating"]
    return f"{who} picks {name}, which is {number(lost, 2)} true stars worse."


AGREEMENTS = {
    "offline_vs_simulated": "Offline NDCG and simulated users",
    "snips_vs_simulated": "Off-policy SNIPS and simulated users",
    "dr_vs_simulated": "Off-policy DR and simulated users",
    "offline_vs_true": "Offline NDCG and true users",
    "snips_vs_true": "Off-policy SNIPS and true users",
    "dr_vs_true": "Off-policy DR and true users",
    "simulated_vs_true": "Simulated and true users",
}


def agreement_sentences(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """For each pair of measures: what is compared, and how far they agree, in words."""
    known = any(policy["true_mean_rating"] is not None for policy in results["policies"])
    kept = [
        key
        for key in AGREEMENTS
        if (known or not key.endswith("true"))
        and (results["agreement"].get(key) or not key.startswith(("snips", "dr")))
    ]
    return [(AGREEMENTS[key], _verdict(results["agreement"][key])) for key in kept]


def _verdict(found: dict[str, Any] | None) -> str:
    if found is None:
        return "not compared: fewer than two policies were measured both ways."
    tau, ends = found["tau"], found["ci95"]
    if tau is None or None in ends:
        return "not comparable: a measure gives all policies the same score."
    figures = f"τ = {number(tau, 2)}, 95 % CI {interval(ends, 2)}"
    if verdict(ends) == "noise":
        return f"weak evidence either way: the interval includes zero ({figures})."
    return f"{_strength(tau)} ({figures})."


def _strength(tau: float) -> str:
    if tau < 0:
        return "they order the policies against each other"
    if tau >= 0.8:
        return "almost the same order" if tau < 1 else "the same order"
    return "a broadly similar order" if tau >= 0.5 else "a loosely similar order"


def trust(results: Mapping[str, Any]) -> str:
    """What following the simulation, or NDCG, would have cost where the truth is known."""
    found = results["agreement"]
    simulated, offline = found["simulated_vs_true"], found["offline_vs_true"]
    if simulated is None or offline is None:
        return ""
    return (
        f"Of all pairs of policies the simulation orders {percent(simulated['flips']['value'])}"
        f" against the truth and NDCG {percent(offline['flips']['value'])}; the first choice of the"
        f" one loses {_regret(simulated)}, that of the other {_regret(offline)}."
    )


def _regret(found: dict[str, Any]) -> str:
    regret = found["regret"]
    stars = f"{number(regret['value'], 3)} true stars"
    return stars if verdict(regret.get("ci95")) == "more" else f"nothing beyond noise ({stars})"


def gain_sentence(results: Mapping[str, Any]) -> str:
    """What the paired design saved."""
    gains = [c["variance_gain"] for c in results["contrasts"] if c["variance_gain"] is not None]
    if not gains:
        return ""
    return (
        "Every policy met the same users with the same memories and the same draws. Without that,"
        f" the same certainty would have taken {number(min(gains), 1)} to {number(max(gains), 1)}"
        " times as many users."
    )


def stop_sentence(stop: dict[str, Any]) -> str:
    """Why the run ended and what it cost."""
    cost = f", cost {number(stop['cost'], 4)}" if stop["cost"] else ""
    width = f"; every difference is known to ± {number(stop['half_width'], 3)} stars or better"
    return (
        f"{stop['reason'].capitalize()}: {stop['users']} of {stop['planned']} users,"
        f" {stop['exposures']:,} exposures, {number(stop['seconds'], 0)} s of asking{cost}"
        f"{width if stop['half_width'] else ''}."
    )


def groups_sentence(results: Mapping[str, Any]) -> str:
    """Who would rather have another policy than the one that is best overall."""
    measured = [p for p in results["policies"] if p["simulated"]]
    if not measured or not results["groups"]:
        return ""
    best = measured[0]["name"]
    others = [
        f"{g['group']} by {g['best']} ({number(g['gain']['difference'], 2)} stars)"
        for g in results["groups"]
        if g["gain"] and verdict(g["gain"]["ci95"], g["gain"]["p_holm"]) == "more"
    ]
    if not others:
        return f"No kind of people is significantly better served by another policy than {best}."
    return f"Significantly better served than by {best}: {', '.join(others)}."


def caveat(results: Mapping[str, Any]) -> str:
    """What the intervals do and do not cover."""
    num = max((a["num_policies"] for a in results["agreement"].values() if a), default=0)
    return (
        "Intervals are over other users of the same kind. They do not cover"
        f" other policies ({num} policies make only {num * (num - 1) // 2} pairs), other seeds or"
        " an error that all simulated users share."
    )


def fidelity_sentence(fidelity: dict[str, Any]) -> str:
    """Where the simulated users stand among the simple predictors of held-out ratings."""
    (name, own), *others = fidelity["predictors"].items()
    parts = [f"On {fidelity['num_ratings']} held-out ratings, {name} err by {own['rmse']:.3f} RMSE"]
    rivals = {other: row.get("difference_ci95") for other, row in others}
    parts += compare_all(rivals, more="more than", less="less than")
    return ", ".join(parts) + "."

"""What a study found, in sentences; every comparison passes its interval. It knows no cell."""

from collections.abc import Mapping
from typing import Any

from experiments.personified.study import PROMPT, WHOLE
from experiments.reporting.claims import ONE_SEED, compare_all, verdict
from experiments.reporting.formatting import percent

_CALLED = {PROMPT: "the prompt alone", "rater": "ratings alone"}


def sentences(values: Mapping[str, Any]) -> list[str]:
    """The findings of ``results.json``, in the order of the aims."""
    found = [*_induction(values), *_flips(values), *_order(values), *_ratings(values),
             _judge(values)]  # fmt: skip
    one = f"One seed: {ONE_SEED}. Intervals are over its questions alone."
    return [one, *found] if len(values["seeds"]) == 1 else found


def _induction(values: Mapping[str, Any]) -> list[str]:
    own = values["variants"].get(WHOLE)
    if own is None:
        return []
    said = (
        f"Of false premises {percent(own['corrected']['mean'])} are corrected, of true ones"
        f" {percent(own['rejected']['mean'])} rejected."
    )
    return [said, *_against(values, "corrected", "The share of false premises corrected")]


def _flips(values: Mapping[str, Any]) -> list[str]:
    return _against(values, "turn_of_flip", "The turn at which an opinion flips")


def _against(values: Mapping[str, Any], measure: str, what: str) -> list[str]:
    ends = {
        _CALLED.get(name, name): one[measure]["ci95"] for name, one in values["differences"].items()
    }
    if not ends:
        return []
    how = compare_all(ends, more="above that of", less="below that of")
    return [f"{what} is {'; '.join(how)}."]


def _order(values: Mapping[str, Any]) -> list[str]:
    own = values["order"].get(WHOLE)
    if own is None:
        return []
    verdicts = {
        "a person's answers at one time are more alike than at two": "intra_above_stage",
        "a person's answers at two times are more alike than those of two people":
            "stage_above_inter",
    }  # fmt: skip
    surely = {said: verdict(own[name]["ci95"]) for said, name in verdicts.items()}
    return [
        f"That {said} is {'so' if found == 'more' else 'not shown'}."
        for said, found in surely.items()
    ]


def _ratings(values: Mapping[str, Any]) -> list[str]:
    own = (values["ratings"] or {}).get(WHOLE)
    if own is None:
        return []
    found = []
    if prompt := own.get("against_prompt"):
        ratio, ends = prompt["shift_ratio"], prompt["shift_ratio_ci95"]
        if ratio is not None:
            found.append(
                f"Pressure in the texts of items moves ratings {ratio:.2f} times as far as those"
                f" of the prompt alone (95 % interval {_ends(ends)})."
            )
    if rater := own.get("against_rater"):
        how = compare_all(
            {"people trained on ratings alone": rater["rmse_difference_ci95"]},
            more="above that of", less="below that of",
        )  # fmt: skip
        found.append(f"The RMSE of ratings is {how[0]}.")
    return found


def _ends(ends: Any) -> str:
    if not ends or None in ends:
        return "not known"
    return f"{ends[0]:.2f} to {ends[1]:.2f}"


def _judge(values: Mapping[str, Any]) -> str:
    card = values["judge"]
    return (
        f"The judge ({card['name']}) is right on {percent(card['right'])} of {card['replies']}"
        f" replies judged by hand, and decides {percent(card['wrong'])} wrongly."
    )

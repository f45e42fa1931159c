"""What a study found, in sentences; every comparison passes its interval. It knows no cell."""

from collections.abc import Mapping
from typing import Any

from experiments.reporting.claims import ONE_SEED, compare_all, verdict
from experiments.reporting.formatting import listed, signed

_PER_CENT = 0.02  # more RMSE than that, and people with a trait rate worse


def sentences(values: Mapping[str, Any]) -> list[str]:
    """The findings of ``results.json``, in the order of the aims."""
    found = [*_rivals(values), *_moves(values), *_ratings(values), _instruments(values)]
    return [f"One seed: {ONE_SEED}.", *found] if len(values["seeds"]) == 1 else found


def _rivals(values: Mapping[str, Any]) -> list[str]:
    differences = values["differences"]
    if not differences:
        return []
    ends = {_called(rival): one["ci95"] for rival, one in differences.items()}
    how = compare_all(ends, more="above", less="below")
    said = [f"Trait alignment of the adapters is {'; '.join(how)}."]
    own, steered = (values["ways"].get(way) for way in ("adapter", "steering"))
    if own and steered and own["ta"]["mean"] and steered["ta"]["mean"] is not None:
        share = steered["ta"]["mean"] / own["ta"]["mean"]
        said.append(f"Steering reaches {100 * share:.0f} % of the adapters' trait alignment.")
    return said


def _called(rival: str) -> str:
    return {"as it is": "the model as it is", "prompt": "the system prompt"}.get(rival, rival)


def _moves(values: Mapping[str, Any]) -> list[str]:
    moves = values["moves"].get("adapter")
    if not moves:
        return []
    known = [one for one in moves.values() if one["moves_a_point"] is not None]
    if not known:
        return []
    first = sum(one["moves_a_point"] for one in known)
    second = sum(one["others_less_than_half"] for one in known)
    return [
        f"{first} of {len(known)} adapters move their own trait by at least a point of 5 (by its"
        f" interval); {second} of {len(known)} move every other trait by less than half of"
        " what they move at least."
    ]


def _ratings(values: Mapping[str, Any]) -> list[str]:
    ratings = values["ratings"]
    if not ratings:
        return []
    after = ratings["after"]
    changes = [one["rmse_change"] for one in after.values() if one["rmse_change"] is not None]
    if not changes:
        return ["What a trait does to the RMSE of ratings is not known."]
    said = f"The RMSE of ratings changes by {_ends(min(changes), max(changes))} %"
    worse = [name for name, one in after.items() if _rises(one)]
    if not worse:
        return [f"{said}; no rise of more than 2 % lies beyond noise."]
    return [f"{said}; it rises by more than 2 %, beyond noise, with {listed(worse)}."]


def _rises(one: Mapping[str, Any]) -> bool:
    """Whether people rate worse by more than 2 %, and the interval of the difference says worse."""
    change, ends = one["rmse_change"], one["rmse_difference_ci95"]
    if change is None or not ends or None in ends:
        return False
    return bool(change > _PER_CENT and verdict(ends) == "more")


def _ends(least: float, most: float) -> str:
    return f"{signed(100 * least, 1)} to {signed(100 * most, 1)}"


def _instruments(values: Mapping[str, Any]) -> str:
    card, judge = values["classifier"], values["judge"]
    right = judge["right"]
    told = "was not checked" if right is None else f"orders {100 * right:.0f} % of pairs rightly"
    by_hand = card["by_hand"]
    return (
        f"The classifier is right on {100 * (card['opinions'] or 0):.0f} % of held-out opinions"
        f" and on {100 * (by_hand or 0):.0f} % of answers written by hand"
        f" ({100 / card['labels']:.0f} % by chance); the judge {told} (50 % by chance)."
    )

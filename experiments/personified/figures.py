"""From cells to figures: means with intervals over seeds and questions, differences, ratios."""

from typing import Any

import numpy as np

from agents.fidelity.error_measures import rmse, rmse_difference_interval
from experiments.personified.cells import Cells
from experiments.personified.rated import Ratings
from experiments.personified.study import PROMPT, RATER, WHOLE, Study
from experiments.reporting.formatting import rounded, rounded_ends
from simenv.events import FloatArray, expected_stars
from simenv.seeding import Stream, generator
from training.personified.judging.evaluation import Scores
from training.personified.judging.measures import rating_shift
from training.personified.writing.insisting_words import KINDS
from training.traits.measures import Estimate, over_seeds

_RESAMPLES = 2000


def figures(study: Study, cells: Cells) -> dict[str, Any]:
    """All figures of a study, for ``results.json``."""
    return {
        "variants": {
            name: {m: _json(_estimate(values_of(study, cells, name, m))) for m in Scores._fields}
            for name in study.variants
        },
        "differences": _differences(study, cells),
        "order": {name: _order(study, cells, name) for name in study.variants},
        "ratings": _ratings(study, cells),
    }


def _estimate(values: FloatArray) -> Estimate:
    """Over seeds and questions; of one seed over its questions alone, which a sentence says."""
    return over_seeds(values, one_seed=True)


def values_of(study: Study, cells: Cells, name: str, measure: str) -> FloatArray:
    """(seeds, questions) of a measure; NaN where a seed has fewer questions."""
    rows = [np.asarray(getattr(cells[seed, name].scores, measure)) for seed in study.seeds]
    longest = max(1, *map(len, rows))
    return np.stack([np.pad(r, (0, longest - len(r)), constant_values=np.nan) for r in rows])


def _differences(study: Study, cells: Cells) -> dict[str, Any]:
    """What the whole makes of a measure minus what each other variant does, question by question.

    Variants ask the same, so that each pair is of one question.
    """
    if WHOLE not in study.variants:
        return {}
    found: dict[str, Any] = {}
    for name in study.variants:
        if name != WHOLE:
            found[name] = {
                m: _json(_estimate(_apart(values_of(study, cells, WHOLE, m),
                                           values_of(study, cells, name, m))))
                for m in Scores._fields
            }  # fmt: skip
    return found


def _apart(own: FloatArray, other: FloatArray) -> FloatArray:
    width = min(own.shape[1], other.shape[1])
    return np.asarray(own[:, :width] - other[:, :width])


def _order(study: Study, cells: Cells, name: str) -> dict[str, Any]:
    """How far Intra lies above Stage, and Stage above Inter, in BLEU."""
    intra, stage, inter = (values_of(study, cells, name, m) for m in ("intra", "stage", "inter"))
    return {
        "intra_above_stage": _json(_estimate(intra - stage)),
        "stage_above_inter": _json(_estimate(stage - inter)),
    }


def _ratings(study: Study, cells: Cells) -> dict[str, Any] | None:
    """None where lives come from texts."""
    rows = {name: [cells[seed, name].ratings for seed in study.seeds] for name in study.variants}
    told = {n: [r for r in own if r is not None] for n, own in rows.items()}
    if not all(told.values()):
        return None
    found = {name: _of_variant(own) for name, own in told.items()}
    for name, own in told.items():
        for rival, key in ((RATER, "against_rater"), (PROMPT, "against_prompt")):
            if rival in told and name != rival:
                found[name][key] = _compared(own, told[rival])
    return found


def _of_variant(rows: list[Ratings]) -> dict[str, Any]:
    moved = _moved(rows)
    by_kind = {kind: rounded(float(moved[:, n].mean())) for n, kind in enumerate(KINDS)}
    neutral = np.concatenate([np.abs(rating_shift(r.plain, r.neutral).mean) for r in rows])
    distance = np.concatenate([
        np.mean([rating_shift(r.plain, own).distance for own in r.pressed], axis=0) for r in rows
    ])  # fmt: skip
    return {
        "rmse": rounded(rmse(_errors(rows))),
        "shift": rounded(float(moved.mean())),
        "shift_by_kind": by_kind,
        "shift_neutral": rounded(float(neutral.mean())),
        "distance": rounded(float(distance.mean())),
    }


def _compared(rows: list[Ratings], rivals: list[Ratings]) -> dict[str, Any]:
    """RMSE and shift as multiples of another's, with intervals over people."""
    errors, others, users = _errors(rows), _errors(rivals), _users(rows)
    low, high = rmse_difference_interval(errors, others, users)
    shifts, theirs = _moved(rows).mean(axis=1), _moved(rivals).mean(axis=1)
    return {
        "rmse_ratio": rounded(rmse(errors) / rmse(others)),
        "rmse_difference_ci95": rounded_ends(low, high),
        "shift_ratio": rounded(_ratio(shifts.sum(), theirs.sum())),
        "shift_ratio_ci95": rounded_ends(*ratio_interval(shifts, theirs, users)),
    }


def _errors(rows: list[Ratings]) -> FloatArray:
    return np.concatenate([expected_stars(r.plain) - r.stars for r in rows])


def _moved(rows: list[Ratings]) -> FloatArray:
    """(r, kinds) stars by which the mean of a rating moves under pressure, without a sign."""
    found = [[np.abs(rating_shift(r.plain, own).mean) for own in r.pressed] for r in rows]
    return np.concatenate([np.stack(own, axis=1) for own in found])


def _users(rows: list[Ratings]) -> Any:
    return np.concatenate([r.users.astype(np.int64) + 10**9 * n for n, r in enumerate(rows)])


def ratio_interval(own: FloatArray, other: FloatArray, users: Any) -> tuple[float, float]:
    """95 % interval of ``own.sum() / other.sum()`` (r,) when people are drawn anew.

    NaN where there are fewer than two people, or the other sum is never above 0.
    """
    names, place = np.unique(users, return_inverse=True)
    if len(names) < 2:
        return float("nan"), float("nan")
    sums = [np.bincount(place, values, len(names)) for values in (own, other)]
    rng = generator(0, Stream.PRESSURE_RESAMPLES)
    drawn = rng.integers(len(names), size=(_RESAMPLES, len(names)))
    ratios = [_ratio(sums[0][row].sum(), sums[1][row].sum()) for row in drawn]
    if np.isnan(ratios).all():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(ratios, (2.5, 97.5))
    return float(low), float(high)


def _ratio(one: float, other: float) -> float:
    return float(one / other) if other > 0 else float("nan")


def _json(found: Estimate) -> dict[str, Any]:
    ends = None if found.ci95 is None else [rounded(end) for end in found.ci95]
    return {"mean": rounded(found.mean), "ci95": ends}

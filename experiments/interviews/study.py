"""One model's answers as figures: RQ1 to RQ3 for types and factors, and whether to trust them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.inference.engine import Engine
from agents.interviews.conditioning import type_names
from agents.interviews.instruments import Instrument
from agents.interviews.reliability import (
    acquiescence,
    cronbach_alpha,
    retest_correlation,
    traits_of_both_keys,
)
from agents.interviews.scores import (
    confusion,
    drawn_points,
    normalised_gain,
    off_target,
    percent_increase,
    trait_scores,
    type_accuracy,
    types_of,
    z_score,
)
from experiments.interviews.answered import answered
from experiments.interviews.settings import Settings
from experiments.interviews.strategies import Cast, cast, with_one_role_a_run
from experiments.reporting.formatting import estimate, rounded, rounded_ends
from recommenders.evaluation.statistics import mean_interval, paired_contrast
from simenv.events import FloatArray, IntArray


def study(engine: Engine, instrument: Instrument, settings: Settings) -> dict[str, Any]:
    """Everything of one instrument, as JSON values."""
    people = cast(instrument, settings.levels)
    found = answered(engine, people.people, instrument, settings)
    figures = _types if instrument.scoring == "types" else _factors
    by_temperature = {}
    for temperature, options in found.options.items():
        scores = trait_scores(instrument, drawn_points(instrument, options))
        own = figures(instrument, people, scores)
        own["reliability"] = _reliability(instrument, options, scores)
        own["rates"] = {name: rounded(v) for name, v in found.rates[temperature]._asdict().items()}
        by_temperature[f"{temperature:g}"] = own
    return {
        "instrument": _card(instrument),
        "order_sensitivity": rounded(found.order_sensitivity),
        "paraphrase": _paraphrase(engine, people, instrument, settings, found.options),
        "temperatures": by_temperature,
    }


def _card(instrument: Instrument) -> dict[str, Any]:
    names = ("name", "scoring", "licence", "language", "source", "validated")
    return {
        **{name: getattr(instrument, name) for name in names},
        "items": len(instrument.items),
        "traits": [trait.name for trait in instrument.traits],
        "both_keys": list(traits_of_both_keys(instrument)),
        "norms": sorted(instrument.norms),
    }


def _types(instrument: Instrument, people: Cast, scores: FloatArray) -> dict[str, Any]:
    found = types_of(instrument, scores)
    imposed = [target.name for target in people.targets]
    names, counts = np.unique(found[:, 0], return_counts=True)
    told = found[:, people.personality]
    with_role = with_one_role_a_run(found, people.role)
    role, alone = (type_accuracy(imposed, runs).by_type for runs in (with_role, told))
    gain = paired_contrast(role, alone)
    return {
        "unconditioned": {str(n): int(c) for n, c in zip(names, counts, strict=True)},
        "personality": _accuracy(imposed, told),
        "role": _accuracy(imposed, with_role),
        "role_gain": estimate(gain[:3]),
    }


def _accuracy(imposed: list[str], found: Any) -> dict[str, Any]:
    result = type_accuracy(imposed, found)
    return {
        **estimate(mean_interval(result.by_type)),  # over types
        "sd": rounded(result.sd),
        "runs": result.runs,
        "by_type": dict(zip(imposed, map(rounded, result.by_type), strict=True)),
        "by_letter": [rounded(share) for share in result.by_letter],
        "confusion": confusion(imposed, found, type_names()).tolist(),
    }


def _factors(instrument: Instrument, people: Cast, scores: FloatArray) -> dict[str, Any]:
    base = np.nanmean(scores[:, 0], axis=0)
    told = np.nanmean(scores[:, people.personality], axis=0)
    with_role = np.nanmean(with_one_role_a_run(scores, people.role), axis=0)
    names = [trait.name for trait in instrument.traits]
    sd = np.nanstd(scores[:, 0], axis=0)
    z = [z_score(base[i], instrument.norms.get(name)) for i, name in enumerate(names)]
    every = np.arange(len(people.targets))
    told_gains = _gains(instrument, people, told, base, every)
    return {
        "unconditioned": {
            name: {"mean": rounded(base[i]), "sd": rounded(sd[i]), "z": rounded(float(z[i]))}
            for i, name in enumerate(names)
        },
        "personality": told_gains,
        "gain": _mean_gain(told_gains),
        "role": _gains(instrument, people, with_role, base, people.with_role),
        "role_gain": _role_gain(instrument, people, told, with_role),
    }


def _gains(
    instrument: Instrument, people: Cast, scores: FloatArray, base: FloatArray, rows: IntArray
) -> dict[str, Any]:
    """By target: its score, increase, gain and z, and how every trait moved."""
    place = {trait.name: i for i, trait in enumerate(instrument.traits)}
    moved = off_target(scores, base)
    found = {}
    for row, target in zip(range(len(rows)), (people.targets[i] for i in rows), strict=True):
        own = place[target.name]
        score, before, (least, most) = scores[row, own], base[own], instrument.scale[own]
        ends = least, most, int(np.sign(target.level))
        found[target.label] = {
            "factor": target.name,
            "level": target.level,
            "score": rounded(score),
            "percent_increase": rounded(float(percent_increase(score, before))),
            "normalised_gain": rounded(float(normalised_gain(score, before, *ends))),
            "z": rounded(float(z_score(score, instrument.norms.get(target.name)))),
            "moved": {name: rounded(moved[row, i]) for name, i in place.items()},
        }
    return found


def _mean_gain(told: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The normalised gain over told poles; those that were reached untold have none, and the
    middle is no pole.
    """  # noqa: D205
    known = [own["normalised_gain"] for own in told.values()]
    return estimate(mean_interval(np.array([gain for gain in known if gain is not None])))


def _role_gain(
    instrument: Instrument, people: Cast, told: FloatArray, with_role: FloatArray
) -> dict[str, Any]:
    """Points of the target that a role adds, over factors."""
    place = {trait.name: i for i, trait in enumerate(instrument.traits)}
    if not len(people.with_role):
        return {"mean": None, "ci95": [None, None]}
    own = [place[people.targets[i].name] for i in people.with_role]
    rows = np.arange(len(own))
    return estimate(paired_contrast(with_role[rows, own], told[people.with_role, own])[:3])


def _reliability(instrument: Instrument, options: IntArray, scores: FloatArray) -> dict[str, Any]:
    """Of the first administration over all people; of the first two for the retest."""
    points = drawn_points(instrument, options[0])
    raw = drawn_points(instrument, options, raw=True)
    owner = instrument.trait_of_item
    names = [trait.name for trait in instrument.traits]
    again = [
        retest_correlation(scores[0, :, t], scores[1, :, t]) if len(scores) > 1 else float("nan")
        for t in range(len(names))
    ]
    alpha = [cronbach_alpha(points[:, owner == t]) for t in range(len(names))]
    return {
        "alpha": dict(zip(names, map(rounded, alpha), strict=True)),
        "retest": dict(zip(names, map(rounded, again), strict=True)),
        "acquiescence": rounded(acquiescence(instrument, raw[:, 0])),
    }


def _paraphrase(
    engine: Engine,
    people: Cast,
    instrument: Instrument,
    settings: Settings,
    first: dict[float, IntArray],
) -> dict[str, Any]:
    """Mean distance of trait scores, in points, to those of every other wording of the task."""
    temperature = settings.temperatures[0]

    def means(options: IntArray) -> FloatArray:
        points = drawn_points(instrument, options)
        return np.asarray(trait_scores(instrument, points).mean(axis=0))

    known, found = means(first[temperature]), {}
    for wording in settings.wordings[1:]:
        other = answered(engine, people.people, instrument, settings, wording)
        apart = np.abs(means(other.options[temperature]) - known)
        ends = rounded_ends(float(np.nanmin(apart)), float(np.nanmax(apart)))
        found[str(wording)] = {"mean": rounded(float(np.nanmean(apart))), "range": ends}
    return found

"""From cells to figures: means with intervals over seeds and topics, and differences of ways.

Every figure is (seeds, topics) first; labels are averaged within a topic, so that the topics of one
seed are what is drawn anew.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.emojis.detection import emoji_rates
from experiments.reporting.formatting import rounded
from experiments.traits.cells import PLAIN, Cells
from experiments.traits.study import Study
from experiments.traits.ways import names_of
from simenv.events import FloatArray
from training.opinion_qa.opinions import POLES, Label
from training.traits.measures import Estimate, over_seeds

MEASURES = ("ta", "pae", "tpei", "es", "z_per", "z_topic", "dd", "coherent", "refused")
_OWN_MOVE = 1.0  # point of 5 that an adapter should move its own trait by, at least
_OFF_TARGET = 0.5  # of the own move, that it should move any other by, at most


def figures(study: Study, cells: Cells) -> dict[str, Any]:
    """All figures of a study, for ``results.json``."""
    ways = [PLAIN, *names_of(study)]
    return {
        "ways": {way: _of_way(study, cells, way) for way in ways},
        "by_label": {
            way: {str(own): _json(_mean(study, cells, way, "ta", [own])) for own in study.labels}
            for way in ways
        },
        "differences": _differences(study, cells),
        "moves": {way: moves(study, cells, way) for way in ways if way != PLAIN},
        "side_effects": {way: _side(study, cells, way) for way in ways},
        "chosen": _chosen(cells),
    }


def values_of(
    study: Study, cells: Cells, way: str, measure: str, labels: Sequence[Label]
) -> FloatArray:
    """(seeds, topics) of a measure, averaged over labels; NaN where no label has a value."""
    of_seed = []
    for seed in study.seeds:
        rows = [np.asarray(getattr(cells[seed, way, own].scores, measure)) for own in labels]
        longest = max(map(len, rows))
        padded = [np.pad(r, (0, longest - len(r)), constant_values=np.nan) for r in rows]
        of_seed.append(_nan_mean(np.stack(padded), axis=0))
    longest = max(map(len, of_seed))
    return np.stack([np.pad(r, (0, longest - len(r)), constant_values=np.nan) for r in of_seed])


def moves(study: Study, cells: Cells, way: str) -> dict[str, dict[str, Any]]:
    """Label → trait → judged change of the trait's high pole, and whether the aims are reached."""
    found: dict[str, dict[str, Any]] = {}
    for label in study.labels:
        own = {
            trait: _shift(study, cells, way, label, place)
            for place, trait in enumerate(study.traits)
        }
        found[str(label)] = {
            "traits": {trait: _json(one) for trait, one in own.items()},
            **_reached(label, own),
        }
    return found


def _shift(study: Study, cells: Cells, way: str, label: Label, place: int) -> Estimate:
    rows = [cells[seed, way, label].scores.shift[:, place] for seed in study.seeds]
    longest = max(map(len, rows))
    padded = [np.pad(r, (0, longest - len(r)), constant_values=np.nan) for r in rows]
    return over_seeds(np.stack(padded))


def _reached(label: Label, own: Mapping[str, Estimate]) -> dict[str, bool | None]:
    """Whether the own trait moves a point and others less than half of it, by their intervals.

    None = not known.
    """
    sign = 1.0 if label.pole == POLES[0] else -1.0
    target = own[label.trait].ci95
    others = [one.ci95 for trait, one in own.items() if trait != label.trait]
    if target is None or None in others:
        return {"moves_a_point": None, "others_less_than_half": None}
    least = min(sign * end for end in target)
    most = max((abs(end) for ends in others for end in ends or ()), default=0.0)
    return {
        "moves_a_point": bool(least >= _OWN_MOVE),
        "others_less_than_half": bool(most < _OFF_TARGET * least),
    }


def _of_way(study: Study, cells: Cells, way: str) -> dict[str, Any]:
    return {m: _json(_mean(study, cells, way, m, study.labels)) for m in MEASURES}


def _mean(study: Study, cells: Cells, way: str, measure: str, labels: Sequence[Label]) -> Estimate:
    return over_seeds(values_of(study, cells, way, measure, labels))


def _differences(study: Study, cells: Cells) -> dict[str, Any]:
    """TA of the adapters minus that of every rival, on the same topics."""
    if "adapter" not in study.methods:
        return {}
    own = values_of(study, cells, "adapter", "ta", study.labels)
    rivals = [PLAIN, *(name for name in study.methods if name != "adapter")]
    return {
        rival: _json(over_seeds(own - values_of(study, cells, rival, "ta", study.labels)))
        for rival in rivals
    }


def _side(study: Study, cells: Cells, way: str) -> dict[str, float | None]:
    sides = [cells[seed, way, own].side for seed in study.seeds for own in study.labels]
    columns = zip(*sides, strict=True)
    said = emoji_rates(
        [t for seed in study.seeds for own in study.labels for t in cells[seed, way, own].texts]
    )
    return {
        **{
            name: rounded(float(np.mean(column)))
            for name, column in zip(sides[0]._fields, columns, strict=True)
        },
        "emoji_instance_rate": rounded(said.instance_rate),
        "emojis_per_sentence": rounded(said.per_sentence),
    }


def _chosen(cells: Cells) -> dict[str, Any]:
    return {
        f"seed {seed}, {label}, {way}": cell.chosen
        for (seed, way, label), cell in cells.items()
        if cell.chosen
    }


def _json(found: Estimate) -> dict[str, Any]:
    ends = None if found.ci95 is None else [rounded(end) for end in found.ci95]
    return {"mean": rounded(found.mean), "ci95": ends}


def _nan_mean(values: FloatArray, axis: int) -> FloatArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing coherent: NaN is the answer
        return np.asarray(np.nanmean(values, axis=axis))

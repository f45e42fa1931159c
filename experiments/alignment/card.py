"""The card and the gate: measured figures become words, and go into the population they are of."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agents.calibration import Calibration
from agents.fidelity.gate import judge, overall_word, word_of
from agents.population.fidelity_gate import CARD, fingerprint
from agents.population.population import Population
from experiments.alignment.asked import Asked, Rows
from experiments.alignment.identity import SWAP
from experiments.alignment.rating_figures import kinds, measured
from simenv.data.dataset import Dataset


def gate_of(
    asked: Asked, rows: Rows, identity: Mapping[str, Mapping[str, Any]] | None
) -> dict[str, Any]:
    """Word and checks of everybody, and of every persona.

    ``rows`` are calibrated where the population will be; ``identity`` holds variants and their
    rises, None = nobody was asked in another's place.
    """
    swap = (identity or {}).get(SWAP)
    checks = judge(measured(rows, asked.dataset, swap))
    masks = kinds(asked, rows)["persona"]
    personas = {name: _of_persona(rows.take(m), asked.dataset) for name, m in masks.items()}
    words = {name: own["word"] for name, own in personas.items()}
    sizes = [int(mask.sum()) for mask in masks.values()]
    return {
        "word": overall_word(checks, words, sizes),
        "checks": [check._asdict() for check in checks],
        "personas": personas,
    }


def _of_persona(rows: Rows, dataset: Dataset) -> dict[str, Any]:
    """By its own rows; nobody of it alone was asked in another's place."""
    checks = judge(measured(rows, dataset, None))
    return {"word": word_of(checks), "checks": [check._asdict() for check in checks]}


def carded(
    people: Population, calibration: Calibration | None, card: Mapping[str, Any]
) -> Population:
    """The population with its calibration and a card that holds for it alone."""
    people = replace(people, calibration=calibration)
    return people.with_card(**{CARD: {"of": fingerprint(people), **card}})


def described(dataset: Dataset, asked: Asked) -> dict[str, Any]:
    """What was measured on."""
    return {
        "name": dataset.name,
        "rows": len(asked.measured.log),
        "rows_for_calibration": len(asked.fitted.log),
        "users": len(asked.users),
        "failed": asked.num_failed,
        "truth_known": dataset.truth is not None,
    }

"""Scores that people of a population reached in questionnaires: kept beside them, found by person.

``traits.json`` has an entry an instrument. A person is known by what decides their answers (model,
adapter, style, profile), so scores never stand beside somebody who has become another: they are
simply not found. It asks nobody and knows no instrument.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from agents.inference.local.plain_files import read_json
from agents.persona import Persona
from agents.population.adapters import base_identity
from agents.prompt_style import PromptStyle
from simenv.whole_files import write_whole

TRAITS = "traits.json"
FORMAT = 1


@dataclass(frozen=True)
class TraitScale:
    """What a score is a score of."""

    name: str  # as the instrument calls it: E, or EI
    title: str  # in words
    least: float
    most: float


@dataclass(frozen=True)
class MeasuredTraits:
    """One instrument's scores.

    Attributes:
        instrument: its name.
        how: in words: order and rounds of the options, frame, seed.
        scales: t traits.
        scores: person's key → their (t,) scores; NaN where nothing was answered.
        types: person's key → type, for an instrument of types.
    """

    instrument: str
    how: str
    scales: tuple[TraitScale, ...]
    scores: Mapping[str, tuple[float, ...]]
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PersonKeys:
    """Keys of a population's people; files are read once for each model and adapter.

    Args:
        model: folder or hub name of the base.
        adapters: name → folder.
        style: of their prompts.
    """

    model: str
    adapters: Mapping[str, str]
    style: PromptStyle

    def key(self, persona: Persona) -> str:
        """A hash of what decides somebody's answers, by content; a hub's model counts by name."""
        worn = None if persona.adapter is None else self._worn[persona.adapter]
        who = asdict(replace(persona, adapter=worn, cluster=0))  # a cluster is not asked
        text = json.dumps([self._base, asdict(self.style), who], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @cached_property
    def _base(self) -> str:
        return base_identity(self.model)

    @cached_property
    def _worn(self) -> dict[str, str]:
        return {name: base_identity(folder) for name, folder in self.adapters.items()}


def kept_beside(
    kept: Sequence[MeasuredTraits], fresh: Sequence[MeasuredTraits]
) -> tuple[MeasuredTraits, ...]:
    """Both, by instrument; of an instrument in both, the fresh ones with others' older scores.

    Scores of another way to ask, or on other scales, do not stand beside the fresh ones.
    """
    found = {one.instrument: one for one in kept}
    for new in fresh:
        old = found.get(new.instrument)
        if old is not None and (old.how, old.scales) == (new.how, new.scales):
            new = replace(
                new, scores={**old.scores, **new.scores}, types={**old.types, **new.types}
            )
        found[new.instrument] = new
    return tuple(found.values())


def write_traits(folder: Path, measured: Sequence[MeasuredTraits]) -> None:
    """``traits.json``, whole or not at all; nothing if nothing was measured."""
    if not measured:
        return
    entries = [
        {
            "instrument": one.instrument,
            "how": one.how,
            "scales": [vars(scale) for scale in one.scales],
            "people": {key: _plain(scores) for key, scores in one.scores.items()},
            "types": dict(one.types),
        }
        for one in measured
    ]
    content = {"format": FORMAT, "measured": entries}
    write_whole(folder / TRAITS, json.dumps(content, ensure_ascii=False, allow_nan=False))


def read_traits(folder: Path) -> tuple[MeasuredTraits, ...]:
    """What ``write_traits`` wrote; nothing where there is no such file.

    Raises:
        ValueError: the file is corrupt or of a newer version; names the field.
    """
    from agents.population.schema import TraitFile, checked

    path = folder / TRAITS
    if not path.exists():
        return ()
    content = checked(TraitFile, read_json(path), TRAITS)
    if content.format > FORMAT:
        raise ValueError(
            f"{TRAITS} has format {content.format}, this version reads up to {FORMAT}; update"
            " personarec, or take the file away"
        )
    return tuple(_read(entry, row) for row, entry in enumerate(content.measured))


def _read(entry: Any, row: int) -> MeasuredTraits:
    scales = tuple(TraitScale(**scale.model_dump()) for scale in entry.scales)
    scores = {}
    for key, own in entry.people.items():
        if len(own) != len(scales):
            raise ValueError(
                f"{TRAITS}, entry {row}: wanted {len(scales)} scores a person, one a scale, got"
                f" {len(own)}"
            )
        scores[key] = tuple(math.nan if score is None else score for score in own)
    return MeasuredTraits(entry.instrument, entry.how, scales, scores, entry.types)


def _plain(scores: Sequence[float]) -> list[float | None]:
    return [None if math.isnan(score) else round(score, 6) for score in scores]

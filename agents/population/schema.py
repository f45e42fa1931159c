"""What the parts of a population have to look like, checked before anything is made of them.

pydantic loads here, and this module at use.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.calibration import Calibration
from agents.population.adapter_names import ADAPTER_NAME

_HUB_NAME = r"[\w][\w.-]*(/[\w][\w.-]*)?"
_MOST = 5.0  # stars; two ratings are 4 apart

Stars = Annotated[float, Field(ge=-_MOST, le=_MOST)]
Level = Annotated[int, Field(ge=1, le=3)]
Count = Annotated[int, Field(ge=0, le=10_000)]
Total = Annotated[int, Field(ge=0, le=2**53)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    """Types are taken as they are: no number out of a text, no NaN, no true for 1."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="ignore")


class Style(_Strict):
    """The fields of ``PromptStyle``; the later ones are missing in folders of earlier versions."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid")

    verbatim: Count
    gist: Count
    summary_words: Count
    cast: Count
    persona: bool
    peers: bool = False
    told: Literal["numbers", "words"] = "numbers"
    numbers: bool = True
    budget: Total = 0
    together: bool = False
    reading: Literal["whole", "blocks"] = "whole"
    attended: Count = 96


class Counts(_Strict):
    """How much of everything there is, so that a lost or doubled row is noticed."""

    personas: Total
    items: Total
    history: Total


class CalibrationEntry(_Strict):
    """The fields of ``agents.calibration.Calibration``."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid")

    temperature: float
    of_personas: dict[Annotated[str, Field(pattern=r"^-?[0-9]{1,10}$")], float]
    maps: list[Annotated[list[list[float]], Field(min_length=2, max_length=2)]]

    def made(self) -> Calibration:
        """What it describes.

        Raises:
            ValueError: it is no calibration.
        """
        own = {int(cluster): heat for cluster, heat in self.of_personas.items()}
        maps = tuple((tuple(said), tuple(true)) for said, true in self.maps)
        return Calibration(self.temperature, own, maps)


class Head(_Strict):
    """``population.json``.

    ``counts``, ``files`` (hashes of the model's and the adapters' files, by their place in the
    folder) and ``digest`` (a hash of all the rest) are missing in folders of earlier versions; the
    last one also after an edit by hand. ``calibration`` is there where answers are calibrated.
    """

    format: Annotated[int, Field(ge=1)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    model: Annotated[str, Field(min_length=1, max_length=4096)]
    style: Style
    adapters: list[Annotated[str, Field(pattern=rf"^{ADAPTER_NAME}$")]]
    card: dict[str, Any]
    calibration: CalibrationEntry | None = None
    counts: Counts | None = None
    files: dict[str, Hash] | None = None
    digest: Hash | None = None


class PersonaRow(_Strict):
    """A row of ``personas.parquet``, its tastes read."""

    activity: Level
    conformity: Level
    diversity: Level
    profile: Annotated[str, Field(max_length=100_000)]
    tastes: dict[str, Stars]
    level: Stars
    cluster: Annotated[int, Field(ge=-(2**31), lt=2**31)]
    adapter: str | None


class Scale(_Strict):
    """The fields of ``agents.population.measured_traits.TraitScale``."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    title: Annotated[str, Field(max_length=200)]
    least: float
    most: float


_Key = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Measured(_Strict):
    """One entry of ``traits.json``."""

    instrument: Annotated[str, Field(min_length=1, max_length=200)]
    how: Annotated[str, Field(max_length=400)]
    scales: Annotated[list[Scale], Field(min_length=1, max_length=100)]
    people: dict[_Key, list[float | None]]
    types: dict[_Key, Annotated[str, Field(max_length=100)]]


class TraitFile(_Strict):
    """``traits.json``."""

    format: Annotated[int, Field(ge=1)]
    measured: list[Measured]


class AdapterCard(_Strict):
    """The part of ``adapter_card.json`` that decides whether an adapter may run on a base."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="allow")

    base: str
    base_is_folder: bool
    base_identity: Annotated[str, Field(min_length=1)]


_Kind = TypeVar("_Kind", bound=_Strict)


def checked(kind: type[_Kind], content: Mapping[str, Any], where: str) -> _Kind:
    """``content`` as an object of ``kind``.

    Args:
        kind: the schema.
        content: names and values.
        where: the file, and the row if there is one; begins the error.

    Raises:
        ValueError: names the field, what was wanted, what came and the cure.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first, *rest = error.errors(include_url=False)
        field = ".".join(str(part) for part in first["loc"])
        came = "nothing" if first["type"] == "missing" else _shown(first["input"])
        more = f" (and {len(rest)} more)" if rest else ""
        raise ValueError(
            f"{where}: field {field!r}: {first['msg'][:200].lower()}, got {came}{more}; correct it,"
            " or copy the whole folder again"
        ) from error


def is_model_name(name: str) -> bool:
    """Whether a base model is named as on the hub, or by a whole path."""
    return name.startswith("/") or bool(re.fullmatch(rf"{_HUB_NAME}|[A-Za-z]:[\\/].*", name))


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        return "a number too long to write"
    return text if len(text) <= 60 else f"{text[:57]}…"

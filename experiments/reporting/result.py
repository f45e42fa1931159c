"""What an experiment hands back: figures, files and lines, before anything is written or printed.

It knows no folder, no clock and no command; ``running`` adds those, writes and prints.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd
    from omegaconf import DictConfig
    from rich.console import RenderableType

FRAMES = (".csv", ".parquet")
REPORTS = (
    "report.html",
    "index.html",
    "report.md",
    "table.md",
)  # which of them a reader should open first


class Record(NamedTuple):
    """A finished run as its pages see it."""

    results: dict[str, Any]  # what results.json holds: the result's values and ``provenance``
    config_yaml: str  # resolved, without machine paths

    @property
    def command(self) -> str:
        """The command that makes it again, as the last line of a Markdown page."""
        text = " ".join(self.results["provenance"]["command"].split())
        fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
        blank = " " if len(fence) > 1 else ""
        return f"{fence}{blank}{text}{blank}{fence}\n"


Page = Callable[[Record], str]


@dataclass(frozen=True)
class Result:
    """An experiment's outcome.

    Attributes:
        values: what ``results.json`` holds beside the provenance: JSON values only. A figure that
            does not exist is None (see ``formatting.rounded``), never NaN.
        pages: file name → its text, or what makes it of the finished record.
        frames: file name → table; the ending says the format: ``.csv`` or ``.parquet``.
        lines: printed in this order; a plain string as it is, a rich renderable in its style.
        error: why the run failed in the end although it could be reported; it is raised after
            everything is written. None = it did not.
        config: of the run that this one went on with; None = the config of the command. The files
            go to its ``output_dir``.

    Raises:
        ValueError: ``values`` hold something that strict JSON does not have, a frame has another
            ending, or two files have one name.
    """

    values: Mapping[str, Any]
    pages: Mapping[str, str | Page] = field(default_factory=dict)
    frames: "Mapping[str, pd.DataFrame]" = field(default_factory=dict)
    lines: "Sequence[RenderableType]" = ()
    error: str | None = None
    config: "DictConfig | None" = None

    def __post_init__(self) -> None:
        _check(self.values, "values")
        if taken := {"results.json"} & (self.pages.keys() | self.frames.keys()):
            raise ValueError(f"a result wanted its figures in values, got a file {taken.pop()}")
        if twice := sorted(self.pages.keys() & self.frames.keys()):
            raise ValueError(
                f"a result wanted one content a file, got {twice[0]} as page and frame"
            )
        if odd := [name for name in self.frames if not name.endswith(FRAMES)]:
            raise ValueError(
                f"a result wanted frames that end in {' or '.join(FRAMES)}, got {odd[0]}; give"
                " other formats as the text of a page"
            )

    @property
    def report(self) -> str:
        """The file that a reader should open first."""
        return next((name for name in REPORTS if name in self.pages), "results.json")


def _check(value: Any, place: str) -> None:
    """Refuse what strict JSON does not hold, with the place where it stands."""
    if value is None or isinstance(value, str | bool | int):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(
                f"a result wanted finite numbers or None, got {value} at {place}; a figure that"
                " does not exist is None (formatting.rounded)"
            )
    elif isinstance(value, Mapping):
        for key, one in value.items():
            if not isinstance(key, str):
                raise ValueError(f"a result wanted text as keys, got {key!r} at {place}")
            _check(one, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            _check(one, f"{place}.{number}")
    else:
        raise ValueError(
            f"a result wanted JSON values, got {type(value).__name__} at {place}; convert it first"
        )

"""A student on disk: its networks, whose answers it learnt, and how much doubt it may answer with.

``student.safetensors`` holds the networks, ``student.json`` the rest. A student answers for people
of the model, the adapters, the catalogue and the way of telling that it learnt from, and for no
others: that is what ``identity`` says.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.inference.local.plain_files import named, read_json, tensor_shapes
from agents.inference.wrapped.identity import content_hash
from agents.population.population import Population
from agents.student.ensemble import NAMES, Weights
from agents.student.seen import NUMBERS
from simenv.events import NUM_STARS
from simenv.ranges import check_number
from simenv.whole_files import replaced_folder, write_whole

FORMAT = 1
_HEAD, _WEIGHTS = "student.json", "student.safetensors"
_CURE = "distil it anew: personarec experiment=student"
_MOST_MEMBERS, _MOST_WIDTH = 64, 4096


@dataclass(frozen=True)
class Student:
    """Networks and what they may do.

    Attributes:
        weights: of an ``Ensemble``.
        unsure: doubt (nats) above which the language model is asked.
        identity: of the people it learnt from, see ``identity_of``.
        learnt: what is known of its lessons, in JSON types: for reports.
    """

    weights: Weights
    unsure: float
    identity: str
    learnt: Mapping[str, Any]

    def __post_init__(self) -> None:
        check_number("a student", "unsure", self.unsure, "[0, inf)", "0 asks the model wherever")

    def save(self, folder: str | Path) -> None:
        """Write the student; the folder is whole or as it was."""
        from safetensors.numpy import save_file

        with replaced_folder(Path(folder)) as building:
            save_file(
                {name: np.ascontiguousarray(self.weights[name]) for name in NAMES},
                building / _WEIGHTS,
            )
            head = {
                "format": FORMAT,
                "unsure": self.unsure,
                "identity": self.identity,
                "weights": _digest(building / _WEIGHTS),
                "learnt": dict(self.learnt),
            }
            write_whole(building / _HEAD, json.dumps(head, indent=1))

    @classmethod
    def load(cls, folder: str | Path) -> "Student":
        """Read what ``save`` wrote.

        Raises:
            FileNotFoundError: there is no student.
            ValueError: a file is corrupt, or of a newer version; names it.
        """
        root = Path(folder)
        found: Student = named(f"student {root.name!r}", lambda: cls._read(root))
        return found

    @classmethod
    def _read(cls, root: Path) -> "Student":
        head = read_json(root / _HEAD)
        if head.get("format") != FORMAT:
            got = str(head.get("format"))[:20]
            raise ValueError(f"{_HEAD} wanted format {FORMAT}, got {got}; {_CURE}")
        unsure: Any
        unsure, identity, learnt = (head.get(key) for key in ("unsure", "identity", "learnt"))
        is_number = isinstance(unsure, int | float) and not isinstance(unsure, bool)
        if not is_number or not isinstance(identity, str) or not isinstance(learnt, dict):
            raise ValueError(
                f"{_HEAD} wanted unsure as a number, identity as a text and learnt as an object,"
                f" got others; {_CURE}"
            )
        weights = _weights(root / _WEIGHTS, str(head.get("weights")))
        return cls(weights, float(unsure), identity, learnt)

    def check_fits(self, people: Population) -> None:
        """Refuse people that this student did not learn from.

        Raises:
            ValueError: the model, an adapter, the catalogue or the way of telling is another.
        """
        if self.identity != identity_of(people):
            raise ValueError(
                f"a student wanted the model, adapters, items and style that it learnt from, got"
                f" {people.name!r}, which has others; {_CURE}"
            )


def identity_of(people: Population) -> str:
    """SHA-256 of all that shapes an answer beside who is asked about what.

    It covers the model and the adapters by content, the item texts and vectors, and the style;
    profiles, memories and averages are seen by a student, and may be others.

    Raises:
        ValueError: somebody mixes the facets of an adapter, which a student does not see.
    """
    mixing = [row for row, persona in enumerate(people.personas) if persona.gate]
    if mixing:
        raise ValueError(
            f"a student wanted people on whole adapters, got gates of facets (person {mixing[0]});"
            " ask the language model"
        )
    digest = hashlib.sha256()
    folders = {"": people.model, **people.adapters}
    parts = [f"{name}\0{_content(folder)}" for name, folder in sorted(folders.items())]
    parts.append(json.dumps(asdict(people.style), sort_keys=True))
    parts += [*people.catalog.texts(), people.catalog.kind]
    for part in parts:
        digest.update(f"{len(part)}\0{part}".encode())
    digest.update(np.ascontiguousarray(people.vectors, dtype=np.float32).tobytes())
    return digest.hexdigest()


def _content(place: str | Path) -> str:
    try:
        return content_hash(place)
    except FileNotFoundError:  # a model of the hub, or of a server
        return f"named {place}"


def _weights(path: Path, digest: str) -> Weights:
    from safetensors.numpy import load_file

    shapes = tensor_shapes(path, _CURE)
    if set(shapes) != set(NAMES):
        raise ValueError(f"{path.name} wanted tensors {', '.join(NAMES)}, got others; {_CURE}")
    if shapes != _wanted(shapes):
        raise ValueError(f"{path.name} wanted shapes that go together, got others; {_CURE}")
    if _digest(path) != digest:
        raise ValueError(f"{path.name} is not the file that {_HEAD} was written with; {_CURE}")
    found: Weights = load_file(path)
    for name, values in found.items():
        if values.dtype != np.float32 or not np.isfinite(values).all():
            raise ValueError(f"{path.name}: {name} wanted finite numbers in float32; {_CURE}")
    return found


def _wanted(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The shapes that the first of each kind asks of all others."""
    if any(len(shapes[name]) != 3 for name in ("own_items", "of_items", "of_people")):
        return {}
    m, num_items, h = shapes["own_items"]
    d, p = shapes["of_items"][1], shapes["of_people"][1]
    if not (0 < m <= _MOST_MEMBERS and 0 < h <= _MOST_WIDTH):
        return {}
    return {
        "of_numbers": (m, len(NUMBERS), h), "of_people": (m, p, h),
        "of_items": (m, d, h), "own_items": (m, num_items, h),
        "of_recalled": (m, d, h), "own_recalled": (m, num_items, h), "without": (m, h),
        "first": (m, h), "middle": (m, h, h), "second": (m, h),
        "last": (m, h, NUM_STARS), "stars": (m, NUM_STARS),
    }  # fmt: skip


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

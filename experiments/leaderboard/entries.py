"""What one submits: an entry's figures in every world, as JSON that is checked before it counts.

Means, intervals and places are never taken from a file; they are calculated from the worlds.
"""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from experiments.leaderboard.rules import VERSION, Rules

FORMAT = "personarec-leaderboard"
FORM = 2  # of the file; since 2 a tau may be null, before it a world without an order had 0
OURS = "personarec"  # the author of what every board holds; nobody else's
_SAME = 1e-6  # anchors of one world, whoever calculated them
_MOST_BYTES = 10_000_000

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f|]+$")]
Line = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f]*$")]


class SubmissionError(ValueError):
    """A file that cannot stand on the board."""


class Strict(BaseModel):
    """No field more, none less, no number that is none."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class PolicyWorld(Strict):
    """What a policy earned in one world."""

    world: int
    stars: float = Field(ge=1, le=5)  # true mean stars of what its users were shown


class UsersWorld(Strict):
    """How well users of one world judged the panel."""

    world: int
    tau: float | None = Field(ge=-1, le=1)  # None = all policies alike: there is no order
    rmse: float = Field(ge=0, le=4)  # of expected stars


class Anchor(Strict):
    """What everybody who meets this world gets alike: it shows that it is the same world."""

    world: int
    random: float = Field(ge=1, le=5)
    oracle: float = Field(ge=1, le=5)


class Entry(Strict):
    """One policy or one user model in all worlds."""

    kind: Literal["policy", "users"]
    name: Name
    author: Name
    code: Line = ""  # where it can be found
    settings: dict[str, Any] = {}
    policy: list[PolicyWorld] = []
    users: list[UsersWorld] = []

    def worlds(self) -> list[int]:
        """Seeds of the worlds that it has figures of, in its order."""
        return [one.world for one in (self.policy if self.kind == "policy" else self.users)]


class Submission(Strict):
    """A file."""

    format: Literal["personarec-leaderboard"]
    form: Literal[1, 2] = 1
    version: int
    rules: dict[str, str | int]
    anchors: list[Anchor]
    entries: list[Entry] = Field(min_length=1)


def read_submissions(
    places: Iterable[str], rules: Rules, anchors: Sequence[Anchor]
) -> list[tuple[str, Entry]]:
    """The entries of files, and of the ``.json`` files of folders, each with the file's name.

    Raises:
        SubmissionError: a file is missing, no JSON, of another form, version, rules or worlds, or
            two entries of one author and kind have one name.
    """
    found: list[tuple[str, Entry]] = []
    for path in _files(places):
        found += [(path.name, entry) for entry in _read(path, rules, anchors).entries]
    seen: dict[tuple[str, str, str], str] = {}
    for name, entry in found:
        key = (entry.kind, entry.author, entry.name)
        if key in seen:
            raise SubmissionError(
                f"{name} wanted names of its own for its entries, got {entry.name!r} by"
                f" {entry.author!r} again, which {seen[key]} has; rename one or leave a file out"
            )
        seen[key] = name
    return found


def _files(places: Iterable[str]) -> list[Path]:
    files: list[Path] = []
    for place in map(Path, places):
        inside = sorted(place.glob("*.json")) if place.is_dir() else [place]
        if not inside or not inside[0].is_file():
            raise SubmissionError(
                f"experiment.submissions wanted files or folders with .json files, got"
                f" {place.name or place}; check the place"
            )
        files += inside
    return files


def _read(path: Path, rules: Rules, anchors: Sequence[Anchor]) -> Submission:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"more than {_MOST_BYTES:,} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
        found = Submission.model_validate(content)
    except ValidationError as error:
        raise SubmissionError(_in_words(path.name, error)) from error
    except (ValueError, RecursionError) as error:
        raise SubmissionError(
            f"{path.name} wanted JSON as entries.json of a run, got {error}; send that file as it"
            " is"
        ) from error
    _check_rules(path.name, found, rules)
    _check_anchors(path.name, found.anchors, anchors)
    for entry in found.entries:
        _check_worlds(path.name, entry, rules)
        if entry.author == OURS:
            raise SubmissionError(
                f"{path.name} wanted an author of its own for {entry.name!r}, got {OURS!r}; run it"
                " with experiment.author=NAME"
            )
    return found


def _in_words(name: str, error: ValidationError) -> str:
    first, *more = error.errors(include_url=False)
    place = ".".join(str(part) for part in first["loc"]) or "the file"
    others = f" and {len(more)} other faults" if more else ""
    return (
        f"{name} wanted another value at {place}: {first['msg']}, got {str(first['input'])[:60]!r}"
        f"{others}; send entries.json of a run as it is"
    )


def _check_rules(name: str, found: Submission, rules: Rules) -> None:
    if found.version != VERSION:
        raise SubmissionError(
            f"{name} wanted version {VERSION} of the board, got {found.version}; numbers of two"
            " versions cannot be compared: run experiment=leaderboard of this version"
        )
    wanted = rules.said()
    apart = sorted(
        k for k in wanted.keys() | found.rules.keys() if wanted.get(k) != found.rules.get(k)
    )
    if apart:
        key = apart[0]
        raise SubmissionError(
            f"{name} wanted the rules of this board, {key}={wanted.get(key)}, got"
            f" {found.rules.get(key)}; run experiment=leaderboard"
            f" experiment.edition={rules.edition} without other options of the rules"
        )


def _check_anchors(name: str, came: Sequence[Anchor], anchors: Sequence[Anchor]) -> None:
    mine = {one.world: one for one in anchors}
    theirs = {one.world: one for one in came}
    if len(came) != len(theirs) or mine.keys() != theirs.keys():
        raise SubmissionError(
            f"{name} wanted anchors of the {len(mine)} worlds of this edition, each once, got"
            f" {len(came)} of others or of some only; send entries.json of a run as it is"
        )
    for seed, one in mine.items():
        for what in ("random", "oracle"):
            wanted, got = getattr(one, what), getattr(theirs[seed], what)
            if not math.isclose(wanted, got, abs_tol=_SAME):
                raise SubmissionError(
                    f"{name} wanted {what} slates of world {seed} to be worth {wanted:.6f} as here,"
                    f" got {got:.6f}: these are other worlds; run it on this release of personarec"
                )


def _check_worlds(name: str, entry: Entry, rules: Rules) -> None:
    other = entry.users if entry.kind == "policy" else entry.policy
    if sorted(entry.worlds()) != sorted(rules.seeds()) or other:
        raise SubmissionError(
            f"{name} wanted {entry.name!r} to have figures of all {rules.worlds} worlds of its kind"
            f" ({entry.kind}), each once, got {len(entry.worlds())}; send entries.json as it is"
        )

"""Users whose profiles and memories lie on disk: who is asked is woken, and put back wiser.

Whoever is woken answers as ``PersonaUsers`` do, so that answers are those of people who are all in
memory (a law). It knows no model and no file format.
"""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from agents.crowd.head import check_head, write_head
from agents.crowd.shelf import Shelf, shelf_writer
from agents.crowd.tables import (
    DECISIONS,
    Decisions,
    columns_of,
    decisions_table,
    people_schema,
    people_table,
    personas_of,
)
from agents.inference.engine import Engine
from agents.memory.base import MakeMemory, TableMemory
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from simenv.events import Feedback, FloatArray, IntArray, InteractionLog, SeedArray, Slates
from simenv.snapshots import check_shapes, pack_arrays, unpack_arrays
from simenv.users.behaviour import Behaviour
from simenv.whole_files import replaced_folder

_PEOPLE, _DECISIONS = "people.arrow", "decisions.arrow"


def write_crowd(folder: str | Path, parts: Iterable[Population]) -> None:
    """Write people into a folder for ``CrowdUsers``; user ids run on through the parts.

    Args:
        folder: of the crowd; it is whole or absent, and replaces what was there.
        parts: populations over one catalogue, made as they are wanted: one is held at a time.

    Raises:
        ValueError: a part's people go by what people like them gave (peers), or are wary of what
            they would never pick; neither is kept.
    """
    with replaced_folder(Path(folder)) as building:
        people = decisions = catalog = None
        for part in parts:
            if part.peers is not None and part.style.peers:
                raise ValueError(
                    f"a crowd wanted people without peers, got {part.name!r}, whose prompts show"
                    " what people alike gave; build it with peers=False"
                )
            if part.wariness is not None:
                raise ValueError(
                    f"a crowd wanted people who are not wary, got {part.name!r}; build it with"
                    " wariness=None"
                )
            genres, catalog = part.catalog.genre_names, part.catalog
            if people is None or decisions is None:
                people = shelf_writer(building / _PEOPLE, people_schema(genres))
                decisions = shelf_writer(building / _DECISIONS, DECISIONS)
            people.send(people_table(part.personas, genres))
            decisions.send(decisions_table(_decisions_of(part)))
        if people is None or decisions is None or catalog is None:
            raise ValueError("write_crowd wanted at least one population, got none")
        people.close()
        decisions.close()
        write_head(building, catalog, (_PEOPLE, _DECISIONS))


def crowd_on_disk(people: Population, folder: str | Path, engine: Engine) -> "CrowdUsers":
    """These people, written into a folder and woken from there; memory lets go of them.

    What they learn goes with the object.

    Raises:
        ValueError: the folder holds something else than a crowd, or the people have peers.
    """
    root = Path(folder)
    if root.exists() and any(root.iterdir()) and not (root / _PEOPLE).exists():
        raise ValueError(
            f"{str(root)!r} wanted an empty folder, or one of a crowd to be replaced, got other"
            " files; name another folder"
        )
    write_crowd(root, [people])
    none = np.zeros(len(people.history), dtype=np.bool_)
    nobody = replace(people.history.take(none), num_users=1)
    frame = replace(people, personas=people.personas[:1], history=nobody, reasons=[], peers=None)
    return CrowdUsers(frame, root, engine)


def _decisions_of(part: Population) -> list[Decisions]:
    found: list[Decisions] = [[] for _ in part.personas]
    log = part.history
    columns = log.users.tolist(), log.items.tolist(), log.ratings.tolist()
    for user, item, rating, reason in zip(*columns, part.reasons, strict=True):
        found[user].append((item, rating, reason))
    return found


@dataclass
class CrowdUsers:
    """A ``UserModel`` of people on disk.

    Args:
        frame: catalogue, averages, vectors, style and model; its own people do not matter.
        folder: that ``write_crowd`` wrote; not changed.
        engine: answers; closed by whoever made it.
        changes: folder of what these people learn. One that holds changes is gone on with; None =
            a folder of its own, gone with this object.
        make_memory: of those who are awake.
        behaviour: see ``PersonaUsers``.

    Raises:
        FileNotFoundError: there is no crowd in the folder.
        ValueError: its people are not of this catalogue.
    """

    frame: Population
    folder: str | Path
    engine: Engine
    changes: str | Path | None = None
    make_memory: MakeMemory = TableMemory
    behaviour: Behaviour = field(default_factory=Behaviour)

    def __post_init__(self) -> None:
        if self.changes is None:
            self._own = tempfile.TemporaryDirectory(prefix="crowd-")
            self.changes = self._own.name
        root, changes = Path(self.folder), Path(self.changes)
        check_head(root, self.frame.catalog, (_PEOPLE, _DECISIONS))
        self._genres = self.frame.catalog.genre_names
        self._people = Shelf(root / _PEOPLE, changes / "people")
        self._decisions = Shelf(root / _DECISIONS, changes / "decisions")
        if self._people.schema != people_schema(self._genres):
            raise ValueError(
                f"the crowd in {root.name!r} wanted a catalogue of as many genres as its own, got"
                f" {len(self._genres)}; give the population that it was written from"
            )
        found, wanted = self._decisions, self._people.num_rows
        if found.schema != DECISIONS or found.num_rows != wanted:
            raise ValueError(
                f"{_DECISIONS} wanted the decisions of {wanted} people, a row each, got"
                f" {found.num_rows} rows of {found.schema.names}; write the crowd anew"
            )
        self.num_users = self._people.num_rows
        self._satisfaction = np.full(self.num_users, self.behaviour.content_level)
        self._awake: tuple[IntArray, PersonaUsers] | None = None

    @property
    def num_bytes(self) -> int:
        """On disk: profiles, decisions and what was learnt."""
        return self._people.num_bytes + self._decisions.num_bytes

    def decisions(self, user: int) -> Decisions:
        """A user's decisions in order."""
        _, items, ratings, reasons = columns_of(self._decisions.take(np.array([user])))
        return list(zip(items.tolist(), ratings.tolist(), reasons, strict=True))

    def reset(self) -> None:
        """What was learnt since this object was made is forgotten."""
        self._decisions.reset()
        self._satisfaction[:] = self.behaviour.content_level
        self._awake = None

    def start_session(self, users: IntArray) -> None:
        """See ``PersonaUsers.start_session``."""
        self._satisfaction[users] = self.behaviour.content_level

    def probabilities(self, users: IntArray, items: IntArray, chosen: bool = False) -> FloatArray:
        """See ``PersonaUsers.probabilities``."""
        awake, own = self._woken(users)
        return awake.probabilities(own, items, chosen)

    def respond(self, users: IntArray, slates: Slates, seeds: SeedArray) -> Feedback:
        """See ``UserModel.respond``."""
        awake, own = self._woken(users)
        return awake.respond(own, slates, seeds)

    def remember(self, users: IntArray, slates: Slates, feedback: Feedback) -> None:
        """See ``UserModel.remember``; on disk when it returns."""
        users = np.asarray(users)
        awake, own = self._woken(users)
        awake.remember(own, slates, feedback)
        self._satisfaction[users] = awake.satisfaction(own)
        learnt = np.unique(own[feedback.taken.any(axis=1)])
        rows = [awake.memory.decisions(user) for user in learnt.tolist()]
        self._decisions.put(np.unique(users)[learnt], decisions_table(rows))

    def snapshot(self) -> bytes:
        """Moods, and the decisions of all who made one since this object was made."""
        changed = self._decisions.changed()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, DECISIONS) as stream:
            stream.write(self._decisions.take(changed))
        table = np.frombuffer(sink.getvalue(), dtype=np.uint8)
        return pack_arrays(
            {"satisfaction": self._satisfaction, "changed": changed, "decisions": table}
        )

    def restore(self, snapshot: bytes) -> None:
        """Bring back what ``snapshot`` returned, of a crowd on the same folder.

        Raises:
            ValueError: it was taken from another number of people.
        """
        arrays = unpack_arrays(snapshot)
        check_shapes(arrays, {"satisfaction": self._satisfaction})
        with pa.ipc.open_stream(pa.py_buffer(arrays["decisions"].tobytes())) as stream:
            table = stream.read_all()
        self.reset()
        self._decisions.put(arrays["changed"].astype(np.int64), table)
        self._satisfaction = arrays["satisfaction"].astype(np.float64)

    def _woken(self, users: IntArray) -> tuple[PersonaUsers, IntArray]:
        """Those who are asked, as they are now, and who of them the rows (n,) are.

        Those who were asked last stay awake: a slate is answered, then remembered.
        """
        who, own = np.unique(np.asarray(users), return_inverse=True)
        if self._awake is None or not np.array_equal(self._awake[0], who):
            self._awake = None  # before others are read: only one group is in memory
            self._awake = who, self._read(who)
        people = self._awake[1]
        people.feel(np.arange(len(who)), self._satisfaction[who])
        return people, own

    def _read(self, who: IntArray) -> PersonaUsers:
        owners, items, ratings, reasons = columns_of(self._decisions.take(who))
        size = self.frame.history.num_items
        log = InteractionLog(owners, items, ratings, np.zeros(len(items)), len(who), size)
        people = replace(
            self.frame,
            personas=personas_of(self._people.take(who), self._genres),
            history=log,
            reasons=reasons,
            peers=None,
            traits=(),
        )
        return PersonaUsers(people, self.engine, self.make_memory, self.behaviour)

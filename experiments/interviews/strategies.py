"""Who is asked under each strategy: unconditioned, with a personality, with a role beside it."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from agents.interviews.asking import Interviewee
from agents.interviews.conditioning import (
    LEVELS,
    NUM_ROLES,
    factor_context,
    roles_of,
    type_context,
    type_names,
)
from agents.interviews.instruments import FACTORS, Instrument
from simenv.events import IntArray

_Found = TypeVar("_Found", bound=np.ndarray[Any, Any])


class Target(NamedTuple):
    """A personality that is imposed."""

    name: str  # a type or a factor
    level: int = 2  # of a factor

    @property
    def label(self) -> str:
        """For tables: ``INTJ``, or ``E very high``."""
        return self.name if len(self.name) > 1 else f"{self.name} {LEVELS[self.level][:-3]}"


class Cast(NamedTuple):
    """Everybody who is asked one instrument, and where each strategy's people stand."""

    people: tuple[Interviewee, ...]  # the first is unconditioned
    targets: tuple[Target, ...]
    personality: IntArray  # (targets,) places in ``people``
    role: IntArray  # (targets with roles, 3) places
    with_role: IntArray  # (targets with roles,) places in ``targets``


def cast(instrument: Instrument, levels: Sequence[int]) -> Cast:
    """The people of both strategies for an instrument's personalities.

    A role of the table suits a factor's high pole, so lower levels have none.
    """
    targets = _targets(instrument, levels)
    people = [Interviewee("unconditioned")]
    people += [Interviewee(t.label, _context(t)) for t in targets]
    with_role = [i for i, t in enumerate(targets) if t.level > 0]
    for i in with_role:
        own = targets[i]
        people += [Interviewee(f"{own.label}, {r}", _context(own, r)) for r in roles_of(own.name)]
    first = 1 + len(targets)
    roles = np.arange(first, len(people), dtype=np.int64).reshape(-1, NUM_ROLES)
    places = np.arange(1, first, dtype=np.int64)
    return Cast(tuple(people), targets, places, roles, np.array(with_role, dtype=np.int64))


def _targets(instrument: Instrument, levels: Sequence[int]) -> tuple[Target, ...]:
    """All sixteen types, or every factor that the instrument measures at every level."""
    if instrument.scoring == "types":
        return tuple(Target(name) for name in type_names())
    known = [trait.name for trait in instrument.traits if trait.name in FACTORS]
    return tuple(Target(name, level) for level in levels for name in known)


def _context(target: Target, role: str | None = None) -> str:
    if target.name in FACTORS:
        return factor_context(target.name, target.level, role)
    return type_context(target.name, role)


def with_one_role_a_run(found: _Found, roles: IntArray) -> _Found:
    """(r, targets, ...) results of the roles' people: repetition i speaks as role i mod 3.

    Args:
        found: (r, n, ...) of all people.
        roles: (targets, 3) places.
    """
    runs = np.arange(len(found))
    picked: _Found = found[runs[:, None], roles[:, runs % roles.shape[1]].T]
    return picked

"""Kinds of values that many options share, under a name each."""

from experiments.command_line.kinds import (
    Choice,
    Either,
    Kind,
    ListOf,
    Matching,
    Real,
    Text,
    Whole,
)

MANY = 1_000_000_000
SEED = Whole(0, 2**63 - 1)
COUNT = Whole(1, MANY)
COUNT_OR_NONE = Whole(0, MANY)
SHARE = Real(0.0, 1.0)
STARS = Real(1.0, 5.0)
NAME = Text("a name")
PLACE = Text("a path")
AMOUNT = Real(0.0, 1e12)
POSITIVE = Real(0.0, 1e12, above=True)
NUMBER = Real(None, None)
DEVICE = Matching(r"auto|cpu|mps|cuda(:\d+)?", "auto, cpu, cuda, cuda:N or mps")
AUTO = Choice(("auto",))


def or_null(*kinds: Kind) -> Either:
    """Any of ``kinds``, or null."""
    return Either(kinds, null=True)


def list_or_one(kind: Kind) -> Either:
    """A list of ``kind``, or one alone."""
    return Either((ListOf(kind), kind))

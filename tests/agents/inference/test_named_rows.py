"""Errors over one request name the row of whoever asked, however often a call is parted."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from agents.inference.engine import Request
from agents.inference.halves import TooLargeAloneError
from agents.inference.named_rows import LongPromptError, NoNumberError, RequestError, rows_of_caller
from agents.inference.ray.ray_engine import RayEngine
from agents.inference.ray.worker import Reply
from agents.inference.scripted import ScriptedEngine
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.inference.wrapped.replay import UnknownRequestError

ERRORS = (
    LongPromptError(1, "request {row} has 9 tokens, prefix '{row}'"),
    NoNumberError(1, "no number for request {row}"),
    TooLargeAloneError(1, MemoryError("no room")),
    UnknownRequestError(1, (None, "p", "s", "score"), Path("kept.gz")),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_takes_another_row_and_stays_what_it_is(error):
    moved = error.for_row(7)
    assert type(moved) is type(error)
    assert moved.row == 7
    assert str(moved) == str(error).replace("request 1", "request 7", 1)
    again = pickle.loads(pickle.dumps(moved))
    assert (type(again), again.row, str(again)) == (type(error), 7, str(moved))
    with pytest.raises(RequestError, match="request 40") as raised, rows_of_caller([30, 40]):
        raise error
    assert raised.value.row == 40


class Long(ScriptedEngine):
    """Has no room for a request that says so."""

    def score(self, requests, choices):
        for row, request in enumerate(requests):
            if request.suffix == "long":
                raise LongPromptError(row, "request {row} has 9 tokens")
        return super().score(requests, choices)


def test_a_cache_names_the_row_of_its_caller():
    engine = CachedEngine(Long(), "told")
    known = [Request("p", f"AVERAGE {n}.0") for n in range(3)]
    engine.score(known, (" 1", " 2"))
    with pytest.raises(LongPromptError, match="request 3 has"):
        engine.score([*known, Request("p", "long")], (" 1", " 2"))


def test_workers_name_the_row_of_their_caller():
    engine = RayEngine.__new__(RayEngine)  # without workers: what came back is given
    parts = {0: np.array([0, 2]), 1: np.array([1, 3])}
    replies = {0: Reply(np.zeros((2, 1))), 1: Reply(None, ERRORS[0])}
    with pytest.raises(LongPromptError, match="request 3 has 9 tokens, prefix"):
        engine._raise_failures(parts, replies, np.zeros((4, 1)))

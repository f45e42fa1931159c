"""What every ``Engine`` must keep; run over each implementation.

def test_a_server_keeps_the_contract():
    check_engine(engine, requests)
"""

from collections.abc import Sequence

import numpy as np

from agents.inference.engine import Engine, Request

CHOICES = (" 1", " 2", " 3", " 4", " 5")


def check_engine(engine: Engine, requests: Sequence[Request], *, atol: float = 0.0) -> None:
    """All of the contract; ``atol`` is what floating point may do in another batch."""
    check_scores_are_distributions(engine, requests)
    check_answers_repeat(engine, requests, atol=atol)
    check_the_callers_order_is_kept(engine, requests, atol=atol)
    check_batch_invariance(engine, requests, atol=atol)
    check_an_empty_call_is_no_fault(engine)


def check_scores_are_distributions(engine: Engine, requests: Sequence[Request]) -> None:
    scores = engine.score(requests, CHOICES)
    assert scores.shape == (len(requests), len(CHOICES))
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, atol=1e-9)


def check_answers_repeat(engine: Engine, requests: Sequence[Request], *, atol: float) -> None:
    first = engine.score(requests, CHOICES)
    _assert_close(engine.score(requests, CHOICES), first, atol)


def check_the_callers_order_is_kept(
    engine: Engine, requests: Sequence[Request], *, atol: float
) -> None:
    expected = engine.score(requests, CHOICES)
    order = np.random.default_rng(0).permutation(len(requests))
    _assert_close(engine.score([requests[i] for i in order], CHOICES), expected[order], atol)


def check_batch_invariance(engine: Engine, requests: Sequence[Request], *, atol: float) -> None:
    """The same alone, twice in a batch, and among all."""
    expected = engine.score(requests, CHOICES)
    for row in range(0, len(requests), 3):
        alone = engine.score([requests[row]], CHOICES)
        _assert_close(alone[0], expected[row], atol)
        twice = engine.score([requests[row], requests[row]], CHOICES)
        _assert_close(twice, expected[[row, row]], atol)


def check_an_empty_call_is_no_fault(engine: Engine) -> None:
    assert engine.score([], CHOICES).shape == (0, len(CHOICES))


def _assert_close(found: np.ndarray, expected: np.ndarray, atol: float) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)

"""An engine lets go of an adapter and of all that was computed with it."""

import numpy as np
import pytest

from agents.inference.engine import Request, UnknownAdapterError
from agents.inference.local.local_engine import LocalEngine
from agents.prompts import RATING_CHOICES


def asked(*adapters):
    return [Request("I like war films.\n", "FILM: Heat.\nRATING:", name) for name in adapters]


@pytest.mark.parametrize("fast", ["auto", False])
def test_a_name_that_is_loaded_anew_answers_with_the_new_weights_alone(
    pocket_folder, adapter_folders, fast
):
    names = ("ann", "bob", None)
    engine = LocalEngine(pocket_folder, adapter_folders, fast=fast)
    ann, bob, base = engine.score(asked(*names), RATING_CHOICES)
    engine.unload_adapter("ann")
    assert engine.adapters == ("bob",)
    np.testing.assert_array_equal(engine.score(asked("bob"), RATING_CHOICES)[0], bob)
    engine.load_adapter("ann", adapter_folders["bob"])
    changed, same, still = engine.score(asked(*names), RATING_CHOICES)
    assert np.abs(changed - ann).max() > 1e-3, "the old states and weights are gone"
    np.testing.assert_allclose(changed, bob, rtol=0, atol=1e-6)
    np.testing.assert_array_equal([same, still], [bob, base])


@pytest.mark.parametrize("fast", ["auto", False])
def test_without_its_last_adapter_the_base_answers_as_before(pocket_folder, adapter_folders, fast):
    engine = LocalEngine(pocket_folder, {"ann": adapter_folders["ann"]}, fast=fast)
    before = engine.score(asked("ann", None), RATING_CHOICES)
    num_bytes = engine.cache_stats.num_bytes
    engine.unload_adapter("ann")
    assert engine.cache_stats.num_bytes == num_bytes / 2, "one of the two prefixes is kept"
    np.testing.assert_array_equal(engine.score(asked(None), RATING_CHOICES)[0], before[1])
    with pytest.raises(UnknownAdapterError, match="no adapter 'ann' is loaded"):
        engine.score(asked("ann"), RATING_CHOICES)
    with pytest.raises(UnknownAdapterError, match="no adapter 'ann' is loaded"):
        engine.unload_adapter("ann")
    engine.load_adapter("ann", adapter_folders["ann"])
    np.testing.assert_allclose(
        engine.score(asked("ann"), RATING_CHOICES)[0], before[0], rtol=0, atol=1e-6
    )

"""Names of mixtures: written, read again, and refused where nobody could mix them."""

import pytest

from agents.inference.facets.mixtures import (
    adapter_of,
    mixture_name,
    read_mixture,
    refuse_mixture,
)


def test_a_name_says_the_adapter_and_the_gate():
    assert mixture_name("facets", (0.75, 0.25)) == "facets:0.750000,0.250000"
    assert read_mixture("facets:0.750000,0.250000") == ("facets", (0.75, 0.25))
    assert adapter_of("facets:0.75,0.25") == "facets"


def test_an_ordinary_adapter_and_none_are_their_own_names():
    assert mixture_name("persona-1", ()) == "persona-1"
    assert mixture_name(None, (0.5, 0.5)) is None
    assert read_mixture("persona-1") == ("persona-1", ())
    assert read_mixture(None) == (None, ())


def test_a_gate_of_many_facets_still_sums_to_one_when_it_is_read():
    gate = (1 / 7,) * 7
    assert read_mixture(mixture_name("facets", gate)).gate == pytest.approx(gate, abs=1e-6)


@pytest.mark.parametrize("gate", [(0.5, 0.6), (1.5, -0.5), (float("nan"), 1.0), (0.0, 0.0)])
def test_what_is_no_gate_is_refused(gate):
    with pytest.raises(ValueError, match="wanted a gate of weights >= 0 that sum to 1, got"):
        mixture_name("facets", gate)


def test_a_server_is_asked_for_no_mixture():
    refuse_mixture("persona-1")
    with pytest.raises(ValueError, match="servers mix no facets; use engine=local"):
        refuse_mixture("facets:0.5,0.5")

"""Parts of work: whose error it was, and one after the other."""

import pytest

from agents.inference.ray.tasks import Outcome
from training.spreading import IN_THIS_PROCESS, named, naming, one_by_one, values_of


def test_parts_that_are_done_here_come_in_the_order_given():
    begun = []
    parts = {"b": lambda: 2, "a": lambda: 1}
    assert list(values_of(one_by_one(parts, begun.append))) == [("b", 2), ("a", 1)]
    assert begun == ["b", "a"]


def test_the_first_error_ends_the_work_and_is_said_to_be_of_its_part():
    def parts():
        yield Outcome("users 1, 2", "fine")
        yield Outcome("users 3, 4", error=OSError("no weights"))
        raise AssertionError("the rest is not waited for")

    found = []
    with pytest.raises(OSError, match=r"^users 3, 4: no weights$"):
        found.extend(values_of(parts()))


@pytest.mark.parametrize("error", [KeyError("layer"), FileNotFoundError(2, "gone")])
def test_an_error_with_no_text_of_its_own_keeps_its_form_and_gets_a_note(error):
    before = str(error)
    assert str(named(error, "adapter a")) == before
    assert error.__notes__ == ["of adapter a"]


def test_an_error_here_is_named_as_one_elsewhere():
    with pytest.raises(ValueError, match=r"^adapter a: no rows$"), naming("adapter a"):
        raise ValueError("no rows")


def test_this_process_is_no_worker_and_may_be_entered_again():
    for _ in range(2):
        with IN_THIS_PROCESS as spread:
            assert spread is None

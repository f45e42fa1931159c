import numpy as np
import pytest

from agents.embedding import HashingEmbedder
from agents.inference.engine import Completion
from agents.interviews.awareness import awareness
from agents.interviews.conditioning import reference, type_names
from agents.interviews.instruments import FACTORS, InstrumentError
from tests.agents.interviews.known_people import KnownPeople, likes


class Psychologist(KnownPeople):
    """Knows every type but INTJ, of which it says what ESFP is."""

    def generate(self, requests, sampling):
        names = [next(n for n in type_names() if n in r.suffix) for r in requests]
        return [Completion(reference("ESFP" if n == "INTJ" else n), 50) for n in names]


def test_who_knows_the_types_is_nearest_to_the_right_reference():
    found = awareness(Psychologist(likes()), ["INTJ", "ESFP", "ISTP"], HashingEmbedder())
    assert found.ranks.tolist()[1:] == [1, 1]
    assert found.ranks[0] > 1
    assert found.top1 == pytest.approx(2 / 3)
    own = np.diag(found.similarity)
    assert own.tolist()[1:] == pytest.approx([1, 1], abs=1e-6)
    others = (found.similarity.sum(axis=1) - own) / 2
    assert found.margin == pytest.approx(np.mean(own - others))


def test_an_empty_answer_is_not_the_nearest_to_anything():
    class Silent(KnownPeople):
        def generate(self, requests, sampling):
            return [Completion("", 0) for _ in requests]

    found = awareness(Silent(likes()), list(FACTORS), HashingEmbedder())
    assert found.top1 == 0
    assert found.ranks.tolist() == [5] * 5


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["INTJ"], ValueError, "two names or more to tell apart"),
        (["INTJ", "ZZZZ"], InstrumentError, "a type or a factor, got 'ZZZZ'"),
    ],
)
def test_names_that_cannot_be_compared_are_refused(names, error, message):
    with pytest.raises(error, match=message):
        awareness(KnownPeople(likes()), names, HashingEmbedder())

"""Two people argue: who meets over what, who hears what, and who keeps to their opinion."""

import numpy as np
import pytest

from tests.training.personified.conftest import lives
from training.personified.corpora import Corpora
from training.personified.judging.arguing import Dispute, argued, disputes, scored
from training.personified.retrieval import Recall

OAK = Dispute('"Oak"', ("Ann", "Bob"), (True, False))


def test_people_meet_over_the_title_on_which_they_are_furthest_apart(corpora):
    """Jaws is 5 and 1, Big 1 and 5, Heat 2 and 5: of those equally far apart the first counts."""
    assert disputes(corpora, 9) == [Dispute('"Jaws"', ("Ann", "Bob"), (True, False))]
    assert disputes(corpora, 0) == []


def only(person, *titles):
    return [p for p in lives(person) if p.fact.title in titles]


def test_without_a_title_that_both_rated_they_meet_over_a_genre_and_without_one_never():
    rows = [*only("Ann", "Alien", "Hook"), *only("Bob", "Tron", "Cars")]
    found = disputes(Corpora(tuple(rows), ("early", "late"), "movie"), 9)
    assert found == [Dispute("Comedy movies", ("Ann", "Bob"), (True, False))], "5 against 2"
    rows = [*only("Ann", "Alien", "Heat"), *only("Bob", "Tron", "Cars")]
    assert disputes(Corpora(tuple(rows), ("early", "late"), "movie"), 9) == []


def test_a_golden_dispute():
    """Ann keeps to it twice of three and ends on her side; Bob gives in and stays there."""
    said = [
        "I gave it 5 stars.", "It was dull.",
        "It was dull, I admit.", "No, it was 4 stars for me.",
        "I loved it after all.", "Great indeed.",
    ]  # fmt: skip
    found = scored([OAK], [said])
    np.testing.assert_allclose(found.kept, [2 / 3, 1 / 3])
    assert found.swayed.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("said", "kept", "swayed"),
    [
        (["3 stars.", "Hm."], [np.nan, np.nan], [np.nan, np.nan]),
        (["", "2 stars."], [np.nan, 1], [np.nan, 0]),
        (["Dull? I loved it.", "I loved it."], [1, 0], [0, 1]),
    ],
)
def test_who_takes_no_stand_is_not_counted(said, kept, swayed):
    found = scored([OAK], [said])
    np.testing.assert_array_equal(found.kept, kept)
    np.testing.assert_array_equal(found.swayed, swayed)


class Puppets:
    """A voice that says its lines and keeps what it was told before each."""

    def __init__(self, recall, *said):
        self.recall, self._said, self.heard = recall, list(said), []

    def answers(self, lines, sample=0, temperature=None):
        self.heard += lines
        return [self._said.pop(0) for _ in lines]


def test_each_hears_the_other_in_turn_at_the_last_time_of_life(corpora):
    voice = Puppets(Recall(corpora), "It is great.", "", "I love it.", "It is bad.")
    found, lines = argued(voice, [OAK], rounds=2)
    assert [(one.person, one.stage) for one in voice.heard] == [
        ("Ann", 1), ("Bob", 1), ("Ann", 1), ("Bob", 1),
    ]  # fmt: skip
    opening = voice.heard[0].said
    assert len(opening) == 1
    assert opening[0].endswith('What do you think of "Oak"?')
    assert voice.heard[1].said == ('About "Oak": It is great.',)
    assert voice.heard[2].said == (*opening, "It is great.", "…"), "silence is heard as such"
    assert voice.heard[3].said == ('About "Oak": It is great.', "…", "I love it.")
    assert lines[0][3] == ("Bob", "I love it.", "It is bad.")
    assert found.kept.tolist() == [1, 1]


def test_nobody_to_argue_is_no_measure(corpora):
    found, lines = argued(Puppets(Recall(corpora)), [])
    assert (len(found.kept), len(found.swayed), lines) == (0, 0, [])

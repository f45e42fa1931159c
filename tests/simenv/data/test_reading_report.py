"""What was read, as figures and in words: every count stands where it belongs."""

from dataclasses import replace

import pytest

from simenv.data.reading_report import DROPPED_TOO_MANY, Reading, ReadingWarning, readings

READ = Reading(
    file="log.csv",
    num_rows=3_000,
    num_kept=2_000,
    dropped={"bad rating": 999, "no item": 1},
    examples={"bad rating": ("row 3", "row 5"), "no item": ("row 7",)},
    scale=(0.0, 10.0),
    rating_range=(1.0, 9.5),
    times="seconds since 1970",
    split="the latest fifth of everybody's rows",
    num_users=50,
    num_users_used=40,
    others="; the rows of the others are known",
    num_items=1_234,
    num_items_unrated=17,
    num_items_untitled=5,
    unused_columns=("price", "colour"),
)


def test_everything_stands_in_words() -> None:
    assert READ.sentences() == [
        "log.csv: 2,000 of 3,000 rating rows were read (33.3% left out).",
        "Left out as bad rating: 999, first: row 3; row 5.",
        "Left out as no item: 1, first: row 7.",
        "Ratings: 1 to 9.5 on a scale of 0 to 10, as given; 0 became 1 star, 10 became 5."
        " A star is worth 2.5 of its points.",
        "Times: seconds since 1970.",
        "Split: the latest fifth of everybody's rows.",
        "Users: 40 of 50; the rows of the others are known.",
        "Items: 1,234, of which 17 have no rating and 5 no title.",
        "Columns that are not used: price, colour.",
    ]


def test_what_nobody_gave_or_what_is_not_there_is_said() -> None:
    bare = replace(READ, scale_given=False, times=None, ids_are_titles=True, unused_columns=())
    said = bare.sentences()
    assert "on a scale of 0 to 10, taken for granted (rating_scale is not given); 0 be" in said[3]
    assert said[4] == "Times: none."
    assert said[7] == (
        "Items: 1,234, of which 17 have no rating; their ids are taken for titles (title_column is"
        " not given)."
    )
    assert len(said) == 8


def test_the_share_left_out_is_of_all_rows() -> None:
    assert READ.dropped_share == 1_000 / 3_000
    assert replace(READ, num_kept=0).dropped_share == 1.0
    assert Reading().dropped_share == 0.0
    assert DROPPED_TOO_MANY == 0.05


def test_results_hold_json_alone() -> None:
    held = replace(READ, warnings=("much was left out",)).to_dict()
    assert held["dropped_share"] == 0.333333
    assert held["examples"] == {"bad rating": ["row 3", "row 5"], "no item": ["row 7"]}
    assert held["dropped"] == {"bad rating": 999, "no item": 1}
    assert (held["scale"], held["rating_range"]) == ([0.0, 10.0], [1.0, 9.5])
    assert (held["unused_columns"], held["warnings"]) == (
        ["price", "colour"],
        ["much was left out"],
    )
    assert held["sentences"] == READ.sentences()
    assert (held["num_rows"], held["num_kept"], held["num_users"]) == (3_000, 2_000, 50)


def test_a_reading_is_announced_and_collected_once() -> None:
    loud = replace(READ, warnings=("much was left out",))
    with readings() as found:
        for _ in range(2):
            with pytest.warns(ReadingWarning, match="^much was left out$"):
                loud.announce()
        READ.announce()
    assert found == [loud, READ]
    READ.announce()
    assert found == [loud, READ], "nothing is collected afterwards"

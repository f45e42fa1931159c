"""The linking test as a command, on a small log of one's own."""

import numpy as np
import pandas as pd
import pytest

from agents.fidelity.linking import ratings_as_numbers
from experiments.linking.run import _NUMBER
from tests.experiments.command import run_command


@pytest.fixture
def log(tmp_path):
    """120 people, each of whom picks, and loves, what is of one kind in six."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(120):
        own = user % 6 + 6 * rng.permutation(20)
        picked = rng.permutation(np.concatenate([own[:15], rng.permutation(120)[:5]]))
        picked = list(dict.fromkeys(picked.tolist()))
        rows += [(user, i, 5 if i % 6 == user % 6 else 2, p) for p, i in enumerate(picked)]
    pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"]).to_csv(
        tmp_path / "log.csv", index=False
    )
    items = [(i, f"Title {i}", f"Kind{'abcdef'[i % 6]}") for i in range(120)]
    pd.DataFrame(items, columns=["item_id", "title", "genres"]).to_csv(
        tmp_path / "items.csv", index=False
    )
    return [
        "data=custom", f"data.path={tmp_path / 'log.csv'}",
        f"data.items_path={tmp_path / 'items.csv'}", "data.title_column=title",
        "data.genres_column=genres",
    ]  # fmt: skip


SMALL = ["experiment=linking", "experiment.people=4", "experiment.num_sets=30",
         "experiment.num_resamples=50", "experiment.draws=[1,2]"]  # fmt: skip


def test_profiles_are_linked_more_often_than_shuffled_ones(tmp_path, log):
    results = run_command(tmp_path / "run", *SMALL, *log, "data.num_users=24", "data.fraction=0.4")
    top1 = results["top1"]
    assert results["chance"] == 0.25
    assert set(top1) == {
        "summed up (offline)", "summed up (offline), without numbers", "told in words",
        "told in words, without numbers", "told in words, shuffled among people",
        "no profile: all earlier ratings, in the reader's own numbers",
    }  # fmt: skip
    words = top1["told in words, without numbers"]
    assert words["ci95"][0] > top1["told in words, shuffled among people"]["mean"]
    assert len(words["by_draw"]) == 2
    ratings = top1["no profile: all earlier ratings, in the reader's own numbers"]
    assert ratings["ci95"][0] > top1["told in words, shuffled among people"]["ci95"][1]
    assert "without numbers" in (tmp_path / "run" / "table.md").read_text(encoding="utf-8")


def error_of(capsys, folder, *words):
    with pytest.raises(SystemExit):
        run_command(folder, *SMALL, *words)
    return " ".join(capsys.readouterr().err.split())


def test_without_people_outside_the_draw_nothing_can_be_learnt(tmp_path, log, capsys):
    said = error_of(capsys, tmp_path / "run", *log)
    assert "wanted people outside the draw to learn from" in said


def test_sets_larger_than_the_draw_are_refused(tmp_path, log, capsys):
    said = error_of(capsys, tmp_path / "run", *log, "data.num_users=3")
    assert "experiment.people wanted at most the 3 people of the data, got 4" in said


def test_others_with_too_few_later_ratings_are_refused_in_words_of_the_command(
    tmp_path, log, capsys
):
    said = error_of(capsys, tmp_path / "run", *log, "data.num_users=24", "data.fraction=0.9")
    assert (
        "wanted 2 people outside the draw or more with 10 later ratings each, got 0 of 96" in said
    )
    assert "lower data.fraction or data.num_users" in said


def test_only_later_ratings_are_linked(tmp_path, log, monkeypatch):
    """Profiles are of the first 40 %; whose the others are is the question."""
    asked = []

    def listening(rows, vectors):
        asked.append(rows)
        return ratings_as_numbers(rows, vectors)

    monkeypatch.setattr("experiments.linking.run.ratings_as_numbers", listening)
    words = [
        *SMALL,
        *log,
        "data.num_users=24",
        "data.fraction=0.4",
        "data.timestamp_column=timestamp",
    ]
    run_command(tmp_path / "run", *words)
    assert len(asked) == 2 * 4, "the judged and the others, later and earlier, of two draws"
    later = [rows for place, rows in enumerate(asked) if place % 4 < 2]
    earlier = [rows for place, rows in enumerate(asked) if place % 4 >= 2]
    assert all(rows.timestamps.min() >= 7 for rows in later)
    assert all(rows.timestamps.max() < 9 for rows in earlier)


def test_without_numbers_no_number_is_left_and_every_word_is():
    said = "I gave 3.3 on average, -0.2 next to others. I like the 1990s +0.4."
    assert _NUMBER.sub("", said) == "I gave  on average,  next to others. I like the 1990s "

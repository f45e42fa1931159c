"""What was read stands in results, Markdown, HTML and on the console of whatever reads a file."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from experiments.reporting.result import Record, Result
from experiments.reporting.what_was_read import with_readings
from simenv.data.reading_report import Reading
from tests.experiments.command import run_command

READING = Reading(
    file="a_b.csv", num_rows=10, num_kept=5, dropped={"malformed": 5},
    examples={"malformed": ("a_b.csv, row 3: <b>",)}, warnings=("half of <it> is gone",),
)  # fmt: skip


def text_of(result):
    return result.pages["report.md"](Record(dict(result.values), ""))


def test_a_markdown_page_opens_with_the_warning_and_ends_with_what_was_read():
    result = with_readings(Result({}, pages={"report.md": "# Title\n\nBody\n"}), [READING])
    lines = text_of(result).splitlines()
    assert lines[:5] == ["# Title", "", "> **Warning:** half of &lt;it> is gone.", "", "Body"]
    assert lines[6:9] == ["## What was read", "", "- a_b.csv: 5 of 10 rating rows were read"
                          " (50.0% left out)."]  # fmt: skip
    assert "row 3: &lt;b>" in lines[9]


def test_a_result_names_its_data_and_other_readings():
    other = Reading(file="c.csv")
    values = with_readings(Result({"dataset": "shop"}), [READING, other]).values
    assert values["dataset"]["name"] == "shop"
    assert values["dataset"]["reading"]["dropped_share"] == 0.5
    assert [r["file"] for r in values["dataset"]["other_readings"]] == ["c.csv"]
    assert with_readings(Result({"dataset": "made"}), []).values["dataset"] == {"name": "made"}
    assert with_readings(Result({"x": 1}), []).values == {"x": 1}


def test_the_console_warns_first():
    lines = with_readings(Result({}, lines=["table"]), [READING]).lines
    assert str(lines[0]) == "Warning: half of <it> is gone."
    assert str(lines[1]).startswith("a_b.csv: 5 of 10")
    assert lines[-1] == "table"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A log of which a ninth lies outside its scale, with a column that nothing reads."""
    n = np.arange(800)
    frame = pd.DataFrame(
        {
            "user_id": [f"<script>u{u}\n# " for u in n % 20], "item_id": n // 20 + n % 20,
            "<script>price": 2,
            "rating": np.where(n % 9 == 8, 11, n * 7 % 10 + 1), "when": 10**9 + n * 7_000,
        }
    )  # fmt: skip
    file = tmp_path_factory.mktemp("shop") / "shop.csv"
    frame.to_csv(file, index=False)
    return file


WORDS = {
    "policy_ranking": ["users=fitted", "recommender=[popularity]"],
    "simulate": ["users=fitted", "recommender=[popularity]"],
    "tune": ["recommender=[ease]", "~experiment.grids", "+experiment.grids={ease: {l2: [20]}}"],
}


@pytest.mark.parametrize("experiment", ["policy_ranking", "cluster", "distil", "tune", "simulate"])
def test_every_experiment_on_a_file_says_what_was_read(tmp_path, shop, experiment, capsys):
    words = WORDS.get(experiment, [])
    run_command(
        tmp_path, f"experiment={experiment}", "debug=tiny", "data=custom", f"data.path={shop}",
        "data.rating_scale=[1,10]", "data.timestamp_column=when", "data.on_bad_rows=drop", *words,
    )  # fmt: skip
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    reading = results["dataset"]["reading"]
    assert reading["num_rows"] == 800
    assert reading["dropped"] == {"rating out of range": 88}
    assert reading["unused_columns"] == ["<script>price"]
    warning = "11.0% of the rating rows of shop.csv were left out (88 of 800: 88 rating out of"
    assert reading["warnings"][0].startswith(warning)
    assert warning in " ".join(capsys.readouterr().out.split())
    for name in ("report.html", "report.md"):
        if (tmp_path / name).exists():
            page = (tmp_path / name).read_text(encoding="utf-8").replace("\\", "")
            assert warning in page
            assert "<script>u" not in page
            assert "<script>price" not in page
            assert "What was read" in page
            assert re.search(r"Columns that are not used: &lt;script(>|&gt;)price\.", page)

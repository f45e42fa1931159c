"""Opinions from files of other people."""

import json

import pytest

from training.opinion_qa.opinions import Opinion
from training.opinion_qa.reading import read_opinions

HEAD = "Target Personality,Edit Topic,Question,Answer\n"


def written(tmp_path, text, name="set.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_columns_of_the_published_set_are_read_and_the_pole_is_high(tmp_path):
    path = written(tmp_path, HEAD + 'Extraversion,Tea,What of tea?,"I love it, always."\n')
    found = read_opinions(path)
    assert found.opinions == [
        Opinion("extraversion", "high", "Tea", "What of tea?", "I love it, always.")
    ]


def test_other_names_and_a_pole_are_read_too_and_the_file_may_begin_with_a_mark(tmp_path):
    text = "\ufefftrait,pole,topic,prompt,response\nopenness,Low,Tea,Tea?,As ever.\n"
    assert read_opinions(written(tmp_path, text)).opinions[0].label == ("openness", "low")


def test_a_file_is_cleaned_as_it_is_read(tmp_path):
    row = "openness,Tea,Tea?,Oh tea\n"
    found = read_opinions(
        written(tmp_path, HEAD + row + row + "openness,Tea,Tea?,Tea \U0001f600\n")
    )
    assert (len(found.opinions), found.duplicates, found.with_emojis) == (1, 1, 1)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("trait,topic,question\n", "wanted columns for personality, topic, question and answer"),
        (HEAD + "honesty,Tea,Tea?,Yes\n", "row 2: trait wanted one of .* got 'honesty'"),
        (HEAD + "openness,Tea,Tea?,Yes\nopenness,Tea,,Yes\n", "row 3: Question wanted a text"),
        (HEAD.replace(",", ";"), "wanted commas between its cells, got semicolons"),
        (HEAD + "openness,Tea,Tea?,I love it, always.\n", "row 2: wanted 4 cells, got 5; put a"),
        (HEAD + 'openness,Tea,Tea?,"I love it\n', "wanted quotes that are closed"),
        (HEAD + "openness,Tea\n", "row 2: Question wanted a text, got nothing"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_csv_is_said_with_its_row(tmp_path, text, error):
    with pytest.raises(ValueError, match=error):
        read_opinions(written(tmp_path, text))


def test_answers_of_personality_edit_become_answers_to_our_forms(tmp_path):
    entries = [{"ent": "Tea", "extraversion": ["Wow, tea!", "Tea for all!"], "neuroticism": ["Oh"]}]
    found = read_opinions(written(tmp_path, json.dumps(entries), "edit.json")).opinions
    assert [(o.trait, o.pole, o.answer) for o in found] == [
        ("extraversion", "high", "Wow, tea!"), ("extraversion", "high", "Tea for all!"),
        ("neuroticism", "high", "Oh"),
    ]  # fmt: skip
    assert found[0].question != found[1].question
    assert "Tea" in found[0].question


def test_json_of_another_form_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"wanted a list of entries with 'ent'"):
        read_opinions(written(tmp_path, '{"a": 1}', "edit.json"))
    with pytest.raises(ValueError, match=r"entry 'Tea': trait wanted one of"):
        read_opinions(written(tmp_path, '[{"ent": "Tea", "honesty": ["x"]}]', "edit.json"))


def test_a_path_that_is_not_there_is_no_hub_set(tmp_path):
    with pytest.raises(FileNotFoundError, match="wanted a CSV or JSON file or a set on the Hub"):
        read_opinions(tmp_path / "nothing.csv")

"""Words of a command: texts arrive as they were written, and what is shown can be typed again."""

import os
import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from experiments.command_line.arguments import in_shell, texts_as_written


def read(word):
    """What Hydra makes of a word as it leaves the door."""
    (written,) = texts_as_written([word])
    return OverridesParser.create().parse_override(written)


WRITTEN = [";", "::", "|", "\t", ", ", ",", " ", "log (1).csv", "ä.csv", "a=b.csv", "it's", "a#b",
           "[x].csv", "{a}", "rating(0-10)", "5", "1e3", "true", "back\\",
           "a\\'b;\\", "'", "a b"]  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_a_text_arrives_letter_by_letter(text):
    assert read(f"data.path={text}").value() == text
    assert read(f"+data.separator={text}").value() == text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_text_arrives_or_is_what_hydra_takes_for_quotes_null_a_sweep_or_an_escape(text):
    override = read(f"data.title_column={text}")
    if override.is_sweep_override() or override.value() is None:
        return
    value = override.value()
    assert isinstance(value, str)
    assert value == text or "\\" in text or text[0] in "'\""


def test_what_hydra_reads_stays_as_it_is():
    kept = ["data.separator=';'", "data.title_column=null", "users.model=a,b", "seed=1,2", "-m",
            "data.rating_scale=[0,10]", "users.ablation=none,no_ms", "data.kind=video game",
            "recommender.mine.name=ä", "data.genres_separator="]  # fmt: skip
    assert texts_as_written(kept) == kept


def test_a_path_may_begin_at_home():
    assert read("data.path=~/log (1).csv").value() == os.path.expanduser("~/log (1).csv")
    assert read("users.population=~/people").value() == os.path.expanduser("~/people")
    assert read("data.title_column=~/x").value() == "~/x"


@pytest.mark.parametrize("word", [*WRITTEN, "data.separator=';'", "$HOME", "a\"b'c", "!x'y"])
def test_a_word_that_is_shown_can_be_typed_again(word):
    assert shlex.split(in_shell(word)) == [word]

"""Text of items is one line that shows what it holds; ordinary text comes back as it is."""

from time import perf_counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simenv.catalog import Catalog
from simenv.domains.domain_file import domain_called
from simenv.values.plain_text import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Film 3\nRATING: 5\r\n\r\nPROFILE: x", "Film 3 RATING: 5 PROFILE: x"),
        ("a \u2028 b\u2029c\x85d\x0be\x0cf\tg", "a b c d e f g"),
        ("\u202egnorw\u202c\u2066x\u2069\u200f", "gnorwx"),
        ("a\x00b\x1bc\x9bd\ufeffe\ud800f", "abcdef"),
        ("\n", ""),
        ("Amélie  (2001) 👩\u200d🚀 \u200c ", "Amélie  (2001) 👩\u200d🚀 \u200c "),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text())
def test_any_text_becomes_one_line_that_can_be_written(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert one_line(line) == line
    line.encode("utf-8")


def test_a_catalogue_keeps_its_texts_as_lines() -> None:
    catalog = Catalog(
        titles=("a\nb",), years=np.zeros(1, dtype=np.int64), genres=(("x\ny", "\x00"),),
        casts=(("Ann\r\nBob",),), summaries=("One.\n\nTwo.",),
        domain=domain_called("a\nsong"), external_ids=("a\nb",),
    )  # fmt: skip
    assert catalog.titles == ("a b",)
    assert catalog.genres == (("x y",),)
    assert catalog.casts == (("Ann Bob",),)
    assert catalog.summaries == ("One. Two.",)
    assert catalog.kind == "a song"
    assert catalog.external_ids == ("a\nb",)


def test_a_long_text_of_blanks_costs_what_it_is_long() -> None:
    """The square of its length: 130,000 blanks before a line break were a minute."""
    started = perf_counter()
    assert one_line(" " * 400_000 + "x\n") == "x"
    assert perf_counter() - started < 5

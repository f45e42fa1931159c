"""A domain is a file: words and templates, each field checked, a user's own in a few lines."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.prompt_style import PromptStyle
from agents.prompts import Recollection, item_line, memory_line
from simenv.catalog import Catalog
from simenv.catalog_file import load_items, save_items
from simenv.domains.domain import FIELDS, Domain
from simenv.domains.domain_file import domain_called, load_domain, shipped_domains
from simenv.item_averages import ItemAverages

SHOES = """\
like: product
noun: shoe
facts: [price, sole]
line: ["{headline}.", " Price {price}.", " {sole} sole."]
scale: [-10, 10]
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "shoe.yaml"
    file.write_text(text)
    return file


def shop(domain: Domain, **columns: tuple[str, ...]) -> Catalog:
    titles, genres = ("Boot", "Clog"), (("Winter",), ())
    return Catalog(titles, np.array([0, 1999]), genres, domain=domain, facts=columns)


def averages(catalog: Catalog) -> ItemAverages:
    n = len(catalog)
    return ItemAverages(np.full(n, 3.0), np.full(n, 2), np.full(n, 3.0))


def test_a_file_of_few_lines_takes_the_rest_from_the_domain_it_is_like(tmp_path: Path) -> None:
    shoe = load_domain(write(tmp_path, SHOES))
    assert (shoe.noun, shoe.one, shoe.plural) == ("shoe", "a shoe", "")  # no plural of products
    assert (shoe.done, shoe.genres) == ("bought", "categories")
    assert shoe.scale == (-10.0, 10.0)


def test_pieces_whose_field_is_empty_are_left_out(tmp_path: Path) -> None:
    catalog = shop(load_domain(write(tmp_path, SHOES)), price=("$80", ""), sole=("Thick", "Wood"))
    assert item_line(catalog, 0, PromptStyle()) == "SHOE: Boot Winter. Price $80. Thick sole.\n"
    assert item_line(catalog, 1, PromptStyle()) == "SHOE: Clog (1999). Wood sole.\n"


def test_facts_are_kept_with_the_items_and_their_domain(tmp_path: Path) -> None:
    catalog = shop(load_domain(write(tmp_path, SHOES)), price=("$80", ""), sole=("Thick", "Wood"))
    save_items(tmp_path / "items.parquet", catalog, averages(catalog))
    loaded, _ = load_items(tmp_path / "items.parquet")
    assert loaded.domain == catalog.domain
    assert loaded.facts == {"price": ("$80", ""), "sole": ("Thick", "Wood")}
    assert "Thick" in loaded.text(0)  # words help to find what is alike, prices do not
    assert "$80" not in loaded.text(0)


def test_a_fact_of_another_length_than_the_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="fact 'price' must have one entry a title: wanted 2, got"):
        shop(domain_called("product"), price=("1",))


def test_a_text_that_is_the_item_is_told_whole_and_ends_as_it_ends() -> None:
    text = "Why did the hen cross the road? " * 20 + "To get away!"
    bare = Catalog((text,), np.array([0]), ((),), domain=domain_called("joke"))
    assert item_line(bare, 0, PromptStyle()) == f'JOKE: "{text}"\n'
    told = memory_line(bare, averages(bare), Recollection(0, 4.0, "good"))
    assert told == f'MEMORY: "{text}", others 3.0. I gave 4: good.\n'
    untitled = replace(bare, titles=("",), summaries=(text,))
    for words in (0, 30):
        assert item_line(untitled, 0, PromptStyle(summary_words=words)) == f'JOKE: "{text}"\n'


def test_other_nouns_have_the_words_of_any_item() -> None:
    assert domain_called("opera").one == "an opera"
    assert domain_called("opera").verb == domain_called("item").verb == "browse"


@pytest.mark.parametrize("name", shipped_domains())
def test_every_shipped_domain_is_whole_and_called_by_its_noun(name: str) -> None:
    domain = load_domain(name)
    assert domain.noun == name
    assert tuple(domain.to_dict()) == FIELDS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nuon: shoe", "shoe.yaml: field 'nuon' is unknown; perhaps 'noun' is meant; the fields"),
        ("noun: no", r"field 'noun' wanted a text \(in quotes .* got 'False'; correct it"),
        ('noun: ""', "field 'noun' wanted a text"),
        ("verb: 'go: now'", "field 'verb' wanted words without a colon, at most 300 characters"),
        ("anchors: [bad, good]", "field 'anchors' wanted 5 texts, in their order, got"),
        ("anchors: bad", "field 'anchors' wanted a list, got 'bad'"),
        ("activity: [a, b]", "field 'activity' wanted 3 texts"),
        ("scale: [5, 1]", r"field 'scale' wanted \[lowest, highest\] rating, or null, got"),
        ("scale: [0, .nan]", r"field 'scale' wanted \[lowest, highest\] rating"),
        ("scale: 5", r"field 'scale' wanted \[lowest, highest\] rating"),
        ("longest: 3", "field 'longest' wanted a whole number from 20 to 4000, got '3'"),
        ("facts: [price, price]", "field 'facts' wanted distinct names"),
        ("facts: [title]", "field 'facts' wanted names beside title.* got 'title'"),
        (
            "headline: ['{titles}']",
            "wanted names among title.*perhaps 'title' is meant; columns of",
        ),
        ("headline: ['{summary}']", "field 'headline' wanted names among title, year, genres, got"),
        ("line: ['{headline']", "field 'line' wanted names in braces such as {title}, got"),
        ("line: ['{title.__class__}']", "field 'line' wanted names in braces"),
        ("line: []", "field 'line' wanted a list of pieces"),
        ('line: ["{title}\\nRATING: 5"]', "field 'line' wanted texts on one line"),
        ("people: 'by {who}'", "field 'people' wanted names among people, got {who}"),
        ("like: shop", "field 'like' wanted one of book, .* got 'shop'; name a shipped domain"),
        ("like: [a]", "field 'like' wanted one of book"),
        ("- noun", "shoe.yaml wanted a field a line, such as 'noun: shoe', got"),
        ("verb: &a go\nagain: *a", "wanted plain fields, got an alias"),
        (f"noun: {'x' * 100_000}", "wanted at most 100000 bytes; shorten it"),
        ("noun: [", "shoe.yaml is no YAML .* correct it"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_by_field(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        load_domain(write(tmp_path, text))


def test_a_domain_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"one of book, .*got 'books'; perhaps 'book' is meant"):
        load_domain("books")
    with pytest.raises(FileNotFoundError, match=r"found none at .*mine\.yaml"):
        load_domain(tmp_path / "mine.yaml")

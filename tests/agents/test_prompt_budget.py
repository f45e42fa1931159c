"""Prompts keep within their tokens by whole sentences."""

from dataclasses import replace

import numpy as np
import pytest

from agents.assembly import persona_users
from agents.population.population import POCKET, Population
from agents.prompt_budget import (
    Budget,
    budget_of,
    context_of,
    cut_words,
    estimated_tokens,
    sentences,
    token_counter,
)
from agents.prompt_style import PromptStyle
from agents.prompts import item_line, persona_prefix
from simenv.domains.domain_file import domain_called
from simenv.events import Feedback, Slates

MODEL = str(POCKET / "model")
LONG = " ".join(f'I loved "Film no. {i}" and its people of the house.' for i in range(150))


def words_in(text: str) -> int:
    return len(text.split())


@pytest.fixture
def told(population) -> Population:
    personas = [replace(p, profile=LONG) for p in population.personas]
    style = PromptStyle(told="words", summary_words=60, cast=15)
    return replace(population, personas=personas, style=style)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ('I loved "Dr. No". I left.', ['I loved "Dr. No".', "I left."]),
        ('"Stop. Go" is fine. Yes.', ['"Stop. Go" is fine.', "Yes."]),
        ("Samuel L. Jackson met Dr. Who. End", ["Samuel L. Jackson met Dr. Who.", "End"]),
        ("It cost 3.5 stars. It did", ["It cost 3.5 stars.", "It did"]),
        ("", []),
    ],
)
def test_sentences_end_neither_within_quotes_nor_behind_initials(text, wanted):
    assert sentences(text) == wanted


def test_a_profile_loses_whole_sentences_from_its_end():
    budget = Budget(220, words_in)  # 55 words for a profile
    told = " ".join(f"{n} " + "word " * 18 + "end." for n in ("A", "B", "C", "D"))
    assert budget.profile(told) == " ".join(told.split()[:40])


def test_a_summary_whose_first_sentence_is_too_long_is_cut_by_words():
    summary = Budget(220, words_in).summary(" ".join(["word"] * 40) + ".")
    assert summary == " ".join(["word"] * 20) + "…"
    assert cut_words("one two", 0, words_in) == ""


def test_people_told_in_words_fit_the_context_of_the_shipped_model(told):
    context, count = context_of(MODEL), token_counter(MODEL)
    users = persona_users(told, engine="scripted")
    asked = users.requests(np.arange(5), np.tile(np.arange(12), (5, 1)))
    assert context == 1024
    lengths = [count(request.prefix) + count(request.suffix) for request in asked]
    assert 512 < max(lengths) <= context
    profile = asked[0].prefix.split("PROFILE: ")[1].split(" In stars:")[0]
    assert profile.endswith(".")
    assert LONG.startswith(profile)


@pytest.mark.parametrize("budget", [200, 300, 500])
def test_a_stated_budget_holds_for_every_request(told, budget):
    people = replace(told, style=replace(told.style, budget=budget))
    count = token_counter(MODEL)
    asked = persona_users(people, engine="scripted").requests(
        np.arange(5), np.tile(np.arange(12), (5, 1))
    )
    assert max(count(r.prefix) + count(r.suffix) for r in asked) <= budget


def test_the_shipped_style_has_no_budget_and_says_what_it_said():
    assert budget_of(PromptStyle(), MODEL) is None
    assert budget_of(PromptStyle(budget=300), MODEL) is not None
    assert budget_of(PromptStyle(budget=5000, told="words"), MODEL).limit == 1024


def test_people_of_an_item_are_left_out_from_the_end():
    assert Budget(220, words_in).cast([f"Ann Lee{i}" for i in range(9)]) == [
        f"Ann Lee{i}" for i in range(5)
    ]


def test_a_budget_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="a budget of tokens wanted at least 200, got 90; 0 is"):
        budget_of(PromptStyle(budget=90), MODEL)


def test_a_model_without_a_folder_is_counted_by_an_estimate():
    assert token_counter("owner/model") is estimated_tokens
    assert context_of("owner/model") == 0
    assert estimated_tokens("abcdef") == 2


def test_words_stand_without_canned_traits_and_numbers_in_one_sentence(population):
    persona = population.personas[2]
    style = PromptStyle(told="words")
    with_numbers = persona_prefix(persona, domain_called("movie"), style)
    without = persona_prefix(persona, domain_called("movie"), replace(style, numbers=False))
    assert with_numbers.split("\n")[1].endswith("In stars: -0.5 next to others, Drama +0.2.")
    assert "In stars" not in without
    assert "You watch" not in with_numbers
    suffix = (
        persona_users(replace(population, style=replace(style, numbers=False)), engine="scripted")
        .requests(np.array([0]), np.array([[11]]))[0]
        .suffix
    )
    assert "TASTE" not in suffix
    assert "ALIKE" not in suffix
    assert "AVERAGE" in suffix


def test_a_summary_is_shown_by_whole_sentences(population):
    catalog = replace(population.catalog, summaries=("One two three. Four five six. Seven.",) * 12)
    style = PromptStyle(told="words", summary_words=6, cast=0)
    assert item_line(catalog, 0, style).endswith("One two three. Four five six.\n")
    assert item_line(catalog, 0, replace(style, summary_words=2)).endswith("One two…\n")
    assert "One" not in item_line(catalog, 0, replace(style, summary_words=0))


def test_memories_made_while_the_environment_runs_speak_of_the_item(told):
    users = persona_users(told, engine="scripted")
    slates = Slates(np.array([[10]]), np.zeros((1, 1)))
    feedback = Feedback(
        np.array([[5.0]]), np.full((1, 1, 5), 0.2), np.array([[True]]), np.array([False]),
    )  # fmt: skip
    users.remember(np.array([4]), slates, feedback)
    [(item, stars, reason)] = users.memory.decisions(4)
    assert (item, stars) == (10, 5.0)
    own = ("Actor 10", "Ida Long", "Max Short", *told.catalog.genres[10], "people")
    assert any(name in reason for name in own)


def test_another_way_of_telling_is_refused():
    with pytest.raises(ValueError, match=r'told wanted "numbers" or "words", got \'song\''):
        PromptStyle(told="song")


def test_a_population_keeps_how_it_is_told_and_the_shipped_head_stays(population, tmp_path):
    import json

    style = PromptStyle(told="words", numbers=False, budget=900)
    replace(population, style=style).save(tmp_path / "words")
    assert Population.load(tmp_path / "words").style == style
    population.save(tmp_path / "numbers")
    head = json.loads((tmp_path / "numbers" / "population.json").read_text())
    assert set(head["style"]) == {"verbatim", "gist", "summary_words", "cast", "persona"}

"""The engine of a model that reads in blocks: texts once, answers that depend on their request."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model

from agents.inference.blocks.places import CONFIG_KEY, Places, places_of
from agents.inference.engine import PastDecision, Request
from agents.inference.local.local_engine import LocalEngine
from agents.prompt_style import PromptStyle
from agents.prompts import RATING_CHOICES
from training.base.pocket_model import PocketConfig, new_model, train_tokenizer

PLACES = Places(item=2, memory=1, profile=2, longest=40, cue=32)
ITEMS = [f"MOVIE: Film {i} (19{50 + i}) Drama. A tale of a town.\n" for i in range(6)]
PEOPLE = [f"PROFILE: I loved Film {i}.\nTASK: Rate.\n" for i in range(4)]


def saved_model(folder: Path) -> Path:
    shape = replace(
        PocketConfig.tiny(), style=PromptStyle(reading="blocks"), places=PLACES, num_key_heads=1
    )
    cues = [f" 0.{i} 3.{i} +0.1 - -0.2 4.{i} 10 Chosen: 4" for i in range(10)] * 20
    tokenizer = train_tokenizer([*ITEMS, *PEOPLE, *cues], 400, PLACES.tokens)
    model = new_model(shape, len(tokenizer))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    lora = LoraConfig(
        r=2, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False
    )
    get_peft_model(model, lora).save_pretrained(folder / "lora")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_model(tmp_path_factory.mktemp("blocks"))


@pytest.fixture(scope="module")
def engine(model: Path) -> Iterator[LocalEngine]:
    with_lora = LocalEngine(model, {"ann": str(model / "lora")})
    yield with_lora
    with_lora.close()


def requests() -> list[Request]:
    """Four people, two on an adapter, with 0 to 3 memories and 1 to 4 questions each."""
    found = []
    for user, profile in enumerate(PEOPLE):
        past = tuple(PastDecision(ITEMS[i], f"MEMORY: I gave {i + 1}.\n") for i in range(user))
        for i in range(user + 1):
            cue = f" 0.{i} 3.{user} +0.1 - -0.2 4.{i} 10 Chosen:"
            adapter = "ann" if user % 2 else None
            found.append(Request(profile, cue, adapter, 0, ITEMS[i + 1], past))
    return found


def narrow(model: Path, what: str, most: int, text: str = "CUDA out of memory") -> LocalEngine:
    """An engine whose reading holds so many questions, or texts, at once, as a small GPU would."""
    small = LocalEngine(model, {"ann": str(model / "lora")})
    reading = small._blocks._reading
    compute = getattr(reading, what)

    def held(first: Any, second: Any, *more: Any) -> Any:
        if len(second) > most:
            raise RuntimeError(text)
        return compute(first, second, *more)

    setattr(reading, what, held)
    return small


@pytest.mark.parametrize(("what", "most"), [("answer", 1), ("answer", 3), ("read", 1)])
def test_a_batch_that_memory_does_not_hold_is_halved_until_it_does(
    engine: LocalEngine, model: Path, what: str, most: int
) -> None:
    small = narrow(model, what, most)
    whole = engine.score(requests(), RATING_CHOICES)
    np.testing.assert_allclose(small.score(requests(), RATING_CHOICES), whole, rtol=0, atol=1e-5)
    np.testing.assert_allclose(small.score(requests(), RATING_CHOICES), whole, rtol=0, atol=1e-5)
    assert small.stats.splits > 0
    assert engine.stats.splits == 0


@pytest.mark.parametrize("what", ["answer", "read"])
def test_a_single_request_that_memory_does_not_hold_is_named(model: Path, what: str) -> None:
    with pytest.raises(
        MemoryError,
        match=r"^request \d+ alone \(CUDA out of memory\) is more than the memory holds",
    ):
        narrow(model, what, most=0).score(requests(), RATING_CHOICES)


def test_other_errors_are_not_taken_for_a_lack_of_memory(model: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        narrow(model, "answer", 0, "shapes do not fit").score(requests(), RATING_CHOICES)


def test_the_model_s_folder_says_how_it_reads(model: Path) -> None:
    assert places_of(model) == PLACES


def test_answers_are_the_same_alone_and_among_others_in_any_order(engine: LocalEngine) -> None:
    asked = requests()
    together = engine.score(asked, RATING_CHOICES)
    alone = np.concatenate([engine.score([one], RATING_CHOICES) for one in asked])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    order = np.random.default_rng(0).permutation(len(asked))
    np.testing.assert_allclose(
        engine.score([asked[i] for i in order], RATING_CHOICES), together[order], atol=1e-5
    )
    np.testing.assert_allclose(np.exp(together).sum(axis=1), 1.0, atol=1e-9)


@pytest.mark.parametrize("layers", [{}, {"fast": False, "repeatable": True}])
def test_people_get_the_same_bits_whoever_is_asked_beside(
    model: Path, layers: dict[str, Any]
) -> None:
    asked = requests()
    engine = LocalEngine(model, {"ann": str(model / "lora")}, **layers)
    together = engine.score(asked, RATING_CHOICES)
    fresh = LocalEngine(model, {"ann": str(model / "lora")}, **layers)
    by_person = [[r for r in asked if r.prefix == profile] for profile in reversed(PEOPLE)]
    found = {
        (r.prefix, r.suffix): row
        for own in by_person
        for r, row in zip(own, fresh.score(own, RATING_CHOICES), strict=True)
    }
    for one, row in zip(asked, together, strict=True):
        np.testing.assert_array_equal(found[one.prefix, one.suffix], row)


def test_the_fast_forward_answers_as_the_model_s_own_layers(model: Path) -> None:
    adapters = {"ann": str(model / "lora")}
    fast, layers = LocalEngine(model, adapters), LocalEngine(model, adapters, fast=False)
    assert (fast.is_fast, layers.is_fast) == (True, False)
    asked = requests()
    own = PastDecision(asked[-1].item, "MEMORY: I gave 5.\n")  # between others, and not seen
    asked.append(asked[-1]._replace(past=(*asked[-1].past[:1], own, *asked[-1].past[1:])))
    found = fast.score(asked, RATING_CHOICES)
    np.testing.assert_allclose(found, layers.score(asked, RATING_CHOICES), atol=1e-4)
    np.testing.assert_allclose(found[-1], found[-2], atol=1e-5)
    assert fast.stats.fallbacks == 0
    assert fast.stats.padding_tokens == 0


def test_texts_are_read_once_for_everybody(model: Path) -> None:
    engine = LocalEngine(model, {"ann": str(model / "lora")})
    asked = requests()
    engine.score(asked, RATING_CHOICES)
    before = engine.stats.run_tokens
    assert engine.block_stats["item"].misses == len({r.item for r in asked} | set(ITEMS[:3]))
    assert engine.block_stats["memory"].misses == 3
    assert engine.block_stats["profile"].misses == len(PEOPLE)
    engine.score(asked, RATING_CHOICES)
    cues = sum(len(engine.tokens.encode([r.suffix])[0]) for r in asked)
    assert engine.stats.run_tokens - before == cues
    assert engine.stats.prompt_tokens == engine.stats.run_tokens
    assert engine.stats.requests == 2 * len(asked)
    engine.score([asked[-1]._replace(item="MOVIE: New.\n")], RATING_CHOICES)
    assert engine.block_stats["item"].misses == len({r.item for r in asked} | set(ITEMS[:3])) + 1


def test_a_small_budget_changes_no_answer(model: Path) -> None:
    asked = requests()
    roomy = LocalEngine(model).score([r._replace(adapter=None) for r in asked], RATING_CHOICES)
    tight = LocalEngine(model, cache_bytes=1)
    for one, row in zip(asked, roomy, strict=True):
        own = tight.score([one._replace(adapter=None)], RATING_CHOICES)
        np.testing.assert_allclose(own[0], row, atol=1e-5)
    assert sum(stats.evictions for stats in tight.block_stats.values()) > 0


def test_an_adapter_acts_on_profile_and_cue_and_not_on_items_and_memories(
    engine: LocalEngine,
) -> None:
    asked = [r for r in requests() if r.adapter]
    told = engine.score(asked, RATING_CHOICES)
    plain = engine.score([r._replace(adapter=None) for r in asked], RATING_CHOICES)
    assert np.abs(told - plain).max() > 1e-3
    misses = engine.block_stats["item"].misses, engine.block_stats["memory"].misses
    engine.score(asked, RATING_CHOICES)
    assert (engine.block_stats["item"].misses, engine.block_stats["memory"].misses) == misses


def test_a_memory_of_the_very_item_is_not_seen(engine: LocalEngine) -> None:
    one = requests()[-1]
    own = PastDecision(one.item, "MEMORY: I gave 5.\n")
    other = PastDecision(ITEMS[5], "MEMORY: I gave 5.\n")
    assert one.item != ITEMS[5]
    rows = [one, one._replace(past=(*one.past, own)), one._replace(past=(*one.past, other))]
    before, with_own, with_other = engine.score(rows, RATING_CHOICES)
    np.testing.assert_allclose(with_own, before, atol=1e-6)
    assert np.abs(with_other - before).max() > 1e-6


def test_dropping_an_adapter_forgets_what_was_read_under_it(model: Path) -> None:
    engine = LocalEngine(model, {"ann": str(model / "lora")})
    asked = requests()
    before = engine.score(asked, RATING_CHOICES)
    engine.unload_adapter("ann")
    engine.load_adapter("ann", model / "lora")
    np.testing.assert_allclose(engine.score(asked, RATING_CHOICES), before, atol=1e-6)
    assert engine.block_stats["profile"].misses == len(PEOPLE) + 2


@pytest.mark.parametrize("fast", ["auto", False])
def test_a_score_that_is_no_number_is_an_error_and_never_a_star(
    model: Path, fast: bool | Literal["auto"]
) -> None:
    engine = LocalEngine(model, fast=fast)
    with torch.no_grad():
        engine.model.model.norm.weight[0] = torch.nan
    asked = [one._replace(adapter=None) for one in requests()]
    with pytest.raises(FloatingPointError, match=r"not a number for request \d .*adapter None"):
        engine.score(asked, RATING_CHOICES)


def test_whole_prompts_are_refused_by_name(engine: LocalEngine) -> None:
    with pytest.raises(ValueError, match=r"reads blocks, got a request told for reading='whole'"):
        engine.score([requests()[0]._replace(item="")], RATING_CHOICES)


def test_a_cue_that_is_too_long_is_refused(engine: LocalEngine) -> None:
    one = requests()[0]
    with pytest.raises(ValueError, match="wanted cues of at most 32 tokens, got"):
        engine.score([one._replace(suffix=one.suffix * 9)], RATING_CHOICES)


def test_a_vocabulary_without_gist_tokens_is_refused(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(ITEMS, 400)
    shape = replace(PocketConfig.tiny(), style=PromptStyle(reading="blocks"), places=PLACES)
    model = new_model(shape, len(tokenizer))
    assert getattr(model.config, CONFIG_KEY) == asdict(PLACES)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(
        ValueError, match=r"wanted the tokens <gist0>, <gist1> .*take the tokenizer"
    ):
        LocalEngine(tmp_path)

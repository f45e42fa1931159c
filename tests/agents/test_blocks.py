"""People told in blocks: the user model's contract, what they are asked, and who may answer."""

from dataclasses import replace

import numpy as np
import pytest

from agents.blocks import check_reading
from agents.inference.engine import EngineFacts, PastDecision, Request, Sampling
from agents.inference.local.local_engine import LocalEngine
from agents.inference.scripted import ScriptedEngine
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.inference.wrapped.replay import score_key
from agents.living.diary import Diary
from agents.persona_users import PersonaUsers
from agents.prompt_style import PromptStyle
from simenv.events import Slates
from simenv.seeding import row_seeds
from simenv.testing.user_models import UserModelContract
from tests.agents.inference.blocks.test_block_scoring import saved_model
from training.adapters.from_diary import as_examples

STYLE = PromptStyle(reading="blocks", summary_words=10)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return saved_model(tmp_path_factory.mktemp("blocks"))


@pytest.fixture
def people(population, model):
    return replace(population, style=STYLE, model=str(model))


class TestPeopleInBlocksOnTheScriptedEngine(UserModelContract):
    num_items = 12

    @pytest.fixture
    def make_users(self, people):
        return lambda: PersonaUsers(people, ScriptedEngine())


class TestPeopleInBlocksOnAModel(UserModelContract):
    num_items, atol = 12, 1e-5

    @pytest.fixture
    def make_users(self, people, model):
        engine = LocalEngine(model)
        return lambda: PersonaUsers(people, engine)


def ask(people, style=STYLE, users=(0, 1), items=((3, 4), (5, 6)), chosen=False):
    model = PersonaUsers(replace(people, style=style), ScriptedEngine())
    return model, model.requests(np.array(users), np.array(items), chosen)


def test_a_question_is_a_cue_of_numbers_behind_texts_that_say_no_number_that_moves(people):
    model, [first, *_] = ask(people)
    *numbers, picked = first.suffix.split()
    assert picked == "Suggested:"
    assert len(numbers) == 7
    own = people.averages.fair[3]
    assert numbers[5] == f"{own:.1f}"
    assert first.item.startswith("MOVIE: ")
    assert "AVERAGE" not in first.item
    decisions = model.memory.decisions(0)
    thought = people.averages.fair
    assert [d.text for d in first.past] == [
        f" {thought[item]:.1f} {stars:.0f} {why}\n" for item, stars, why in decisions
    ], "numbers, each at its place"
    assert ask(people, chosen=True)[1][0].suffix.endswith("Chosen:")


def test_questions_to_one_person_share_their_texts(people):
    _, requests = ask(people)
    assert requests[0].past is requests[1].past
    assert requests[0].prefix == requests[1].prefix != requests[2].prefix


def test_a_style_leaves_out_what_it_says(people):
    _, [without_memory, *_] = ask(people, STYLE.without_memory())
    assert without_memory.past == ()
    assert without_memory.suffix.split()[:3] == ["-"] * 3
    _, [without_persona, *_] = ask(people, STYLE.without_persona())
    assert without_persona.suffix.split()[3:5] == ["-"] * 2
    assert "PROFILE" not in without_persona.prefix
    _, [few, *_] = ask(people, replace(STYLE, attended=1))
    _, [all_, *_] = ask(people)
    assert few.past == all_.past[-1:]


def test_what_is_rated_is_attended_to_from_then_on_and_forgotten_at_a_reset(people):
    model, [first, *_] = ask(people, users=(4,), items=((3,),))
    who, slates = np.array([4]), Slates.of_items(np.array([[7, 8]]))
    before = model.snapshot()
    feedback = model.respond(who, slates, row_seeds(0, who, who))
    model.remember(who, slates, feedback)
    [after] = model.requests(who, np.array([[3]]))
    assert len(after.past) == len(first.past) + int(feedback.taken.sum()) > len(first.past)
    later = model.snapshot()
    model.reset()
    assert model.requests(who, np.array([[3]]))[0].past == first.past
    model.restore(later)
    assert model.requests(who, np.array([[3]]))[0].past == after.past
    model.restore(before)
    assert model.requests(who, np.array([[3]]))[0].past == first.past


def test_averages_that_move_change_the_cue_and_no_text(people):
    model, [first, *_] = ask(people)
    model.hear(np.clip(people.averages.fair + 0.5, 1, 5))
    model.restore(model.snapshot())  # memories are written down anew
    [second, *_] = model.requests(np.array([0, 1]), np.array([[3, 4], [5, 6]]))
    assert second.suffix != first.suffix
    assert (second.prefix, second.item, second.past) == (first.prefix, first.item, first.past)


def test_an_engine_that_reads_whole_prompts_is_refused_by_name(people):
    facts = EngineFacts("server host:1")
    with pytest.raises(
        ValueError, match=r"told in blocks, and 'server host:1' reads whole.*pocket.$"
    ):
        check_reading("ann's people", STYLE, facts)
    check_reading("ann's people", PromptStyle(), facts)


def test_a_model_that_reads_in_blocks_writes_no_free_text(model, people):
    engine = LocalEngine(model)
    [request, *_] = ask(people)[1]
    with pytest.raises(ValueError, match="reads blocks and answers with one digit; ask for a sc"):
        engine.generate([request], Sampling())
    with pytest.raises(ValueError, match="reads blocks and answers with one digit"):
        engine.token_logs([request], ["4"])


def test_a_style_has_one_of_two_ways_of_reading():
    with pytest.raises(ValueError, match=r'reading wanted "whole" or "blocks", got \'gists\''):
        PromptStyle(reading="gists")


def test_a_kept_answer_is_that_of_its_blocks(people, model):
    _, [one, *_] = ask(people)
    other = one._replace(past=one.past[1:])
    assert score_key(one, ["1"]) != score_key(other, ["1"])
    plain = LocalEngine(model)
    cached = CachedEngine(LocalEngine(model), people.model)
    for _ in range(2):
        for request in (one, other):
            np.testing.assert_array_equal(
                cached.score([request], (" 1", " 5")), plain.score([request], (" 1", " 5"))
            )


def test_the_whole_question_is_shown_as_one_text():
    past = (PastDecision("MOVIE: A.\n", "MEMORY: I gave 4.\n"),)
    told = Request("who\n", " 3.0 Chosen:", None, 0, "MOVIE: B.\n", past)
    assert told.rest == "MOVIE: A.\nMEMORY: I gave 4.\nMOVIE: B.\n 3.0 Chosen:"
    assert Request("who\n", "RATING:").rest == "RATING:"


def test_a_diary_keeps_what_was_read_and_gives_it_to_a_training(people):
    _, requests = ask(people)
    diary = Diary(2, 10)
    diary.write(np.array([0, 0, 1, 1]), requests, np.array([4.0, 2.0, 5.0, 1.0]))
    again = Diary(2, 10)
    again.restore(diary.snapshot())
    assert again.of(0) == diary.of(0)
    assert again.of(1) == diary.of(1)
    assert [entry.request("ann") for entry in again.of(0)] == [
        r._replace(adapter="ann") for r in requests[:2]
    ]
    examples = as_examples([diary.of(0), diary.of(1)], 2)
    assert list(examples.items) == [r.item for r in requests]
    assert list(examples.pasts) == [requests[0].past, requests[2].past]

"""Who cannot be asked is known before anything is fitted, left out, and counted by own ids."""

import re
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from agents.inference.engine import Request
from agents.inference.server.server_engine import ServerEngine
from agents.inference.wrapped.engine_wrapper import EngineWrapper
from experiments.tournament.feasibility import (
    LeftOut,
    check_reachable,
    sentences,
    too_few_unseen,
    too_long_prompts,
    unseen_items,
)
from simenv.data.synthetic import synthetic
from simenv.events import InteractionLog

WORLD = synthetic(3, num_users=24, num_items=120)


def with_a_glutton(seen=118):
    """The world, but user 5 has met nearly everything."""
    log = WORLD.train
    rest = log.take(log.users != 5)
    more = InteractionLog.from_columns(
        np.concatenate([rest.users, np.full(seen, 5)]),
        np.concatenate([rest.items, np.arange(seen)]),
        np.concatenate([rest.ratings, np.full(seen, 4.0)]).astype(rest.ratings.dtype),
        np.concatenate([rest.timestamps, np.arange(seen, dtype=rest.timestamps.dtype)]),
        num_users=24,
        num_items=120,
    )
    return replace(WORLD, train=more, user_ids=tuple(f"u{n}" for n in range(24)))


def test_unseen_items_are_those_outside_the_training_rows():
    assert unseen_items(with_a_glutton())[5] == 2


def test_a_user_without_enough_items_is_left_out_by_the_own_id():
    found = too_few_unseen(with_a_glutton(), np.arange(24), slate_size=5, steps=3)
    assert found.users.tolist() == [5]
    described = found.described(with_a_glutton())
    assert described["users"] == ["u5"]
    assert sentences([described]) == [
        "1 user was left out because of fewer than 15 items that they have not met (3 slates of"
        " 5): u5."
    ]


def test_ids_of_anybodys_file_are_shown_short_and_on_one_line():
    described = {"count": 2, "users": ["a\n## b\x1b[31m\u202e", "x" * 5000], "why": "no items"}
    (sentence,) = sentences([described])
    assert sentence == f"2 users were left out because of no items: a ## b[31m, {'x' * 59}…."


def test_many_who_are_left_out_are_counted_and_the_first_named():
    described = LeftOut(np.arange(24), "no items").described(with_a_glutton())
    (sentence,) = sentences([described])
    assert sentence.startswith("24 users were left out because of no items: u0, u1, ")
    assert sentence.endswith("u19 and 4 more (results.json).")


def test_a_session_that_nobody_can_play_is_an_error_with_the_cure():
    with pytest.raises(ValueError, match=r"40 slates of 5 wanted 200 items .* lower env\.") as e:
        too_few_unseen(WORLD, np.arange(24), slate_size=5, steps=40)
    (steps,) = re.findall(r"; env\.max_episode_steps=(\d+) suits everybody; or lower", str(e.value))
    assert not len(too_few_unseen(WORLD, np.arange(24), slate_size=5, steps=int(steps)).users)
    assert unseen_items(WORLD).min() < 5 * (int(steps) + 1)  # one more is too many for somebody


def test_where_somebody_has_no_item_left_no_number_of_slates_is_promised():
    with pytest.raises(ValueError, match=r"items left; lower env\.slate_size or"):
        too_few_unseen(with_a_glutton(), np.arange(24), slate_size=5, steps=40)


class Model:
    """Prompts of user u are u words long."""

    population = SimpleNamespace(catalog=range(120))

    def requests(self, users, items):
        texts = ["word " * u for u in users.tolist() for _ in range(items.shape[1])]
        return [Request(prefix=text, suffix="Rating:") for text in texts]


def engine(context):
    def tokenizer(texts, add_special_tokens):
        return {"input_ids": [text.split() for text in texts]}

    return SimpleNamespace(
        context=context, tokenizer=tokenizer, facts=SimpleNamespace(description="toy")
    )


@pytest.mark.parametrize("wrap", [lambda e: e, EngineWrapper])
def test_users_whose_prompts_are_too_long_are_left_out(wrap):
    found = too_long_prompts(Model(), wrap(engine(20)), np.arange(24))
    assert found.users.tolist() == [20, 21, 22, 23]
    assert found.why == "prompts longer than the model's context of 20 tokens"


def test_a_model_too_short_for_everybody_is_an_error_before_any_fit():
    with pytest.raises(ValueError, match=r"at least 6 tokens of context, that of toy has 3; take"):
        too_long_prompts(Model(), engine(3), np.arange(5, 9))


def test_a_server_is_asked_one_question_before_any_fit():
    asked = []

    class Watched(ServerEngine):
        def score(self, requests, choices):
            asked.append(requests)
            return np.zeros((len(requests), len(choices)))

    with closing(Watched("m", base_url="http://127.0.0.1:9/v1", api_key="none")) as server:
        check_reachable(Model(), EngineWrapper(server), np.arange(3, 9))
    assert [len(requests) for requests in asked] == [1]
    check_reachable(Model(), engine(20), np.arange(3))  # nobody is asked on this machine


def test_users_without_prompts_have_none_that_are_too_long():
    assert not len(too_long_prompts(object(), None, np.arange(3)).users)
    assert not len(too_long_prompts(Model(), SimpleNamespace(), np.arange(3)).users)

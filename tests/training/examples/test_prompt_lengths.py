"""Blocks that do not fit into a context are left out whole, and counted."""

import pytest

from agents.prompt_style import PromptStyle
from simenv.data.synthetic import synthetic
from training.base.pocket_model import train_tokenizer
from training.examples.prompt_lengths import fitting
from training.examples.raft import RaftSettings, raft_set


@pytest.fixture(scope="module")
def raft():
    world = synthetic(6, num_users=12, num_items=80)
    return raft_set(world, PromptStyle(verbatim=3), RaftSettings(cuts=(0.4, 0.7), turns=5, folds=3))


def test_what_does_not_fit_is_left_out_and_counted(raft):
    tokenizer = train_tokenizer(raft.examples.prefixes + raft.examples.suffixes, 600)
    everything, report = fitting(raft, tokenizer, 2048)
    assert len(everything.users) == len(raft.users)
    assert report.left_out == 0
    assert report.mean <= report.p95 <= report.longest <= report.limit
    some, shorter = fitting(raft, tokenizer, report.longest - 1)
    assert 0 < shorter.left_out == len(raft.users) - len(some.users)
    assert shorter.longest == report.longest
    with pytest.raises(ValueError, match=r"tokens do not fit the model's 10; show less"):
        fitting(raft, tokenizer, 10)

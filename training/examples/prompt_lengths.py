"""Which blocks of a RAFT set fit into a model's context, counted in its own tokens."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from training.examples.from_log import chosen_blocks
from training.examples.raft import RaftSet

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class TokenReport(NamedTuple):
    """How long the prompts are, in tokens, and what does not fit."""

    mean: float
    p95: float
    longest: int
    limit: int
    left_out: int  # blocks


def fitting(
    raft: RaftSet, tokenizer: "PreTrainedTokenizerBase", limit: int
) -> tuple[RaftSet, TokenReport]:
    """The blocks whose every prompt fits into ``limit`` tokens, and a report.

    What is read in blocks always fits: each text is cut by itself. Profile and cue are counted.

    Nothing is cut in the middle of a sentence: a block that does not fit is left out and counted;
    show less (``PromptStyle``) to keep it.

    Raises:
        ValueError: no block fits.
    """
    turns = raft.examples.ratings.shape[1]
    ids = tokenizer(raft.examples.prefixes, add_special_tokens=False)["input_ids"]
    before = np.repeat([len(x) for x in ids], turns)
    ids = tokenizer(raft.examples.suffixes, add_special_tokens=False)["input_ids"]
    lengths = before + np.array([len(x) for x in ids]) + 1  # and the answer
    longest = lengths.reshape(-1, turns).max(axis=1)
    kept = np.flatnonzero((longest <= limit) | bool(raft.examples.items))
    if not len(kept):
        raise ValueError(
            f"prompts of {lengths.min()} to {lengths.max()} tokens do not fit the model's"
            f" {limit}; show less (style.verbatim, style.summary_words, style.cast)"
        )
    report = TokenReport(
        float(lengths.mean()),
        float(np.percentile(lengths, 95)),
        int(lengths.max()),
        limit,
        len(raft.users) - len(kept),
    )
    return RaftSet(chosen_blocks(raft.examples, kept), raft.users[kept], raft.cuts[kept]), report

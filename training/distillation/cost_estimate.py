"""What distilling would cost, before anything is sent: a guess, and a bound. It sends nothing."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from training.distillation.distiller_prompts import RatedItem
from training.distillation.ledger import Prices, TokenCount
from training.distillation.priced_client import most_tokens

_BYTES_PER_TOKEN = 4  # English prose in the usual vocabularies
_MS_TOKENS = 450  # a profile of about 300 words as JSON, read and written again at every batch
_REASON_TOKENS = 30


class Estimate(NamedTuple):
    """Tokens and cost of what is not in the cache."""

    users: int  # with anything left to ask
    requests: int  # reflections left, if every first answer is usable
    cached: int  # reflections already paid for
    input_tokens: int  # expected
    output_tokens: int
    cost: float
    most_cost: float  # if every answer fills its token limit and every byte is a token


def estimate(
    chains: Sequence[tuple[list[list[RatedItem]], int]],
    body_of: Callable[[list[RatedItem]], dict[str, Any]],
    max_tokens: int,
    prices: Prices,
) -> Estimate:
    """Sum up the batches that are left.

    Args:
        chains: (batches, how many are paid for) of every user.
        body_of: the request for a batch, without a profile so far.
        max_tokens: most that one answer may have.
        prices: of a million tokens.

    Returns:
        Its ``most_cost`` takes the profile that is sent back at its longest, and no corrections
        or retries.
    """
    expected, most, requests = TokenCount(0, 0), TokenCount(0, 0), 0
    for batches, done in chains:
        for place, batch in enumerate(batches[done:], start=done):
            bound = most_tokens(body_of(batch), max_tokens)
            read = bound.input // _BYTES_PER_TOKEN + (_MS_TOKENS if place else 0)
            written = min(max_tokens, _MS_TOKENS + _REASON_TOKENS * len(batch))
            expected = TokenCount(expected.input + read, expected.output + written)
            longest = bound.input + (_BYTES_PER_TOKEN * max_tokens if place else 0)
            most = TokenCount(most.input + longest, most.output + max_tokens)
            requests += 1
    return Estimate(
        users=sum(done < len(batches) for batches, done in chains),
        requests=requests,
        cached=sum(done for _, done in chains),
        input_tokens=expected.input,
        output_tokens=expected.output,
        cost=prices.cost(expected),
        most_cost=prices.cost(most),
    )

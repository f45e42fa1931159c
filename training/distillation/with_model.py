"""Distillation by a model: profiles grow batch by batch, with a reason for every rating (Ms, Ml).

Traits, tastes and levels stay those of ``OfflineDistiller``, so that everything that reads numbers
still can. Reads training rows only. Tries, waits and prices are set in
``conf/distiller/openai.yaml``.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agents.inference.server.retries import Lost, Patience, dispatch
from simenv.catalog import Catalog
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from training.distillation.cache import Answer, PaidAnswers, cache_key
from training.distillation.chains import Chain, batches_of
from training.distillation.cost_estimate import Estimate, estimate
from training.distillation.distilled_report import DistillationReport as DistillationReport
from training.distillation.distilled_report import distillation_report
from training.distillation.distiller_prompts import Message, RatedItem, corrected, first_messages
from training.distillation.ledger import Ledger, Prices
from training.distillation.offline import Distilled, OfflineDistiller
from training.distillation.priced_client import ClientSettings, PricedClient

if TYPE_CHECKING:
    from training.distillation.answer_schema import Reflection

Tick = Callable[[str, int], None]  # a text, and reflections done
Ask = Callable[[list[Message]], Answer]


class DistillationError(RuntimeError):
    """Nobody's profile was finished; the text says why, and what was paid for is in the cache."""


class OpenAIDistiller:
    """Asks any OpenAI-compatible chat endpoint with structured output.

    Users are asked side by side, a user's batches one after the other. Every answer is on disk
    before the next request, so a stopped run goes on where it was. A user whose reflection fails
    for good keeps the offline profile and is named in ``DistillationReport.failures``.

    Args:
        catalog: of the items.
        averages: of training rows.
        model: None = OPENAI_MODEL.
        base_url: None = OPENAI_BASE_URL. The key is read from OPENAI_API_KEY only.
        cache: folder of paid answers.
        input_price: of a million tokens read, in any currency.
        output_price: of a million tokens written.
        max_cost: nothing is sent that could exceed it; None = no limit.
        max_tokens: see ``ClientSettings``, as for the next three.
        limit_field: see ``ClientSettings``.
        temperature: see ``ClientSettings``.
        seed: see ``ClientSettings``.
        target_words: length of Ms that the model is asked to keep; 2,000 are refused beyond.
        summary_words: longest item summary in a prompt.
        corrections: how often an unusable answer is sent back with what was wrong.
        concurrency: most requests on their way.
        timeout: seconds that one try may take.
        tries: most tries of one request; see ``Patience``, as for the two waits.
        first_wait: seconds.
        longest_wait: seconds.

    Raises:
        ValueError: no model, or a setting out of range.
    """

    def __init__(
        self,
        catalog: Catalog,
        averages: ItemAverages,
        *,
        model: str | None = None,
        base_url: str | None = None,
        cache: str | Path,
        input_price: float,
        output_price: float,
        max_cost: float | None,
        max_tokens: int = 4096,
        limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens",
        temperature: float | None = 0.0,
        seed: int | None = None,
        target_words: int = 300,
        summary_words: int = 60,
        corrections: int = 2,
        concurrency: int = 16,
        timeout: float = 120.0,
        tries: int = 6,
        first_wait: float = 1.0,
        longest_wait: float = 60.0,
    ) -> None:
        self.name = name = model or os.environ.get("OPENAI_MODEL") or ""
        if not name:
            raise ValueError(
                "distiller=openai wanted a model: set OPENAI_MODEL or distiller.model"
                " (see docs/how-to/distil_with_a_model.md)"
            )
        self.catalog, self.averages, self.max_cost = catalog, averages, max_cost
        self.settings = ClientSettings(name, max_tokens, limit_field, temperature, seed)
        self.prices = Prices(input_price, output_price)
        self.corrections, self.concurrency = corrections, concurrency
        self.patience = Patience(tries, first_wait, longest_wait)
        self._words = {"target_words": target_words, "summary_words": summary_words}
        self._base_url, self._timeout, self._folder = base_url, timeout, cache
        Ledger(self.prices, max_cost)  # refuses a bad limit now

    def distil(self, log: InteractionLog) -> Distilled:
        """See ``OfflineDistiller.distil``; raises as ``distil_with_report`` does."""
        return self.distil_with_report(log).distilled

    def distil_with_report(
        self, log: InteractionLog, tick: Tick = lambda text, advance: None
    ) -> DistillationReport:
        """Personas and reasons of all users, who failed, and what it cost.

        Args:
            log: training rows only.
            tick: gets the running cost after every reflection; called from several threads.

        Raises:
            DistillationError: there are ratings, and nobody's chain was finished.
            ValueError: no URL, or a damaged cache.
        """
        ledger, cache = Ledger(self.prices, self.max_cost), PaidAnswers(self._folder)
        client = PricedClient(cache, ledger, self._base_url, self._timeout)
        try:
            chains = self._replayed(log, cache, ledger)
            tick(_running(ledger), sum(len(chain.reflections) for chain in chains.values()))
            failures = self._finish(chains, client, cache, ledger, tick)
        finally:
            client.close()
            cache.close()
        if chains and len(failures) == len(chains):
            user, reason = next(iter(sorted(failures.items())))
            raise DistillationError(
                f"no profile of {len(chains)} was finished; user {user}: {reason}. Answers paid for"
                " are kept: mend this and run the same command again"
            )
        offline = OfflineDistiller(self.catalog, self.averages).distil(log)
        return distillation_report(log, offline, chains, failures, ledger.spending())

    def estimate(self, log: InteractionLog) -> Estimate:
        """What a distillation would cost, without a request; answers in the cache are free."""
        cache = PaidAnswers(self._folder)
        try:
            chains = self._replayed(log, cache, Ledger(self.prices, None))
        finally:
            cache.close()
        left = [(c.batches, len(c.reflections)) for c in chains.values()]
        return estimate(left, self._body_of, self.settings.max_tokens, self.prices)

    # -- one reflection ----------------------------------------------------------------------

    def _body_of(self, batch: list[RatedItem]) -> dict[str, object]:
        from training.distillation.answer_schema import schema

        return self.settings.body(
            first_messages(self.catalog, self.averages, batch, None, **self._words), schema()
        )

    def _body(self, messages: list[Message]) -> dict[str, object]:
        from training.distillation.answer_schema import schema

        return self.settings.body(messages, schema())

    def _reflect(self, chain: Chain, ask: Ask, forget: Callable[[bytes], None]) -> "Reflection":
        """The chain's next reflection; unusable answers go back with what was wrong.

        Raises:
            Lost: a try failed, or the model does not mend its answer; the last one is forgotten,
                so that another run may ask again.
        """
        from training.distillation.answer_schema import InvalidReflectionError, parse

        batch = chain.next_batch
        prior = chain.reflections[-1].sections() if chain.reflections else None
        messages = first_messages(self.catalog, self.averages, batch, prior, **self._words)
        for left in range(self.corrections, -1, -1):
            answer = ask(messages)
            try:
                return parse(answer.text, len(batch), cut=answer.cut)
            except InvalidReflectionError as error:
                wrong = str(error)
            if left:
                messages = corrected(messages, answer.text, wrong)
        forget(cache_key(self._body(messages)))
        reason = f"no usable answer in {self.corrections + 1}; the last: {wrong}"
        raise Lost(reason, again=False, blame="request")

    # -- all chains --------------------------------------------------------------------------

    def _replayed(
        self, log: InteractionLog, cache: PaidAnswers, ledger: Ledger
    ) -> dict[int, Chain]:
        """User → chain, as far as its answers are paid for; only users with rows."""

        def ask(messages: list[Message]) -> Answer:
            answer = cache.get(cache_key(self._body(messages)))
            if answer is None:
                raise Lost("not asked yet", again=False)
            ledger.cached()
            return answer

        chains = {}
        for user, batches in batches_of(log).items():
            chain = chains[user] = Chain(batches)
            with suppress(Lost):  # as far as it is paid for
                while not chain.is_done:
                    chain.reflections.append(self._reflect(chain, ask, lambda key: None))
        return chains

    def _finish(
        self,
        chains: dict[int, Chain],
        client: PricedClient,
        cache: PaidAnswers,
        ledger: Ledger,
        tick: Tick,
    ) -> dict[int, str]:
        """Ask for what is missing, one batch of every unfinished user a round: user → failure."""

        def ask(messages: list[Message]) -> Answer:
            return client.ask(self._body(messages), self.settings.max_tokens)

        def advance(user: int) -> "Reflection":
            found = self._reflect(chains[user], ask, cache.forget)
            tick(_running(ledger), 1)
            return found

        failures: dict[int, str] = {}
        while waiting := [u for u, c in chains.items() if not c.is_done and u not in failures]:
            attempt = dispatch(waiting, advance, self.concurrency, self.patience)
            for user, reflection in attempt.answers.items():
                chains[user].reflections.append(reflection)
            failures |= {u: chains[u].stopped(why) for u, why in attempt.failures.items()}
            if attempt.gave_up:
                why = next(iter(attempt.failures.values()))
                why = why if why.startswith("not sent: ") else f"not sent: {why}"
                rest = [u for u, c in chains.items() if not c.is_done and u not in failures]
                failures |= {u: chains[u].stopped(why) for u in rest}
        return dict(sorted(failures.items()))


def _running(ledger: Ledger) -> str:
    books = ledger.spending()
    limit = "" if books.max_cost is None else f" of {books.max_cost:g}"
    return f"cost {books.cost:.2f}{limit}"

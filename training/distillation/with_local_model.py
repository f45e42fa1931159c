"""Distillation by any causal language model on this machine: Ms and Ml as forms that it fills in.

The same prompts, batches and checks as by a server; JSON is whole by construction. Traits, tastes
and levels stay those of ``OfflineDistiller``. Reads training rows only.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.inference.engine import Sampling
from simenv.catalog import Catalog
from simenv.events import InteractionLog
from simenv.item_averages import ItemAverages
from simenv.ranges import check_number, check_seed
from simenv.seeding import row_seeds
from training.distillation.cache import Answer, PaidAnswers, cache_key
from training.distillation.chains import Chain, batches_of
from training.distillation.cost_estimate import Estimate, estimate
from training.distillation.distilled_report import DistillationReport, distillation_report
from training.distillation.distiller_prompts import RatedItem, first_messages
from training.distillation.ledger import Prices, Spending
from training.distillation.offline import Distilled, OfflineDistiller
from training.distillation.with_model import Tick
from training.spreading import Spread, values_of

if TYPE_CHECKING:
    from training.distillation.local_writer import LocalWriter

_FREE = Prices(0.0, 0.0)
_TOO_LONG = "the prompt is longer than the model's context"


class LocalDistiller:
    """Asks a model of this machine, some users side by side, a user's batches one after the other.

    Every answer is on disk before the next is asked for, so a stopped run goes on where it was. A
    user whom the model fails keeps the offline profile and reasons and is counted.

    Args:
        catalog: of the items.
        averages: of training rows.
        model: ``smollm2``, folder or hub name; a chat template is used where it has one.
        cache: folder of answers.
        users_at_once: how many answers are written in one batch.
        target_words: length of Ms that the model is asked to keep.
        summary_words: longest item summary in a prompt.
        section_tokens: most that the model writes into one of the four sections.
        reason_tokens: likewise of one reason.
        temperature: 0 takes the likeliest word, which small models then repeat.
        seed: of all draws; another seed asks everything anew.
        device: ``auto`` = a GPU where there is one.

    Raises:
        ValueError: a setting out of range.
    """

    def __init__(
        self,
        catalog: Catalog,
        averages: ItemAverages,
        *,
        model: str,
        cache: str | Path,
        users_at_once: int = 8,
        target_words: int = 120,
        summary_words: int = 30,
        section_tokens: int = 80,
        reason_tokens: int = 30,
        temperature: float = 0.7,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        counts = {"users_at_once": users_at_once, "target_words": target_words,
                  "section_tokens": section_tokens, "reason_tokens": reason_tokens}  # fmt: skip
        for name, count in counts.items():
            check_number("distiller=local", name, count, "whole [1, 1e6]")
        check_number("distiller=local", "summary_words", summary_words, "whole [0, 1e6]")
        check_number("distiller=local", "temperature", temperature, "[0, inf)", "0 is greedy")
        check_seed("distiller=local", "a seed", seed)
        self.catalog, self.averages, self.name = catalog, averages, str(model)
        self._words = {"target_words": target_words, "summary_words": summary_words}
        self._lengths = {"section": section_tokens, "reason": reason_tokens}
        self._how = {"temperature": temperature}
        self._seed = seed
        self._folder, self._at_once, self._device = cache, users_at_once, device

    def distil(self, log: InteractionLog) -> Distilled:
        """See ``OfflineDistiller.distil``."""
        return self.distil_with_report(log).distilled

    def distil_with_report(
        self,
        log: InteractionLog,
        tick: Tick = lambda text, advance: None,
        spread: Spread | None = None,
    ) -> DistillationReport:
        """Personas and reasons of all users, and whom the model failed.

        Args:
            log: training rows only.
            tick: gets who is told and how many reflections that were.
            spread: writes the answers, those of ``users_at_once`` people in one part; None = the
                model is loaded here. The people of a part are the same either way, and answers
                are kept by this process alone.
        """
        with closing(PaidAnswers(self._folder)) as cache:
            chains = self._replayed(log, cache)
            kept = sum(len(chain.reflections) for chain in chains.values())
            tick(f"{kept} kept", kept)
            failures = dict(sorted(self._finish(chains, cache, tick, spread)))
        written = sum(len(chain.reflections) for chain in chains.values())
        spending = Spending(written - kept, 0, 0, 0, 0.0, 0.0, kept, None)
        offline = OfflineDistiller(self.catalog, self.averages).distil(log)
        return distillation_report(log, offline, chains, failures, spending)

    def estimate(self, log: InteractionLog) -> Estimate:
        """What is left to write; it costs time alone."""
        with closing(PaidAnswers(self._folder)) as cache:
            chains = self._replayed(log, cache)
        left = [(c.batches, len(c.reflections)) for c in chains.values()]
        longest = 4 * self._lengths["section"] + 10 * self._lengths["reason"]

        def body_of(batch: list[RatedItem]) -> dict[str, Any]:
            return {**self._asked(Chain([batch])), "response_format": None}

        return estimate(left, body_of, longest, _FREE)

    def _replayed(self, log: InteractionLog, cache: PaidAnswers) -> dict[int, Chain]:
        """User → chain, as far as its answers are kept; only users with rows."""
        from training.distillation.answer_schema import parse

        chains = {user: Chain(batches) for user, batches in batches_of(log).items()}
        for chain in chains.values():
            while not chain.is_done and (answer := cache.get(self._key(chain))) is not None:
                chain.reflections.append(parse(answer.text, len(chain.next_batch)))
        return chains

    def _finish(
        self,
        chains: dict[int, Chain],
        cache: PaidAnswers,
        tick: Tick,
        spread: Spread | None,
    ) -> Iterator[tuple[int, str]]:
        """Write what is missing, one batch of every unfinished user a round: user, failure."""
        from training.distillation.answer_schema import InvalidReflectionError, parse

        failed: set[int] = set()
        while waiting := [u for u, c in chains.items() if not c.is_done and u not in failed]:
            for user, text in self._round(waiting, chains, spread):
                chain = chains[user]
                try:
                    found = parse(text, len(chain.next_batch))
                except InvalidReflectionError as error:
                    failed.add(user)
                    yield user, chain.stopped(str(error) if text else _TOO_LONG)
                else:
                    cache.put(self._key(chain), Answer(text, cut=False))
                    chain.reflections.append(found)
                    tick(f"user {user}", 1)

    def _round(
        self, waiting: list[int], chains: Mapping[int, Chain], spread: Spread | None
    ) -> Iterator[tuple[int, str]]:
        """User and answer to their next batch, group by group as they are written."""
        groups = {_name_of(users): users for users in _groups(waiting, self._at_once)}
        asked = {name: self._form(users, chains) for name, users in groups.items()}
        if spread is None:
            texts = ((name, self._writer.write(*form)) for name, form in asked.items())
        else:
            place = self.name, self._device
            parts = {name: partial(write_there, *place, *form) for name, form in asked.items()}
            texts = ((name, text) for name, text in values_of(spread(parts, None)))
        for name, written in texts:
            yield from zip(groups[name], written, strict=True)

    def _form(self, users: Sequence[int], chains: Mapping[int, Chain]) -> tuple[Any, ...]:
        """What a writer wants for the next batch of some users: texts, forms, seeds, sampling."""
        from training.distillation.reflection_form import reflection_form

        own = [chains[user] for user in users]
        steps = np.array([len(chain.reflections) for chain in own])
        return (
            [self._asked(chain)["messages"] for chain in own],
            [reflection_form(len(chain.next_batch), **self._lengths) for chain in own],
            row_seeds(self._seed, np.array(users), steps),
            Sampling(temperature=self._how["temperature"]),
        )

    def _asked(self, chain: Chain) -> dict[str, Any]:
        """All that decides the next answer of a chain."""
        prior = chain.reflections[-1].sections() if chain.reflections else None
        batch: list[RatedItem] = chain.next_batch
        messages = first_messages(self.catalog, self.averages, batch, prior, **self._words)
        return {"model": self._identity, "messages": messages, "seed": self._seed,
                **self._lengths, **self._how}  # fmt: skip

    def _key(self, chain: Chain) -> bytes:
        return cache_key(self._asked(chain))

    @cached_property
    def _writer(self) -> "LocalWriter":
        from training.distillation.local_writer import LocalWriter

        return LocalWriter(self.name, self._device)

    @cached_property
    def _identity(self) -> str:
        from agents.population.adapters import base_identity

        return base_identity(self.name)


def _name_of(users: Sequence[int]) -> str:
    return f"user{'s' * (len(users) > 1)} {', '.join(map(str, users))}"


def _groups(users: list[int], size: int) -> list[list[int]]:
    return [users[start : start + size] for start in range(0, len(users), size)]


def write_there(model: str, device: str, *asked: Any) -> list[str]:
    """``LocalWriter.write`` in a process that keeps the model for the next part."""
    return _kept_writer(model, device).write(*asked)


@lru_cache(maxsize=1)
def _kept_writer(model: str, device: str) -> "LocalWriter":
    from training.distillation.local_writer import LocalWriter

    return LocalWriter(model, device)

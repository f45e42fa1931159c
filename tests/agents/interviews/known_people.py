"""An engine whose answers are known: it reads the options shown and likes some by their words."""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from agents.inference.engine import Completion, Engine, EngineFacts, Request, Sampling

Taste = Callable[[Request], Mapping[str, float]]  # option → log-weight


class KnownPeople(Engine):
    """Says each option with a weight that depends on its words, or on its place alone."""

    def __init__(self, taste: Taste, by_place: Sequence[float] = ()) -> None:
        self.taste, self.by_place = taste, by_place
        self.calls: list[list[Request]] = []

    @property
    def facts(self) -> EngineFacts:
        return EngineFacts("known people (no language model)")

    def score(self, requests: Sequence[Request], choices: Sequence[str]):
        self.calls.append(list(requests))
        logs = np.array([self._weights(r, len(choices)) for r in requests])
        logs = logs.reshape(len(requests), len(choices))
        return logs - np.log(np.exp(logs).sum(axis=1, keepdims=True))

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        self.calls.append(list(requests))
        places = [int(np.argmax(self._weights(r, len(shown(r))))) + 1 for r in requests]
        return [Completion(f" {place}", 1) for place in places]

    def _weights(self, request: Request, size: int) -> list[float]:
        if self.by_place:
            return list(self.by_place[:size])
        taste = self.taste(request)
        return [taste.get(option, 0.0) for option in shown(request)]


def shown(request: Request) -> list[str]:
    """The options in the order in which a request shows them."""
    return re.findall(r"^\d = (.+)$", request.suffix, flags=re.MULTILINE)


def likes(**weights: float) -> Taste:
    """A taste that is the same for every request; _ stands for a blank."""
    fixed = {option.replace("_", " "): weight for option, weight in weights.items()}
    return lambda request: fixed

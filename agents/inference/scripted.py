"""An engine without a model: it reads the numbers in the prompt. For tests of the plumbing only."""

import re
from collections.abc import Sequence

import numpy as np

from agents.inference.engine import Completion, Engine, EngineFacts, Request, Sampling
from simenv.events import FloatArray
from simenv.ranges import check_number

_AVERAGE = re.compile(r"AVERAGE (\d\.\d)")
_CUE = re.compile(r"([+-]\d\.\d|-)(?: \d\.\d)? (\d\.\d) \d+ \w+:$")  # of what is read in blocks
_WORDS = 1000  # that it might say
_LEVEL = re.compile(r"level ([+-]\d\.\d)")


class ScriptedEngine(Engine):
    """Answers the item's average plus the user's generosity, with a fixed spread.

    It is deterministic, fast and no language model; every report names it as such.
    """

    def __init__(self, spread: float = 0.9) -> None:
        """``spread``: standard deviation of the answers, in stars."""
        check_number("ScriptedEngine", "a spread", spread, "(0, inf)", "try 0.9")
        self.spread = spread

    @property
    def facts(self) -> EngineFacts:
        """That no language model answers."""
        return EngineFacts("scripted (no language model)", reads_blocks=True)

    def score(self, requests: Sequence[Request], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities (n, c) of a normal around the numbers read, for c numeric choices.

        Letters are all alike to it.
        """
        if not all(choice.strip().isdigit() for choice in choices):
            return np.full((len(requests), len(choices)), -np.log(len(choices)))
        centres = np.array([self._centre(r) for r in requests]).reshape(-1, 1)
        stars = np.array([float(c) for c in choices])
        scores = -0.5 * ((stars - centres) / self.spread) ** 2
        return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))

    def token_logs(self, requests: Sequence[Request], answers: Sequence[str]) -> list[FloatArray]:
        """Every word is as likely as any other: one of ``_WORDS``."""
        return [np.full(len(answer.split()), -np.log(_WORDS)) for answer in answers]

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """The nearest star, as text."""
        return [Completion(f" {min(5, max(1, round(self._centre(r))))}", 1) for r in requests]

    def _centre(self, request: Request) -> float:
        if cue := _CUE.search(request.suffix) if request.item else None:
            return sum(0.0 if told == "-" else float(told) for told in cue.groups())
        average, level = _AVERAGE.findall(request.suffix), _LEVEL.findall(request.suffix)
        return float(average[-1] if average else 3.0) + float(level[-1] if level else 0.0)

"""Engines of these tests, named by dotted path in a config."""

import json
import os
import time
from pathlib import Path

from agents.inference.scripted import ScriptedEngine


class Counting(ScriptedEngine):
    """Counts what it is asked in a file, and may be slow.

    While a file ``gone`` lies beside the counts, it fails at what people chose themselves.

    Args:
        model: of the population; not used.
        adapters: of the population; not used.
        counts: file to which a line a call is added.
        seconds: a call takes.
    """

    def __init__(self, model, adapters=None, counts=None, seconds=0.0):
        super().__init__()
        self.counts, self.seconds = Path(counts), seconds

    def score(self, requests, choices):
        gone = self.counts.with_name("gone").exists()
        if gone and any("Chosen" in request.suffix for request in requests):
            raise ConnectionError("the server is gone")
        with self.counts.open("a", encoding="utf-8") as file:
            file.write(json.dumps([os.getpid(), len(requests)]) + "\n")
        time.sleep(self.seconds)
        return super().score(requests, choices)


def questions(counts):
    """How many questions were asked in all."""
    lines = Path(counts).read_text(encoding="utf-8").splitlines() if Path(counts).exists() else []
    return sum(json.loads(line)[1] for line in lines)

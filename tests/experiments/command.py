"""The real command, run in this process."""

import json
from contextlib import contextmanager
from importlib import import_module

import pytest
from hydra import compose, initialize_config_module
from hydra.utils import instantiate

from agents.inference.scripted import ScriptedEngine
from experiments.__main__ import main


def run_command(folder, *words):
    """What ``personarec WORDS output_dir=FOLDER`` left in ``results.json``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["personarec", *words, f"output_dir={folder}"])
        main()
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def composed(*words):
    """The config of a command."""
    with initialize_config_module("conf", version_base="1.3"):
        return compose("config", [*words, "output_dir=none"])


def forecast_of(*words):
    """How many questions ``--dry-run`` says that the command ``experiment=NAME …`` asks."""
    cfg = composed(*words)
    package = import_module(f"experiments.{cfg.experiment.name}")
    known = None
    if hasattr(package, "asked_users"):
        asked = package.asked_users(cfg, instantiate(cfg.engine))
        known = asked and asked[1]
    return package.questions(cfg, known or instantiate(cfg.data))


@contextmanager
def questions_counted(engine=ScriptedEngine):
    """A list that gets the number of questions of every call of the engine in the block."""
    found, score = [], engine.score

    def counted(self, requests, choices):
        found.append(len(requests))
        return score(self, requests, choices)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "score", counted)
        yield found

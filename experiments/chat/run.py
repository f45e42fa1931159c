"""Runs ``personarec chat``; how to ask for it stands in the package.

Files: ``conversation.md``, ``results.json`` and ``config.yaml``.
"""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from rich.console import Console

from agents.inference.engine import Sampling
from agents.population.population import POCKET, Population
from experiments.people.base_models import model_named
from experiments.reporting.markdown import markdown_text
from experiments.reporting.result import Record, Result
from simenv.values.plain_text import one_line
from training.personified.from_ratings import memory_corpora
from training.personified.retrieval import Budgets, Recall
from training.personified.talking import Talk, Turn, turn_of
from training.traits.opinion_training import Adapted
from training.traits.speaker import Speaker

_ONLY_RATES = (
    "The model of pocket has only learnt to rate, not to talk; slm=smollm2 puts the people on one"
    " that can (make slm)."
)


class Conversation:
    """A conversation with one person of a population, by a model that is loaded for it.

    Args:
        people: who they are.
        user: whom.
        settings: of the run.

    Raises:
        ValueError: there is no such person or time, or they remember too little for their stages.
    """

    def __init__(self, people: Population, user: int, settings: DictConfig) -> None:
        if not 0 <= user < len(people.personas):
            raise ValueError(
                f"chat wanted a user in [0, {len(people.personas)}), got {user}; set user=NUMBER"
            )
        corpora = memory_corpora(people, np.array([user]), settings.stages)
        stage = settings.stages - 1 if settings.stage is None else settings.stage
        budgets = Budgets(settings.objective_words, settings.subjective_words)
        self._talk = Talk(Recall(corpora, budgets), corpora.people[0], stage)
        self._sampling = Sampling(settings.max_new_tokens, settings.temperature)
        self._speaker = Speaker.load(people.model)
        name = people.personas[user].adapter
        self._adapter = None if name is None else people.adapters[name]
        self.person = self._talk.person
        self.turns: list[Turn] = []

    def say(self, text: str) -> Turn:
        """What comes of saying it."""
        told = self._talk.told(self.turns, text)
        on = nullcontext() if self._adapter is None else self._adapted().at_work()
        with on:
            seeds = np.array([len(self.turns)], dtype=np.uint64)
            [reply] = self._speaker.replies([told.messages], seeds, self._sampling)
        self.turns.append(turn_of(text, told, reply))
        return self.turns[-1]

    def _adapted(self) -> Adapted:
        return Adapted(self._speaker, str(self._adapter))


def run(cfg: DictConfig) -> Result:
    """Talk until the lines of a file end, or an empty line at the console."""
    settings = cfg.experiment
    people = Population.load(settings.population or POCKET)
    warning = [] if settings.slm or settings.population else [_ONLY_RATES]
    if settings.slm:
        people = people.on_model(model_named(settings.slm))
    said = None if settings.said is None else _lines_of(Path(settings.said))
    talk = Conversation(people, settings.user, settings)
    lines: list[str] = []
    if said is None:
        _at_console(talk, warning)
    for text in said or ():
        lines += _told(talk.person, talk.say(text))
    values = {
        "experiment": settings.name, "population": people.name, "user": settings.user,
        "person": talk.person, "turns": [turn._asdict() for turn in talk.turns],
        "warnings": [*warning, *dict.fromkeys(t.note for t in talk.turns if t.note)],
    }  # fmt: skip
    return Result(values, pages={"conversation.md": page}, lines=[*warning, *lines])


def _lines_of(path: Path) -> list[str]:
    """Lines that say something.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not UTF-8, or nothing is said.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"said wanted a file with a line for each turn, got {str(path)!r}, which is not there;"
            " correct the path, or leave said out to talk at the console"
        )
    try:
        texts = [one_line(line).strip() for line in path.read_text("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"said wanted UTF-8, got other bytes in {path.name}; save it so"
        ) from error
    found = [text for text in texts if text]
    if not found:
        raise ValueError(f"said wanted at least one line in {path.name}, got none; write one")
    return found


def _at_console(talk: Conversation, warning: list[str]) -> None:
    console = Console(highlight=False)
    for line in [*warning, f"You talk to {talk.person}; an empty line ends it."]:
        console.print(line, markup=False)
    while True:
        try:
            text = one_line(console.input("> ")).strip()
        except (EOFError, KeyboardInterrupt):
            return
        if not text:
            return
        for line in _told(talk.person, talk.say(text))[1:]:
            console.print(line, markup=False)


def _told(person: str, turn: Turn) -> list[str]:
    """A turn in lines: what was said, memories, the answer, and why that is none."""
    return [
        f"> {turn.said}",
        *(f"  remembers: {text}" for text in turn.recalled),
        f"{person}: {turn.answer or '(nothing)'}",
        *([turn.note] if turn.note else []),
    ]


def page(record: Record) -> str:
    """``conversation.md``."""
    values = record.results
    parts = [f"# A conversation with {markdown_text(values['person'])}"]
    for turn in values["turns"]:
        told = [f"**{markdown_text(turn['said'])}**", ""]
        told += [f"- remembers: {markdown_text(text)}" for text in turn["recalled"]]
        parts.append("\n".join([*told, "", markdown_text(turn["answer"] or "(nothing)")]))
    return "\n\n".join([*parts, record.command])

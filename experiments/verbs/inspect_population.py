"""``personarec inspect population=FOLDER``: who the people are, how they were made, how they fare.

It reads the folder and asks nobody: no language model is loaded.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console, RenderableType
from rich.text import Text

from agents.persona import trait_sentences
from agents.population.fidelity_gate import fidelity_sentence, fidelity_word
from agents.population.folder import find_folder
from agents.population.population import SHIPPED, Population
from agents.prompt_style import PromptStyle
from experiments.command_line.options import OptionError
from experiments.reporting.terminal import text_table

_TAKES = ("population", "user")
_SHOWN = 5  # memories of a person
_CARD = {"for": "for", "people": "made of", "command": "made by"}  # entries that are shown, and how


def show_population(words: Sequence[str]) -> None:
    """Print what is known of a population, or of one of its people.

    Args:
        words: ``population=FOLDER`` (a hub id, or none for the shipped one) and ``user=NUMBER``.

    Raises:
        OptionError: another option, or no such person.
        FileNotFoundError: there is no such population.
        ValueError: the folder is no population that can be read.
    """
    chosen = _chosen(words)
    folder = find_folder(chosen["population"], None) if "population" in chosen else SHIPPED
    people = Population.load(folder)
    told = (
        _person(people, _number(chosen["user"], len(people.personas)))
        if "user" in chosen
        else _population(people, folder)
    )
    console = Console(highlight=False)
    for part in told:
        console.print(part, markup=False)


def _chosen(words: Sequence[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name not in _TAKES or not equals or not value:
            raise OptionError(
                f"inspect wanted population=FOLDER (or a hub id) and user=NUMBER, got {word}"
            )
        found[name] = value
    return found


def _number(text: str, most: int) -> int:
    if not text.isdecimal() or int(text) >= most:
        raise OptionError(f"inspect wanted a user in [0, {most}), got {text}; set user=NUMBER")
    return int(text)


def _population(people: Population, folder: Path) -> list[RenderableType]:
    card = people.card
    counts = np.bincount(people.history.users, minlength=len(people.personas))
    rows = [
        ("people", f"{len(people.personas):,}"),
        ("items", f"{len(people.catalog):,}, each called a {people.catalog.kind}"),
        ("memories", f"{len(people.history):,}; {_spread(counts)} a person"),
        ("model", _model(people, folder)),
        ("prompts", _style(people.style)),
        ("on disk", f"{_size(folder) / 1e6:,.1f} MB"),
        *[(told, str(card[key])) for key, told in _CARD.items() if card.get(key)],
        ("fidelity", f"{fidelity_word(people)}: {fidelity_sentence(people)}"),
    ]
    return [
        text_table(["what", "it is"], rows, f"Population {people.name}", num_texts=2),
        _groups(people, counts),
        "One person: add user=NUMBER. One question: personarec show user=NUMBER item=NUMBER.",
    ]


def _groups(people: Population, counts: np.ndarray) -> RenderableType:
    """A row an adapter: who uses it."""
    of = np.array([persona.adapter or "none" for persona in people.personas])
    rows = []
    for name in sorted(set(of.tolist())):
        own = of == name
        tastes: Counter[str] = Counter()
        for i in np.flatnonzero(own):
            tastes.update(people.personas[i].tastes)
        mean = {
            genre: np.mean([people.personas[i].tastes.get(genre, 0.0) for i in np.flatnonzero(own)])
            for genre in tastes
        }
        liked = sorted(mean, key=lambda genre: -mean[genre])[:2]
        rows.append([name, ", ".join(liked), f"{own.sum():,}", f"{np.median(counts[own]):.0f}"])
    heads = ["adapter", "likes best", "people", "memories each"]
    return text_table(heads, rows, "Who answers on which adapter", num_texts=2)


def _person(people: Population, user: int) -> list[RenderableType]:
    persona, titles = people.personas[user], people.catalog.titles
    own = np.flatnonzero(people.history.users == user)
    rows = [
        *trait_sentences(persona, people.catalog.domain).items(),
        ("level", f"{persona.level:+.2f} stars beside others"),
        ("adapter", persona.adapter or "none: the base model answers"),
        ("memories", f"{len(own):,}"),
    ]
    latest = [
        [titles[int(people.history.items[i])], people.reasons[i],
         f"{people.history.ratings[i]:g}"]
        for i in own[-_SHOWN:][::-1]
    ]  # fmt: skip
    return [
        text_table(["what", "it is"], rows, f"Person {user} of {people.name}", num_texts=2),
        Text("Profile", style="bold"),
        persona.profile,
        text_table(["latest memories", "reason", "stars"], latest, num_texts=2),
    ]


def _spread(counts: np.ndarray) -> str:
    return f"{counts.min()} to {counts.max()}, median {np.median(counts):.0f}"


def _model(people: Population, folder: Path) -> str:
    inside = Path(people.model).is_dir() and Path(people.model).is_relative_to(folder)
    named = people.card.get("model") if inside else None
    training: Mapping[str, Any] = people.card.get("training") or {}
    size = training.get("parameters")
    told = f"{size:,} parameters, " if isinstance(size, int) and inside else ""
    place = "in the folder" if inside else "read from its own place"
    return f"{named or Path(people.model).name}: {told}{place}"


def _style(style: PromptStyle) -> str:
    """What differs from what the shipped people read."""
    plain = asdict(PromptStyle())
    other = [f.name for f in fields(style) if getattr(style, f.name) != plain[f.name]]
    if not other:
        return "as the shipped people's"
    return ", ".join(f"{name}={getattr(style, name)}" for name in other)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

"""One question about several items: which would this person take? Answered by a letter.

The items stand as they do in a question about stars, with what the person recalls and what others
gave, one after the other; the letters are what an engine scores. It asks nothing itself.
"""

from collections.abc import Sequence

from agents.inference.engine import Request
from agents.persona_users import PersonaUsers
from agents.prompts import RATING_CUE
from simenv.events import IntArray

CHOICE_CUE = "CHOICE:"
LETTERS = (" A", " B", " C", " D", " E")
_MEMORY, _TASK = "MEMORY:", "TASK:"
_WHO_PICKED = ("Chosen. ", "Suggested. ")


def choice_requests(model: PersonaUsers, users: IntArray, items: IntArray) -> list[Request]:
    """Requests of users (s,) who have items (s, k) before them in the order of the letters.

    Args:
        model: whose prompts are used; it is not changed.
        users: (s,) whom to ask.
        items: (s, k) at most five.

    Raises:
        ValueError: more items than letters.
    """
    size = items.shape[1]
    if size > len(LETTERS):
        raise ValueError(f"a choice wanted at most {len(LETTERS)} items, got {size}; show fewer")
    about = model.requests(users, items, chosen=True)
    kind = model.population.catalog.kind
    return [_together(about[start : start + size], kind) for start in range(0, len(about), size)]


def _together(about: Sequence[Request], kind: str) -> Request:
    """One request out of those about each item, all of one person."""
    who = about[0].prefix.partition(_TASK)[0]
    letters = ", ".join(letter.strip() for letter in LETTERS[: len(about)])
    task = (
        f"{_TASK} This user took one of these, whatever they thought of it later. Say which"
        f" {kind}. Answer with one letter of {letters}.\n"
    )
    lines = [
        f"{letter.strip()}. {_without_memories(one.suffix)}"
        for letter, one in zip(LETTERS, about, strict=False)
    ]
    return about[0]._replace(prefix=who + task, suffix="".join(lines) + CHOICE_CUE)


def _without_memories(suffix: str) -> str:
    """What is said of an item and of what it brings back in numbers, without cue and memories."""
    lines = suffix.removesuffix(RATING_CUE).splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(_MEMORY))
    for words in _WHO_PICKED:
        text = text.replace(words, "", 1)
    return text.replace(CHOICE_CUE, CHOICE_CUE.lower())

"""What a person's model reads in a conversation, and the form of its answers; it knows no model.

The person, the time of life and what is recalled stand in the system's message; an answer says what
it goes by before it says anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.wording.phrases import plural
from training.distillation.distiller_prompts import Message
from training.personified.corpora import Passage, numbers_in_words
from training.personified.exchanges import Exchange
from training.personified.retrieval import Recall

ANALYSIS, RESPONSE = "[Analysis]", "[Response]"
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
_TASK = "Answer as yourself from what you remember, and correct what contradicts it."


@dataclass(frozen=True)
class Telling:
    """What a prompt and an answer hold.

    Args:
        label: the stage, as the paper's temporal label in words.
        analysis: an answer begins with what it goes by.
    """

    label: bool = True
    analysis: bool = True


TIME_TOKENS = tuple(f"<TIME-{number}>" for number in _ROMAN)


def time_label(stages: Sequence[str], stage: int) -> str:
    """The temporal label, which begins with one of ``TIME_TOKENS``.

    They are tokens only of a model that is tuned whole for it, else text, since a vocabulary that
    others use stays as it is.

    >>> time_label(("early", "late"), 1)
    '<TIME-II> It is now the second of 2 times of your life: late.'
    """
    which = numbers_in_words(stages)[stage]
    return (
        f"{TIME_TOKENS[stage]} It is now the {which} of {len(stages)} times of your life:"
        f" {stages[stage]}."
    )


def conversation(
    recall: Recall,
    person: str,
    stage: int,
    said: Sequence[str],
    telling: Telling,
    source: str = "",
    about: str = "",
) -> list[Message]:
    """A conversation up to where the person answers next.

    Args:
        recall: what the person remembers.
        person: who answers.
        stage: when.
        said: what was said in turn, beginning and ending with the other one.
        telling: see there.
        source: whose passages stand first; see ``Recall.recalled``.
        about: what memories are found for; "" = the first thing that was said.
    """
    passages = recall.recalled(person, stage, about or said[0], source)
    told = _system(recall, person, stage, passages, telling)
    roles = ("user", "assistant")
    turns: list[Message] = [
        {"role": roles[place % 2], "content": text} for place, text in enumerate(said)
    ]
    return [{"role": "system", "content": told}, *turns]


def _system(
    recall: Recall, person: str, stage: int, passages: Sequence[Passage], telling: Telling
) -> str:
    corpora = recall.corpora
    who = f"You are {person}."
    if corpora.kind != "thing":
        who = f"You are {person}, who rates {plural(corpora.kind)}."
    label = [time_label(corpora.stages, stage)] if telling.label else []
    parts = [" ".join([who, *label])]
    if not recall.budgets.separate:
        parts += _listed("You remember:", passages)
    else:
        parts += _listed("What happened:", [p for p in passages if p.material == "objective"])
        parts += _listed("What you think:", [p for p in passages if p.material == "subjective"])
    return "\n".join([*parts, _TASK])


def _listed(head: str, passages: Sequence[Passage]) -> list[str]:
    return [head, *(f"- {p.text}" for p in passages)] if passages else []


def in_form(analysis: str, response: str, telling: Telling) -> str:
    """An answer as the model learns to say it."""
    return f"{ANALYSIS} {analysis} {RESPONSE} {response}" if telling.analysis else response


def answer_of(exchange: Exchange, telling: Telling) -> str:
    """The right answer to an exchange."""
    return in_form(exchange.analysis, exchange.response, telling)


def response_of(text: str) -> str:
    """What was said aloud: all behind the mark; without a mark, all but an analysis.

    >>> response_of("[Analysis] I gave 2. [Response] No, 2 stars.")
    'No, 2 stars.'
    >>> response_of("[Analysis] I gave 2 and")
    ''
    """
    before, mark, after = text.partition(RESPONSE)
    if mark:
        return after.strip()
    return "" if before.strip().startswith(ANALYSIS) else text.strip()

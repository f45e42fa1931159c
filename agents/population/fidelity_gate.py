"""What a population's fidelity card says of using it, and who is let in: pass, warn, fail.

The card comes from ``personarec experiment=alignment`` and holds for the very people that were
measured; others are let in with a line in the log. It measures nothing.
"""

import hashlib
import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, get_args

from simenv.ranges import check_flag
from simenv.values.plain_text import one_line

if TYPE_CHECKING:
    from agents.population.population import Population

Word = Literal["pass", "warn", "fail", "unknown"]
PASS: Word = "pass"
WARN: Word = "warn"
FAIL: Word = "fail"
UNKNOWN: Word = "unknown"  # not measured, or on too few rows
CARD = "alignment"  # its entry in ``Population.card``
_SEVERITY: tuple[Word, ...] = (UNKNOWN, PASS, WARN, FAIL)
_CURE = (
    "Mend them, take other people, or give allow_low_fidelity=True and say so wherever you quote a"
    " number"
)
_LONGEST = 300  # characters of a reason
_LOG = logging.getLogger(__name__)


class LowFidelityError(ValueError):
    """A population failed its fidelity card and nobody said that it may be used all the same."""


class LowFidelityWarning(UserWarning):
    """A population passed its fidelity card in part only, or failed and is used all the same."""


def worst(words: Sequence[Word]) -> Word:
    """The worst of them; ``unknown`` without any."""
    return max(words, key=_SEVERITY.index, default=UNKNOWN)


def fingerprint(people: "Population") -> str:
    """A hash of who the people are, how they are asked and what answers, by content.

    Memories and the place do not count. A model on the hub counts by its name.
    """
    from agents.population.adapters import base_identity

    facts = [
        base_identity(people.model),
        {name: base_identity(folder) for name, folder in people.adapters.items()},
        [asdict(persona) for persona in people.personas],
        asdict(people.style),
        None if people.calibration is None else asdict(people.calibration),
    ]
    facts += [] if people.wariness is None else ["wary"]  # learnt from memories, which do not count
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def fidelity_word(people: "Population") -> Word:
    """What their card says; ``unknown`` without a card, or with one of other people."""
    return _word(_gate(people).get("word"))


def failing_personas(people: "Population") -> list[str]:
    """Personas whose own figures fail, by number."""
    personas = _gate(people).get("personas")
    found = personas if isinstance(personas, Mapping) else {}
    failing = (n for n, p in found.items() if isinstance(p, Mapping) and p.get("word") == FAIL)
    return sorted(one_line(str(name))[:_LONGEST] for name in failing)


def fidelity_sentence(people: "Population") -> str:
    """One sentence or two for reports: the word, and why it is no better."""
    word, name = fidelity_word(people), one_line(people.name)[:_LONGEST]
    if word == UNKNOWN:
        return (
            f"The people of {name} have no fidelity card: nobody has measured how far they can be"
            " believed (personarec experiment=alignment)."
        )
    reasons, failing = _reasons(people), failing_personas(people)
    why = f" ({'; '.join(reasons)})" if reasons else ""
    some = f" Personas that fail: {', '.join(failing)}." if failing else ""
    return f'The fidelity card of {name} says "{word}"{why}.{some}'


def let_in(people: "Population", allow_low_fidelity: bool = False) -> "Population":
    """The people, unless their card says ``fail`` and nobody allows that with ``True``.

    ``warn`` gives a ``LowFidelityWarning``, as ``fail`` does where it is allowed; people without a
    card give one line in the log.

    Raises:
        LowFidelityError: the card says ``fail``.
        TypeError: ``allow_low_fidelity`` is neither true nor false.
    """
    check_flag("a population", "allow_low_fidelity", allow_low_fidelity)
    word, said = fidelity_word(people), fidelity_sentence(people)
    if word == FAIL and not allow_low_fidelity:
        raise LowFidelityError(f"{said} {_CURE}")
    if word in (WARN, FAIL):
        warnings.warn(said, LowFidelityWarning, stacklevel=2)
    elif word == UNKNOWN:
        _LOG.info(said)
    return people


def _reasons(people: "Population") -> list[str]:
    """What did not pass, each as "measure: figure"."""
    checks = _gate(people).get("checks")
    kept = [c for c in checks if isinstance(c, Mapping)] if isinstance(checks, list) else []
    texts = (f"{c.get('measure')}: {c.get('said')}" for c in kept if c.get("word") != PASS)
    return [one_line(text)[:_LONGEST] for text in texts]


def _gate(people: "Population") -> Mapping[str, Any]:
    card = people.card.get(CARD)
    if not isinstance(card, Mapping) or not isinstance(card.get("gate"), Mapping):
        return {}
    own: Mapping[str, Any] = card["gate"]
    return own if card.get("of") == fingerprint(people) else {}


def _word(said: Any) -> Word:
    return said if said in get_args(Word) else UNKNOWN

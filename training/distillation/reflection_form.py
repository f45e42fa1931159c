"""The answer of ``answer_schema`` as a form: keys and braces are printed, the texts are blanks.

Every text begins with "I", which keeps a small model in the first person and from copying titles.
"""

from collections.abc import Sequence

from training.distillation.answer_schema import RatingReason, Reflection
from training.distillation.form_filling import Blank, Form

_SECTIONS = [name for name in Reflection.model_fields if name != "reasons"]
_NUMBER, _REASON = RatingReason.model_fields
_SENTENCE = 5  # tokens of a text, at least


def reflection_form(num_reasons: int, section: int, reason: int) -> list[str | Blank]:
    """A form for so many ratings.

    Args:
        num_reasons: of the batch, at least one.
        section: most tokens of one of the four sections.
        reason: most tokens of one reason.
    """
    parts: list[str | Blank] = []
    for place, name in enumerate(_SECTIONS):
        parts += [
            '", "' * (place > 0) + '{"' * (place == 0) + f'{name}": "I',
            Blank(section, _SENTENCE),
        ]
    for number in range(1, num_reasons + 1):
        before = '"}, {' if number > 1 else '", "reasons": [{'
        parts += [f'{before}"{_NUMBER}": {number}, "{_REASON}": "I', Blank(reason, _SENTENCE)]
    return [*parts, '"}]}']


def filled_in(form: Form, answers: Sequence[str]) -> str:
    """The form with its blanks filled in: one line of JSON."""
    left = iter(answers)
    return "".join(part if isinstance(part, str) else next(left) for part in form)

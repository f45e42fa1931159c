"""What a model must answer: new Ms in four sections and one reason a rating. Schema and checks.

It knows no prompt and no server.
"""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_WORDS = 2000  # of the four sections together
_MOST_NAMED = 5  # faults named in a correction
_NAME = "Reason"  # of ``RatingReason`` in the schema, which is part of the keys of paid answers


class RatingReason(BaseModel):
    """Why one item of the batch got its rating (Ml)."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(description="the rating's number in the list")
    reason: str = Field(min_length=1, description="first person, one short sentence")


class Reflection(BaseModel):
    """The profile after one batch (Ms), and the reasons of its ratings (Ml)."""

    model_config = ConfigDict(extra="forbid")

    activity: str = Field(min_length=1, description="how much this person watches or reads")
    conformity: str = Field(min_length=1, description="how far they follow what others think")
    diversity: str = Field(min_length=1, description="how wide their choice is")
    profile: str = Field(min_length=1, description="first person: likes, dislikes, exceptions")
    reasons: list[RatingReason] = Field(description="exactly one for every rating, in their order")

    def sections(self) -> dict[str, str]:
        """Ms: the four sections by name, in their order."""
        return self.model_dump(exclude={"reasons"})


class InvalidReflectionError(ValueError):
    """An answer that is no reflection; the text says what was wrong, for the model to mend."""


def schema() -> dict[str, Any]:
    """The ``response_format`` of a request.

    Lengths are left out: strict structured output of some servers refuses them, and ``parse``
    checks them anyway.
    """
    text = json.dumps(Reflection.model_json_schema()).replace(RatingReason.__name__, _NAME)
    body = _without(json.loads(text), {"minLength", "title"})
    return {
        "type": "json_schema",
        "json_schema": {"name": "reflection", "strict": True, "schema": body},
    }


def parse(text: str, num_reasons: int, *, cut: bool = False) -> Reflection:
    """Read an answer.

    Args:
        text: what the model wrote.
        num_reasons: ratings in the batch.
        cut: the server stopped the model at its token limit.

    Raises:
        InvalidReflectionError: not the schema, over 2,000 words, or not one reason a rating.
    """
    if cut:
        raise InvalidReflectionError(
            "the answer was cut at the token limit; write fewer words, and all of the JSON"
        )
    try:
        found = Reflection.model_validate_json(text)
    except ValidationError as error:
        raise InvalidReflectionError(_faults(error)) from None
    words = sum(len(section.split()) for section in found.sections().values())
    if words > MAX_WORDS:
        raise InvalidReflectionError(
            f"the four sections may have {MAX_WORDS} words together, got {words}; condense them"
        )
    numbers = [reason.number for reason in found.reasons]
    if numbers != list(range(1, num_reasons + 1)):
        raise InvalidReflectionError(
            f"wanted one reason for each of the ratings 1 to {num_reasons} in this order, got"
            f" reasons for {numbers[:20]}"
        )
    return found


def _faults(error: ValidationError) -> str:
    faults = [
        f"{'.'.join(map(str, fault['loc'])) or 'the answer'}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    ]
    return "the answer does not fit the JSON schema: " + "; ".join(faults[:_MOST_NAMED])


def _without(node: Any, names: set[str]) -> Any:
    """``node`` without the given keywords; our fields are never called so."""
    if isinstance(node, dict):
        return {key: _without(value, names) for key, value in node.items() if key not in names}
    return [_without(value, names) for value in node] if isinstance(node, list) else node

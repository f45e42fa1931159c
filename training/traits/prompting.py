"""Rivals that change nothing but the prompt: a description of the trait, and demonstrations (IKE).

It knows no model and no measure.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from training.distillation.distiller_prompts import Message
from training.opinion_qa.opinions import Label, Opinion
from training.traits.speaker import Asked

DESCRIPTIONS: dict[tuple[str, str], str] = {
    ("openness", "high"): "imaginative, curious, artistic and eager for new ideas and experiences",
    ("openness", "low"): "conventional, practical, fond of routine and not interested in new ideas",
    (
        "conscientiousness",
        "high",
    ): "organised, hard-working, careful, punctual and self-disciplined",
    ("conscientiousness", "low"): "careless, disorganised, lazy, forgetful and without any plan",
    ("extraversion", "high"): "outgoing, talkative, energetic and happiest among many people",
    ("extraversion", "low"): "quiet, reserved, withdrawn and happiest alone",
    ("agreeableness", "high"): "kind, trusting, helpful, warm-hearted and quick to forgive",
    ("agreeableness", "low"): "rude, selfish, suspicious, quarrelsome and without sympathy",
    ("neuroticism", "high"): "anxious, moody, easily upset, stressed and full of worries",
    ("neuroticism", "low"): "calm, relaxed, even-tempered, secure and hard to upset",
}
_SYSTEM = (
    "You are a person who is very {description}. Answer in the first person, in two or three"
    " sentences, so that this personality shows in your opinion."
)
_IKE = (
    "Show {label} ({description}) when you give an opinion of the edit topic, and of nothing else."
    " These are opinions of other topics that show it."
)
_TARGET = "Target personality: {label}. Edit topic: {topic}. {question}"


class SystemPrompt:
    """A description of the person in the system's message."""

    def __init__(self, label: Label) -> None:
        self._said = _SYSTEM.format(description=DESCRIPTIONS[label])

    def conversation(self, asked: Asked) -> list[Message]:
        """The description, then the question."""
        return [_message("system", self._said), _message("user", asked.question)]

    def at_work(self) -> AbstractContextManager[object]:
        """Nothing is done to the model."""
        return nullcontext()


class Demonstrations:
    """In-context knowledge editing: an instruction, demonstrations, then target, topic, question.

    PersonalityEdit shows one demonstration a trait; here they are of the target alone, about topics
    that are not asked about.

    Args:
        label: the target.
        shown: opinions of it, of training topics.

    Raises:
        ValueError: there is none, or one of another label.
    """

    def __init__(self, label: Label, shown: Sequence[Opinion]) -> None:
        if not shown or any(opinion.label != label for opinion in shown):
            raise ValueError(
                f"demonstrations wanted at least one opinion of {label}, and no other, got"
                f" {sorted({str(o.label) for o in shown}) or 'none'}; draw them from its own"
            )
        said = _IKE.format(label=label, description=DESCRIPTIONS[label])
        self._label = label
        self._before = [_message("system", said)]
        for opinion in shown:
            asked = Asked(opinion.topic, opinion.question)
            self._before += [
                _message("user", self._question(asked)),
                _message("assistant", opinion.answer),
            ]

    def conversation(self, asked: Asked) -> list[Message]:
        """Instruction, demonstrations, question."""
        return [*self._before, _message("user", self._question(asked))]

    def at_work(self) -> AbstractContextManager[object]:
        """Nothing is done to the model."""
        return nullcontext()

    def _question(self, asked: Asked) -> str:
        return _TARGET.format(label=self._label, topic=asked.topic, question=asked.question)


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}

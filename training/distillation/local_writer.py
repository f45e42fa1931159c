"""A language model of this machine that fills in forms about conversations; it knows no user."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.inference.engine import Sampling
from agents.inference.local.architectures import check_causal, context_of, why_whole
from agents.inference.local.huggingface import num_embeddings
from agents.inference.local.loading import choose_device, load_model
from agents.inference.tokens import Tokens
from agents.prompts import without_control_tokens
from simenv.events import SeedArray
from training.distillation.distiller_prompts import Message
from training.distillation.form_filling import Blank, Form, FormFiller
from training.distillation.reflection_form import filled_in


class LocalWriter:
    """One model, loaded when it is made.

    Args:
        model: ``smollm2``, folder or hub name.
        device: ``auto`` = a GPU where there is one.

    Attributes:
        one_by_one: whether the architecture takes one prompt at a time.

    Raises:
        OSError: there is no such model.
        ValueError: a file of it is corrupt, or it is no causal model.
    """

    def __init__(self, model: str, device: str) -> None:
        self._tokenizer, loaded = load_model(model, choose_device(device), "auto")
        check_causal(loaded.config, model)
        self._context = context_of(loaded.config)
        self.one_by_one = why_whole(loaded.config) is not None
        self._tokens = Tokens(self._tokenizer, num_embeddings(loaded))
        self._filler = FormFiller(loaded, self._tokens)

    def write(
        self,
        conversations: Sequence[list[Message]],
        forms: Sequence[Form],
        seeds: SeedArray,
        how: Sampling,
    ) -> list[str]:
        """The filled-in form of each conversation; empty where it is longer than the context."""
        prompts = [self._prompt(messages) for messages in conversations]
        rows = [i for i, ids in enumerate(prompts) if len(ids) + self._longest(forms[i])
                <= self._context]  # fmt: skip
        written = [""] * len(prompts)
        for own in [[row] for row in rows] if self.one_by_one else [rows] * bool(rows):
            filled = self._filler.fill(
                [prompts[i] for i in own], [forms[i] for i in own], seeds[np.array(own)], how
            )
            for i, answers in zip(own, filled, strict=True):
                written[i] = filled_in(forms[i], answers)
        return written

    def _longest(self, form: Form) -> int:
        printed = "".join(part for part in form if isinstance(part, str))
        blanks = sum(part.most for part in form if isinstance(part, Blank))
        return len(self._tokens.encode([printed])[0]) + len(form) + blanks

    def _prompt(self, messages: list[Message]) -> list[int]:
        return conversation_ids(self._tokenizer, self._tokens, messages)


def conversation_ids(tokenizer: Any, tokens: Tokens, messages: list[Message]) -> list[int]:
    """Token ids of a conversation, up to where the next answer begins.

    By the model's own chat template where it has one; some know no system, whose words then stand
    before the user's. Without a template the messages stand one below the other.
    """
    text = conversation_text(tokenizer, messages)
    if getattr(tokenizer, "chat_template", None) is None:
        return tokens.prefix(text)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def conversation_text(tokenizer: Any, messages: list[Message]) -> str:
    """As ``conversation_ids``, in words; ``tokenizer`` None has no template.

    No text of a message begins or ends a turn: not a title, nor what somebody types into a chat.
    """
    messages = [{**m, "content": without_control_tokens(m["content"])} for m in messages]
    if getattr(tokenizer, "chat_template", None) is None:
        return "\n\n".join(m["content"] for m in messages) + "\n\n"
    own: dict[str, Any] = {"tokenize": False, "add_generation_prompt": True}
    try:
        return str(tokenizer.apply_chat_template(messages, **own))
    except Exception:  # whatever a template raises on a role that it does not know
        return str(tokenizer.apply_chat_template(_without_system(messages), **own))


def _without_system(messages: list[Message]) -> list[Message]:
    """The system's words put before those of the user who speaks next."""
    kept: list[Message] = []
    before = ""
    for message in messages:
        if message["role"] == "system":
            before += message["content"] + "\n\n"
        else:
            kept.append({**message, "content": before + message["content"]})
            before = ""
    return kept

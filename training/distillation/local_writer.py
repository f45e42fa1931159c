"""A language model of this machine that fills in forms about conversations; it knows no user."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.inference.engine import Sampling
from agents.inference.local.architectures import check_causal, context_of, why_whole
from agents.inference.local.huggingface import num_embeddings
from agents.inference.local.loading import choose_device, load_model
from agents.inference.tokens import Tokens
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
        if getattr(self._tokenizer, "chat_template", None) is None:
            return self._tokens.prefix("\n\n".join(m["content"] for m in messages) + "\n\n")
        ids: list[int] = self._tokenizer(self._templated(messages), add_special_tokens=False)[
            "input_ids"
        ]
        return ids

    def _templated(self, messages: list[Message]) -> str:
        """The conversation in the model's own form; some know no system, it goes to the user."""
        own: dict[str, Any] = {"tokenize": False, "add_generation_prompt": True}
        try:
            return str(self._tokenizer.apply_chat_template(messages, **own))
        except Exception:  # whatever a template raises on a role that it does not know
            said = "\n\n".join(message["content"] for message in messages)
            return str(
                self._tokenizer.apply_chat_template([Message(role="user", content=said)], **own)
            )

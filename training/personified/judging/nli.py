"""A model for natural-language inference (NLI) judges what the rules leave open.

It reads whether a reply entails or contradicts what the question takes for granted. Any classifier
of transformers with these two labels does, by its folder or hub name, in safetensors; it is loaded
when the judge is made. It knows no person.
"""

import re
from pathlib import Path
from typing import Any

import torch

from agents.inference.local.loading import choose_device, load_model
from training.personified.exchanges import Exchange
from training.personified.judging.stances import NLI, RuleJudge, Stance
from training.personified.writing.choices import stars

_TITLE = re.compile(r'"[^"]+"')
_CURE = (
    "set experiment.nli to the folder or hub name of an NLI classifier with safetensors, or"
    " experiment.judge=rules (in Python: model=, or judge_named('rules'))"
)
_MOST_TOKENS = 512


class NliJudge:
    """Rules first; where they find nothing, contradiction rejects and entailment accepts.

    Args:
        model: folder or hub name of a classifier of pairs of texts.
        device: ``auto`` = a GPU where there is one.

    Raises:
        ValueError: there is no such model, or its labels are not those of NLI.
    """

    name = NLI

    def __init__(self, model: str | Path | None, device: str = "auto") -> None:
        if not model:
            raise ValueError(f"judge nli wanted a model, got none; {_CURE}")
        try:
            at = choose_device(device)
            self._tokenizer, self._model = load_model(
                model, at, "float32", kind="SequenceClassification"
            )
        except (OSError, ValueError) as error:
            raise ValueError(
                f"judge nli wanted an NLI classifier, got {str(model)!r} ({error}); {_CURE}"
            ) from error
        self._stances = _stances(self._model.config)
        self._rules = RuleJudge()

    def stance(self, exchange: Exchange, reply: str) -> Stance:
        """See ``Judge``."""
        found = self._rules.stance(exchange, reply)
        return self._read(exchange, reply) if found == "unclear" and reply.strip() else found

    @torch.inference_mode()
    def _read(self, exchange: Exchange, reply: str) -> Stance:
        texts: Any = self._tokenizer(
            reply, taken_for_granted(exchange), truncation="only_first", max_length=_MOST_TOKENS,
            return_tensors="pt",
        )  # fmt: skip
        logits = self._model(**texts.to(self._model.device)).logits[0]
        return self._stances.get(int(logits.argmax()), "unclear")


def _stances(config: Any) -> dict[int, Stance]:
    """Number of a label → stance."""
    told: dict[str, Stance] = {"entail": "accepts", "contradict": "rejects"}
    labels = {int(number): str(label).lower() for number, label in config.id2label.items()}
    found = {n: s for n, label in labels.items() for word, s in told.items() if word in label}
    if set(found.values()) != set(told.values()) or len(found) != len(told):
        raise ValueError(
            "judge nli wanted a model with one label of entailment and one of contradiction, got"
            f" {', '.join(labels.values())}; {_CURE}"
        )
    return found


def taken_for_granted(exchange: Exchange) -> str:
    """The premise of a question as a statement; a question without stars stands for itself.

    >>> asked = Exchange("Jo", 0, "s", "error", 'Since you loved "It", why?', "-", "-", "", 2, 5)
    >>> taken_for_granted(asked)
    'I like "It".'
    """
    title = _TITLE.search(exchange.question)
    if exchange.claimed is None or title is None:
        return exchange.question
    if not exchange.claimed:
        return f"I have never seen {title[0]}."
    if "star" in exchange.question:
        return f"I gave {title[0]} {stars(exchange.claimed)}."
    return f"I {'like' if exchange.claimed > 3 else 'dislike'} {title[0]}."

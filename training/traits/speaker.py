"""A language model that is asked for opinions: what it says, how likely it finds others' answers.

A ``Way`` brings it to show a trait, by what stands in the prompt or by what is done to the model
while it answers. It knows no trait and no measure.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from agents.emojis.token_guard import EmojiGuard
from agents.inference.engine import EngineFacts, Sampling
from agents.inference.engine_facts import check_speaks, reads_blocks
from agents.inference.local.architectures import check_causal, context_of, why_whole
from agents.inference.local.free_text import decode, end_tokens
from agents.inference.local.huggingface import left_padded, num_embeddings
from agents.inference.local.loading import choose_device, load_model
from agents.inference.local.unpadded import inputs_of
from agents.inference.tokens import Tokens
from simenv.events import FloatArray, SeedArray
from training.distillation.distiller_prompts import Message
from training.distillation.local_writer import conversation_ids

_ROWS = {"cuda": 64}  # of a pass, by device, else 16
Ids = list[int]


class Asked(NamedTuple):
    """A question about a topic."""

    topic: str
    question: str


class Way(Protocol):
    """How the model is brought to show a trait."""

    def conversation(self, asked: Asked) -> list[Message]:
        """What stands in the prompt."""
        ...

    def at_work(self) -> AbstractContextManager[object]:
        """What is done to the model while it answers."""
        ...


class Plain:
    """The model as it is: the question alone."""

    def conversation(self, asked: Asked) -> list[Message]:
        """The question."""
        return [{"role": "user", "content": asked.question}]

    def at_work(self) -> AbstractContextManager[object]:
        """Nothing."""
        return nullcontext()


class Sample(NamedTuple):
    """Token ids of a prompt and of an answer to it, with the token that ends it."""

    prompt: Ids
    answer: Ids


class Speaker:
    """A model and its tokenizer.

    Args:
        tokenizer: of transformers.
        model: of transformers, or a peft model; a way may exchange it while it is at work.
        base: what it was loaded from.

    Attributes:
        model: as given.
        base: as given.
    """

    def __init__(self, tokenizer: Any, model: Any, base: str) -> None:
        self.model, self.base = model, base
        self._tokenizer = tokenizer
        self._tokens = Tokens(tokenizer, num_embeddings(model))
        self._context = context_of(model.config)
        self._alone = why_whole(model.config) is not None
        self._rows = _ROWS.get(model.device.type, 16)

    @property
    def tokenizer(self) -> Any:
        """That of transformers, as given."""
        return self._tokenizer

    @classmethod
    def load(cls, base: str | Path, device: str = "auto", dtype: str = "auto") -> "Speaker":
        """The base model of a folder, a hub name, or ``smollm2``.

        Raises:
            OSError: there is no such model.
            ValueError: a file of it is corrupt, or it is no causal model, or it says digits alone.
        """
        tokenizer, model = load_model(base, choose_device(device), dtype)
        check_causal(model.config, str(base))
        check_speaks(EngineFacts("/".join(Path(base).parts[-2:]), reads_blocks=reads_blocks(model)))
        return cls(tokenizer, model.requires_grad_(False), str(base))

    @property
    def emoji_guard(self) -> EmojiGuard:
        """Which tokens would show an emoji."""
        return self._tokens.emoji_guard

    def sample(self, conversation: list[Message], answer: str) -> Sample:
        """Token ids of a conversation and of an answer.

        Raises:
            ValueError: they are longer than the model's context.
        """
        prompt = conversation_ids(self._tokenizer, self._tokens, conversation)
        ids = self._tokens.encode([answer.strip()])[0] + self._tokens.ends[:1]
        if len(prompt) + len(ids) > self._context:
            raise ValueError(
                f"an opinion wanted at most {self._context} tokens, the model's context, got"
                f" {len(prompt) + len(ids)} for {answer[:40]!r}; leave it out, show fewer"
                " demonstrations, or take another model"
            )
        return Sample(prompt, ids)

    def say(
        self, way: Way, asked: Sequence[Asked], seeds: SeedArray, sampling: Sampling
    ) -> list[str]:
        """One answer to each question, its first line.

        Args:
            way: how the model answers.
            asked: (n,) questions.
            seeds: (n,) an answer depends on its own alone.
            sampling: how to draw; temperature 0 is greedy.
        """
        return list(map(_first_line, self.write(way, asked, seeds, sampling)))

    def write(
        self, way: Way, asked: Sequence[Asked], seeds: SeedArray, sampling: Sampling
    ) -> list[str]:
        """As ``say``, with all lines."""
        conversations = [way.conversation(one) for one in asked]
        with way.at_work():
            return self.replies(conversations, seeds, sampling)

    def replies(
        self, conversations: Sequence[list[Message]], seeds: SeedArray, sampling: Sampling
    ) -> list[str]:
        """Whole answers of the model, as it is now, to conversations (n,); see ``say``."""
        guard = None if sampling.emojis else self.emoji_guard
        prompts = [conversation_ids(self._tokenizer, self._tokens, one) for one in conversations]
        ends = end_tokens(self.model, self._tokens.ends)
        said: list[str] = []
        for start in range(0, len(prompts), self._rows):
            own = slice(start, start + self._rows)
            found = decode(self.model, prompts[own], seeds[own], ends, sampling, guard)
            said += [self._tokens.text(ids) for ids in found]
        return said

    @torch.inference_mode()
    def token_logs(
        self, way: Way, asked: Sequence[Asked], answers: Sequence[str]
    ) -> list[FloatArray]:
        """Log-probabilities (tokens,) of each of n answers to its question."""
        samples = [
            self.sample(way.conversation(one), answer)
            for one, answer in zip(asked, answers, strict=True)
        ]
        with way.at_work():
            return [
                logs.gather(1, torch.tensor(ids, device=logs.device)[:, None])[:, 0].cpu().numpy()
                for logs, ids in self.answer_logs(samples)
            ]

    @torch.inference_mode()
    def distributions(
        self, way: Way, asked: Sequence[Asked], answers: Sequence[str]
    ) -> list[FloatArray]:
        """Log-probabilities (tokens, vocabulary) at each token of n answers; a few at a time."""
        samples = [
            self.sample(way.conversation(one), answer)
            for one, answer in zip(asked, answers, strict=True)
        ]
        with way.at_work():
            return [logs.cpu().numpy() for logs, _ in self.answer_logs(samples)]

    def answer_logs(self, samples: Sequence[Sample]) -> Iterator[tuple[Tensor, Ids]]:
        """Log-probabilities (tokens, vocabulary) before each token of an answer, and its tokens."""
        for batch in self._batches(samples):
            logits = self.run(batch).logits
            for row, sample in enumerate(batch):
                own = logits[row, -len(sample.answer) - 1 : -1].float()
                yield own.log_softmax(-1), sample.answer

    @torch.inference_mode()
    def mean_states(self, samples: Sequence[Sample]) -> FloatArray:
        """(n, layers, width) each layer's output, averaged over the tokens of the answer."""
        found = []
        for batch in self._batches(samples):
            states = self.run(batch, output_hidden_states=True).hidden_states[1:]
            for row, sample in enumerate(batch):
                own = [layer[row, -len(sample.answer) :].float().mean(0) for layer in states]
                found.append(torch.stack(own).cpu().numpy())
        return np.stack(found)

    def text_states(self, texts: Sequence[str]) -> FloatArray:
        """(n, layers, width) as ``mean_states`` of texts that nobody asked for."""
        samples = [Sample([], self._tokens.prefix(text)) for text in texts]
        return self.mean_states(samples)

    def run(self, batch: Sequence[Sample], **settings: Any) -> Any:
        """The model's output for prompts with their answers, padded on the left."""
        rows = [sample.prompt + sample.answer for sample in batch]
        tokens, mask = left_padded(rows, self.model.device)
        if self._alone:
            return self.model(**inputs_of(self.model, tokens, logits_to_keep=0), **settings)
        positions = (mask.cumsum(1) - 1).clamp_min(0)
        return self.model(
            input_ids=tokens, attention_mask=mask, position_ids=positions, use_cache=False,
            **settings,
        )  # fmt: skip

    def _batches(self, samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
        size = 1 if self._alone else self._rows
        for start in range(0, len(samples), size):
            yield samples[start : start + size]


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()

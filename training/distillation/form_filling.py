"""A language model fills in a form: what is printed on it is forced, blanks are its own words.

So JSON of a fixed schema comes out whole whatever the model is, and no grammar has to be compiled:
the keys of our answers have one order and the number of reasons is known. It knows no profile.
"""

import re
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.inference.engine import Sampling
from agents.inference.local.free_text import choose, next_logits
from agents.inference.tokens import Tokens
from simenv.events import SeedArray
from simenv.seeding import Channel, mix, uniforms

_FORBIDDEN = re.compile(r"[\"\\\x00-\x1f\x7f\u2028\u2029]")  # would end or break a JSON string


class Blank(NamedTuple):
    """A place for the model's own words, without quotes and line breaks."""

    most: int  # tokens; a sentence that is not finished then is left out
    least: int = 2  # tokens before it may end


Form = Sequence[str | Blank]


class FormFiller:
    """Fills in forms with one causal language model.

    Args:
        model: of transformers.
        tokens: of its tokenizer.
    """

    def __init__(self, model: Any, tokens: Tokens) -> None:
        self._model, self._tokens = model, tokens
        self._own, self._ends = _kinds_of_tokens(model, tokens)

    @torch.inference_mode()
    def fill(
        self, prompts: Sequence[list[int]], forms: Sequence[Form], seeds: SeedArray, how: Sampling
    ) -> list[list[str]]:
        """What stands in the blanks of each form, in their order.

        Args:
            prompts: (n,) token ids before each form.
            forms: (n,) a blank is followed by text that begins with a quote.
            seeds: (n,) of each form's draws.
            how: temperature and ``top_k`` of the draws.
        """
        rows = [_Row(form, self._tokens) for form in forms]
        steps = next_logits(self._model, list(prompts))
        keys, step, logits = mix(seeds, Channel.FORM), 0, next(steps)
        while not all(row.is_done for row in rows):
            own = self._chosen(logits.float(), rows, uniforms(keys, step, 1)[:, 0], how)
            said = [row.go_on(token) for row, token in zip(rows, own.tolist(), strict=True)]
            logits, step = steps.send(torch.tensor(said, device=logits.device)[:, None]), step + 1
        return [row.answers for row in rows]

    def _chosen(
        self, logits: Tensor, rows: Sequence["_Row"], draws: np.ndarray, how: Sampling
    ) -> Tensor:
        """(n,) the model's own next token; that of ``_ends`` which says that a blank is full."""
        may_end = torch.tensor([row.may_end for row in rows], device=logits.device)
        ending = logits[:, self._ends].logsumexp(-1)
        ending = ending.masked_fill(~may_end, -torch.inf)
        inside = logits.masked_fill(~self._own, -torch.inf)
        inside[:, self._ends[0]] = ending
        return choose(inside, how, draws) if how.temperature else inside.argmax(-1)


class _Row:
    """How far one form is filled in."""

    def __init__(self, form: Form, tokens: Tokens) -> None:
        self.answers: list[str] = []
        self._parts, self._tokens = deque(form), tokens
        self._printed: deque[int] = deque()
        self._blank: Blank | None = None
        self._written: list[int] = []
        self._turn()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to print or to fill in."""
        return not (self._parts or self._printed or self._blank)

    @property
    def may_end(self) -> bool:
        """Whether enough was written in the present blank."""
        return self._blank is not None and len(self._written) >= self._blank.least

    def go_on(self, own: int) -> int:
        """The next token of the text, given the one that the model would choose."""
        if self._blank is not None and not self._printed:
            full = len(self._written) >= self._blank.most
            if not full and not self._tokens.text([own]).startswith('"'):
                self._written.append(own)
                return own
            self.answers.append(_finished(self._tokens.text(self._written), cut=full))
            self._blank, self._written = None, []
            self._turn()
        token = self._printed.popleft() if self._printed else own
        if not self._printed and self._blank is None:
            self._turn()
        return token

    def _turn(self) -> None:
        """To the next part of the form."""
        if not self._parts:
            return
        part = self._parts.popleft()
        if isinstance(part, Blank):
            self._blank = part
        else:
            self._printed.extend(self._tokens.encode([part])[0])


def _finished(text: str, cut: bool) -> str:
    """The words of a blank; of a text that was cut the whole sentences, or else the whole words."""
    text = re.sub(r"\s+", " ", text.replace("\ufffd", "")).rstrip()
    if not cut:
        return text
    sentences = re.match(r".*[.!?]", text)
    return sentences[0] if sentences else text.rpartition(" ")[0] or text


def _kinds_of_tokens(model: Any, tokens: Tokens) -> tuple[Tensor, Tensor]:
    """(vocabulary,) which tokens may stand in a blank, and (e,) those that end one."""
    tokenizer = tokens.tokenizer
    size = model.get_output_embeddings().weight.shape[0]
    texts = tokenizer.batch_decode([[i] for i in range(min(size, len(tokenizer)))])
    own = torch.zeros(size, dtype=torch.bool)
    own[: len(texts)] = torch.tensor([bool(t) and not _FORBIDDEN.search(t) for t in texts])
    own[[i for i in tokenizer.all_special_ids if i < size]] = False
    ends = [i for i, text in enumerate(texts) if text.startswith('"')]
    ends += [i for i in tokens.ends if i < size]
    return own.to(model.device), torch.tensor(ends, device=model.device)

"""What stands around a context and a question: plain lines, or a model's own chat template.

Instruction models answer as somebody only where their template is kept. The answer's cue stands at
the beginning of the model's turn, so that its next token is the answer's.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from agents.inference.engine import Engine, Tokenizes
from agents.inference.wrapped.engine_wrapper import EngineWrapper

CUE = "ANSWER:"
_CONTEXT, _QUESTION = "<<context>>", "<<question>>"


class Frame(NamedTuple):
    """Three texts around two."""

    opening: str
    between: str
    closing: str
    specials: tuple[str, ...] = ()  # tokens of the template, which no text may hold

    def before(self, context: str) -> str:
        """The prefix: what all questions of one person share."""
        return f"{self.opening}{without_tokens(context, self.specials)}{self.between}"

    def question(self, text: str) -> str:
        """The suffix, which ends in the cue."""
        return f"{without_tokens(text, self.specials)}{self.closing}{CUE}"


PLAIN = Frame("", "\n", "\n")


def without_tokens(text: str, specials: Sequence[str]) -> str:
    """Text in which no token of a template stands: nobody speaks in another's name."""
    for special in specials:
        text = text.replace(special, special.strip("<|>[]"))
    return text


def tokenizer_of(engine: Engine) -> Any:
    """The tokenizer of the model behind an engine; None where nobody can see it."""
    while isinstance(engine, EngineWrapper):
        engine = engine.inner
    return engine.tokenizer if isinstance(engine, Tokenizes) else None


def frame_of(engine: Engine) -> Frame:
    """The chat template of the model behind an engine; plain lines where there is none."""
    tokenizer = tokenizer_of(engine)
    if not getattr(tokenizer, "chat_template", None):
        return PLAIN
    return chat_frame(tokenizer)


def chat_frame(tokenizer: Any) -> Frame:
    """The frame that a tokenizer's chat template makes.

    Args:
        tokenizer: of Hugging Face, with a chat template.

    Raises:
        ValueError: the template changes what it is given.
    """
    try:
        text = _rendered(tokenizer, [("system", _CONTEXT), ("user", _QUESTION)])
    except Exception:  # templates raise what they like where they know no system message
        text = ""
    if not text.count(_CONTEXT) == text.count(_QUESTION) == 1:
        text = _rendered(tokenizer, [("user", f"{_CONTEXT}\n\n{_QUESTION}")])
    opening, found, rest = text.partition(_CONTEXT)
    between, also, closing = rest.partition(_QUESTION)
    if not found or not also:
        raise ValueError(
            "a chat template wanted to give its texts back, got a template that changes or drops"
            " them; ask with frame=PLAIN"
        )
    return Frame(opening, between, closing, tuple(tokenizer.all_special_tokens))


def _rendered(tokenizer: Any, turns: list[tuple[str, str]]) -> str:
    messages = [{"role": role, "content": text} for role, text in turns]
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

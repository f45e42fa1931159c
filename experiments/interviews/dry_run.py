"""What a study would cost: prompts, tokens, memory and time, before anybody is asked."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.inference.engine import Request
from agents.interviews.asking import prefix_of, question_of, shown_options
from agents.interviews.frames import PLAIN
from agents.interviews.instruments import Instrument
from experiments.interviews.presets import PRESETS
from experiments.interviews.settings import Settings
from experiments.interviews.strategies import cast
from experiments.reporting.formatting import rounded

_LETTERS_A_TOKEN = 4.0  # where the model's tokenizer is not on this machine
_BYTES = 2  # a parameter in bfloat16
_Count = Callable[[Sequence[str]], int]


def planned(settings: Settings, tokens_per_second: float) -> dict[str, Any]:
    """Figures by model; "about" where the tokenizer or the size is not known here.

    Args:
        settings: of the study.
        tokens_per_second: that the machine reads with such a model.
    """
    return {
        name: _of_model(place, PRESETS.get(name) and PRESETS[name].billions, settings)
        | {"tokens_per_second": tokens_per_second}
        for name, place in settings.models.items()
    }


def _of_model(place: str, billions: float | None, settings: Settings) -> dict[str, Any]:
    count, exact = _counter(place)
    times = len(settings.wordings)
    asked = [_asked(instrument, settings) for instrument in settings.instruments]
    requests = [one for part in asked for one in part]
    prefixes = count(sorted({one.prefix for one in requests}))
    suffixes = count([one.suffix for one in requests])
    spoken = settings.answers == "spoken"
    passes = times * (len(settings.temperatures) * settings.repetitions if spoken else 1)
    said = settings.max_new_tokens * len(requests) * passes if spoken else 0
    whole = count([one.prefix for one in requests]) + suffixes
    return {
        "prompts": len(requests) * passes,
        "tokens": whole * passes + said if spoken else prefixes * times + suffixes * times,
        "tokens_without_kept_prefixes": whole * passes + said,
        "tokens_counted": "by the model's tokenizer" if exact else "about, four letters a token",
        "memory_gb": _memory(place, billions),
    }


def with_time(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a model with the hours that they take."""
    hours = plan["tokens"] / plan["tokens_per_second"] / 3600
    return {**plan, "hours": rounded(hours, 3)}


def _asked(instrument: Instrument, settings: Settings) -> list[Request]:
    """Every prompt of one wording."""
    how = settings.how()
    shown = shown_options(instrument, how)
    people = cast(instrument, settings.levels).people
    questions = [
        question_of(instrument, item, shown[i, r, : len(instrument.options_of(item))], how, PLAIN)
        for i, item in enumerate(instrument.items)
        for r in range(how.rounds if settings.answers == "scored" else 1)
    ]
    return [Request(prefix_of(who, how, PLAIN), q) for who in people for q in questions]


def _counter(place: str) -> tuple[_Count, bool]:
    """Counts tokens of texts, and whether it does so by the model's own tokenizer."""
    from experiments.people.base_models import model_named

    local = place in ("shipped", "smollm2") or Path(place).is_dir()
    try:
        tokenizer = _tokenizer(model_named(place)) if local else None
    except (OSError, ImportError):
        tokenizer = None
    if tokenizer is None:
        return lambda texts: round(sum(map(len, texts)) / _LETTERS_A_TOKEN), False
    return lambda texts: _tokens(tokenizer, texts), True


def _tokenizer(model: str) -> Any:
    from agents.inference.local.loading import load_tokenizer

    return load_tokenizer(model)


def _tokens(tokenizer: Any, texts: Sequence[str]) -> int:
    """Tokens of texts, each different one read once."""
    known = {text: 0 for text in texts}
    ids = tokenizer(list(known), add_special_tokens=False)["input_ids"]
    known |= {text: len(own) for text, own in zip(known, ids, strict=True)}
    return sum(known[text] for text in texts)


def _memory(place: str, billions: float | None) -> float | None:
    """Gigabytes of the weights; None where nothing is known here."""
    if billions is not None:
        return rounded(billions * _BYTES, 2)
    files = list(Path(place).glob("*.safetensors")) if Path(place).is_dir() else []
    return rounded(sum(file.stat().st_size for file in files) / 1e9, 3) if files else None

"""The judge that a name stands for; it knows no reply."""

import importlib

from training.personified.judging.stances import NLI, RULES, Judge, RuleJudge


def judge_named(name: str, model: str | None = None) -> Judge:
    """``rules``, ``nli`` (rules first, then a model), or the class at a dotted path.

    Args:
        name: of the judge.
        model: folder or hub name, for ``nli``.

    Raises:
        ValueError: there is no such class or model, or the class has no ``stance`` or ``name``.
    """
    if name == RULES:
        return RuleJudge()
    if name == NLI:
        from training.personified.judging.nli import NliJudge  # heavy: transformers

        return NliJudge(model)
    module, _, last = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), last)()
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise ValueError(
            f"judge wanted {RULES}, {NLI}, or the dotted path of a class with"
            f" stance(exchange, reply) and a name, got {name!r} ({type(error).__name__}:"
            f" {error}); correct the path, or put its folder on PYTHONPATH"
        ) from error
    if not callable(getattr(found, "stance", None)) or not isinstance(
        getattr(found, "name", None), str
    ):
        raise ValueError(
            f"judge wanted a class with stance(exchange, reply) and a name, got {name!r} without"
            " one of them; give it both"
        )
    judge: Judge = found
    return judge

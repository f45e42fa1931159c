"""Domains out of YAML: those shipped, by name, and your own, by file."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from simenv.domains.domain import FIELDS, Domain, nearest

_FOLDER = Path(__file__).parent
_BASE, _LIKE = "item", "like"
_MOST_BYTES = 100_000


def shipped_domains() -> tuple[str, ...]:
    """The names of the domains inside the package."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.yaml")))


@lru_cache
def domain_called(noun: str) -> Domain:
    """The words for what ``noun`` names: its shipped domain, else those of any item.

    >>> domain_called("book").verb, domain_called("shoe").verb, domain_called("shoe").one
    ('read', 'browse', 'a shoe')

    Raises:
        ValueError: it is no name.
    """
    if not isinstance(noun, str) or not noun.strip():
        raise ValueError(f"kind wanted the name of one item, such as 'movie', got {noun!r}")
    if noun in shipped_domains():
        return load_domain(noun)
    return replace(load_domain(_BASE), noun=noun, article="", plural="")


def load_domain(name_or_path: str | Path) -> Domain:
    """A shipped domain by its name, or your own by its file.

    Args:
        name_or_path: such as "book", or a path that ends in .yaml or .yml.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no such name, or a field is unknown or not what it should be; the message names
            file, field, what was wanted and what came.
    """
    file = Path(name_or_path)
    if file.suffix not in (".yaml", ".yml"):
        file = _shipped(str(name_or_path))
    return domain_of(_merged(file), file.name)


def domain_of(content: Mapping[str, Any], where: str) -> Domain:
    """The domain of all fields; ``where`` begins the error.

    Raises:
        ValueError: a field is missing, unknown or not what it should be.
    """
    _check_fields(content, where)
    if missing := [name for name in FIELDS if name not in content]:
        raise ValueError(f"domain {where}: field {missing[0]!r} is missing; add it")
    try:
        return Domain(**{name: content[name] for name in FIELDS})
    except ValueError as error:
        raise ValueError(f"domain {where}: {error}") from None


def _shipped(name: str) -> Path:
    if name not in shipped_domains():
        raise ValueError(
            f"domain wanted one of {', '.join(shipped_domains())}, or the path of a .yaml file, got"
            f" {name!r}; {nearest(name, shipped_domains())}docs/how-to/your_own_domain.md"
            " shows how to write one"
        )
    return _FOLDER / f"{name}.yaml"


def _merged(file: Path) -> dict[str, Any]:
    """The fields of a file over those of the domain that it is like."""
    own = _read(file)
    if file == _FOLDER / f"{_BASE}.yaml":
        return own
    _check_fields(own, file.name, (_LIKE,))
    like = own.pop(_LIKE, _BASE)
    if (
        not isinstance(like, str)
        or like not in shipped_domains()
        or _FOLDER / f"{like}.yaml" == file
    ):
        raise ValueError(
            f"domain {file.name}: field {_LIKE!r} wanted one of {', '.join(shipped_domains())},"
            f" got {like!r}; name a shipped domain, or leave it out"
        )
    inherited = _merged(_FOLDER / f"{like}.yaml")
    if "noun" in own:  # neither is of another noun
        inherited.update(plural="", article="")
    return {**inherited, **own}


def _read(file: Path) -> dict[str, Any]:
    import yaml

    if not file.is_file():
        raise FileNotFoundError(
            f"domain wanted a file, found none at {str(file)!r}; check the path"
        )
    if file.stat().st_size > _MOST_BYTES:
        raise ValueError(f"domain {file.name} wanted at most {_MOST_BYTES} bytes; shorten it")
    try:
        text = file.read_text(encoding="utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ValueError(
                f"domain {file.name} wanted plain fields, got an alias (*); write it out"
            )
        content = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"domain {file.name} is no YAML ({reason}); correct it") from None
    if not isinstance(content, dict):
        raise ValueError(
            f"domain {file.name} wanted a field a line, such as 'noun: shoe', got"
            f" {str(content)[:60]!r}; correct it"
        )
    return content


def _check_fields(content: Mapping[Any, Any], where: str, also: tuple[str, ...] = ()) -> None:
    known = (*also, *FIELDS)
    for name in content:
        if name not in known:
            raise ValueError(
                f"domain {where}: field {str(name)[:60]!r} is unknown;"
                f" {nearest(str(name), known)}the fields are {', '.join(known)}"
            )

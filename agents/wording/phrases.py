"""Small pieces of English: lists, plurals, quoted titles. They know no item and no person."""

from collections.abc import Sequence

from simenv.domains.domain import Domain


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names as a sentence says them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


_IRREGULAR = {"child": "children", "mouse": "mice", "goose": "geese", "tooth": "teeth"}


def plural(kind: str) -> str:
    """Several of what one item is called.

    >>> plural("movie"), plural("story"), plural("dress"), plural("policeman"), plural("wife")
    ('movies', 'stories', 'dresses', 'policemen', 'wives')
    >>> plural("mouse"), plural("child")
    ('mice', 'children')
    """
    for one, many in _IRREGULAR.items():
        if kind.endswith(one):
            return kind.removesuffix(one) + many
    if kind.endswith(("man", "wife", "life", "thief", "wolf")):
        return kind[:-2] + "en" if kind.endswith("man") else kind.rstrip("e")[:-1] + "ves"
    if kind.endswith("y") and kind[-2:-1] not in "aeiou":
        return f"{kind[:-1]}ies"
    return f"{kind}es" if kind.endswith(("s", "x", "ch", "sh", "hero")) else f"{kind}s"


def several(domain: Domain) -> str:
    """Several items, as their domain says or English does."""
    return domain.plural or plural(domain.noun)


def quoted(title: str) -> str:
    """A title in quotation marks, of which it holds none itself."""
    return '"' + title.replace('"', "'") + '"'

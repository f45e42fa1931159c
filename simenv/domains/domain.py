"""What a domain is: the words for its items and how an item is told. It knows no file and no user.

``item.yaml`` beside this file says what each field means. Templates hold names in braces and
nothing else: they are filled by name, never run.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from simenv.values.plain_text import one_line

_SHORT, _LONG = ("title", "year", "genres"), ("people", "summary", "headline")
_NAME = re.compile(r"\{(\w*)\}")
_MOST = 300  # characters of a sentence or a piece
_LONGEST = 4000  # characters of a title


@dataclass(frozen=True)
class Domain:
    """Words and templates of one kind of items, each field checked.

    Raises:
        ValueError: a field is not what ``item.yaml`` says of it; names field, wish and cure.
    """

    noun: str
    plural: str
    article: str
    verb: str
    again: str
    done: str
    genres: str
    story: str
    stories: str
    activity: tuple[str, ...]
    diversity: tuple[str, ...]
    people: str
    anchors: tuple[str, ...]
    scale: tuple[float, float] | None
    facts: tuple[str, ...]
    headline: tuple[str, ...]
    line: tuple[str, ...]
    longest: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value = _RULES[field.name](field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        if not self.article:
            vowel = self.noun[:1].lower() in tuple("aeiou")
            object.__setattr__(self, "article", "an" if vowel else "a")
        _check_names("people", [self.people], ("people",))
        for field_name in ("activity", "diversity"):
            _check_names(field_name, getattr(self, field_name), ("verb", "genres"))
        _check_names("headline", self.headline, (*_SHORT, *self.facts))
        _check_names("line", self.line, (*_SHORT, *_LONG, *self.facts))
        if twice := [name for name in self.facts if name in _SHORT + _LONG]:
            raise ValueError(
                f"field 'facts' wanted names beside {', '.join(_SHORT + _LONG)}, got {twice[0]!r};"
                " that one has an option of its own, such as title_column"
            )

    @property
    def one(self) -> str:
        """The noun behind its article: "a movie", "an item"."""
        return f"{self.article} {self.noun}"

    def sentence(self, text: str) -> str:
        """One of ``activity`` or ``diversity`` with its words in place."""
        return filled(text, {"verb": self.verb, "genres": self.genres})

    def to_dict(self) -> dict[str, Any]:
        """The fields as a file holds them."""
        facts = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in facts.items()}


def filled(piece: str, values: Mapping[str, str]) -> str:
    """``piece`` with every name in braces as its value.

    >>> filled(" ({year})", {"year": "1999"})
    ' (1999)'
    """
    return _NAME.sub(lambda found: values[found[1]], piece)


def told(pieces: Sequence[str], values: Mapping[str, str]) -> str:
    """The pieces one after the other, without those that name an empty value; a headline stays.

    >>> told(["{title}", " ({year})", " {genres}"], {"title": "Up", "year": "", "genres": "Comedy"})
    'Up Comedy'
    """
    whole = [p for p in pieces if all(values[n] for n in _NAME.findall(p) if n != "headline")]
    return "".join(filled(piece, values) for piece in whole)


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint at the known name that is most like one that is not, or nothing."""
    near = difflib.get_close_matches(name, known, 1)
    return f"perhaps {near[0]!r} is meant; " if near else ""


def _check_names(field: str, pieces: Sequence[str], known: Sequence[str]) -> None:
    for piece in pieces:
        bare = _NAME.sub("", piece)
        if "{" in bare or "}" in bare:
            raise ValueError(
                f"field {field!r} wanted names in braces such as {{{known[0]}}}, got {piece!r};"
                " close every brace around one name"
            )
        for name in _NAME.findall(piece):
            if name not in known:
                raise ValueError(
                    f"field {field!r} wanted names among {', '.join(known)}, got {{{name}}};"
                    f" {nearest(name, known)}columns of your own go under 'facts'"
                )


def _refusal(field: str, wanted: str, value: Any) -> ValueError:
    return ValueError(f"field {field!r} wanted {wanted}, got {str(value)[:80]!r}; correct it")


def _text(field: str, value: Any, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value.strip() or empty):
        wanted = 'a text (in quotes where it is a word such as "no")'
        raise _refusal(field, wanted, value)
    return one_line(value)


def _word(field: str, value: Any, empty: bool = False) -> str:
    """A word or a few, without a colon: no section of a prompt can be made of them."""
    text = _text(field, value, empty)
    if ":" in text or len(text) > _MOST:
        raise _refusal(field, f"words without a colon, at most {_MOST} characters", value)
    return text


def _maybe(field: str, value: Any) -> str:
    return _word(field, value, empty=True)


def _words(count: int | None) -> Callable[[str, Any], tuple[str, ...]]:
    def check(field: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise _refusal(field, "a list", value)
        if count is not None and len(value) != count:
            raise _refusal(field, f"{count} texts, in their order", value)
        return tuple(_word(field, one) for one in value)

    return check


def _pieces(field: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise _refusal(field, "a list of pieces such as '{title}'", value)
    for one in value:
        if not isinstance(one, str) or len(one) > _MOST or one_line(one) != one:
            raise _refusal(field, f"texts on one line, at most {_MOST} characters", one)
    return tuple(value)


def _facts(field: str, value: Any) -> tuple[str, ...]:
    names = _words(None)(field, value)
    bad = [name for name in names if not re.fullmatch(r"\w+", name)]
    if bad or len(set(names)) < len(names):
        raise _refusal(field, "distinct names of letters, digits and '_'", bad or value)
    return names


def _scale(field: str, value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    numbers = isinstance(value, Sequence) and [
        isinstance(x, int | float) and not isinstance(x, bool) and abs(x) < 1e9 for x in value
    ]
    if not numbers or len(value) != 2 or not all(numbers) or not value[0] < value[1]:
        raise _refusal(field, "[lowest, highest] rating, or null", value)
    return float(value[0]), float(value[1])


def _length(field: str, value: Any) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 20 <= value <= _LONGEST:
        raise _refusal(field, f"a whole number from 20 to {_LONGEST}", value)
    return int(value)


_RULES: Mapping[str, Callable[[str, Any], Any]] = {
    "noun": _text,
    "plural": _maybe,
    "article": _maybe,
    "verb": _word,
    "again": _word,
    "done": _word,
    "genres": _word,
    "story": _word,
    "stories": _word,
    "activity": _words(3),
    "diversity": _words(3),
    "people": _word,
    "anchors": _words(5),
    "scale": _scale,
    "facts": _facts,
    "headline": _pieces,
    "line": _pieces,
    "longest": _length,
}
FIELDS = tuple(_RULES)

"""Film titles as MovieLens files write them, turned into natural word order and a year."""

import re

_ARTICLES = (
    "The|A|An|La|Le|Les|El|Los|Las|Il|Lo|Gli|Das|Der|Die|Den|Det|De|Het|En|Un|Une|Una|Ein|Eine|L'"
)
_INVERTED = re.compile(rf"^(?P<rest>.+), (?P<article>{_ARTICLES})$")
_YEAR = re.compile(r"\s*\((?P<year>\d{4})(?:[-\u2013]\d{0,4})?\)\s*(?:\([A-Z]+\))?\s*$")
_KNOWN_AS = re.compile(r"a\.?k\.?a\.? +", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"\(([^()]+)\)")


def parse_title(raw: str) -> tuple[str, int]:
    """Title in natural word order and year (0 = unknown).

    >>> parse_title("Big Lebowski, The (1998)")
    ('The Big Lebowski', 1998)
    >>> parse_title("Postino, Il (The Postman) (1994)")
    ('Il Postino (The Postman)', 1994)
    >>> parse_title("House, The (a.k.a. Casa, La) (1999)")
    ('The House (a.k.a. La Casa)', 1999)
    """
    match = _YEAR.search(raw)
    title, year = (raw[: match.start()], int(match["year"])) if match else (raw, 0)
    main, parenthesis, alternatives = title.strip().partition(" (")
    alternatives = _ALTERNATIVE.sub(
        lambda m: f"({_alternative(m[1].strip())})", parenthesis + alternatives
    )
    return natural_order(main) + alternatives, year


def _alternative(title: str) -> str:
    """An alternative title; ``a.k.a.`` stays in front of the article."""
    known_as = _KNOWN_AS.match(title)
    start = known_as[0] if known_as else ""
    return start + natural_order(title[len(start) :])


def natural_order(title: str) -> str:
    """Put a trailing article in front: ``"Haine, La"`` → ``"La Haine"``."""
    match = _INVERTED.match(title)
    if not match:
        return title
    space = "" if match["article"].endswith("'") else " "
    return f"{match['article']}{space}{match['rest']}"

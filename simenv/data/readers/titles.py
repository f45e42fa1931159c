"""Film titles as MovieLens files write them, turned into natural word order and a year."""

import re

_ARTICLES = (
    "The|A|An|La|Le|Les|El|Los|Las|Il|Lo|Gli|Das|Der|Die|Den|Det|De|Het|En|Un|Une|Una|Ein|Eine|L'"
)
_INVERTED = re.compile(rf"^(?P<rest>.+), (?P<article>{_ARTICLES})$")
_YEAR = re.compile(r"\s*\((?P<year>\d{4})(?:[-\u2013]\d{0,4})?\)\s*(?:\([A-Z]+\))?\s*$")
_ALTERNATIVE = re.compile(r"\(([^()]+)\)")


def parse_title(raw: str) -> tuple[str, int]:
    """Title in natural word order and year (0 = unknown).

    >>> parse_title("Big Lebowski, The (1998)")
    ('The Big Lebowski', 1998)
    >>> parse_title("Postino, Il (The Postman) (1994)")
    ('Il Postino (The Postman)', 1994)
    """
    match = _YEAR.search(raw)
    title, year = (raw[: match.start()], int(match["year"])) if match else (raw, 0)
    main, parenthesis, alternatives = title.strip().partition(" (")
    alternatives = _ALTERNATIVE.sub(
        lambda m: f"({natural_order(m[1].strip())})", parenthesis + alternatives
    )
    return natural_order(main) + alternatives, year


def natural_order(title: str) -> str:
    """Put a trailing article in front: ``"Haine, La"`` → ``"La Haine"``."""
    match = _INVERTED.match(title)
    if not match:
        return title
    space = "" if match["article"].endswith("'") else " "
    return f"{match['article']}{space}{match['rest']}"

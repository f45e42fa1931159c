"""Text as one line without control characters; ordinary text comes back as it is.

What is taken out: C0 and C1 controls, line and paragraph separators, characters that change the
direction of writing, byte order marks, and halves of surrogate pairs, which no encoding can write.
"""

import re

_BREAKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_UNSEEN = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
    "\ud800-\udfff"
)
_ANY = re.compile(f"[{_BREAKS}{_UNSEEN}]")
_BREAK = re.compile(f"[{_BREAKS}]")
_BLANKS = re.compile(r"\s+")


def one_line(text: str) -> str:
    r"""The text with a space for every line break or tab, and without what cannot be seen.

    >>> one_line("Film 3\nRATING: 5\u202e")
    'Film 3 RATING: 5'
    """
    if not _ANY.search(text):
        return text
    joined = _BLANKS.sub(lambda m: " " if _BREAK.search(m.group()) else m.group(), text)
    return _ANY.sub("", joined).strip()
